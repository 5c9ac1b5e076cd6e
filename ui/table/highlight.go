package table

import (
	"strings"

	"gantry/ui/style"
)

// highlight shows what the query found in a cell. Text beyond ASCII is left
// alone: a letter must not be torn from its combining marks.
func (q query) highlight(text string, column int, look, found style.Style) string {
	hit := q.hits(text, column)
	if hit == nil || !ascii(text) {
		return look.Render(text)
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		j := i
		for j < len(text) && hit[j] == hit[i] {
			j++
		}
		if hit[i] {
			b.WriteString(found.Render(text[i:j]))
		} else {
			b.WriteString(look.Render(text[i:j]))
		}
		i = j
	}
	return b.String()
}

// hits tells which bytes of the cell the query found; nil when none.
func (q query) hits(text string, column int) []bool {
	var hit []bool
	for i := range q {
		t := &q[i]
		if t.not || t.column >= 0 && t.column != column {
			continue
		}
		of := make([]bool, len(text))
		if !t.match(text, column, func(at int) { of[at] = true }) {
			continue
		}
		if hit == nil {
			hit = of
			continue
		}
		for j := range of {
			hit[j] = hit[j] || of[j]
		}
	}
	return hit
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
