package table

import tea "charm.land/bubbletea/v2"

// Do works on the rows as the action says, without asking: for an Open that
// has asked already.
func (t *Table[T]) Do(a Action[T], rows []T) tea.Cmd { return t.run(a, rows) }

// None says that every row has arrived and that there is none, filter or not.
func (t *Table[T]) None() bool {
	return t.shown.whole && len(t.shown.rows) == 0 && t.source.List != nil
}
