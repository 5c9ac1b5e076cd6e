package table

import (
	"strings"

	"gantry/ui/style"
)

// highlight shows what the query found in a cell. Text beyond ASCII is left
// alone: a letter must not be torn from its combining marks.
func (q query) highlight(text string, column int, look, found style.Style) string {
	var at []int
	for i := range q {
		t := &q[i]
		if t.not || t.column >= 0 && t.column != column {
			continue
		}
		if hits, ok := t.match(text, []int{}); ok {
			at = append(at, hits...)
		}
	}
	if len(at) == 0 || !ascii(text) {
		return look.Render(text)
	}
	hit := make([]bool, len(text))
	for _, i := range at {
		hit[i] = true
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

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
