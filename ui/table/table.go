package table

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
)

// Table is the pane. It is driven from the event loop only.
type Table[T any] struct{ *body[*T] }

// New is a table of what spec describes.
func New[T any](spec Spec[T]) *Table[T] {
	t := &Table[T]{}
	t.body = newBody(pointedSpec(spec), func(row **T) tea.Msg {
		said := pane.Selected[T]{From: spec.Title}
		if row != nil {
			said.Row = *row
		}
		return said
	})
	t.self = t
	return t
}

// Update takes what the commands do not: typing, the mouse, answers, time.
func (t *Table[T]) Update(msg tea.Msg) tea.Cmd {
	said, ok := msg.(pane.Selected[T])
	if !ok {
		return t.update(msg)
	}
	row := &said.Row
	if said.Row == nil {
		row = nil
	}
	if said.From != t.spec.Title || !t.waitsFor(row) {
		return nil
	}
	return t.heard()
}

// Selected is the row under the cursor, if there is one.
func (t *Table[T]) Selected() (T, bool) {
	if row, ok := t.here(); ok {
		return *row, true
	}
	var none T
	return none, false
}

// Rows are the rows that pass the filter, in order.
func (t *Table[T]) Rows() []T {
	rows := make([]T, len(t.shown.order))
	for i := range rows {
		rows[i] = **t.shown.at(i)
	}
	return rows
}

// Follow makes the table list another source. Rows of another key leave at
// once, with all that was under way for them; confirmed actions go on. The
// zero Source leaves the table waiting.
func (t *Table[T]) Follow(s Source[T]) tea.Cmd { return t.followSource(pointedSource(s)) }

// Do works on the rows as the action says, without asking: for an Open that
// has asked already.
func (t *Table[T]) Do(a Action[T], rows []T) tea.Cmd { return t.run(pointedAction(a), pointers(rows)) }

// Amend takes newer content of rows that are there, as a refresh would: for
// what is known of rows from elsewhere than their Source.
func (t *Table[T]) Amend(rows []T) tea.Cmd { return tea.Batch(t.merge(pointers(rows)), t.settle()) }

// Knowing makes known complete rows that arrive: it gives them back, in the
// same order, with what is known of them by then. It is called in the event
// loop, so that a row which was read before it was amended loses nothing.
func (t *Table[T]) Knowing(known func(rows []T) []T) {
	t.known = func(rows []*T) []*T { return pointers(known(values(rows))) }
}

// pointers are where the rows are. Rows are never changed once they are in a
// table: newer content is another row.
func pointers[T any](rows []T) []*T {
	at := make([]*T, len(rows))
	for i := range rows {
		at[i] = &rows[i]
	}
	return at
}

func values[T any](at []*T) []T {
	rows := make([]T, len(at))
	for i := range at {
		rows[i] = *at[i]
	}
	return rows
}

// of makes a function of rows one of their pointers.
func of[T, R any](f func(T) R) func(*T) R {
	if f == nil {
		return nil
	}
	return func(row *T) R { return f(*row) }
}

// pointedSpec is the same Spec for the body. Methods of Spec itself would make a
// Spec of pointers to pointers, and so on.
func pointedSpec[T any](s Spec[T]) Spec[*T] {
	p := Spec[*T]{
		Title: s.Title, Source: pointedSource(s.Source), ID: of(s.ID), Name: of(s.Name), Order: s.Order,
		Moving: of(s.Moving), Dim: of(s.Dim), Failure: of(s.Failure), Copy: of(s.Copy),
		Empty: s.Empty, Waiting: s.Waiting, Suffix: s.Suffix, Pace: s.Pace, Acted: s.Acted,
	}
	for _, c := range s.Columns {
		p.Columns = append(p.Columns, pointedColumn(c))
	}
	for _, a := range s.Actions {
		p.Actions = append(p.Actions, pointedAction(a))
	}
	for _, t := range s.Tabs {
		p.Tabs = append(p.Tabs, Tab[*T]{Title: t.Title, Open: of(t.Open)})
	}
	if s.Enter != nil {
		p.Enter = func(h pane.Host, row *T) tea.Cmd { return s.Enter(h, *row) }
	}
	return p
}

func pointedColumn[T any](c Column[T]) Column[*T] {
	p := Column[*T]{Title: c.Title, Width: c.Width, Right: c.Right, Tail: c.Tail, Text: of(c.Text), Style: of(c.Style), By: of(c.By)}
	if c.Compare != nil {
		p.Compare = func(a, b *T) int { return c.Compare(*a, *b) }
	}
	return p
}

func pointedAction[T any](a Action[T]) Action[*T] {
	p := Action[*T]{
		Key: a.Key, Does: a.Does, Mutates: a.Mutates, When: of(a.When),
		Confirm: a.Confirm, Typed: a.Typed, Done: a.Done,
	}
	if a.Consequence != nil {
		p.Consequence = func(rows []*T) string { return a.Consequence(values(rows)) }
	}
	if a.Each != nil {
		p.Each = func(ctx context.Context, row *T) error { return a.Each(ctx, *row) }
	}
	if a.Open != nil {
		p.Open = func(h pane.Host, rows []*T) tea.Cmd { return a.Open(h, values(rows)) }
	}
	return p
}

func pointedSource[T any](s Source[T]) Source[*T] {
	p := Source[*T]{Key: s.Key, IDs: s.IDs}
	if s.List != nil {
		p.List = func(ctx context.Context, page func([]*T)) error {
			return s.List(ctx, func(rows []T) { page(pointers(rows)) })
		}
	}
	if s.Describe != nil {
		p.Describe = func(ctx context.Context, ids []string) ([]*T, error) {
			rows, err := s.Describe(ctx, ids)
			return pointers(rows), err
		}
	}
	return p
}
