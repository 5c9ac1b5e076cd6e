package text

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
	"gantry/ui/style"
)

const (
	searchSign = "/"
	filterSign = "&"
)

// answered takes what was found.
func (l *Log) answered(msg tea.Msg) tea.Cmd {
	if l.filter.update(msg, l.ring) {
		l.settle()
		return nil
	}
	if !l.search.update(msg, l.ring) {
		return nil
	}
	l.stale()
	steps := l.steps
	l.steps = nil
	for _, by := range steps {
		l.step(by)
	}
	return nil
}

// searchAnew looks again after the lines, or the way they are read, changed.
func (l *Log) searchAnew() tea.Cmd {
	var cmds []tea.Cmd
	for _, q := range []*query{&l.search, &l.filter} {
		if q.pattern != nil {
			cmds = append(cmds, q.start(q.pattern, l.ring, l.look, l.epoch))
		}
	}
	return tea.Batch(cmds...)
}

// step goes to the next matching line, down or up. It waits for the matches
// when they are not known yet.
func (l *Log) step(by int) tea.Cmd {
	if !l.search.ready() {
		l.steps = append(l.steps, by)
		return nil
	}
	lines := l.matches()
	if len(lines) == 0 {
		l.host.Say(pane.Notice{Text: fmt.Sprintf("no match of %s in %s", style.Plain(l.search.pattern.text), counted(l.total(), "line"))})
		return nil
	}
	i := l.nextMatch(lines, by)
	if i < 0 || i >= len(lines) {
		l.host.Say(pane.Notice{Text: map[int]string{-1: "no earlier match", 1: "no later match"}[by]})
		return nil
	}
	l.goTo(lines[i])
	return nil
}

// matches are the matching lines that can be seen.
func (l *Log) matches() []int64 {
	lines := l.search.found.lines
	if l.filter.found == nil {
		return lines
	}
	var both []int64
	for _, n := range lines {
		if _, ok := slices.BinarySearch(l.filter.found.lines, n); ok {
			both = append(both, n)
		}
	}
	return both
}

// nextMatch is the index of the match to go to. A new search takes the first
// one from the top of the screen on, or the last one above it.
func (l *Log) nextMatch(lines []int64, by int) int {
	from := l.top.line
	if l.match != nil && l.showing(*l.match) {
		from = *l.match
		i, here := slices.BinarySearch(lines, from)
		switch {
		case by < 0:
			return i - 1
		case here:
			return i + 1
		}
		return i
	}
	i, _ := slices.BinarySearch(lines, from)
	if by < 0 || i == len(lines) && l.match == nil {
		return i - 1
	}
	return i
}

func (l *Log) showing(n int64) bool {
	return slices.ContainsFunc(l.visible(), func(p place) bool { return p.line == n })
}

// goTo shows a matching line, with its first match.
func (l *Log) goTo(n int64) {
	l.pause()
	l.match = &n
	s := l.shown(n)
	spans := s.matches(l.search.pattern)
	p := place{line: n}
	if len(spans) > 0 {
		p.row = l.showSpan(s, spans[0])
	}
	l.reveal(p)
}

// showSpan scrolls sideways to a part of the line, or says which of its rows
// has it.
func (l *Log) showSpan(s *shown, at span) int {
	_, _, room := l.columns()
	if l.wrap {
		rows := s.wrapped(room)
		i, here := slices.BinarySearch(rows, int32(at.from)) //nolint:gosec // a line is cut far below
		if !here {
			i--
		}
		return i
	}
	from, to := style.Width(s.text[:at.from]), style.Width(s.text[:at.to])
	if from < l.x || to > l.x+room-1 {
		l.x = max(0, to-room*2/3)
	}
	return 0
}

// position says which of the matches is looked at.
func (l *Log) position() string {
	switch {
	case l.search.pattern == nil:
		return ""
	case !l.search.ready():
		return "searching…"
	}
	lines := l.matches()
	if l.match != nil {
		if i, ok := slices.BinarySearch(lines, *l.match); ok {
			return fmt.Sprintf("%s of %s matching lines", thousands(i+1), thousands(len(lines)))
		}
	}
	return counted(len(lines), "matching line")
}
