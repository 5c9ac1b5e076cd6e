package term

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
)

// detacher is a stream whose far end can go on without it.
type detacher interface{ Detach() error }

// stopped says that the user's wish to leave has been carried out.
type stopped struct {
	term *Term
	err  error
}

// Commands are what can be done besides typing: after ctrl+], while the
// history shows, and when the session is over.
func (t *Term) Commands() []pane.Command {
	if t.search.asking {
		return nil
	}
	cs := []pane.Command{{Key: "x", Does: t.leaving(), Run: t.leave}}
	if t.session == nil {
		return cs
	}
	if t.scroll.browsing && t.phase == live {
		cs = append(cs, pane.Command{Key: "enter esc", Does: "back to the shell", Run: do(t.follow)})
	}
	cs = append(cs,
		pane.Command{Key: "/", Does: "search", Run: t.ask},
		pane.Command{Key: "y", Does: "copy", Run: t.copy},
	)
	if t.search.pattern != "" {
		cs = append(
			cs,
			pane.Command{Key: "n", Does: "earlier match", Run: t.older},
			pane.Command{Key: "N", Does: "later match", Run: t.newer},
		)
	}
	if t.phase == live {
		cs = append(cs, pane.Command{Key: "F", Does: "full terminal", Run: t.handOver})
	}
	return append(cs, t.moves()...)
}

// moves are the commands that move about in the history. They keep the keys
// from the session until enter gives them back.
func (t *Term) moves() []pane.Command {
	move := func(key, does string, lines int) pane.Command {
		return pane.Command{Key: key, Does: does, Quiet: true, Run: func() tea.Cmd {
			t.browse()
			t.move(lines)
			return nil
		}}
	}
	const far = 1 << 30
	return []pane.Command{
		move("up k", "up", -1), move("down j", "down", 1),
		move("pgup ctrl+b shift+pgup", "page up", -t.page()), move("pgdown ctrl+f shift+pgdown", "page down", t.page()),
		move("ctrl+u", "half a page up", -t.page()/2), move("ctrl+d", "half a page down", t.page()/2),
		move("home g", "to the beginning", -far), move("end G", "to the end", far),
	}
}

// browse gives the keys to the history.
func (t *Term) browse() { t.scroll.browsing, t.stale = t.phase == live, true }

func do(f func()) func() tea.Cmd {
	return func() tea.Cmd {
		f()
		return nil
	}
}

func (t *Term) leaving() string {
	if t.Live() {
		return "end"
	}
	return "close"
}

// leave ends the session, after asking how when there is a choice.
func (t *Term) leave() tea.Cmd {
	if !t.Live() || t.session == nil {
		t.gone = true
		return nil
	}
	d, detaches := t.session.stream.(detacher)
	switch {
	case detaches:
		t.host.Ask(t.endDialog(d))
	case t.options.EndAsk != "":
		t.host.Ask(pane.Dialog{
			Title: fmt.Sprintf("End %s?", t.options.Name),
			Body:  pane.Static(t.options.EndAsk),
			Do:    func([]string) tea.Cmd { return t.end() },
		})
	default:
		return t.end()
	}
	return nil
}

const (
	ending    = "end"
	detaching = "detach"
)

func (t *Term) endDialog(d detacher) pane.Dialog {
	return pane.Dialog{
		Title: fmt.Sprintf("Leave %s?", t.options.Name),
		Body:  pane.Static(t.options.EndAsk),
		Fields: []pane.Field{{Label: "how", Value: ending, Strict: true, Choices: func(string) []pane.Choice {
			return []pane.Choice{
				{Value: ending, Note: "end what runs there"},
				{Value: detaching, Note: "leave it running"},
			}
		}}},
		Do: func(values []string) tea.Cmd {
			if values[0] == detaching {
				return func() tea.Msg { return stopped{t, d.Detach()} }
			}
			return t.end()
		},
	}
}

// end closes the session outside of Update: telling the far end takes time.
func (t *Term) end() tea.Cmd {
	s := t.session
	return func() tea.Msg {
		s.close()
		<-s.gone
		return stopped{t, nil}
	}
}

func (t *Term) stopped(msg stopped) tea.Cmd {
	if msg.err != nil {
		t.say("", msg.err)
		return nil
	}
	t.gone = true
	return nil
}
