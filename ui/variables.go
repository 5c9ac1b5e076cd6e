package ui

import (
	"fmt"
	"strings"

	"gantry/docker"
	"gantry/internal/diagnose"
	"gantry/ui/style"
)

// assignments reads NAME=value words, several with blanks between. Those that
// come from memory have lost their values: kept is what they were filled with.
func assignments(text, kept string) ([]string, error) {
	const what = "read the variables"
	words, err := docker.SplitCommand(text)
	if err != nil {
		return nil, err
	}
	if kept != "" && text == kept && strings.Contains(kept, "=") {
		return nil, &diagnose.Error{What: what, Cause: "gantry remembers their names, never their values", Do: "type the values again (end goes to the end of the field, ctrl+u empties it)"}
	}
	for _, w := range words {
		name, _, _ := strings.Cut(w, "=")
		if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return nil, &diagnose.Error{What: what, Cause: fmt.Sprintf("%q has no name", style.Plain(w)), Do: "write NAME=value, with quotes around a value that has blanks: NAME='a b'"}
		}
	}
	return words, nil
}

// namesOf keeps the names of NAME=value words and drops the values.
func namesOf(text string) string {
	words, err := docker.SplitCommand(text)
	if err != nil {
		return ""
	}
	for i, w := range words {
		if name, _, found := strings.Cut(w, "="); found {
			words[i] = name + "="
		}
	}
	return strings.Join(words, " ")
}
