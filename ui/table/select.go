package table

import (
	"reflect"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
)

// resting is how long the cursor stays on a row before the others are told.
const resting = 100 * time.Millisecond

// said is what the others were told about the selection.
type said[T any] struct {
	id    string
	row   *T
	moved bool  // the user has moved the cursor since
	rest  alarm // goes off when it has come to rest
}

// announce tells the others about the selection: at once when the row changed
// or vanished, after a rest when the user is still moving.
func (t *Table[T]) announce() tea.Cmd {
	moved := t.said.moved
	t.said.moved = false
	row, ok := t.Selected()
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
func (t *Table[T]) say() tea.Cmd {
	t.said.rest.clear()
	t.said.id, t.said.row = "", nil
	if row, ok := t.Selected(); ok {
		t.said.id, t.said.row = t.current, &row
	}
	t.show()
	return pane.Send(pane.Selected[T]{From: t.spec.Title, Row: t.said.row})
}

// show gives the stage what was said last.
func (t *Table[T]) show() {
	if len(t.spec.Tabs) == 0 || t.host == nil {
		return
	}
	stage := pane.Stage{From: t.self}
	if t.said.row != nil {
		row, id := *t.said.row, t.said.id
		stage.ID, stage.Name = id, t.spec.Name(row)
		for _, tab := range t.spec.Tabs {
			stage.Tabs = append(stage.Tabs, pane.Tab{Title: tab.Title, Open: func() pane.Pane { return tab.Open(row) }})
		}
	}
	t.host.Show(stage)
}
