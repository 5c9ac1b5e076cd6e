package ui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gantry/docker"
	"gantry/ui/style"
)

// buildGraph draws the steps of a build: those that run or have failed with
// what they wrote, the others folded, until the user wants them otherwise.
type buildGraph struct {
	state  buildState
	w, h   int
	cursor int  // index of the chosen step
	top    int  // the first line that shows
	follow bool // the step that runs is kept in sight
	open   map[string]bool
	wraps  map[string]wrappedLog
}

// buildState is a build at one moment.
type buildState struct {
	progress docker.BuildProgress
	err      error
	over     bool
}

// wrappedLog is what a step wrote, broken to a width.
type wrappedLog struct {
	written, w int
	lines      [][]string // one for each line that is kept
	height     int        // how many lines they are on the screen
}

// graphLine is one line of the drawing, styled only when it shows: most never
// do.
type graphLine struct {
	text   string
	style  style.Style
	indent int
}

// bodyIndent is how far what a step wrote stands in.
const bodyIndent = 3

func newBuildGraph() buildGraph {
	return buildGraph{follow: true, open: map[string]bool{}, wraps: map[string]wrappedLog{}}
}

func (g *buildGraph) take(s buildState) { g.state = s }

func (g *buildGraph) resize(w, h int) { g.w, g.h = w, h }

// unfolded says whether a step shows what it wrote.
func (g *buildGraph) unfolded(s docker.Step) bool {
	if open, said := g.open[s.ID]; said {
		return open
	}
	return s.State == docker.StepRunning || s.State == docker.StepFailed
}

// toggle folds the chosen step, or unfolds it.
func (g *buildGraph) toggle() {
	if g.cursor < len(g.state.progress.Steps) {
		s := g.state.progress.Steps[g.cursor]
		g.open[s.ID] = !g.unfolded(s)
		g.reveal()
	}
}

// move chooses another step.
func (g *buildGraph) move(by int) {
	g.cursor = max(0, min(g.cursor+by, len(g.state.progress.Steps)-1))
	g.reveal()
}

// reveal brings the chosen step, and as much below it as fits, into sight.
func (g *buildGraph) reveal() {
	g.follow = false
	if starts := g.starts(); g.cursor+1 < len(starts) {
		first, last := starts[g.cursor], starts[g.cursor+1]
		g.top = max(g.top, min(first, last-g.h))
		g.top = min(g.top, first)
	}
}

func (g *buildGraph) scroll(by int) {
	g.follow = false
	g.top += by
}

func (g *buildGraph) toEnd() {
	g.follow = true
	g.cursor = max(0, len(g.state.progress.Steps)-1)
}

// starts are the lines that the steps begin at, and the one behind the last.
func (g *buildGraph) starts() []int {
	starts := make([]int, len(g.state.progress.Steps)+1)
	for i, s := range g.state.progress.Steps {
		starts[i+1] = starts[i] + 1
		if g.unfolded(s) {
			starts[i+1] += len(g.before(s)) + g.wrapped(s).height + len(g.after(s))
		}
	}
	return starts
}

// visible are the lines that show. Only the steps that they belong to are
// drawn.
func (g *buildGraph) visible(now time.Time) []string {
	steps, starts, end := g.state.progress.Steps, g.starts(), g.end()
	behind := starts[len(steps)]
	total := behind + len(end)
	if g.follow {
		g.top = g.followed(starts, total) - g.h
	}
	g.top = max(0, min(g.top, total-g.h))
	bottom := g.top + g.h
	var out []string
	for i, s := range steps {
		if starts[i+1] <= g.top || starts[i] >= bottom {
			continue
		}
		block := g.block(s)
		for at := max(g.top, starts[i]); at < min(bottom, starts[i+1]); at++ {
			if at == starts[i] {
				out = append(out, g.headLine(i, s, now))
				continue
			}
			out = append(out, block[at-starts[i]-1].render())
		}
	}
	for at := max(g.top, behind); at < min(bottom, total); at++ {
		out = append(out, end[at-behind].render())
	}
	return out
}

