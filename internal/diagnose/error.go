// Package diagnose holds what gantry says about a failure: what failed, why it
// probably did, and what to do. It is a leaf, so that adapters can say it and
// panes can draw it.
package diagnose

import "strings"

// Error is a failure told in the user's terms. Each part is one plain
// sentence or less; Cause and Do may be empty where nothing is known.
type Error struct {
	What  string // what was being done: "list services of shop"
	Cause string // the likely cause: "the session token has expired"
	Do    string // what to do: "aws sso login --profile prod"
	Err   error  // the error underneath, for errors.Is and --debug
}

// Error is the whole message in one line: what failed · cause · what to do.
func (e *Error) Error() string {
	parts := make([]string, 0, 3)
	for _, p := range []string{e.What, e.Cause, e.Do} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, " · ")
}

func (e *Error) Unwrap() error { return e.Err }
