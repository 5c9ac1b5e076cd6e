// Package cli is gantry's subcommands: what the explorer can do, for scripts.
package cli

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"charm.land/fang/v2"

	"gantry/internal/diagnose"
)

// Exit is an error that ends the program with a status of its own, such as
// that of a remote command.
type Exit struct{ Status int }

func (e Exit) Error() string { return fmt.Sprintf("exit status %d", e.Status) }

// ExitStatus is the status that the program ends with after err.
func ExitStatus(err error) int {
	var exit Exit
	if errors.As(err, &exit) {
		return exit.Status
	}
	return 1
}

// PrintError tells an error on stderr: what failed, the likely cause, what to
// do, each on its own line. A status that a remote command ended with is not
// an error of ours, and is not told.
func PrintError(w io.Writer, styles fang.Styles, err error) {
	if errors.As(err, new(Exit)) {
		return
	}
	var told *diagnose.Error
	if !errors.As(err, &told) {
		fang.DefaultErrorHandler(w, styles, err)
		return
	}
	for _, line := range []string{"gantry: " + told.What, told.Cause, told.Do} {
		if line != "" {
			_, _ = fmt.Fprintln(w, line)
		}
	}
}

// OpenLog opens the --debug file, for its owner alone. No name discards the
// log.
func OpenLog(name string) (*slog.Logger, func(), error) {
	if name == "" {
		return slog.New(slog.DiscardHandler), func() {}, nil
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // the user names it
	if err != nil {
		return nil, nil, &diagnose.Error{What: "open the debug log " + name, Cause: err.Error(), Do: "name a file that you may write", Err: err}
	}
	h := slog.NewJSONHandler(f, &slog.HandlerOptions{Level: slog.LevelDebug})
	return slog.New(h), func() { _ = f.Close() }, nil
}
