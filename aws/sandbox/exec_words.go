package sandbox

import (
	"errors"
	"strings"
)

var (
	errOpenQuote = errors.New("EOF found when expecting closing quote")
	errOpenSlash = errors.New("EOF found after escape character")
)

// splitWords splits a command line into words as a POSIX shell does before it
// expands anything: blanks separate, quotes keep together, a backslash takes
// the next character as it is. AWS's agent does the same to --command.
func splitWords(line string) ([]string, error) {
	var (
		words  []string
		word   strings.Builder
		inWord bool
		quote  rune // the one that is open, or 0
		slash  bool // the last character was a backslash
	)
	for _, r := range line {
		switch {
		case slash:
			// Within double quotes a backslash only escapes these.
			if quote == '"' && !strings.ContainsRune("\"\\$`", r) {
				word.WriteByte('\\')
			}
			word.WriteRune(r)
			slash = false
		case r == '\\' && quote != '\'':
			slash, inWord = true, true
		case quote != 0:
			if r == quote {
				quote = 0
				continue
			}
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inWord = r, true
		case strings.ContainsRune(" \t\r\n", r):
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	switch {
	case slash:
		return nil, errOpenSlash
	case quote != 0:
		return nil, errOpenQuote
	case inWord:
		words = append(words, word.String())
	}
	return words, nil
}
