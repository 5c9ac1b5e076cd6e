package ui

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/docker"
	"gantry/ui/pane"
	"gantry/ui/style"
)

// pruner is what removing the unused needs of Docker.
type pruner interface {
	PlanPrune(ctx context.Context) (docker.PrunePlan, error)
	Prune(ctx context.Context, plan docker.PrunePlan, report func(done, total int64)) (docker.Pruned, error)
	CommandLine(command docker.Command) string
}

// pruneWord is what has to be typed before anything goes.
const pruneWord = "prune"

// careful are the groups that are left out until the user wants them: what is
// in them may be wanted again, and cannot always be had again.
var careful = []docker.PruneKind{docker.PruneUnusedImages, docker.PruneAnonymousVolumes, docker.PruneNamedVolumes}

// prune shows what nothing uses, in groups that can be chosen, and removes it.
type prune struct {
	client pruner
	host   pane.Host
	load   pane.Load[docker.PrunePlan]
	looks  int // how often the plan was asked for
	job    *pane.Job
	past   string // what the last prune did
	failed error  // what it could not do
	pruned chan docker.Pruned

	chosen map[docker.PruneKind]bool
	open   map[docker.PruneKind]bool
	cursor int
	top    int
	w, h   int
	gone   bool
}

func newPrune(client pruner) *prune {
	return &prune{client: client, chosen: map[docker.PruneKind]bool{}, open: map[docker.PruneKind]bool{}}
}

// Title names the pane.
func (p *prune) Title() string { return "prune" }

// Init takes the host and looks what can go.
func (p *prune) Init(h pane.Host) tea.Cmd {
	p.host = h
	return p.look()
}

func (p *prune) look() tea.Cmd {
	p.looks++
	return p.load.Start(fmt.Sprint(p.looks), func(ctx context.Context, _ func(docker.PrunePlan)) (docker.PrunePlan, error) {
		return p.client.PlanPrune(ctx)
	})
}

// Update takes the plan, and the end of the work.
func (p *prune) Update(msg tea.Msg) tea.Cmd {
	if mine, next := p.load.Update(msg); mine {
		p.planned()
		return next
	}
	switch msg := msg.(type) {
	case pane.Ended:
		if p.job != nil && msg.Job == p.job {
			return p.ended(msg.Err)
		}
	case tea.MouseWheelMsg:
		p.top += map[tea.MouseButton]int{tea.MouseWheelUp: -3, tea.MouseWheelDown: 3}[msg.Button]
	}
	return nil
}

// planned chooses what can go without a thought.
func (p *prune) planned() {
	p.cursor = max(0, min(p.cursor, len(p.load.Value)-1))
	for _, group := range p.load.Value {
		if _, said := p.chosen[group.Kind]; !said {
			p.chosen[group.Kind] = !slices.Contains(careful, group.Kind)
		}
	}
}

// ended says what the work has freed, and looks what is left.
func (p *prune) ended(err error) tea.Cmd {
	p.job, p.failed = nil, err
	done := <-p.pruned
	p.past = fmt.Sprintf("removed %s, freed %s", plural(done.Removed, "thing"), bytesText(done.Bytes))
	notice := pane.Notice{Text: p.past}
	switch {
	case errors.Is(err, context.Canceled):
		notice.Text, p.failed = "canceled: "+p.past, nil
	case err != nil:
		notice.Text = p.past + "; some stayed: see the prune tab"
	}
	p.host.Say(notice)
	return tea.Batch(p.look(), pane.Send(engineChanged{images: true, containers: true}))
}

// plan are the groups that were chosen.
func (p *prune) plan() docker.PrunePlan {
	var plan docker.PrunePlan
	for _, group := range p.load.Value {
		if p.chosen[group.Kind] {
			plan = append(plan, group)
		}
	}
	return plan
}

func sizeOf(plan docker.PrunePlan) (items int, bytes int64) {
	for _, group := range plan {
		items += len(group.Items)
		bytes += group.Bytes()
	}
	return items, bytes
}

// ask lets the user type the word.
func (p *prune) ask() tea.Cmd {
	plan := p.plan()
	items, bytes := sizeOf(plan)
	lines := []string{fmt.Sprintf("%s will be removed for good, about %s:", plural(items, "thing"), bytesText(bytes))}
	for _, group := range plan {
		lines = append(lines, fmt.Sprintf("%d %s, %s", len(group.Items), group.Kind, bytesText(group.Bytes())))
	}
	p.host.Ask(pane.Dialog{
		Title: "Prune", Danger: true,
		Fields: []pane.Field{{Label: fmt.Sprintf("type %q", pruneWord)}},
		Body:   pane.Static(strings.Join(lines, "\n")),
		Check: func(values []string) error {
			if strings.TrimSpace(values[0]) != pruneWord {
				return fmt.Errorf("type %q to go on", pruneWord)
			}
			return nil
		},
		Do: func([]string) tea.Cmd {
			p.begin(plan)
			return nil
		},
	})
	return nil
}

// begin removes what is in the plan.
func (p *prune) begin(plan docker.PrunePlan) {
	done := make(chan docker.Pruned, 1)
	p.past, p.failed, p.pruned = "", nil, done
	p.job = &pane.Job{Name: "prune", Run: func(ctx context.Context, report func(done, total int64)) error {
		pruned, err := p.client.Prune(ctx, plan, report)
		done <- pruned
		return err
	}}
	p.host.Start(p.job)
}

