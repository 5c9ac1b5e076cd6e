// Package ui is the screen: a frame of resource panes on the left, a stage on
// the right, dialogs over them and a status bar below.
package ui

import (
	"fmt"
	"log/slog"
	"slices"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"gantry/ui/pane"
	"gantry/ui/style"
	"gantry/ui/table"
)

// Frame is the root model. It owns the layout, the focus, the dialogs, the
// notices, the jobs and the sessions, and decides who gets which message.
type Frame struct {
	w, h    int
	slots   []*slot
	groups  int
	focus   int  // index of the slot that has, or last had, the keys
	onStage bool // the stage has the keys
	zoomed  bool
	prefix  bool // ctrl+] was pressed: the next key is a stage command

	stage   stage
	dialogs []*dialog
	help    *help
	notice  pane.Notice
	jobs    jobs

	context  *contextLine
	contexts contexts
	clients  *clients
	connect  Connect
	lineages *lineages
	pace     table.Pace
	access   Access
	debug    *slog.Logger

	profile colorprofile.Profile
	dark    bool
	pending []tea.Cmd // what host calls asked for during this Update
}

// slot is the place of a resource pane in the column on the left.
type slot struct {
	number int
	name   string
	pane   pane.Pane
	stage  pane.Stage // the last that the pane has said
	box    rect       // with its border
	group  int        // panes of a group lead from one to the next
}

// newFrame is a frame without panes.
func newFrame(context *contextLine, access Access, debug *slog.Logger) *Frame {
	if debug == nil {
		debug = slog.New(slog.DiscardHandler)
	}
	return &Frame{context: context, access: access, debug: debug, dark: true, profile: colorprofile.TrueColor, stage: newStage(), jobs: newJobs(), lineages: newLineages(nil, nil)}
}

// add puts a pane below the ones there are. The number is its key.
func (f *Frame) add(number int, name string, p pane.Pane) {
	f.slots = append(f.slots, &slot{number: number, name: name, pane: p, group: f.groups})
}

// group ends a group of panes that lead from one to the next.
func (f *Frame) group() { f.groups++ }

// start gives the keys to the pane of that name.
func (f *Frame) start(name string) {
	f.focus = max(0, slices.IndexFunc(f.slots, func(s *slot) bool { return s.name == name }))
}

// Init starts every pane.
func (f *Frame) Init() tea.Cmd {
	cmds := []tea.Cmd{tea.RequestBackgroundColor, f.context.Init()}
	for i, s := range f.slots {
		cmds = append(cmds, s.pane.Init(host{f, s.pane}))
		blur(s.pane)
		if i == f.focus {
			focus(s.pane)
		}
	}
	return f.flush(cmds...)
}

// Close lets go of everything that panes and jobs hold. It may be called more
// than once.
func (f *Frame) Close() {
	f.jobs.close()
	f.stage.close()
	f.contexts.found.Stop()
	f.lineages.Close()
	f.context.Close()
	for _, s := range f.slots {
		closePane(s.pane)
	}
}

// Update routes a message: input reaches exactly one pane; everything else is
// somebody's answer, which every live pane gets and only its owner knows.
func (f *Frame) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	f.debug.Debug("message", "type", fmt.Sprintf("%T", msg)) // never what it holds
	return f, f.flush(f.route(msg))
}

func (f *Frame) route(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		f.w, f.h = msg.Width, msg.Height
		return f.layout()
	case tea.KeyPressMsg:
		return f.key(msg)
	case tea.PasteMsg:
		return f.paste(msg)
	case tea.MouseMsg:
		return f.mouse(msg)
	case tea.ColorProfileMsg:
		f.profile = msg.Profile
		style.Choose(f.profile, f.dark)
		return nil
	case tea.BackgroundColorMsg:
		f.dark = msg.IsDark()
		style.Choose(f.profile, f.dark)
		return nil
	case pane.Ended:
		f.ended(msg)
	case pane.Offer:
		f.offerAgain()
		return nil
	case progressed:
		return f.jobs.tick()
	case looked:
		return f.jobs.wait()
	}
	if f.contextsFound(msg) {
		return nil
	}
	return f.broadcast(msg)
}

// flush is the commands of this Update with those that host calls asked for.
func (f *Frame) flush(cmds ...tea.Cmd) tea.Cmd {
	f.stage.sweep(f)
	f.lend()
	f.stage.tell()
	cmds = append(cmds, f.pending...)
	f.pending = nil
	cmds = slices.DeleteFunc(cmds, func(c tea.Cmd) bool { return c == nil })
	return tea.Batch(cmds...)
}

