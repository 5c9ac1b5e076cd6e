package remote

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"gantry/internal/diagnose"
)

// extraction writes what a container sends into a folder, and nowhere else.
type extraction struct {
	root    *os.Root
	count   *tally
	folders []entry // whose modes are still to be set
}

// unpack writes a tar archive, and reads on to the end of what comes after it.
func (x *extraction) unpack(from io.Reader) error {
	archive := tar.NewReader(from)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			_, err = io.Copy(io.Discard, from)
			return err
		}
		if err != nil {
			return fmt.Errorf("read the archive: %w", err)
		}
		if err := x.entry(header, archive); err != nil {
			return err
		}
	}
}

// entry writes one entry, or counts it as skipped.
func (x *extraction) entry(header *tar.Header, body io.Reader) error {
	mode := fs.FileMode(header.Mode) & fs.ModePerm //nolint:gosec // nine bits
	switch header.Typeflag {
	case tar.TypeDir:
		name, err := inside(header.Name)
		if err != nil || name == "." {
			return err
		}
		x.folders = append(x.folders, entry{name: name, mode: mode})
		return x.root.MkdirAll(name, 0o700)
	case tar.TypeReg:
		name, err := x.make(header.Name)
		if err != nil {
			return err
		}
		return x.file(name, mode, body)
	}
	x.count.skip(header.Name, kindOf(header.Typeflag))
	return nil
}

// make makes the folder that a file goes into, and tells its local name.
func (x *extraction) make(name string) (string, error) {
	name, err := inside(name)
	if err != nil {
		return "", err
	}
	return name, x.root.MkdirAll(filepath.Dir(name), 0o700)
}

// inside makes a local name of one that the container has sent.
func inside(name string) (string, error) {
	clean := path.Clean(name)
	local := filepath.FromSlash(clean)
	if path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../") || !filepath.IsLocal(local) {
		return "", &diagnose.Error{
			What: "copy out of the container", Cause: fmt.Sprintf("it sends a path outside of the folder: %s", sanitise(name)),
			Do: "do not trust this container",
		}
	}
	return local, nil
}

// file writes one file. O_EXCL refuses what exists, so that nothing is ever
// written through a link or over another entry.
func (x *extraction) file(name string, mode fs.FileMode, body io.Reader) error {
	f, err := x.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.MultiWriter(f, x.count), body)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	x.count.Files++
	return x.root.Chmod(name, mode)
}

// finish sets the modes of the folders, the deepest first: one may forbid its
// owner to write.
func (x *extraction) finish() error {
	for i := len(x.folders) - 1; i >= 0; i-- {
		if err := x.root.Chmod(x.folders[i].name, x.folders[i].mode); err != nil {
			return err
		}
	}
	return nil
}

// kindOf names an entry that is neither a file nor a folder.
func kindOf(flag byte) string {
	switch flag {
	case tar.TypeSymlink:
		return "symbolic link"
	case tar.TypeLink:
		return "hard link"
	case tar.TypeChar, tar.TypeBlock:
		return "device"
	case tar.TypeFifo:
		return "named pipe"
	}
	return fmt.Sprintf("entry of type %q", flag)
}