// Resize gives the size.
func (p *prune) Resize(w, h int) tea.Cmd {
	p.w, p.h = w, h
	return nil
}

// View is the groups, with what is in those that are unfolded.
func (p *prune) View() string {
	lines, at := p.lines()
	if at >= 0 {
		p.top = min(max(p.top, at-p.h+1), at)
	}
	p.top = max(0, min(p.top, len(lines)-p.h))
	return style.Block(lines[p.top:], p.w, p.h)
}

// lines are all lines, and which of them is the chosen group; -1 for none.
func (p *prune) lines() (lines []string, at int) {
	t := style.Now()
	if p.past != "" {
		lines = append(lines, t.Good.Render(" ✓ "+p.past), "")
	}
	if p.failed != nil {
		lines = append(append(lines, errorLines(p.failed, p.w-1)...), "")
	}
	switch {
	case p.load.Err != nil:
		return append(lines, errorLines(p.load.Err, p.w)...), -1
	case !p.load.Whole():
		return append(lines, t.Dim.Render(" The engine looks what nothing uses …")), -1
	case len(p.load.Value) == 0:
		return append(lines, t.Dim.Render(" Everything here is in use: there is nothing to prune.")), -1
	}
	for i, group := range p.load.Value {
		if i == p.cursor {
			at = len(lines)
		}
		lines = append(lines, p.groupLines(i, group)...)
	}
	items, bytes := sizeOf(p.plan())
	lines = append(lines, "", t.Accent.Render(fmt.Sprintf(" chosen: %s, about %s", plural(items, "thing"), bytesText(bytes))))
	for _, c := range p.plan().Commands() {
		lines = append(lines, t.Dim.Render(" "+style.Cut(style.Plain(p.client.CommandLine(c)), p.w-2)))
	}
	return lines, at
}

func (p *prune) groupLines(i int, group docker.PruneGroup) []string {
	t := style.Now()
	box, look := "[ ]", t.Dim
	if p.chosen[group.Kind] {
		box, look = "[x]", t.Text
	}
	text := fmt.Sprintf("%s %4d  %s", box, len(group.Items), group.Kind)
	size := bytesText(group.Bytes())
	line := style.Fit(text, max(0, p.w-style.Width(size)-3)) + " " + size
	if i == p.cursor {
		line = t.Selected.Render(style.Fit("▸"+line, p.w))
	} else {
		line = look.Render(" " + line)
	}
	lines := []string{line}
	if !p.open[group.Kind] {
		return lines
	}
	for _, item := range group.Items {
		size := bytesText(item.Bytes)
		name := style.Fit(style.Plain(item.Name+"  "+item.Detail), max(0, p.w-style.Width(size)-13))
		lines = append(lines, t.Dim.Render("          "+name+" "+size))
	}
	return lines
}

// Commands choose groups, look into them, and prune.
func (p *prune) Commands() []pane.Command {
	leave := pane.Command{Key: "x", Does: "close", Run: p.do(func() { p.gone = true })}
	if p.job != nil {
		return []pane.Command{{Key: "x", Does: "cancel", Run: p.do(p.job.Cancel)}}
	}
	look := pane.Command{Key: "ctrl+r", Does: "look again", Quiet: true, Run: p.look}
	if len(p.load.Value) == 0 {
		return []pane.Command{leave, look}
	}
	group := p.load.Value[p.cursor].Kind
	var cs []pane.Command
	if len(p.plan()) > 0 {
		cs = append(cs, pane.Command{Key: "X", Does: "prune what is chosen", Mutates: true, Run: p.ask})
	}
	move := func(by int) func() tea.Cmd {
		return p.do(func() { p.cursor = max(0, min(p.cursor+by, len(p.load.Value)-1)) })
	}
	return append(cs,
		pane.Command{Key: "space", Does: "choose or leave out", Run: p.do(func() { p.chosen[group] = !p.chosen[group] })},
		pane.Command{Key: "enter", Does: "what is in it", Run: p.do(func() { p.open[group] = !p.open[group] })},
		leave,
		pane.Command{Key: "Y", Does: "copy the docker command", Run: p.copyCommands},
		pane.Command{Key: "down j", Does: "next group", Quiet: true, Run: move(1)},
		pane.Command{Key: "up k", Does: "previous group", Quiet: true, Run: move(-1)},
		look)
}

func (p *prune) do(f func()) func() tea.Cmd {
	return func() tea.Cmd {
		f()
		return nil
	}
}

func (p *prune) copyCommands() tea.Cmd {
	var lines []string
	for _, c := range p.plan().Commands() {
		lines = append(lines, p.client.CommandLine(c))
	}
	return toClipboard(p.host, strings.Join(lines, "\n"))
}

// Live says that nothing is lost by closing the pane: the job is the frame's.
func (p *prune) Live() bool { return p.job != nil }

// Gone says that the tab can go.
func (p *prune) Gone() bool { return p.gone }

// Close gives up on the plan.
func (p *prune) Close() { p.load.Stop() }
