package sandbox

import (
	"io"
	"os"
	"path/filepath"
)

// lockDir keeps a file open, which Windows then lets nobody remove.
func lockDir(dir string) (io.Closer, error) {
	return os.OpenFile(filepath.Join(dir, layerDirLock), os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // a path that this file made up
}

// abandoned removes the lock to find out whether its owner still has it open.
// A directory without one is just being made.
func abandoned(dir string) bool {
	return os.Remove(filepath.Join(dir, layerDirLock)) == nil
}
