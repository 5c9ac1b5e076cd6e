//go:build unix

package sandbox

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

const (
	taskDirPrefix = "gantry-tasks-"
	taskDirLock   = ".lock"
)

// makeTaskDir makes the directory that holds the tasks' working directories,
// readable by its owner alone, and removes those that killed sandboxes left.
// The lock on a file inside tells the two apart: it ends with its process,
// unlike a process id, which another process may have by now.
func makeTaskDir(parent string) (dir string, lock *os.File, err error) {
	parent = cmp.Or(parent, os.TempDir())
	sweepTaskDirs(parent)
	dir, err = os.MkdirTemp(parent, taskDirPrefix)
	if err != nil {
		return "", nil, err
	}
	lock, err = newLock(filepath.Join(dir, taskDirLock))
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	return dir, lock, nil
}

// newLock makes a locked file. It gets its name only once it is locked: before,
// another sandbox that starts at this moment could take it for a left one.
func newLock(name string) (*os.File, error) {
	lock, err := lockFile(name+"-new", os.O_CREATE)
	if err != nil {
		return nil, err
	}
	if err := os.Rename(name+"-new", name); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// lockFile opens a file and locks it; it fails if another process holds it.
func lockFile(name string, flag int) (*os.File, error) {
	lock, err := os.OpenFile(name, flag|os.O_RDWR|syscall.O_NOFOLLOW, 0o600) //nolint:gosec // the path is one that this file made up
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// sweepTaskDirs removes what is nobody's any more. What cannot be removed is
// somebody else's, and left alone.
func sweepTaskDirs(parent string) {
	left, err := filepath.Glob(filepath.Join(parent, taskDirPrefix+"*"))
	if err != nil {
		return
	}
	for _, dir := range left {
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || info.Sys().(*syscall.Stat_t).Uid != uint32(os.Getuid()) { //nolint:gosec // a user id
			continue
		}
		lock, err := lockFile(filepath.Join(dir, taskDirLock), 0)
		if err != nil {
			continue
		}
		_ = os.RemoveAll(dir)
		_ = lock.Close()
	}
}
