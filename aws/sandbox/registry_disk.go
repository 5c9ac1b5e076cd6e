package sandbox

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/adrg/xdg"
)

const (
	layerDirPrefix = "registry-"
	layerDirLock   = ".lock"
	uploadPrefix   = "upload-"
)

// layerDisk keeps what is pushed in files of one directory, which is made when
// the first upload comes and removed at Close: memory would not hold the images
// of a day's work. A sandbox that was killed leaves its directory; the next one
// that is pushed to removes it.
type layerDisk struct {
	parent string // where the directory is made

	mu     sync.Mutex
	root   string // "" until it is made
	lock   io.Closer
	closed bool
}

// newLayerDisk keeps layers below dir, or in the user's cache directory: the
// one for temporary files is often memory.
func newLayerDisk(dir string) *layerDisk {
	if dir == "" {
		dir = filepath.Join(xdg.CacheHome, "gantry", "registry")
	}
	return &layerDisk{parent: dir}
}

// directory is where the files are, made at the first call.
func (d *layerDisk) directory() (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return "", errors.New("the registry is closed")
	case d.root != "":
		return d.root, nil
	}
	const ownerOnly = 0o700
	if err := os.MkdirAll(d.parent, ownerOnly); err != nil {
		return "", fmt.Errorf("make a place for layers: %w", err)
	}
	sweepLayerDirs(d.parent)
	root, err := os.MkdirTemp(d.parent, layerDirPrefix)
	if err != nil {
		return "", fmt.Errorf("make a directory for layers: %w", err)
	}
	lock, err := lockDir(root)
	if err != nil {
		return "", errors.Join(fmt.Errorf("lock the directory for layers: %w", err), os.RemoveAll(root))
	}
	d.root, d.lock = root, lock
	return root, nil
}

// Close removes the directory.
func (d *layerDisk) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.root == "" {
		return nil
	}
	root := d.root
	d.root = ""
	// The lock goes first: Windows removes no file that is open.
	return errors.Join(d.lock.Close(), os.RemoveAll(root))
}

// sweepLayerDirs removes what killed sandboxes left. What cannot be locked is
// somebody's still.
func sweepLayerDirs(parent string) {
	left, err := filepath.Glob(filepath.Join(parent, layerDirPrefix+"*"))
	if err != nil {
		return
	}
	for _, dir := range left {
		if info, err := os.Lstat(dir); err != nil || !info.IsDir() || !abandoned(dir) {
			continue
		}
		_ = os.RemoveAll(dir) // the next sandbox tries again
	}
}

// of is where the layers of a repository are.
func (d *layerDisk) of(repository uint64) layerDir {
	return layerDir{d, strconv.FormatUint(repository, 10)}
}

// newUpload makes a file that a layer is written into before it has a name.
func (d *layerDisk) newUpload() (*os.File, error) {
	root, err := d.directory()
	if err != nil {
		return nil, err
	}
	return os.CreateTemp(root, uploadPrefix)
}

// layerDir holds the layers of one repository, each in a file that its digest
// names.
type layerDir struct {
	disk *layerDisk
	name string
}

// path is a layer's file; ok is false while there is no directory at all.
func (l layerDir) path(digest string) (path string, ok bool) {
	l.disk.mu.Lock()
	defer l.disk.mu.Unlock()
	hex, isDigest := strings.CutPrefix(digest, "sha256:")
	if l.disk.root == "" || !isDigest || !imageDigest.MatchString(digest) {
		return "", false
	}
	return filepath.Join(l.disk.root, l.name, hex), true
}

func (l layerDir) open(digest string) (*os.File, error) {
	path, ok := l.path(digest)
	if !ok {
		return nil, fs.ErrNotExist
	}
	return os.Open(path) //nolint:gosec // hexadecimal digits below our own directory
}

func (l layerDir) size(digest string) (int64, bool) {
	path, ok := l.path(digest)
	if !ok {
		return 0, false
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, false
	}
	return info.Size(), true
}

func (l layerDir) has(digest string) bool {
	_, there := l.size(digest)
	return there
}

// adopt takes an uploaded file over as the layer that its contents are.
func (l layerDir) adopt(file, digest string) error {
	path, ok := l.path(digest)
	if !ok {
		return fmt.Errorf("there is no place for the layer %s", digest)
	}
	const ownerOnly = 0o700
	if err := os.MkdirAll(filepath.Dir(path), ownerOnly); err != nil {
		return err
	}
	return os.Rename(file, path)
}

// remove deletes a layer; one that is read at this moment is read to its end.
func (l layerDir) remove(digest string) {
	if path, ok := l.path(digest); ok {
		_ = os.Remove(path) // Close removes what is left
	}
}

func (l layerDir) removeAll() error {
	l.disk.mu.Lock()
	defer l.disk.mu.Unlock()
	if l.disk.root == "" {
		return nil
	}
	return os.RemoveAll(filepath.Join(l.disk.root, l.name))
}