func (l graphLine) render() string { return style.Blank(l.indent) + l.style.Render(l.text) }

// followed chooses the step that runs, or has failed, and is the line behind
// it; at the end of the build, the last line.
func (g *buildGraph) followed(starts []int, total int) int {
	steps := g.state.progress.Steps
	for i, s := range steps {
		if s.State == docker.StepRunning || s.State == docker.StepFailed {
			g.cursor = i
		}
	}
	if g.state.over {
		if _, failed := g.state.progress.Failed(); !failed {
			g.cursor = max(0, len(steps)-1)
		}
		return total
	}
	return starts[min(g.cursor+1, len(steps))]
}

// end is what stands below the steps.
func (g *buildGraph) end() []graphLine {
	t := style.Now()
	if len(g.state.progress.Steps) == 0 && !g.state.over {
		return []graphLine{{text: "waiting for the engine …", style: t.Dim, indent: 1}}
	}
	var lines []graphLine
	for _, w := range g.state.progress.Warnings {
		for _, l := range style.Wrap("▲ "+style.Plain(w), g.w-2) {
			lines = append(lines, graphLine{text: l, style: t.Busy, indent: 1})
		}
	}
	if g.state.err == nil || g.canceled() {
		return lines
	}
	lines = append(lines, graphLine{})
	for _, l := range errorLines(g.state.err, g.w-2) {
		lines = append(lines, graphLine{text: l, indent: 1})
	}
	return lines
}

func (g *buildGraph) canceled() bool { return errors.Is(g.state.err, context.Canceled) }

// stepWords are sign and word of a state.
func stepWords(s docker.Step) string {
	switch s.State {
	case docker.StepRunning:
		return "● running"
	case docker.StepDone:
		return "✓ done"
	case docker.StepCached:
		return "✓ CACHED"
	case docker.StepFailed:
		return "✗ failed"
	case docker.StepCanceled:
		if s.Started.IsZero() {
			return "– not run"
		}
		return "– canceled"
	case docker.StepQueued:
	}
	return "○ queued"
}

func stepStyle(s docker.Step) style.Style {
	t := style.Now()
	switch s.State {
	case docker.StepRunning:
		return t.Busy
	case docker.StepFailed:
		return t.Bad
	case docker.StepCached, docker.StepQueued, docker.StepCanceled:
		return t.Dim
	case docker.StepDone:
	}
	return t.Text
}

// stateWidth is the place for the longest of stepWords.
const stateWidth = 11

// head is the line of a step.
func (g *buildGraph) head(s docker.Step, now time.Time) string {
	took := stepTook(s, now)
	name := strings.TrimSpace(s.Stage + " " + s.Name)
	if n := len(s.Logs) + s.LogsDropped; n > 0 && !g.unfolded(s) {
		took = strings.TrimSpace(fmt.Sprintf("+%s  %s", plural(n, "line"), took))
	}
	return " " + style.Fit(stepWords(s), stateWidth) + style.Fit(style.Plain(name), max(0, g.w-stateWidth-style.Width(took)-3)) + " " + took
}

func stepTook(s docker.Step, now time.Time) string {
	if s.Started.IsZero() || s.State == docker.StepCached {
		return ""
	}
	took := s.Took(now)
	if s.State == docker.StepRunning {
		took = max(0, took.Truncate(time.Second))
	}
	return secondsText(took)
}

// headLine is the head as it is drawn.
func (g *buildGraph) headLine(i int, s docker.Step, now time.Time) string {
	text := g.head(s, now)
	if i == g.cursor {
		return style.Now().Selected.Render(style.Fit("▸"+strings.TrimPrefix(text, " "), g.w))
	}
	return stepStyle(s).Render(text)
}

