package demo

import (
	"errors"
	"os"
	"syscall"
)

// endWithOwner waits until the owner is gone, and then ends everything that
// this container started. Without an inherited pipe there is no owner.
func endWithOwner() {
	pipe := os.NewFile(OwnerFD, "owner")
	if _, err := pipe.Read(make([]byte, 1)); errors.Is(err, syscall.EBADF) {
		return
	}
	killGroup()
	os.Exit(exitKilled)
}
