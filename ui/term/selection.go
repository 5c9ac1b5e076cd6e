package term

import (
	"fmt"
	"strings"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// place is a cell of the history or the screen.
type place struct{ line, col int }

func (p place) before(q place) bool { return p.line < q.line || p.line == q.line && p.col < q.col }

// selection is the text between two cells, both of them in it.
type selection struct {
	active       bool // the mouse has moved since it went down
	anchor, head place
}

func (s selection) ends() (first, last place) {
	if s.head.before(s.anchor) {
		return s.head, s.anchor
	}
	return s.anchor, s.head
}

// span is the selected columns of a line: from, up to but not including to.
func (s selection) span(line, width int) (from, to int) {
	first, last := s.ends()
	if !s.active || line < first.line || line > last.line {
		return 0, 0
	}
	from, to = 0, width
	if line == first.line {
		from = first.col
	}
	if line == last.line {
		to = min(last.col+1, width)
	}
	return from, to
}

// selected is the text of the selection. The lock is held.
func (t *Term) selected() string {
	first, last := t.selection.ends()
	start, end := t.session.lines()
	var b strings.Builder
	for n := max(first.line, start); n <= min(last.line, end-1); n++ {
		from, to := t.selection.span(n, t.w)
		if n > first.line && n > start {
			b.WriteByte('\n')
		}
		b.WriteString(strings.TrimRight(ansi.Cut(t.session.text(n), from, to), " "))
	}
	return b.String()
}

// visible is the text that shows. The lock is held.
func (t *Term) visible() string {
	top := t.top()
	lines := make([]string, 0, t.h)
	_, end := t.session.lines()
	for n := top; n < min(top+t.body(), end); n++ {
		lines = append(lines, t.session.text(n))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// copy puts the selection, or what shows, into the user's clipboard.
func (t *Term) copy() tea.Cmd {
	if t.session == nil {
		return nil
	}
	t.session.mu.Lock()
	text := ""
	if t.selection.active {
		text = t.selected()
	} else {
		text = t.visible()
	}
	t.session.mu.Unlock()
	if text == "" {
		t.say("nothing to copy", nil)
		return nil
	}
	t.say(fmt.Sprintf("copied %d characters", utf8.RuneCountInString(text)), nil)
	return tea.SetClipboard(text)
}
