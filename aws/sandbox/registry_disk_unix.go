//go:build unix

package sandbox

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// lockDir locks a directory until its process ends in whatever way. The lock
// gets its name only once it is held: before, another sandbox that starts at
// this moment could take the directory for a left one.
func lockDir(root *os.Root, _ string) (io.Closer, error) {
	const fresh = layerDirLock + "-new"
	lock, err := lockIn(root, fresh, os.O_CREATE)
	if err != nil {
		return nil, err
	}
	if err := root.Rename(fresh, layerDirLock); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// lockIn opens a file and locks it; it fails if another process holds it.
func lockIn(root *os.Root, name string, flag int) (*os.File, error) {
	lock, err := root.OpenFile(name, flag|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// abandoned reports whether a directory's owner is dead. One without a lock is
// just being made.
func abandoned(parent *os.Root, name string) bool {
	lock, err := lockIn(parent, filepath.Join(name, layerDirLock), 0)
	if err != nil {
		return false
	}
	return lock.Close() == nil
}