// block is what stands below the head of a step that is unfolded.
func (g *buildGraph) block(s docker.Step) []graphLine {
	if !g.unfolded(s) {
		return nil
	}
	dim, lines := style.Now().Dim, g.before(s)
	for _, parts := range g.wrapped(s).lines {
		for _, l := range parts {
			lines = append(lines, graphLine{l, dim, bodyIndent})
		}
	}
	return append(lines, g.after(s)...)
}

// before is what stands above the lines that a step wrote.
func (g *buildGraph) before(s docker.Step) []graphLine {
	t := style.Now()
	var lines []graphLine
	for _, tr := range s.Transfers {
		lines = append(lines, graphLine{transferLine(tr, g.w-4), t.Accent, bodyIndent})
	}
	if s.LogsDropped > 0 {
		lines = append(lines, graphLine{fmt.Sprintf("… %s before these", plural(s.LogsDropped, "line")), t.Dim, bodyIndent})
	}
	return lines
}

// after is what stands below them: why the step failed, and its lines of the
// Dockerfile.
func (g *buildGraph) after(s docker.Step) []graphLine {
	t := style.Now()
	var lines []graphLine
	if s.Error != "" {
		for _, l := range style.Wrap(style.Plain(s.Error), max(1, g.w-4)) {
			lines = append(lines, graphLine{l, t.Bad, bodyIndent})
		}
	}
	for _, l := range s.DockerfileLines {
		mark, look := " ", t.Dim
		if l.Marked {
			mark, look = "›", t.Bad
		}
		lines = append(lines, graphLine{style.Cut(fmt.Sprintf("%s %3d │ %s", mark, l.Number, style.Plain(l.Text)), g.w-4), look, bodyIndent})
	}
	return lines
}

// wrapped are the lines that a step wrote. Only what it has written since is
// broken to the width: a build that writes fast is drawn often.
func (g *buildGraph) wrapped(s docker.Step) wrappedLog {
	written, w := len(s.Logs)+s.LogsDropped, max(1, g.w-4)
	c := g.wraps[s.ID]
	if c.w != w || written < c.written || written-c.written > len(s.Logs) {
		c = wrappedLog{written: s.LogsDropped, w: w}
	}
	for _, l := range s.Logs[len(s.Logs)-(written-c.written):] {
		parts := []string{style.Plain(strings.ReplaceAll(l, "\t", "    "))}
		if style.Width(parts[0]) > w {
			parts = style.Break(parts[0], w)
		}
		c.lines, c.height = append(c.lines, parts), c.height+len(parts)
	}
	for len(c.lines) > len(s.Logs) {
		c.lines, c.height = c.lines[1:], c.height-len(c.lines[0])
	}
	c.written = written
	g.wraps[s.ID] = c
	return c
}

// barWidth is how many cells a bar takes, where there is room.
const barWidth = 20

// transferLine is a bar with bytes; without a total, the bytes alone.
func transferLine(tr docker.Transfer, w int) string {
	amount, room := bytesText(tr.Current), min(barWidth, max(1, w/5))
	if tr.Total > 0 {
		amount = bar(tr.Current, tr.Total, room) + fmt.Sprintf(" %s of %s", amount, bytesText(tr.Total))
	}
	if tr.Done {
		amount += " ✓"
	}
	return style.Cut(style.Fit(style.Plain(tr.Name), max(8, min(30, w-room-22)))+" "+amount, w)
}

// text is the whole build as plain text.
func (g *buildGraph) text(now time.Time) []string {
	var lines []string
	for _, s := range g.state.progress.Steps {
		lines = append(lines, strings.TrimSpace(stepWords(s)+" "+strings.TrimSpace(s.Stage+" "+s.Name)+" "+stepTook(s, now)))
		for _, l := range s.Logs {
			lines = append(lines, "  "+style.Plain(l))
		}
		if s.Error != "" {
			lines = append(lines, "  "+style.Plain(s.Error))
		}
	}
	if g.state.err != nil {
		lines = append(lines, style.Plain(g.state.err.Error()))
	}
	return lines
}
