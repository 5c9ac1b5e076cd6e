//go:build unix

package sandbox

import (
	"io"
	"os"
)

// holdFile makes a file and locks it.
func holdFile(path string) (io.Closer, error) { return newLock(path) }

// heldByAnother reports whether a process that lives holds the lock on a file,
// or it cannot be told.
func heldByAnother(path string) bool {
	lock, err := lockFile(path, 0)
	if err != nil {
		return !os.IsNotExist(err)
	}
	_ = lock.Close()
	return false
}
