package sandbox

import (
	"crypto/rand"
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
	ownerOnly      = 0o700
)

// layerDisk keeps what is pushed in files of one directory, which is made when
// the first upload comes and removed at Close: memory would not hold the images
// of a day's work. A sandbox that was killed leaves its directory; the next one
// removes it as it starts.
type layerDisk struct {
	parent string // where the directory is made

	mu     sync.Mutex
	name   string   // of the directory
	root   *os.Root // nil until it is made, and after Close
	lock   io.Closer
	closed bool
}

// newLayerDisk keeps layers below dir, or in the user's cache directory: the
// one for temporary files is often memory.
func newLayerDisk(dir string) *layerDisk {
	if dir == "" {
		dir = filepath.Join(xdg.CacheHome, "gantry", "registry")
	}
	sweepLayerDirs(dir)
	return &layerDisk{parent: dir}
}

// open is where the files are, made at the first call.
func (d *layerDisk) open() (*os.Root, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return nil, errors.New("the registry is closed")
	case d.root != nil:
		return d.root, nil
	}
	parent, err := openParent(d.parent)
	if err != nil {
		return nil, fmt.Errorf("make a place for layers: %w", err)
	}
	defer parent.Close()
	name := layerDirPrefix + rand.Text()
	if err := parent.Mkdir(name, ownerOnly); err != nil {
		return nil, fmt.Errorf("make a directory for layers: %w", err)
	}
	root, err := parent.OpenRoot(name)
	if err != nil {
		return nil, fmt.Errorf("open the directory for layers: %w", err)
	}
	lock, err := lockDir(root, filepath.Join(d.parent, name))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock the directory for layers: %w", err), root.Close(), parent.RemoveAll(name))
	}
	d.root, d.lock, d.name = root, lock, name
	return root, nil
}

// openParent opens the directory that all sandboxes of a user share for this.
func openParent(dir string) (*os.Root, error) {
	if err := os.MkdirAll(dir, ownerOnly); err != nil { //nolint:gosec // the user's own choice
		return nil, err
	}
	return os.OpenRoot(dir)
}

// made is the directory if there is one.
func (d *layerDisk) made() (root *os.Root, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.root, d.root != nil
}

// Close removes the directory.
func (d *layerDisk) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.root == nil {
		return nil
	}
	// These go first: Windows removes nothing that is open.
	err := errors.Join(d.root.Close(), d.lock.Close())
	d.root = nil
	parent, failed := openParent(d.parent)
	if failed != nil {
		return errors.Join(err, failed)
	}
	return errors.Join(err, parent.RemoveAll(d.name), parent.Close())
}

// sweepLayerDirs removes what killed sandboxes left. What cannot be locked is
// somebody's still.
func sweepLayerDirs(dir string) {
	parent, err := os.OpenRoot(dir)
	if err != nil {
		return // nobody has pushed yet
	}
	defer parent.Close()
	entries, err := fs.ReadDir(parent.FS(), ".")
	if err != nil {
		return
	}
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), layerDirPrefix) && abandoned(parent, e.Name()) {
			_ = parent.RemoveAll(e.Name()) // the next sandbox tries again
		}
	}
}

// of is where the layers of a repository are.
func (d *layerDisk) of(repository uint64) layerDir {
	return layerDir{d, strconv.FormatUint(repository, 10)}
}

// newUpload makes a file that a layer is written into before it has a name.
func (d *layerDisk) newUpload() (*os.File, error) {
	root, err := d.open()
	if err != nil {
		return nil, err
	}
	const ownerOnlyFile = 0o600
	return root.OpenFile(uploadPrefix+rand.Text(), os.O_CREATE|os.O_EXCL|os.O_WRONLY, ownerOnlyFile)
}

// dropUpload closes and removes an upload's file.
func (d *layerDisk) dropUpload(f *os.File) error {
	err := f.Close()
	root, ok := d.made()
	if !ok {
		return err
	}
	if rm := root.Remove(filepath.Base(f.Name())); !errors.Is(rm, fs.ErrNotExist) {
		err = errors.Join(err, rm)
	}
	return err
}

// layerDir holds the layers of one repository, each in a file that its digest
// names.
type layerDir struct {
	disk *layerDisk
	name string
}

// find is a layer's file below the directory; ok is false while there is none,
// and for what is no digest.
func (l layerDir) find(digest string) (root *os.Root, path string, ok bool) {
	hex, _ := strings.CutPrefix(digest, "sha256:")
	root, ok = l.disk.made()
	return root, filepath.Join(l.name, hex), ok && imageDigest().MatchString(digest)
}

func (l layerDir) open(digest string) (*os.File, error) {
	root, path, ok := l.find(digest)
	if !ok {
		return nil, fs.ErrNotExist
	}
	return root.Open(path)
}

func (l layerDir) size(digest string) (int64, bool) {
	root, path, ok := l.find(digest)
	if !ok {
		return 0, false
	}
	info, err := root.Stat(path)
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
func (l layerDir) adopt(f *os.File, digest string) error {
	root, path, ok := l.find(digest)
	if !ok {
		return fmt.Errorf("there is no place for the layer %s", digest)
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := root.MkdirAll(l.name, ownerOnly); err != nil {
		return err
	}
	return root.Rename(filepath.Base(f.Name()), path)
}

// remove deletes a layer; one that is read at this moment is read to its end.
func (l layerDir) remove(digest string) {
	if root, path, ok := l.find(digest); ok {
		_ = root.Remove(path) // Close removes what is left
	}
}

func (l layerDir) removeAll() error {
	root, ok := l.disk.made()
	if !ok {
		return nil
	}
	return root.RemoveAll(l.name)
}
