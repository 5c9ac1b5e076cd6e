package ui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/docker"
	"gantry/ui/pane"
	"gantry/ui/style"
)

// buildEvery is how often the seconds of a running step move on.
const buildEvery = time.Second

// builder is what a build needs of Docker.
type builder interface {
	Build(ctx context.Context, o docker.BuildOptions, progress func(docker.BuildProgress)) (docker.BuildResult, error)
	CommandLine(command docker.Command) string
}

// build is a build on the stage: a line for each step, with what it wrote below
// it. It is a job too, so that the status bar shows it and J can cancel it.
type build struct {
	client  builder
	options docker.BuildOptions
	now     func() time.Time
	host    pane.Host

	job   *pane.Job
	load  pane.Load[buildState]
	runs  int // how often it was begun: the key of the load
	began time.Time
	ended time.Time
	still chan struct{} // closed once no second counts any more
	gone  bool

	graph buildGraph
	view  string
}

// buildState is a build at one moment.
type buildState struct {
	progress docker.BuildProgress
	result   docker.BuildResult
	err      error
	over     bool
}

// imageBuilt says which image a build has made.
type imageBuilt struct{ id, tag string }

// buildTick lets the seconds of a running build move on.
type buildTick struct {
	of   *build
	runs int
}

func newBuild(client builder, o docker.BuildOptions, now func() time.Time) *build {
	return &build{client: client, options: o, now: now, graph: newBuildGraph()}
}

func (b *build) tag() string { return b.options.Tags[0] }

// Title names the build.
func (b *build) Title() string { return "build " + b.tag() }

// Init takes the host and begins.
func (b *build) Init(h pane.Host) tea.Cmd {
	b.host = h
	return b.begin()
}

// begin builds, as a job that puts its newest state where the pane waits for
// it: a screen that is slower than the build skips states.
func (b *build) begin() tea.Cmd {
	b.runs++
	b.began, b.ended, b.still = b.now(), time.Time{}, make(chan struct{})
	g := newBuildGraph()
	g.resize(b.graph.w, b.graph.h)
	b.graph = g
	newest, over := make(chan docker.BuildProgress, 1), make(chan buildState, 1)
	b.job = &pane.Job{Name: b.Title(), Run: func(ctx context.Context, report func(done, total int64)) error {
		last := buildState{over: true}
		last.result, last.err = b.client.Build(ctx, b.options, func(p docker.BuildProgress) {
			last.progress = p
			ended, all := p.Count()
			report(int64(ended), int64(all))
			select {
			case <-newest:
			default:
			}
			newest <- p
		})
		over <- last
		return last.err
	}}
	b.host.Start(b.job)
	b.draw()
	return tea.Batch(b.tick(), b.load.Start(fmt.Sprint(b.runs), func(ctx context.Context, soFar func(buildState)) (buildState, error) {
		for {
			select {
			case p := <-newest:
				soFar(buildState{progress: p})
			case last := <-over:
				return last, nil
			case <-ctx.Done():
				return buildState{}, ctx.Err()
			}
		}
	}))
}

// tick lets a second pass, unless the build ends before.
func (b *build) tick() tea.Cmd {
	now, still := buildTick{b, b.runs}, b.still
	return func() tea.Msg {
		second := time.NewTimer(buildEvery)
		defer second.Stop()
		select {
		case <-second.C:
			return now
		case <-still:
			return nil
		}
	}
}

// Update takes progress, the end, and the seconds.
func (b *build) Update(msg tea.Msg) tea.Cmd {
	if mine, next := b.load.Update(msg); mine {
		return tea.Batch(next, b.progressed())
	}
	switch msg := msg.(type) {
	case buildTick:
		if msg.of != b || msg.runs != b.runs || !b.load.Busy() {
			return nil
		}
		b.draw()
		return b.tick()
	case pane.Ended:
		if msg.Job == b.job {
			b.host.Say(b.notice(msg.Err))
		}
	case tea.MouseWheelMsg:
		b.graph.scroll(map[tea.MouseButton]int{tea.MouseWheelUp: -3, tea.MouseWheelDown: 3}[msg.Button])
		b.draw()
	}
	return nil
}

// progressed takes a state of the build.
func (b *build) progressed() tea.Cmd {
	state := b.load.Value
	if state.over {
		b.ended = b.now()
		close(b.still)
	}
	b.graph.take(state)
	b.draw()
	if !state.over || state.err != nil {
		return nil
	}
	return pane.Send(imageBuilt{state.result.ImageID, b.tag()})
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
	t, state := style.Now(), b.load.Value
	took := b.now().Sub(b.began)
	if state.over {
		took = b.ended.Sub(b.began)
	}
	done, all := state.progress.Count()
	text, look := fmt.Sprintf("● building %s · %d of %s · %s", b.tag(), done, plural(all, "step"), secondsText(took.Truncate(time.Second))), t.Busy
	switch {
	case !state.over:
	case b.graph.canceled():
		text, look = fmt.Sprintf("– canceled after %s", secondsText(took)), t.Dim
	case state.err != nil:
		text, look = fmt.Sprintf("✗ failed after %s", secondsText(took)), t.Bad
	default:
		text, look = fmt.Sprintf("✓ built %s in %s · %s", b.tag(), secondsText(took), shortDigest(state.result.ImageID)), t.Good
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
	cs := []pane.Command{{Key: "x", Does: "close", Run: b.close}}
	if b.load.Busy() {
		cs[0] = pane.Command{Key: "x", Does: "cancel", Run: b.askCancel}
	} else {
		cs = append(cs, pane.Command{Key: "r", Does: "build again", Mutates: true, Run: b.begin})
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

func (b *build) close() tea.Cmd {
	b.gone = true
	return nil
}

func (b *build) askCancel() tea.Cmd {
	b.host.Ask(pane.Dialog{
		Title: "Cancel " + b.Title() + "?",
		Body:  pane.Static("The engine stops the step that runs. What was built so far stays in its cache."),
		Do: func([]string) tea.Cmd {
			b.job.Cancel()
			return nil
		},
	})
	return nil
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

// Live says that quitting would stop the build.
func (b *build) Live() bool { return b.load.Busy() }

// Gone says that the tab can go.
func (b *build) Gone() bool { return b.gone }

// Mark is how the build stands, for its tab.
func (b *build) Mark() string {
	switch state := b.load.Value; {
	case !state.over:
		return "●"
	case b.graph.canceled():
		return "–"
	case state.err != nil:
		return "✗"
	}
	return "✓"
}

// Close stops the build: nobody would see how it goes on.
func (b *build) Close() {
	if !b.load.Busy() {
		return
	}
	b.job.Cancel()
	b.load.Stop()
	close(b.still)
}
