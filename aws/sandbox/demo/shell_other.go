//go:build !linux

package demo

import (
	"fmt"
	"os"
)

// confineShell has nothing to confine with: namespaces are Linux's.
func confineShell(shell) int {
	fmt.Fprintln(os.Stderr, "shells can be confined on Linux only")
	return exitNotFound
}
