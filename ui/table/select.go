package table

import (
	"reflect"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
	"gantry/ui/style"
)

// resting is how long the cursor stays on a row before the others are told.
const resting = 100 * time.Millisecond

// said is what the others were told about the selection.
type said[T any] struct {
	id    string
	row   *T
	moved bool  // the user has moved the cursor since
	rest  alarm // goes off when it has come to rest

	sending bool // a message is on its way
	sent    *T   // what it says
	more    bool // something was said since
}

// announce tells the others about the selection: at once when the row changed
// or vanished, after a rest when the user is still moving.
func (t *body[T]) announce() tea.Cmd {
	moved := t.said.moved
	t.said.moved = false
	row, ok := t.here()
	switch {
	case !ok && t.said.row == nil:
		return nil
	case !ok:
		return t.say()
	case !t.touched && !t.shown.whole:
		return nil // more rows may come before this one
	case t.said.row != nil && t.current == t.said.id:
		t.said.rest.clear()
		if reflect.DeepEqual(row, *t.said.row) {
			return nil
		}
		return t.say()
	case moved:
		return t.said.rest.set(time.Now().Add(resting))
	case t.said.rest.pending():
		return nil
	}
	return t.say()
}

// say tells which row is selected now.
func (t *body[T]) say() tea.Cmd {
	t.said.rest.clear()
	t.said.id, t.said.row = "", nil
	if row, ok := t.here(); ok {
		t.said.id, t.said.row = t.current, &row
	}
	t.show()
	return t.send()
}

// send says the row, one message after the other: commands that run at the
// same time arrive in any order, and the last to arrive must be the last said.
func (t *body[T]) send() tea.Cmd {
	if t.said.sending {
		t.said.more = true
		return nil
	}
	t.said.sending, t.said.more, t.said.sent = true, false, t.said.row
	return pane.Send(t.selected(t.said.row))
}

// heard says that what the table said is on its way to everybody.
func (t *body[T]) heard() tea.Cmd {
	t.said.sending, t.said.sent = false, nil
	if t.said.more {
		return t.send()
	}
	return nil
}

// waitsFor says that the table has said row, nil for none, and not heard it.
func (t *body[T]) waitsFor(row *T) bool {
	if !t.said.sending || row == nil || t.said.sent == nil {
		return t.said.sending && row == nil && t.said.sent == nil
	}
	return any(*row) == any(*t.said.sent)
}

// show gives the stage what was said last.
func (t *body[T]) show() {
	if len(t.spec.Tabs) == 0 || t.host == nil {
		return
	}
	stage := pane.Stage{From: t.self}
	if t.said.row != nil {
		id, row := t.said.id, *t.said.row
		stage.ID, stage.Name = id, style.Plain(t.spec.Name(row))
		for _, tab := range t.spec.Tabs {
			stage.Tabs = append(stage.Tabs, pane.Tab{Title: tab.Title, Open: func() pane.Pane { return tab.Open(t.latest(id, row)) }})
		}
	}
	t.host.Show(stage)
}

// latest is the row as it was said last, if it is still that one.
func (t *body[T]) latest(id string, row T) T {
	if t.said.row != nil && t.said.id == id {
		return *t.said.row
	}
	return row
}
