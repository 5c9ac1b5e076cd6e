package text

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// regexPrefix makes what follows a regular expression.
const regexPrefix = "re:"

// pattern is what is looked for. Capital letters count when it has some.
type pattern struct {
	text   string // as typed
	negate bool
	fold   bool
	needle []byte         // folded if fold
	re     *regexp.Regexp // instead of needle
}

// compile understands a search: plain text, or a regular expression behind
// "re:" (RE2, so its time is linear in the text).
func compile(text string) (*pattern, error) {
	expr, isRegex := strings.CutPrefix(text, regexPrefix)
	if !isRegex {
		p := &pattern{text: text, fold: !hasCapital(text), needle: []byte(text)}
		if p.fold {
			p.needle = appendFolded(nil, p.needle)
		}
		return p, nil
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, fmt.Errorf("regular expression: %w", err)
	}
	return &pattern{text: text, fold: !hasCapital(withoutEscapes(expr)), re: re}, nil
}

// compileFilter understands a filter: a search, with ! in front to see what
// does not match.
func compileFilter(text string) (*pattern, error) {
	wanted, negate := strings.CutPrefix(text, "!")
	p, err := compile(wanted)
	if err != nil {
		return nil, err
	}
	p.text, p.negate = text, negate
	return p, nil
}

// empty says that nothing is looked for.
func (p *pattern) empty() bool { return p.re == nil && len(p.needle) == 0 }

func hasCapital(s string) bool { return strings.ContainsFunc(s, unicode.IsUpper) }

// withoutEscapes leaves out \S and its like, whose capitals are not text.
func withoutEscapes(expr string) string {
	var b strings.Builder
	for i := 0; i < len(expr); i++ {
		if expr[i] == '\\' {
			i++
			continue
		}
		b.WriteByte(expr[i])
	}
	return b.String()
}

// match tells whether a line is wanted. scratch is memory to work in.
func (p *pattern) match(line []byte, scratch *[]byte) bool {
	if p.fold {
		*scratch = appendFolded((*scratch)[:0], line)
		line = *scratch
	}
	if p.re != nil {
		return p.re.Match(line) != p.negate
	}
	return bytes.Contains(line, p.needle) != p.negate
}

// span is a part of a text, in bytes.
type span struct{ from, to int }

// spans is where a text has the pattern.
func (p *pattern) spans(text string) []span {
	line := []byte(text)
	if p.fold {
		line = appendFolded(nil, line)
	}
	var found []span
	if p.re != nil {
		for _, m := range p.re.FindAllIndex(line, -1) {
			if m[1] > m[0] {
				found = append(found, span{m[0], m[1]})
			}
		}
		return found
	}
	for at := 0; len(p.needle) > 0; {
		i := bytes.Index(line[at:], p.needle)
		if i < 0 {
			break
		}
		found = append(found, span{at + i, at + i + len(p.needle)})
		at += i + len(p.needle)
	}
	return found
}

// small is the small letter of each ASCII byte; other bytes are as they are.
var small = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
		if t[i] >= 'A' && t[i] <= 'Z' {
			t[i] += 'a' - 'A'
		}
	}
	return t
}()

// appendFolded appends text in small letters. A letter whose small form has
// another length stays as it is, so that places are the same in both.
func appendFolded(dst, text []byte) []byte {
	from := len(dst)
	dst = append(dst, text...)
	out := dst[from:]
	for i, c := range out {
		if c >= utf8.RuneSelf {
			foldRunes(out[i:])
			break
		}
		out[i] = small[c]
	}
	return dst
}

func foldRunes(text []byte) {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if low := unicode.ToLower(r); low != r && r != utf8.RuneError && utf8.RuneLen(low) == n {
			utf8.EncodeRune(text[i:], low)
		}
		i += n
	}
}
