package sandbox

import (
	"io"
	"os"
)

// holdFile makes a file and keeps it open: Windows lets nobody remove it then.
func holdFile(path string) (io.Closer, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) //nolint:gosec // the path is one that this package made up
}

// heldByAnother tries to remove the file, which fails while a process has it
// open.
func heldByAnother(path string) bool { return os.Remove(path) != nil }
