package table

import (
	tea "charm.land/bubbletea/v2"
)

// move takes the cursor n rows down.
func (t *body[T]) move(n int) { t.moveTo(t.cursor + n) }

// moveTo takes the cursor to a row; one that is past an end means that end.
func (t *body[T]) moveTo(i int) {
	t.cursor, t.touched, t.wanted = i, true, ""
	t.land()
	t.said.moved = true
	t.clampWindow()
}

// page is how many rows fit.
func (t *body[T]) page() int { return max(0, t.height-t.headerHeight()-t.footerHeight()) }

// window is the range of rows that are on screen.
func (t *body[T]) window() (from, to int) {
	return t.top, min(t.top+t.page(), len(t.shown.order))
}

// clampWindow brings the cursor into the window, and the window into the rows.
func (t *body[T]) clampWindow() {
	page := max(1, t.page())
	t.top = max(t.cursor-page+1, min(t.top, t.cursor))
	t.top = max(0, min(t.top, len(t.shown.order)-page))
}

// clear takes back the marks, else the filter.
func (t *body[T]) clear() tea.Cmd {
	if len(t.marked) > 0 {
		clear(t.marked)
		t.picked = nil
		return nil
	}
	return t.setFilter("")
}

// sortBy sorts by a column; by the one it is sorted by already, the other way
// round.
func (t *body[T]) sortBy(column int) tea.Cmd {
	if t.order.column == column {
		return t.reverse()
	}
	t.order = order{column: column}
	return t.arrange()
}

func (t *body[T]) reverse() tea.Cmd {
	t.order.reverse = !t.order.reverse
	return t.arrange()
}

// click selects a row, or sorts by a column.
func (t *body[T]) click(x, y int) tea.Cmd {
	row := y - t.headerHeight()
	if row < 0 {
		for _, c := range t.layout() {
			if x >= c.x && x < c.x+c.width {
				return tea.Batch(t.sortBy(c.index), t.settle())
			}
		}
		return nil
	}
	if row < t.page() && t.top+row < len(t.shown.order) {
		t.moveTo(t.top + row)
	}
	return t.settle()
}

// wheelStep is how many rows one notch of the wheel scrolls.
const wheelStep = 3

// wheel scrolls; the cursor comes along where it would leave the window.
func (t *body[T]) wheel(button tea.MouseButton) tea.Cmd {
	step := map[tea.MouseButton]int{tea.MouseWheelUp: -wheelStep, tea.MouseWheelDown: wheelStep}[button]
	page := t.page()
	if step == 0 || page == 0 {
		return nil
	}
	t.top = max(0, min(t.top+step, len(t.shown.order)-page))
	if in := max(t.top, min(t.cursor, t.top+page-1)); in != t.cursor {
		t.moveTo(in)
	}
	return t.settle()
}

// nextColumn sorts by the column after the present one.
func (t *body[T]) nextColumn() tea.Cmd {
	if len(t.spec.Columns) < 2 {
		return nil
	}
	return t.sortBy((t.order.column + 1) % len(t.spec.Columns))
}
