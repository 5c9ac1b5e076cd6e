//go:build unix

package sandbox

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// lockDir locks a directory until its process ends in whatever way.
func lockDir(dir string) (io.Closer, error) { return newLock(filepath.Join(dir, layerDirLock)) }

// abandoned reports whether a directory is this user's and its owner is dead.
func abandoned(dir string) bool {
	info, err := os.Lstat(dir)                                                 //nolint:gosec // a name that a glob found
	if err != nil || info.Sys().(*syscall.Stat_t).Uid != uint32(os.Getuid()) { //nolint:gosec // a user id
		return false
	}
	lock, err := lockFile(filepath.Join(dir, layerDirLock), 0)
	if err != nil {
		return false
	}
	return lock.Close() == nil
}
