package table

import tea "charm.land/bubbletea/v2"

// Amend takes newer content of rows that are there, as a refresh would: for
// what is known of rows from elsewhere than their Source.
func (t *Table[T]) Amend(rows []T) tea.Cmd { return tea.Batch(t.merge(rows), t.settle()) }

// Knowing makes known complete rows that arrive: it gives them back, in the
// same order, with what is known of them by then. It is called in the event
// loop, so that a row which was read before it was amended loses nothing.
func (t *Table[T]) Knowing(known func(rows []T) []T) { t.known = known }
