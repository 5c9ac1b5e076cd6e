package ui

import (
	tea "charm.land/bubbletea/v2"
)

// mouse routes to the pane under the pointer, with coordinates from that
// pane's own corner. A dialog takes all of it.
func (f *Frame) mouse(msg tea.MouseMsg) tea.Cmd {
	m := msg.Mouse()
	if len(f.dialogs) > 0 || f.help != nil {
		return nil
	}
	_, click := msg.(tea.MouseClickMsg)
	for i, s := range f.slots {
		if !s.box.holds(m.X, m.Y) {
			continue
		}
		in := s.box.inner()
		var cmd tea.Cmd
		if click && (i != f.focus || f.onStage) {
			cmd = f.focusSlot(i)
		}
		if !in.holds(m.X, m.Y) {
			return cmd
		}
		return tea.Batch(cmd, s.pane.Update(moved(msg, in)))
	}
	if f.stage.box.holds(m.X, m.Y) {
		return f.stageMouse(msg)
	}
	return nil
}

func (f *Frame) stageMouse(msg tea.MouseMsg) tea.Cmd {
	m := msg.Mouse()
	_, click := msg.(tea.MouseClickMsg)
	var cmd tea.Cmd
	if click && m.Y == f.stage.box.y {
		f.stage.clickTab(f, m.X)
		return f.layout()
	}
	if click && !f.onStage {
		cmd = f.focusStage()
	}
	in := f.stage.box.inner()
	if p := f.stage.current(); p != nil && in.holds(m.X, m.Y) {
		return tea.Batch(cmd, p.Update(moved(msg, in)))
	}
	return cmd
}

// moved is the message with coordinates counted from the rectangle's corner.
func moved(msg tea.MouseMsg, r rect) tea.Msg {
	m := msg.Mouse()
	m.X, m.Y = m.X-r.x, m.Y-r.y
	switch msg.(type) {
	case tea.MouseClickMsg:
		return tea.MouseClickMsg(m)
	case tea.MouseReleaseMsg:
		return tea.MouseReleaseMsg(m)
	case tea.MouseWheelMsg:
		return tea.MouseWheelMsg(m)
	}
	return tea.MouseMotionMsg(m)
}
