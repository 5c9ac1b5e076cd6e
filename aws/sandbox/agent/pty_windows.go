package agent

import (
	"context"
	"errors"
)

// StartPTY is not to be had: the sandbox's shells need a Unix terminal.
func StartPTY(context.Context, string, []string, []string) (Process, error) {
	return nil, errors.New("the sandbox cannot open a shell on Windows; run it on Linux, macOS or WSL")
}
