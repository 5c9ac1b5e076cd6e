package ui

import (
	tea "charm.land/bubbletea/v2"
)

// Below this size two columns are of no use.
const minW, minH = 80, 24

// unfolded is the fewest lines, with the border, in which an unfocused pane is
// worth its place.
const unfolded = 5

// rect is a place on the screen, in cells.
type rect struct{ x, y, w, h int }

func (r rect) holds(x, y int) bool { return x >= r.x && x < r.x+r.w && y >= r.y && y < r.y+r.h }

// inner is the place within the border.
func (r rect) inner() rect { return rect{r.x + 1, r.y + 1, max(0, r.w-2), max(0, r.h-2)} }

// layout gives every pane its place. The focused pane of the column grows; the
// others share what they can use, or fold to their title.
func (f *Frame) layout() tea.Cmd {
	body := rect{0, 1, f.w, max(0, f.h-2)}
	left, right := body, rect{}
	if f.columns() == 2 {
		left.w = min(max(37, f.w*38/100), 72)
		right = rect{left.w, body.y, f.w - left.w, body.h}
	}
	if f.columns() == 1 && f.onStage {
		left, right = rect{}, body
	}
	cmds := []tea.Cmd{f.stage.resize(right)}
	y := left.y
	for i, s := range f.slots {
		h := f.slotHeight(i, left.h)
		s.box = rect{left.x, y, left.w, h}
		if left.w == 0 {
			s.box = rect{}
		}
		y += h
		in := s.box.inner()
		cmds = append(cmds, s.pane.Resize(in.w, in.h))
	}
	return tea.Batch(cmds...)
}

// columns is how many there are: the stage stands beside the panes when there
// is room and nothing is zoomed.
func (f *Frame) columns() int {
	if f.zoomed || f.w < minW || f.h < minH {
		return 1
	}
	return 2
}

// slotHeight is the height of the i-th pane in a column of total lines.
func (f *Frame) slotHeight(i, total int) int {
	if f.columns() == 1 {
		if i == f.focus {
			return total
		}
		return 0
	}
	if i != f.focus {
		return f.shareOf(i, total)
	}
	rest := total
	for j := range f.slots {
		if j != f.focus {
			rest -= f.shareOf(j, total)
		}
	}
	return max(0, rest)
}

// shareOf is the height of a pane without the keys: an equal share when there
// is room for all. Else only the one that the focused pane leads to, or comes
// from, stays open, and the others are folded to their titles.
func (f *Frame) shareOf(i, total int) int {
	if share := total / (2 * len(f.slots)); share >= unfolded {
		return share
	}
	if i == f.neighbour() && total/4 >= unfolded {
		return total / 4
	}
	return 1
}

// neighbour is the pane after the focused one in its group, or before the
// last; -1 if there is none.
func (f *Frame) neighbour() int {
	for _, i := range []int{f.focus + 1, f.focus - 1} {
		if i >= 0 && i < len(f.slots) && f.slots[i].group == f.slots[f.focus].group {
			return i
		}
	}
	return -1
}
