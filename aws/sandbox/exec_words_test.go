package sandbox

import (
	"errors"
	"slices"
	"testing"
)

func TestSplitWords(t *testing.T) {
	for line, want := range map[string][]string{
		"":                          nil,
		" \t ":                      nil,
		"/bin/sh":                   {"/bin/sh"},
		"  ls   -l\t/tmp \n":        {"ls", "-l", "/tmp"},
		`sh -c "echo hi; exit 3"`:   {"sh", "-c", "echo hi; exit 3"},
		`sh -c 'echo "$HOME" \n'`:   {"sh", "-c", `echo "$HOME" \n`},
		`a"b c"'d e'f`:              {"ab cd ef"},
		`echo "" ''`:                {"echo", "", ""},
		`a\ b \"c \\`:               {"a b", `"c`, `\`},
		`"a\"b\\c\$d\n"`:            {`a"b\c$d\n`},
		"echo größe 日本":             {"echo", "größe", "日本"},
		`echo $(id) ; # not a note`: {"echo", "$(id)", ";", "#", "not", "a", "note"},
	} {
		if got, err := splitWords(line); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v; want %q", line, got, err, want)
		}
	}
	for line, want := range map[string]error{`echo "a`: errOpenQuote, `echo 'a`: errOpenQuote, `echo \`: errOpenSlash} {
		if _, err := splitWords(line); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", line, err, want)
		}
	}
}
