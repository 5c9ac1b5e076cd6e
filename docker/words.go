package docker

import (
	"errors"
	"strings"

	"gantry/internal/diagnose"
)

// errUnclosed is a quote or backslash without its end.
var errUnclosed = errors.New("a quote is not closed")

// SplitCommand parts a command line into words as a POSIX shell does: blanks
// separate, quotes and backslashes protect. Nothing is expanded.
func SplitCommand(text string) ([]string, error) {
	var s splitter
	for _, r := range text {
		s.take(r)
	}
	if s.quote != 0 || s.escaped {
		return nil, &diagnose.Error{
			What: "read the command", Cause: "a quote or backslash at the end is open", Do: "close it", Err: errUnclosed,
		}
	}
	s.end()
	return s.words, nil
}

// splitter is a command line read so far.
type splitter struct {
	words   []string
	word    strings.Builder
	begun   bool // a word, which may still be empty: ''
	escaped bool // by a backslash just before
	quote   rune // the open one, or 0
}

func (s *splitter) take(r rune) {
	switch {
	case s.escaped:
		s.escape(r)
	case r == '\\' && s.quote != '\'':
		s.escaped, s.begun = true, true
	case s.quote != 0 && r == s.quote:
		s.quote = 0
	case s.quote != 0:
		s.word.WriteRune(r)
	case r == '\'' || r == '"':
		s.quote, s.begun = r, true
	case r == ' ' || r == '\t' || r == '\n':
		s.end()
	default:
		s.word.WriteRune(r)
		s.begun = true
	}
}

// escape takes what follows a backslash. Inside of double quotes a backslash
// protects only what would be special there.
func (s *splitter) escape(r rune) {
	s.escaped = false
	if s.quote == '"' && !strings.ContainsRune("\"\\$`", r) {
		s.word.WriteByte('\\')
	}
	s.word.WriteRune(r)
}

// end finishes a word, if there is one.
func (s *splitter) end() {
	if s.begun {
		s.words = append(s.words, s.word.String())
	}
	s.word.Reset()
	s.begun = false
}
