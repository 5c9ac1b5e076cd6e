package ui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/docker"
	"gantry/ui/lineage"
	"gantry/ui/pane"
	"gantry/ui/style"
)

// builder is what a build needs of Docker.
type builder interface {
	Build(ctx context.Context, o docker.BuildOptions, progress func(docker.BuildProgress)) (docker.BuildResult, error)
	CommandLine(command docker.Command) string
}

// build is a build on the stage: a line for each step, with what it wrote below
// it.
type build struct {
	work[buildMade]
	client  builder
	options docker.BuildOptions
	ships   *shipping // nil: it cannot be shipped

	graph buildGraph
	view  string
}

// buildMade is what a build has done so far.
type buildMade struct {
	progress docker.BuildProgress
	result   docker.BuildResult
}

// imageBuilt says which image a build has made.
type imageBuilt struct{ id, tag string }

func newBuild(client builder, o docker.BuildOptions, now func() time.Time, ships *shipping) *build {
	b := &build{client: client, options: o, ships: ships, graph: newBuildGraph()}
	b.work = work[buildMade]{now: now, of: b}
	return b
}

func (b *build) tag() string { return b.options.Tags[0] }

// Title names the build.
func (b *build) Title() string { return "build " + b.tag() }

// Init takes the host and begins.
func (b *build) Init(h pane.Host) tea.Cmd {
	b.host = h
	return b.build()
}

// build builds, from the beginning.
func (b *build) build() tea.Cmd {
	g := newBuildGraph()
	g.resize(b.graph.w, b.graph.h)
	b.graph = g
	var cloud baseRegistrar
	if b.ships.ready() {
		cloud = b.ships.cloud
	}
	return b.begin(b.Title(), func(ctx context.Context, state func(buildMade), report func(done, total int64)) error {
		var made buildMade
		var err error
		made.result, err = buildFrom(ctx, b.client, cloud, b.options, func(p docker.BuildProgress) {
			made.progress = p
			ended, all := p.Count()
			report(int64(ended), int64(all))
			state(made)
		})
		state(made)
		return err
	})
}

// Update takes what the work says, and the mouse.
func (b *build) Update(msg tea.Msg) tea.Cmd {
	if msg, ok := msg.(tea.MouseWheelMsg); ok {
		b.graph.scroll(map[tea.MouseButton]int{tea.MouseWheelUp: -3, tea.MouseWheelDown: 3}[msg.Button])
		b.draw()
		return nil
	}
	return b.work.Update(msg)
}

// progressed takes a state of the build.
func (b *build) progressed() tea.Cmd {
	s := b.state()
	b.graph.take(buildState{progress: s.at.progress, err: s.err, over: s.over})
	if !s.over || s.err != nil {
		return nil
	}
	return pane.Send(imageBuilt{s.at.result.ImageID, b.tag()})
}

// notice says how the build ended. Why it failed stands in its tab.
func (b *build) notice(err error) pane.Notice {
	switch {
	case errors.Is(err, context.Canceled):
		return pane.Notice{Text: "canceled: " + b.Title()}
	case err != nil:
		return pane.Notice{Text: "✗ " + b.Title() + " failed: see its tab"}
	}
	return pane.Notice{Text: "✓ built " + b.tag()}
}

// Resize gives the size.
func (b *build) Resize(w, h int) tea.Cmd {
	b.graph.resize(w, h-1)
	b.draw()
	return nil
}

// View is the build as it was drawn after the last change.
func (b *build) View() string { return b.view }

func (b *build) draw() {
	g := &b.graph
	if g.w <= 0 || g.h < 0 {
		b.view = ""
		return
	}
	lines := append([]string{b.summary(g.w)}, g.visible(b.now())...)
	b.view = style.Block(lines, g.w, g.h+1)
}

// summary is the line above the steps.
func (b *build) summary(w int) string {
	t, state, took := style.Now(), b.state(), b.took()
	done, all := state.at.progress.Count()
	text, look := fmt.Sprintf("● building %s · %d of %s · %s", b.tag(), done, plural(all, "step"), secondsText(took.Truncate(time.Second))), t.Busy
	switch {
	case !state.over:
	case b.canceled():
		text, look = fmt.Sprintf("– canceled after %s", secondsText(took)), t.Dim
	case state.err != nil:
		text, look = fmt.Sprintf("✗ failed after %s", secondsText(took)), t.Bad
	default:
		text, look = fmt.Sprintf("✓ built %s in %s · %s", b.tag(), secondsText(took), lineage.Short(state.at.result.ImageID)), t.Good
	}
	return look.Render(style.Cut(" "+style.Plain(text), w))
}

// secondsText is a duration for people: 0.3s, 1m02s.
func secondsText(d time.Duration) string {
	switch {
	case d >= time.Minute:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d == d.Truncate(time.Second):
		return fmt.Sprintf("%ds", int(d.Seconds()))
	}
	return fmt.Sprintf("%.1fs", d.Seconds())
}

// Commands are to look around, to copy, and to end.
func (b *build) Commands() []pane.Command {
	g := &b.graph
	cs := []pane.Command{{Key: "x", Does: "close", Run: b.leave}}
	if b.load.Busy() {
		cs[0] = pane.Command{Key: "x", Does: "cancel", Run: func() tea.Cmd {
			return b.askCancel("The engine stops the step that runs. What was built so far stays in its cache.")
		}}
	} else {
		cs = append(cs, pane.Command{Key: "r", Does: "build again", Mutates: true, Run: b.build})
	}
	if s := b.state(); b.ships.ready() && s.over && s.err == nil {
		cs = append(cs, pane.Command{Key: "S", Does: "ship it", Mutates: true, Run: func() tea.Cmd { return b.ships.local(b.host, b.tag()) }})
	}
	cs = append(cs,
		pane.Command{Key: "y", Does: "copy the log", Run: b.copyLog},
		pane.Command{Key: "Y", Does: "copy the docker command", Run: b.copyCommand})
	if len(g.state.progress.Steps) == 0 {
		return cs
	}
	move := func(key, does string, do func()) pane.Command {
		return pane.Command{Key: key, Does: does, Quiet: true, Run: func() tea.Cmd { do(); b.draw(); return nil }}
	}
	fold := move("enter space", "fold or unfold", g.toggle)
	fold.Quiet = false
	return append(cs, fold,
		move("down j", "next step", func() { g.move(1) }), move("up k", "previous step", func() { g.move(-1) }),
		move("pgdown", "page down", func() { g.scroll(max(1, g.h-1)) }), move("pgup", "page up", func() { g.scroll(-max(1, g.h-1)) }),
		move("ctrl+d", "half a page down", func() { g.scroll(max(1, g.h/2)) }), move("ctrl+u", "half a page up", func() { g.scroll(-max(1, g.h/2)) }),
		move("g home", "first step", func() { g.move(-len(g.state.progress.Steps)) }), move("G end", "to the end, follow", g.toEnd))
}

// copyLog puts what all steps wrote on the clipboard.
func (b *build) copyLog() tea.Cmd {
	lines := b.graph.text(b.now())
	b.host.Say(pane.Notice{Text: "copied " + plural(len(lines), "line")})
	return tea.SetClipboard(strings.Join(lines, "\n"))
}

func (b *build) copyCommand() tea.Cmd {
	return toClipboard(b.host, b.client.CommandLine(buildCommand(b.options)))
}
