package table

// gutter is the cells before the first column: mark, cursor, blank.
const gutter = 3

// least is the least width of a column that takes what the others leave.
const least = 12

// placed is a column with its place on the line.
type placed struct {
	index, x, width int
}

// layout places the columns that fit: the first always, the others from the
// one that is scrolled to, which is cut rather than not shown at all.
func (t *body[T]) layout() []placed { return t.layoutFrom(t.scroll) }

func (t *body[T]) layoutFrom(scroll int) []placed {
	room := t.width - gutter
	if len(t.spec.Columns) == 0 || room <= 0 {
		return nil
	}
	first := min(t.leastWidth(0), room)
	columns := []placed{{index: 0, width: first}}
	room -= first
	for i := 1 + scroll; i < len(t.spec.Columns); i++ {
		w := t.leastWidth(i)
		if scroll > 0 && len(columns) == 1 {
			w = max(1, min(w, room-1))
		}
		if room < w+1 {
			break
		}
		columns = append(columns, placed{index: i, width: w})
		room -= w + 1
	}
	t.stretch(columns, room)
	x := gutter
	for i := range columns {
		columns[i].x = x
		x += columns[i].width + 1
	}
	return columns
}

// stretch shares what is left among the columns that take it.
func (t *body[T]) stretch(columns []placed, room int) {
	var elastic []int
	for i, c := range columns {
		if t.spec.Columns[c.index].Width == 0 {
			elastic = append(elastic, i)
		}
	}
	for n, i := range elastic {
		share := room / (len(elastic) - n)
		columns[i].width += share
		room -= share
	}
}

func (t *body[T]) leastWidth(i int) int {
	if w := t.spec.Columns[i].Width; w > 0 {
		return w
	}
	return least
}

// maxScroll is how far the columns can be scrolled: until the last one shows.
func (t *body[T]) maxScroll() int {
	last := len(t.spec.Columns) - 1
	for scroll := range last {
		columns := t.layoutFrom(scroll)
		if len(columns) > 0 && columns[len(columns)-1].index == last {
			return scroll
		}
	}
	return max(0, last-1)
}
