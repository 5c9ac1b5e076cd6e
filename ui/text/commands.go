package text

import (
	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
)

// Commands are what can be done with the log now.
func (l *Log) Commands() []pane.Command {
	if l.marked != nil {
		return append(l.marking(), l.moves()...)
	}
	cs := []pane.Command{
		{Key: "/", Does: "search", Run: l.ask(searchSign)},
		{Key: "&", Does: "only matching lines", Run: l.ask(filterSign)},
	}
	if l.search.pattern != nil {
		cs = append(
			cs,
			pane.Command{Key: "n", Does: "next match", Run: func() tea.Cmd { return l.step(1) }},
			pane.Command{Key: "N", Does: "previous match", Run: func() tea.Cmd { return l.step(-1) }},
		)
	}
	if l.search.pattern != nil || l.filter.pattern != nil {
		cs = append(cs, pane.Command{Key: "esc", Does: l.clears(), Run: do(l.clear)})
	}
	cs = append(cs, l.readings()...)
	if l.total() > 0 {
		cs = append(
			cs,
			pane.Command{Key: "y", Does: "copy what shows", Run: l.copyVisible},
			pane.Command{Key: "v", Does: "mark lines to copy", Run: do(l.mark)},
			pane.Command{Key: "S", Does: "save to a file", Run: do(l.askSave)},
		)
	}
	cs = append(cs, l.toggles()...)
	if l.options.Closable {
		cs = append(cs, pane.Command{Key: "x", Does: "close", Run: do(func() { l.gone = true })})
	}
	return append(cs, l.moves()...)
}

// readings are the commands about what is read.
func (l *Log) readings() []pane.Command {
	cs := []pane.Command{{Key: "t", Does: "since", Run: l.askSince}}
	switch {
	case !l.begun:
	case !l.stream.Live():
		cs = append(cs, pane.Command{Key: "ctrl+r", Does: "read on", Run: l.again})
	case l.follow:
		cs = append(cs, pane.Command{Key: "p", Does: "pause", Run: l.togglePause})
	default:
		cs = append(cs, pane.Command{Key: "p", Does: "follow", Run: l.togglePause})
	}
	return cs
}

// toggles are the commands about how lines look.
func (l *Log) toggles() []pane.Command {
	word := func(on bool, does, undoes string) string {
		if on {
			return undoes
		}
		return does
	}
	return []pane.Command{
		{Key: "w", Does: word(l.wrap, "wrap", "do not wrap"), Run: do(l.toggleWrap)},
		{Key: "T", Does: word(l.times, "times", "no times"), Run: do(l.toggleTimes)},
		{Key: "R", Does: word(l.look == escaped, "raw", "not raw"), Run: l.toggleRaw},
	}
}

func (l *Log) moves() []pane.Command {
	if l.total() == 0 {
		return nil
	}
	page := max(1, l.body()-1)
	move := func(key, does string, by int) pane.Command {
		return pane.Command{Key: key, Does: does, Quiet: true, Run: func() tea.Cmd { return l.move(by) }}
	}
	cs := []pane.Command{
		move("down j", "down", 1), move("up k", "up", -1),
		move("pgdown space", "page down", page), move("pgup", "page up", -page),
		move("ctrl+d", "half a page down", max(1, page/2)), move("ctrl+u", "half a page up", -max(1, page/2)),
		{Key: "g home", Does: "to the start", Quiet: true, Run: l.toStart},
		{Key: "G end", Does: "to the end, follow", Quiet: true, Run: l.toEnd},
	}
	if l.wrap {
		return cs
	}
	_, _, room := l.columns()
	return append(
		cs,
		pane.Command{Key: "left", Does: "to the left", Quiet: true, Run: do(func() { l.sideways(-max(1, room/2)) })},
		pane.Command{Key: "right", Does: "to the right", Quiet: true, Run: do(func() { l.sideways(max(1, room/2)) })},
	)
}

// clears says what esc takes away.
func (l *Log) clears() string {
	if l.search.pattern != nil {
		return "clear search"
	}
	return "clear filter"
}

// clear takes the search away, then the filter. The line at the top stays.
func (l *Log) clear() {
	if l.search.pattern != nil {
		l.search.clear()
		l.match, l.steps = nil, nil
	} else {
		l.filter.clear()
	}
	l.settle()
}

func (l *Log) toggleWrap() {
	l.wrap, l.x = !l.wrap, 0
	l.settle()
}

func (l *Log) toggleTimes() {
	l.times = !l.times
	l.settle()
}

// toggleRaw spells out what cleaning takes away. What is searched is what is
// seen, so it is searched again.
func (l *Log) toggleRaw() tea.Cmd {
	l.look = map[look]look{cleaned: escaped, escaped: cleaned}[l.look]
	l.forget()
	l.settle()
	return l.searchAnew()
}

func do(f func()) func() tea.Cmd {
	return func() tea.Cmd {
		f()
		return nil
	}
}
