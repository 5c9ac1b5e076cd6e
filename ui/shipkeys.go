package ui

import (
	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
)

// Commands are what can be done at this point of the way.
func (s *ship) Commands() []pane.Command {
	var cs []pane.Command
	switch {
	case s.begun && s.load.Busy():
		cs = s.runningCommands()
	case s.begun:
		cs = s.overCommands()
	case s.ready():
		cs = s.planCommands()
	case s.reading():
		cs = []pane.Command{{Key: "x", Does: "close", Run: s.leave}}
	default:
		cs = []pane.Command{
			{Key: "enter", Does: "go on", Run: s.next},
			{Key: "s", Does: "another service", Run: s.chooseTarget},
			{Key: "x", Does: "close", Run: s.leave},
		}
	}
	return append(cs, s.moveCommands()...)
}

// planCommands confirm the plan, or change it.
func (s *ship) planCommands() []pane.Command {
	cs := []pane.Command{{Key: "enter y", Does: "ship it", Mutates: true, Run: s.confirm}}
	if s.misfit() {
		cs = append(cs, pane.Command{Key: "P", Does: "build for " + s.current.plan.platform(), Run: s.fit})
	}
	if s.order.stock == nil || s.order.fresh == nil {
		cs = append(cs, pane.Command{Key: "e", Does: "change", Run: s.change})
	}
	if s.form != nil && s.order.fresh != nil {
		cs = append(cs, pane.Command{Key: "n", Does: "change the new service", Run: func() tea.Cmd { s.form.ask(); return nil }})
	}
	return append(cs,
		pane.Command{Key: "s", Does: "another service", Run: s.chooseTarget},
		pane.Command{Key: "ctrl+r", Does: "look again", Quiet: true, Run: s.readPlan},
		pane.Command{Key: "x", Does: "close", Run: s.leave})
}

func (s *ship) runningCommands() []pane.Command {
	m := &s.current
	cancel := pane.Command{Key: "x", Does: "cancel", Run: func() tea.Cmd {
		return s.askCancel("What was done so far stays done, and is named then. r goes on from there.")
	}}
	if m.updated() {
		cancel.Does = "stop watching"
		cancel.Run = func() tea.Cmd {
			s.job.Cancel()
			return nil
		}
	}
	cs := []pane.Command{cancel}
	if m.canRollBack() {
		cs = append(cs, pane.Command{Key: "B", Does: "roll back", Mutates: true, Run: s.askBack})
	}
	return cs
}

func (s *ship) overCommands() []pane.Command {
	m := &s.current
	var cs []pane.Command
	if m.err != nil && !m.rollout.ended() {
		does := "go on"
		if m.updated() {
			does = "watch again"
		}
		cs = append(cs, pane.Command{Key: "r", Does: does, Mutates: true, Run: s.again})
	}
	if !m.updated() {
		if s.misfit() {
			cs = append(cs, pane.Command{Key: "P", Does: "build for " + m.plan.platform(), Run: s.fit})
		}
		if s.order.stock == nil || s.order.fresh == nil {
			cs = append(cs, pane.Command{Key: "e", Does: "change", Run: s.change})
		}
	}
	if m.err != nil && !m.updated() {
		cs = append(cs, pane.Command{Key: "ctrl+r", Does: "plan anew", Run: s.planAnew})
	}
	if m.canRollBack() {
		cs = append(cs, pane.Command{Key: "B", Does: "roll back", Mutates: true, Run: s.askBack})
	}
	if m.digest != "" {
		cs = append(cs, pane.Command{Key: "y", Does: "copy the image's reference", Quiet: true, Run: func() tea.Cmd { return toClipboard(s.host, m.reference()) }})
	}
	return append(cs, pane.Command{Key: "x", Does: "close", Run: s.leave})
}

func (s *ship) moveCommands() []pane.Command {
	move := func(key, does string, do func()) pane.Command {
		return pane.Command{Key: key, Does: does, Quiet: true, Run: func() tea.Cmd { do(); s.draw(); return nil }}
	}
	c := &s.screen
	page := func() int { return max(1, c.room-1) }
	cs := []pane.Command{
		move("pgdown", "page down", func() { c.scroll(page()) }), move("pgup", "page up", func() { c.scroll(-page()) }),
		move("ctrl+d", "half a page down", func() { c.scroll(page() / 2) }), move("ctrl+u", "half a page up", func() { c.scroll(-page() / 2) }),
	}
	if !s.begun {
		return append(cs, move("down j", "down", func() { c.scroll(1) }), move("up k", "up", func() { c.scroll(-1) }))
	}
	n := len(s.current.steps)
	fold := move("enter space", "fold or unfold", c.toggle)
	fold.Quiet = false
	return append(cs, fold,
		move("down j", "next stage", func() { c.move(1, n) }), move("up k", "previous stage", func() { c.move(-1, n) }),
		move("g home", "to the plan", func() { c.move(-n, n) }), move("G end", "to the stage that runs", func() { c.follow = true }))
}
