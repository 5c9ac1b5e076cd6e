package text

import (
	"cmp"
	"slices"

	tea "charm.land/bubbletea/v2"
)

// place is a row of the wrapped log.
type place struct {
	line int64 // its number in the ring
	row  int   // of the line
}

func (p place) compare(q place) int {
	return cmp.Or(cmp.Compare(p.line, q.line), cmp.Compare(p.row, q.row))
}

// total is how many lines can be seen: those that the filter leaves.
func (l *Log) total() int {
	if l.filter.found != nil {
		return len(l.filter.found.lines)
	}
	return l.ring.len()
}

// number is which line is the i-th of those.
func (l *Log) number(i int) int64 {
	if l.filter.found != nil {
		return l.filter.found.lines[i]
	}
	return l.ring.first() + int64(i)
}

// index is the first of those that is line n or comes after it; total if none.
func (l *Log) index(n int64) int {
	if l.filter.found != nil {
		i, _ := slices.BinarySearch(l.filter.found.lines, n)
		return i
	}
	return int(min(max(n, l.ring.first()), l.ring.end) - l.ring.first())
}

// settle brings the place in order after something has changed.
func (l *Log) settle() {
	l.stale()
	n := l.total()
	if n == 0 {
		return
	}
	last := l.lastTop()
	if l.follow {
		l.top = last
		return
	}
	i := min(l.index(l.top.line), n-1)
	if line := l.number(i); line != l.top.line {
		l.top = place{line: line}
	}
	l.top.row = min(l.top.row, l.rowsOf(l.top.line)-1)
	if l.top.compare(last) > 0 {
		l.top = last
	}
}

// lastTop is the top row when the end shows.
func (l *Log) lastTop() place {
	line := l.number(l.total() - 1)
	return l.shifted(place{line, l.rowsOf(line) - 1}, 1-l.body())
}

// shifted is the place so many rows further on, as far as there are any.
func (l *Log) shifted(p place, by int) place {
	last := l.total() - 1
	i := min(l.index(p.line), last)
	if !l.wrap {
		return place{line: l.number(min(max(i+by, 0), last))}
	}
	row := p.row
	if l.number(i) != p.line {
		row = 0
	}
	for by < 0 {
		if step := min(row, -by); step > 0 {
			row, by = row-step, by+step
			continue
		}
		if i == 0 {
			break
		}
		i--
		row, by = l.rowsOf(l.number(i))-1, by+1
	}
	for by > 0 {
		if step := min(l.rowsOf(l.number(i))-1-row, by); step > 0 {
			row, by = row+step, by-step
			continue
		}
		if i == last {
			break
		}
		i++
		row, by = 0, by-1
	}
	return place{l.number(i), row}
}

// move scrolls by rows. Upwards it leaves following, at the end it takes it up
// again, and at the start it asks for older lines.
func (l *Log) move(by int) tea.Cmd {
	if l.marked != nil {
		return l.stretch(by)
	}
	if l.total() == 0 {
		return nil
	}
	to := l.shifted(l.top, by)
	if by < 0 {
		return l.moveUp(to)
	}
	l.top = to
	l.settle()
	if l.top.compare(l.lastTop()) >= 0 && !l.detached {
		return l.toEnd()
	}
	return l.release()
}

func (l *Log) moveUp(to place) tea.Cmd {
	if to != l.top {
		l.pause()
		l.top = to
		l.settle()
	}
	if l.index(l.top.line) == 0 && l.top.row == 0 {
		return l.loadOlder()
	}
	return nil
}

// pause leaves following: the place stays where it is.
func (l *Log) pause() {
	if l.follow {
		l.follow, l.seen = false, l.ring.end
		l.stale()
	}
}

// toEnd follows the log, reading it anew if its end is not here.
func (l *Log) toEnd() tea.Cmd {
	if l.marked != nil {
		return l.stretch(l.total())
	}
	if l.detached {
		return l.restart(l.begins())
	}
	l.follow = true
	l.settle()
	return l.release()
}

// toStart goes to the first line, and asks for older ones.
func (l *Log) toStart() tea.Cmd {
	if l.total() == 0 {
		return nil
	}
	if l.marked != nil {
		return l.stretch(-l.total())
	}
	return l.moveUp(place{line: l.number(0)})
}

func (l *Log) togglePause() tea.Cmd {
	if !l.follow {
		return l.toEnd()
	}
	l.pause()
	return nil
}

// sideways scrolls lines that are wider than the pane, as far as one that shows
// goes on.
func (l *Log) sideways(by int) {
	_, _, room := l.columns()
	widest := 0
	for _, p := range l.visible() {
		widest = max(widest, l.shown(p.line).width())
	}
	l.x = max(0, min(l.x+by, widest-room+1))
	l.stale()
}

// wheelStep is how many rows a turn of the wheel moves.
const wheelStep = 3

func (l *Log) wheel(msg tea.MouseWheelMsg) tea.Cmd {
	switch msg.Button {
	case tea.MouseWheelUp:
		return l.move(-wheelStep)
	case tea.MouseWheelDown:
		return l.move(wheelStep)
	case tea.MouseWheelLeft:
		l.sideways(-2 * wheelStep)
	case tea.MouseWheelRight:
		l.sideways(2 * wheelStep)
	}
	return nil
}

// reveal scrolls as far as it takes to show a place.
func (l *Log) reveal(p place) {
	l.settle()
	if p.compare(l.top) >= 0 && p.compare(l.shifted(l.top, l.body()-1)) <= 0 {
		return
	}
	l.pause()
	l.top = l.shifted(p, -l.body()/2)
	l.settle()
}

// visible are the rows that show, from the top.
func (l *Log) visible() []place {
	var rows []place
	n, body := l.total(), l.body()
	for i := l.index(l.top.line); i < n && len(rows) < body; i++ {
		line := l.number(i)
		row := 0
		if line == l.top.line {
			row = l.top.row
		}
		for ; row < l.rowsOf(line) && len(rows) < body; row++ {
			rows = append(rows, place{line, row})
		}
	}
	return rows
}
