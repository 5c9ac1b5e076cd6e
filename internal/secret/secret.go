// Package secret knows what looks like a secret, by name and by value, and
// hides it. It is a leaf, so that every adapter hides by the same rules.
package secret

import (
	"strings"

	"gantry/internal/pattern"
)

// Masked stands for a value that is not shown.
const Masked = "••••••"

// word is found in the names of things that hold secrets. KEY, PASS and AUTH
// count only as whole words, since MONKEY and PASSENGER are not secrets.
var (
	word      = pattern.Late(`(?i)(passw|passphrase|secret|token|credential|private|api_?key|access_?key|signing|encryption_?key)`)
	part      = pattern.Late(`(?i)(^|[^a-z])(keys?|pass|pwd|auth|dsn|salt|jwt)([^a-z]|$)`)
	camelCase = pattern.Late(`([a-z0-9])([A-Z])`)
	value     = pattern.Late(`(?i)(` +
		`[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@` + // a URL with a password
		`|\b(AKIA|ASIA)[A-Z0-9]{16}\b` + // an AWS access key
		`|\bgh[pousr]_[A-Za-z0-9]{20,}|\bxox[abprs]-[A-Za-z0-9-]{10,}|\bsk[-_](live|test|ant|proj)?[-_A-Za-z0-9]{16,}` +
		`|-----BEGIN [A-Z ]*PRIVATE KEY` +
		`|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.` + // a JSON web token
		`|(password|pwd)\s*=\s*[^;\s]+` + // a connection string
		`)`)
	flag       = pattern.Late(`^--?([A-Za-z][\w.-]*)$`)
	assignment = pattern.Late(`(--?)?([A-Za-z][\w.-]*)=("[^"]*"|'[^']*'|\S+)`)
)

// Name reports whether something of that name is likely to be secret.
func Name(name string) bool {
	return word().MatchString(name) || part().MatchString(camelCase().ReplaceAllString(name, "${1}_${2}"))
}

// Value reports whether a text holds a secret, whatever its name.
func Value(text string) bool { return value().MatchString(text) }

// Pair is the value to show for a named one.
func Pair(name, text string) string {
	if text != "" && (Name(name) || Value(text)) {
		return Masked
	}
	return text
}

// Assignment masks the value of NAME=value, as in an environment entry. The
// value may hold blanks.
func Assignment(entry string) string {
	name, text, ok := strings.Cut(entry, "=")
	if !ok {
		return entry
	}
	return name + "=" + Pair(name, text)
}

// Line masks NAME=value and --name=value inside a command line that is one
// text, and the whole of it when it holds a secret in any other form.
func Line(text string) string {
	text = assignment().ReplaceAllStringFunc(text, Assignment)
	return value().ReplaceAllString(text, Masked)
}

// Arguments masks secrets in a command line of several words: --password X,
// --token=X, and PASSWORD=X inside a shell command. The list is a new one.
func Arguments(args []string) []string {
	masked := make([]string, len(args))
	flagged := false
	for i, text := range args {
		if flagged {
			masked[i], flagged = Masked, false
			continue
		}
		m := flag().FindStringSubmatch(text)
		flagged = m != nil && Name(m[1])
		masked[i] = Line(text)
	}
	return masked
}
