package term

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"

	"gantry/internal/diagnose"
	"gantry/ui/style"
)

// View draws the terminal as it was when the last message about it came.
func (t *Term) View() string {
	if now := style.Now(); t.stale || t.theme != now {
		t.theme, t.stale = now, false
		t.view = t.draw()
	}
	return t.view
}

func (t *Term) draw() string {
	if t.session == nil || t.w == 0 {
		return style.Block(t.drawWaiting(), t.w, t.h)
	}
	return strings.Join(t.drawSession(), "\n")
}

// drawWaiting says what there is instead of a terminal.
func (t *Term) drawWaiting() []string {
	now := style.Now()
	if t.phase == ended && t.err != nil {
		return append(drawError(t.err, t.w), "", now.Dim.Render("x closes this tab"))
	}
	text := "connecting…"
	if t.options.Waits != "" {
		text += " waiting for " + style.Plain(t.options.Waits)
	}
	lines := []string{now.Busy.Render(style.Cut(text, t.w))}
	if t.status != "" {
		lines = append(lines, now.Dim.Render(t.status))
	}
	return lines
}

// drawError is an error in full: what failed, why, what to do.
func drawError(err error, w int) []string {
	now := style.Now()
	var lines []string
	add := func(s style.Style, text string) {
		for _, l := range style.Wrap(style.Plain(text), w) {
			lines = append(lines, s.Render(l))
		}
	}
	var d *diagnose.Error
	if !errors.As(err, &d) {
		add(now.Bad, err.Error())
		return lines
	}
	add(now.Bad, d.What)
	if d.Cause != "" {
		add(now.Text, d.Cause)
	}
	if d.Do != "" {
		add(now.Key, d.Do)
	}
	return lines
}

// drawSession is as many lines as the pane has, of its width.
func (t *Term) drawSession() []string {
	s := t.session
	s.mu.Lock()
	defer s.mu.Unlock()
	t.seen = s.outputs
	top, rows := t.top(), t.body()
	_, end := s.lines()
	lines := make([]string, 0, t.h)
	for n := top; n < top+rows; n++ {
		line := style.Blank(t.w)
		if n < end {
			line = t.highlight(n, s.lineOf(n, t.w))
		}
		lines = append(lines, line)
	}
	if t.hasBar() {
		lines = append(lines, t.bar())
	}
	return lines
}

// span is columns of a line that are drawn in another style.
type span struct {
	from, to int
	style    style.Style
}

// highlight draws a line's selected and found text. The lock is held.
func (t *Term) highlight(n int, line string) string {
	var spans []span
	if from, to := t.selection.span(n, t.w); from < to {
		spans = append(spans, span{from, to, style.Now().Selected})
	} else if t.search.pattern != "" && t.scroll.browsing {
		width := ansi.StringWidth(t.search.pattern)
		for _, col := range matches(t.session.text(n), t.search.pattern) {
			s := style.Now().Match
			if t.search.found == (place{n, col}) {
				s = style.Now().Selected
			}
			spans = append(spans, span{col, min(col+width, t.w), s})
		}
	}
	for _, s := range slices.Backward(spans) {
		if s.from < s.to {
			line = ansi.Cut(line, 0, s.from) + ansi.ResetStyle + s.style.Render(ansi.Strip(ansi.Cut(line, s.from, s.to))) + ansi.Cut(line, s.to, t.w)
		}
	}
	return line
}

// hasBar tells whether there is a line under the terminal.
func (t *Term) hasBar() bool {
	return t.h > 0 && (t.search.asking || t.phase == ended || t.scroll.browsing || !t.scroll.following || t.rows() < t.h)
}

// bar is the line under the terminal, of the status when there is nothing else
// to say.
func (t *Term) bar() string {
	now := style.Now()
	switch {
	case t.search.asking:
		return now.Field.Render(style.Fit("/"+style.Plain(t.search.typed), t.w))
	case t.phase == ended:
		return t.endBar()
	case t.scroll.browsing:
		return now.Mark.Render(style.Fit(" history · enter back to the shell · / search · y copy", t.w))
	case !t.scroll.following:
		return now.Dim.Render(style.Fit(" scrolled back · typing goes to the end", t.w))
	}
	return now.Dim.Render(style.Fit(t.status, t.w))
}

func (t *Term) endBar() string {
	if t.err == nil {
		return style.Now().Mark.Render(style.Fit(" ended · x closes", t.w))
	}
	closes := " · x closes"
	why := style.Cut(fmt.Sprintf(" ended · %s", style.Plain(t.err.Error())), t.w-len(closes)+1)
	return style.Now().Danger.Render(style.Fit(why+closes, t.w))
}

// Cursor is the terminal's cursor: the program's, or that of the search.
func (t *Term) Cursor() *tea.Cursor {
	if t.search.asking && t.h > 0 {
		return tea.NewCursor(min(1+style.Width(style.Plain(t.search.typed)), max(t.w-1, 0)), t.h-1)
	}
	if t.phase != live || t.scroll.browsing || !t.scroll.following {
		return nil
	}
	t.session.mu.Lock()
	defer t.session.mu.Unlock()
	c := t.session.screen.Cursor()
	if y := c.Y + t.session.screen.History().End() - t.top(); !c.Hidden && c.X < t.w && y >= 0 && y < t.body() {
		at := tea.NewCursor(c.X, y)
		at.Shape, at.Blink = shapes[c.Shape], !c.Steady
		return at
	}
	return nil
}

var shapes = map[vt.CursorStyle]tea.CursorShape{
	vt.CursorBlock: tea.CursorBlock, vt.CursorUnderline: tea.CursorUnderline, vt.CursorBar: tea.CursorBar,
}
