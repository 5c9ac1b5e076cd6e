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
	left := l.filter.found.lines
	for _, n := range lines {
		for len(left) > 0 && left[0] < n {
			left = left[1:]
		}
		if len(left) > 0 && left[0] == n {
			both = append(both, n)
		}
	}
	return both
}

// nextMatch is the index of the match to go to. A new search takes the first
// one from the top of the screen on, or the last one above it.
func (l *Log) nextMatch(lines []int64, by int) int {
	from := l.top.line
	if l.match != nil && l.showing(l.matchPlace()) {
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

func (l *Log) showing(p place) bool { return slices.Contains(l.visible(), p) }

// matchPlace is where the match that n and N go on from begins.
func (l *Log) matchPlace() place {
	p := place{line: *l.match}
	s := l.shown(p.line)
	if at := s.matches(l.search.pattern); l.wrap && len(at) > 0 {
		_, _, room := l.columns()
		p.row = s.rowAt(at[0].from, room)
	}
	return p
}

// goTo shows a matching line, with its first match.
func (l *Log) goTo(n int64) {
	l.pause()
	l.match = &n
	s := l.shown(n)
	if at := s.matches(l.search.pattern); !l.wrap && len(at) > 0 {
		l.showColumns(style.Width(s.text[:at[0].from]), style.Width(s.text[:at[0].to]))
	}
	l.reveal(l.matchPlace())
}

// showColumns scrolls sideways as far as it takes to show a part of a line.
func (l *Log) showColumns(from, to int) {
	_, _, room := l.columns()
	if from < l.x || to > l.x+room-1 {
		l.x = max(0, to-room*2/3)
	}
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
