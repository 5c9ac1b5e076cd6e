package table

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// query is a filter text, understood: terms between blanks that all must hold.
type query []term

// term is one condition on a row.
type term struct {
	column int // -1: any
	want   string
	not    bool // the text must not contain want
	exact  bool // want has a capital, so case counts
}

func (q query) empty() bool { return len(q) == 0 }

// parse reads a filter. `web 7` wants both; `status:run` looks at the column
// whose title begins so; `!run` and `status:!run` want it absent. In the first
// column, which is the name, and in a column that is asked for, a word finds its
// letters in order with gaps (`wb7` finds web-17). Elsewhere, and behind a `!`,
// it is taken literally: in the sentences of a reason the letters of any word
// can be found.
func parse(text string, titles []string) query {
	var q query
	for word := range strings.FieldsSeq(text) {
		t := term{column: -1}
		word, t.not = negated(word, t.not)
		if name, value, ok := strings.Cut(word, ":"); ok && name != "" {
			if t.column = columnOf(name, titles); t.column >= 0 {
				word, t.not = negated(value, t.not)
			}
		}
		if word == "" {
			continue // still being typed
		}
		t.exact = strings.IndexFunc(word, unicode.IsUpper) >= 0
		t.want = word
		q = append(q, t)
	}
	return q
}

func negated(word string, already bool) (string, bool) {
	rest, found := strings.CutPrefix(word, "!")
	return rest, found || already
}

// columnOf finds the column of that title, or the first whose title begins so.
func columnOf(name string, titles []string) int {
	first := -1
	for i, title := range titles {
		switch {
		case strings.EqualFold(title, name):
			return i
		case first < 0 && len(title) >= len(name) && strings.EqualFold(title[:len(name)], name):
			first = i
		}
	}
	return first
}

// matches tells whether every term of the query holds for the row.
func (s *Spec[T]) matches(row *T, q query) bool {
	for i := range q {
		if s.holds(row, &q[i]) == q[i].not {
			return false
		}
	}
	return true
}

// holds tells whether the term's text is found, whether or not it should be.
func (s *Spec[T]) holds(row *T, t *term) bool {
	if t.column >= 0 {
		return t.finds(s.Columns[t.column].Text(*row), t.column)
	}
	for i := range s.Columns {
		if t.finds(s.Columns[i].Text(*row), i) {
			return true
		}
	}
	return false
}

// finds tells whether the text of a column holds what the term wants.
func (t *term) finds(text string, column int) bool {
	if t.not {
		return t.literal(text, func(int) {})
	}
	return t.match(text, column, func(int) {})
}

// match finds the term in the text of a column, and tells where each of its
// letters begins.
func (t *term) match(text string, column int, hit func(at int)) bool {
	if t.column < 0 && column > 0 {
		return t.literal(text, hit)
	}
	return t.fuzzy(text, hit)
}

// literal finds the letters of the term side by side.
func (t *term) literal(text string, hit func(at int)) bool {
	if !t.exact {
		text = strings.ToLower(text)
	}
	i := strings.Index(text, t.want)
	if i < 0 {
		return false
	}
	for at := range t.want {
		hit(i + at)
	}
	return true
}

// fuzzy finds the letters of the term in order, with gaps.
func (t *term) fuzzy(text string, hit func(at int)) bool {
	from := 0
	for _, want := range t.want {
		i := t.index(text[from:], want)
		if i < 0 {
			return false
		}
		from += i
		hit(from)
		_, n := utf8.DecodeRuneInString(text[from:])
		from += n
	}
	return true
}

// index is where the letter comes first, or -1.
func (t *term) index(text string, want rune) int {
	if t.exact || !unicode.IsLetter(want) {
		return strings.IndexRune(text, want)
	}
	if want < utf8.RuneSelf {
		for i := range len(text) {
			if c := rune(text[i]); c == want || c+('a'-'A') == want {
				return i
			}
		}
		return -1
	}
	return strings.IndexFunc(text, func(r rune) bool { return unicode.ToLower(r) == want })
}
