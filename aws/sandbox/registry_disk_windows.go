package sandbox

import (
	"io"
	"os"
	"path/filepath"
)

// lockDir keeps a file open, which Windows then lets nobody remove. It is opened
// by its path: what an os.Root opens can be removed all the same.
func lockDir(_ *os.Root, dir string) (io.Closer, error) {
	return os.OpenFile(filepath.Join(dir, layerDirLock), os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // a path that we made up
}

// abandoned removes the lock to find out whether its owner still has it open.
// A directory without one is just being made.
func abandoned(parent *os.Root, name string) bool {
	return parent.Remove(filepath.Join(name, layerDirLock)) == nil
}
