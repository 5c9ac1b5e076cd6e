package table

import (
	"reflect"
	"slices"

	tea "charm.land/bubbletea/v2"
)

// large is how many rows are sorted outside the event loop.
const large = 10_000

// arranging is an arrangement under way. Something has changed meanwhile when
// again is set.
type arranging struct{ again bool }

// arranged is an arrangement that is done.
type arranged struct {
	of    *arranging
	apply func()
}

// arrange sorts and filters what there is: at once when it is little, else by
// a command, one at a time.
func (t *body[T]) arrange() tea.Cmd {
	if len(t.all) < large {
		t.arranging = nil
		t.take(arrangement[T]{t.all, t.spec.arrange(t.all, t.order, t.filter.query), t.list.Whole()})
		return nil
	}
	if t.arranging != nil {
		t.arranging.again = true
		return nil
	}
	ticket := &arranging{}
	t.arranging = ticket
	rows, order, query, whole := t.all, t.order, t.filter.query, t.list.Whole()
	return func() tea.Msg {
		next := arrangement[T]{rows, t.spec.arrange(rows, order, query), whole}
		return arranged{ticket, func() { t.take(next) }}
	}
}

// arrangedNow takes an arrangement that was made outside.
func (t *body[T]) arrangedNow(msg arranged) tea.Cmd {
	if msg.of != t.arranging {
		return nil
	}
	t.arranging = nil
	msg.apply()
	var next tea.Cmd
	if msg.of.again {
		next = t.arrange()
	}
	return tea.Batch(next, t.settle())
}

// take shows an arrangement. The cursor stays on its row and the row on its
// line of the screen; a row that is gone hands over to its nearest neighbour.
func (t *body[T]) take(next arrangement[T]) {
	old, line := t.shown, t.cursor-t.top
	t.shown, t.picked = next, nil
	if !t.touched && (!old.whole || len(old.order) == 0) {
		t.cursor, t.top = 0, 0
	} else {
		t.cursor = t.follow(old)
		t.top = t.cursor - line
	}
	t.seek()
	t.land()
}

// follow finds where the row under the cursor, or its nearest neighbour, went.
func (t *body[T]) follow(old arrangement[T]) int {
	if i := t.find(t.current); i >= 0 {
		return i
	}
	where := make(map[string]int, len(t.shown.order))
	for i := range t.shown.order {
		where[t.spec.ID(*t.shown.at(i))] = i
	}
	for i := t.cursor; i < len(old.order); i++ {
		if j, ok := where[t.spec.ID(*old.at(i))]; ok {
			return j
		}
	}
	for i := min(t.cursor, len(old.order)) - 1; i >= 0; i-- {
		if j, ok := where[t.spec.ID(*old.at(i))]; ok {
			return j
		}
	}
	return 0
}

// find is where the row of that ID shows, or -1.
func (t *body[T]) find(id string) int {
	return slices.IndexFunc(t.shown.order, func(row int) bool { return t.spec.ID(t.shown.rows[row]) == id })
}

// seek goes to the row that Select asked for, once it is there.
func (t *body[T]) seek() {
	if t.wanted == "" {
		return
	}
	if i := t.find(t.wanted); i >= 0 {
		t.cursor, t.wanted, t.touched = i, "", true
		t.land()
	}
}

// land notes which row the cursor is on. While there is none, the last one is
// remembered: it may come back.
func (t *body[T]) land() {
	t.cursor = max(0, min(t.cursor, len(t.shown.order)-1))
	if row, ok := t.here(); ok {
		t.current = t.spec.ID(row)
	}
}

// replace shows another set of rows.
func (t *body[T]) replace(rows []T) tea.Cmd {
	if t.known != nil {
		rows = t.known(rows)
	}
	t.all = rows
	if t.list.Whole() {
		t.unmarkVanished()
	}
	return t.arrange()
}

// merge takes fresh content of some rows. Rows that are not there any more
// are ignored, and nothing is done when nothing has changed.
func (t *body[T]) merge(fresh []T) tea.Cmd {
	byID := make(map[string]*T, len(fresh))
	for i := range fresh {
		byID[t.spec.ID(fresh[i])] = &fresh[i]
	}
	changed := false
	for i := range t.all {
		row, ok := byID[t.spec.ID(t.all[i])]
		if !ok || reflect.DeepEqual(*row, t.all[i]) {
			continue
		}
		if !changed && t.arranging != nil {
			t.all = slices.Clone(t.all) // the other goroutine reads the old ones
		}
		t.all[i], changed = *row, true
	}
	if !changed {
		return nil
	}
	return t.arrange()
}

// keepMembers drops the rows that are not among ids, and tells which ids have
// no row yet.
func (t *body[T]) keepMembers(ids []string) (newcomers []string, cmd tea.Cmd) {
	member := make(map[string]bool, len(ids))
	for _, id := range ids {
		member[id] = true
	}
	kept := make([]T, 0, len(t.all))
	for i := range t.all {
		if id := t.spec.ID(t.all[i]); member[id] {
			kept = append(kept, t.all[i])
			member[id] = false
		}
	}
	for _, id := range ids {
		if member[id] {
			newcomers = append(newcomers, id)
			member[id] = false
		}
	}
	if len(kept) < len(t.all) {
		cmd = t.replace(kept)
	}
	return newcomers, cmd
}