// lend tells the pane of the stage whether it has the keys.
func (f *Frame) lend() {
	if !f.onStage {
		f.stage.lend(nil)
		return
	}
	f.stage.lend(f.stage.current())
}

func (f *Frame) later(cmd tea.Cmd) { f.pending = append(f.pending, cmd) }

func (f *Frame) broadcast(msg tea.Msg) tea.Cmd {
	_, traced := f.lineages.Update(msg)
	cmds := []tea.Cmd{f.context.Update(msg), traced}
	for _, s := range f.slots {
		cmds = append(cmds, s.pane.Update(msg))
	}
	for _, p := range f.stage.live() {
		cmds = append(cmds, p.Update(msg))
	}
	return tea.Batch(cmds...)
}

// focused is the pane that has the keys; nil when the stage has them and is
// empty.
func (f *Frame) focused() pane.Pane {
	if f.onStage {
		return f.stage.current()
	}
	if len(f.slots) == 0 {
		return nil
	}
	return f.slots[f.focus].pane
}

// focusSlot gives the keys to the i-th pane on the left, whose row the stage
// then follows.
func (f *Frame) focusSlot(i int) tea.Cmd {
	if i < 0 || i >= len(f.slots) {
		return nil
	}
	blur(f.slots[f.focus].pane)
	f.focus, f.onStage = i, false
	focus(f.slots[i].pane)
	f.stage.leave()
	f.stage.show(f, f.slots[i].stage)
	return f.layout()
}

func (f *Frame) focusNumber(number int) tea.Cmd {
	return f.focusSlot(slices.IndexFunc(f.slots, func(s *slot) bool { return s.number == number }))
}

func (f *Frame) focusStage() tea.Cmd {
	if f.stage.current() == nil {
		return nil
	}
	f.onStage = true
	return f.layout()
}

// step moves the focus through the panes and the stage.
func (f *Frame) step(by int) tea.Cmd {
	n := len(f.slots)
	at := f.focus
	if f.onStage {
		at = n
	}
	next := (at + by + n + 1) % (n + 1)
	if next == n && f.stage.current() != nil {
		return f.focusStage()
	}
	return f.focusSlot((next + n) % n)
}

// focusing is a pane that cares whether it has the keys.
type focusing interface {
	Focus()
	Blur()
}

func focus(p pane.Pane) {
	if p, ok := p.(focusing); ok {
		p.Focus()
	}
}

func blur(p pane.Pane) {
	if p, ok := p.(focusing); ok {
		p.Blur()
	}
}

func closePane(p pane.Pane) {
	if p, ok := p.(pane.Closer); ok {
		p.Close()
	}
}

// host is what the frame lends one pane.
type host struct {
	f     *Frame
	owner pane.Pane
}

func (h host) Open(p pane.Pane)     { h.f.openSession(p) }
func (h host) Ask(d pane.Dialog)    { h.f.dialogs = append(h.f.dialogs, newDialog(d)) }
func (h host) Say(n pane.Notice)    { h.f.say(n) }
func (h host) Start(j *pane.Job)    { h.f.later(h.f.jobs.start(j)) }
func (h host) Focus(name string)    { h.f.focusName(name) }
func (h host) Show(show pane.Stage) { h.f.shown(h.owner, show) }

func (f *Frame) focusName(name string) {
	if i := slices.IndexFunc(f.slots, func(s *slot) bool { return s.name == name }); i >= 0 {
		f.later(f.focusSlot(i))
	}
}

// shown takes what a pane says of its row. Only the focused pane has the
// stage, a session with the keys too; the others are remembered for when they
// get the focus.
func (f *Frame) shown(owner pane.Pane, show pane.Stage) {
	if f.inSession() && f.stage.current() == owner {
		f.stage.show(f, show)
		return
	}
	for i, s := range f.slots {
		if s.pane != owner {
			continue
		}
		s.stage = show
		if i == f.focus && !f.stage.ofSession() {
			f.stage.show(f, show)
		}
	}
}

func (f *Frame) openSession(p pane.Pane) {
	if !f.stage.back(p) {
		f.later(p.Init(host{f, p}))
		f.stage.add(p)
	}
	f.onStage = true
	f.later(f.layout())
}

// say shows a notice until the next key.
func (f *Frame) say(n pane.Notice) {
	f.notice = n
	if n.Err != nil {
		f.debug.Info("notice", "error", n.Err.Error())
	}
}

func (f *Frame) ended(msg pane.Ended) {
	f.jobs.remove(msg.Job)
	f.say(endNotice(msg))
}
