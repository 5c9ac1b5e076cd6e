package table

import tea "charm.land/bubbletea/v2"

// Amend takes newer content of rows that are there, as a refresh would: for
// what is known of rows from elsewhere than their Source.
func (t *Table[T]) Amend(rows []T) tea.Cmd { return tea.Batch(t.merge(rows), t.settle()) }
