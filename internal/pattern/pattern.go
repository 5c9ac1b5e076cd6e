// Package pattern compiles regular expressions when they are first used.
// gantry has to be on the screen before that: forty expressions are 2 ms and a
// megabyte, and most are for failures that never come.
package pattern

import (
	"regexp"
	"sync"
)

// Late is a regular expression that is compiled when it is first asked for. One
// that cannot be compiled panics then.
func Late(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}
