package ui

import (
	"fmt"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
)

// leave is the key that a session never gets: after it comes one stage
// command. From a pane it leads back to the session.
const leave = "ctrl+]"

// key routes a key press: the top dialog, the help, a stage command after
// ctrl+], a pane that takes text, the first command that matches, the pane.
func (f *Frame) key(msg tea.KeyPressMsg) tea.Cmd {
	f.notice = pane.Notice{}
	switch {
	case len(f.dialogs) > 0:
		return f.dialogKey(msg)
	case f.help != nil:
		if f.help.key(msg) {
			f.help = nil
		}
		return nil
	case f.prefix:
		return f.stageCommand(msg)
	case msg.String() == leave:
		return f.leaveOrReturn()
	}
	p := f.focused()
	if typing(p) {
		return p.Update(msg)
	}
	for _, c := range f.offered() {
		if c.Matches(msg) {
			return c.Run()
		}
	}
	if p == nil {
		return nil
	}
	return p.Update(msg)
}

// inSession tells whether a session shows and has the focus.
func (f *Frame) inSession() bool { return f.onStage && f.stage.active != noSession }

func (f *Frame) leaveOrReturn() tea.Cmd {
	if f.inSession() {
		f.prefix = true
		return nil
	}
	if !f.stage.resume() {
		return nil
	}
	return f.focusStage()
}

// stageCommand runs the one command that follows ctrl+].
func (f *Frame) stageCommand(msg tea.KeyPressMsg) tea.Cmd {
	f.prefix = false
	p := f.stage.current()
	if p == nil {
		return nil
	}
	switch msg.String() {
	case leave:
		f.onStage = true
		return tea.Batch(f.layout(), p.Update(msg))
	case "enter":
		return f.focusStage()
	case "esc":
		return nil
	}
	for _, c := range f.allowed(append(p.Commands(), f.commands()...)) {
		if c.Matches(msg) {
			return c.Run()
		}
	}
	f.say(pane.Notice{Text: fmt.Sprintf("no stage command on %s", msg.String())})
	return nil
}

func typing(p pane.Pane) bool {
	t, ok := p.(pane.Typing)
	return ok && t.Typing()
}

func (f *Frame) paste(msg tea.PasteMsg) tea.Cmd {
	if len(f.dialogs) > 0 {
		return f.dialogs[len(f.dialogs)-1].paste(msg)
	}
	if p := f.focused(); p != nil && typing(p) {
		return p.Update(msg)
	}
	return nil
}

// offered is what the keys do now: the focused pane's commands before the
// frame's, so that esc clears a filter before it leaves a zoom.
func (f *Frame) offered() []pane.Command {
	var cs []pane.Command
	if p := f.focused(); p != nil {
		cs = p.Commands()
	}
	return f.allowed(append(cs, f.commands()...))
}

// allowed leaves out what changes something when the user asked for reading
// only.
func (f *Frame) allowed(cs []pane.Command) []pane.Command {
	if f.access == ReadWrite {
		return cs
	}
	var kept []pane.Command
	for _, c := range cs {
		if !c.Mutates {
			kept = append(kept, c)
		}
	}
	return kept
}

// commands are the frame's own.
func (f *Frame) commands() []pane.Command {
	cs := []pane.Command{
		{Key: "?", Does: "all keys", Run: f.showHelp},
		{Key: ":", Does: "commands by name", Quiet: true, Run: f.showPalette},
		{Key: "tab", Does: "next pane", Quiet: true, Run: func() tea.Cmd { return f.step(1) }},
		{Key: "shift+tab", Does: "previous pane", Quiet: true, Run: func() tea.Cmd { return f.step(-1) }},
	}
	for _, s := range f.slots {
		cs = append(cs, pane.Command{Key: strconv.Itoa(s.number), Does: "to " + s.name, Quiet: true, Run: func() tea.Cmd { return f.focusNumber(s.number) }})
	}
	if f.stage.current() != nil {
		cs = append(cs, pane.Command{Key: "0", Does: "to the stage", Quiet: true, Run: f.focusStage})
	}
	if f.stage.count() > 1 {
		cs = append(cs,
			pane.Command{Key: "[", Does: "previous tab", Quiet: true, Run: func() tea.Cmd { return f.turn(-1) }},
			pane.Command{Key: "]", Does: "next tab", Quiet: true, Run: func() tea.Cmd { return f.turn(1) }})
	}
	cs = append(
		cs,
		pane.Command{Key: "z", Does: f.zoomDoes(), Quiet: true, Run: f.zoom},
		pane.Command{Key: "ctrl+l", Does: "draw the screen anew", Quiet: true, Run: redraw},
	)
	if f.zoomed || f.onStage {
		cs = append(cs, pane.Command{Key: "esc", Does: "back", Quiet: true, Run: f.back})
	}
	if !f.inSession() && len(f.stage.sessions) > 0 {
		cs = append(cs, pane.Command{Key: leave, Does: "back to the session", Run: f.leaveOrReturn})
	}
	if f.contexts.open != nil {
		cs = append(cs, pane.Command{Key: "ctrl+o", Does: "docker engine", Quiet: true, Run: f.chooseContext})
	}
	if f.connect != nil {
		cs = append(cs, pane.Command{Key: "ctrl+p", Does: "profile and region", Quiet: true, Run: f.askProfile})
	}
	if f.jobs.count() > 0 {
		cs = append(cs, pane.Command{Key: "J", Does: "jobs", Run: f.showJobs})
	}
	return append(cs, pane.Command{Key: "q ctrl+c", Does: "quit", Run: f.quit})
}

func (f *Frame) zoomDoes() string {
	if f.zoomed {
		return "leave zoom"
	}
	return "zoom"
}

func (f *Frame) zoom() tea.Cmd {
	f.zoomed = !f.zoomed
	return f.layout()
}

// redraw sends every cell again. Terminals disagree on how wide some characters
// are (Indic vowel signs, Thai SARA AM, skin tones), and what a program has
// printed of them can leave marks that gantry does not know of.
func redraw() tea.Cmd { return tea.ClearScreen }

func (f *Frame) back() tea.Cmd {
	if f.zoomed {
		return f.zoom()
	}
	return f.focusSlot(f.focus)
}

func (f *Frame) turn(by int) tea.Cmd {
	f.stage.turn(f, by)
	return f.layout()
}

// quit asks first while something would be lost.
func (f *Frame) quit() tea.Cmd {
	shells, jobs := f.stage.alive(), f.jobs.count()
	if shells+jobs == 0 {
		return tea.Quit
	}
	host{f: f}.Ask(pane.Dialog{
		Title:  "Quit gantry?",
		Danger: true,
		Body:   pane.Static(whatEnds(shells, jobs) + " will end."),
		Do:     func([]string) tea.Cmd { return tea.Quit },
	})
	return nil
}

// whatEnds names what runs, and only that.
func whatEnds(shells, jobs int) string {
	switch {
	case jobs == 0:
		return plural(shells, "session")
	case shells == 0:
		return plural(jobs, "job")
	}
	return plural(shells, "session") + " and " + plural(jobs, "job")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
