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

// wrappedLog is what a step wrote, broken to a width.
type wrappedLog struct {
	written, w int
	lines      []string
}

// graphLine is one line of the drawing; step is -1 for those after the steps.
type graphLine struct {
	step  int
	head  bool
	text  string
	style style.Style
}

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
	first, last := g.span(g.lines(time.Time{}), g.cursor)
	g.top = max(g.top, min(first, last-g.h))
	g.top = min(g.top, first)
}

func (g *buildGraph) scroll(by int) {
	g.follow = false
	g.top += by
}

func (g *buildGraph) toEnd() {
	g.follow = true
	g.cursor = max(0, len(g.state.progress.Steps)-1)
}

// span is where the lines of a step begin and end.
func (g *buildGraph) span(lines []graphLine, step int) (first, last int) {
	first = len(lines)
	for i, l := range lines {
		if l.step == step {
			first, last = min(first, i), i+1
		}
	}
	return first, last
}

// visible are the lines that show.
func (g *buildGraph) visible(now time.Time) []string {
	lines := g.lines(now)
	if g.follow {
		g.top = g.followed(lines) - g.h
	}
	g.top = max(0, min(g.top, len(lines)-g.h))
	t := style.Now()
	var out []string
	for _, l := range lines[g.top:min(len(lines), g.top+g.h)] {
		text := l.style.Render(l.text)
		if l.head && l.step == g.cursor {
			text = t.Selected.Render(style.Fit("▸"+strings.TrimPrefix(l.text, " "), g.w))
		}
		out = append(out, text)
	}
	return out
}

// followed chooses the step that runs, or has failed, and is the line behind
// it; at the end of the build, the last line.
func (g *buildGraph) followed(lines []graphLine) int {
	for i, s := range g.state.progress.Steps {
		if s.State == docker.StepRunning || s.State == docker.StepFailed {
			g.cursor = i
		}
	}
	if g.state.over {
		if _, failed := g.state.progress.Failed(); !failed {
			g.cursor = max(0, len(g.state.progress.Steps)-1)
		}
		return len(lines)
	}
	_, last := g.span(lines, g.cursor)
	return last
}

// lines are all lines, styled only when they show: most never do.
func (g *buildGraph) lines(now time.Time) []graphLine {
	if len(g.state.progress.Steps) == 0 && !g.state.over {
		return []graphLine{{step: -1, text: " waiting for the engine …", style: style.Now().Dim}}
	}
	var lines []graphLine
	for i, s := range g.state.progress.Steps {
		lines = append(lines, graphLine{step: i, head: true, text: g.head(s, now), style: stepStyle(s)})
		if g.unfolded(s) {
			lines = g.body(lines, i, s)
		}
	}
	return g.end(lines)
}

// end is what stands below the steps.
func (g *buildGraph) end(lines []graphLine) []graphLine {
	t := style.Now()
	add := func(text string, look style.Style) {
		lines = append(lines, graphLine{step: -1, text: text, style: look})
	}
	for _, w := range g.state.progress.Warnings {
		for _, l := range style.Wrap("▲ "+style.Plain(w), g.w-2) {
			add(" "+l, t.Busy)
		}
	}
	if g.state.err == nil || g.canceled() {
		return lines
	}
	add("", t.Text)
	for _, l := range errorLines(g.state.err, g.w-2) {
		add(" "+l, style.Style{})
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

// body is what stands below a step that is unfolded.
func (g *buildGraph) body(lines []graphLine, step int, s docker.Step) []graphLine {
	t := style.Now()
	add := func(text string, look style.Style) {
		lines = append(lines, graphLine{step: step, text: "   " + text, style: look})
	}
	for _, tr := range s.Transfers {
		add(transferLine(tr, g.w-4), t.Accent)
	}
	if s.LogsDropped > 0 {
		add(fmt.Sprintf("… %s before these", plural(s.LogsDropped, "line")), t.Dim)
	}
	for _, l := range g.wrapped(s) {
		add(l, t.Dim)
	}
	if s.Error != "" {
		for _, l := range style.Wrap(style.Plain(s.Error), max(1, g.w-4)) {
			add(l, t.Bad)
		}
	}
	for _, l := range s.DockerfileLines {
		mark, look := " ", t.Dim
		if l.Marked {
			mark, look = "›", t.Bad
		}
		add(style.Cut(fmt.Sprintf("%s %3d │ %s", mark, l.Number, style.Plain(l.Text)), g.w-4), look)
	}
	return lines
}

// wrapped are the lines that a step wrote. Nothing is done when it has written
// nothing since.
func (g *buildGraph) wrapped(s docker.Step) []string {
	written, w := len(s.Logs)+s.LogsDropped, max(1, g.w-4)
	if c, ok := g.wraps[s.ID]; ok && c.written == written && c.w == w {
		return c.lines
	}
	lines := make([]string, 0, len(s.Logs))
	for _, l := range s.Logs {
		l = style.Plain(strings.ReplaceAll(l, "\t", "    "))
		if style.Width(l) <= w {
			lines = append(lines, l)
			continue
		}
		lines = append(lines, style.Break(l, w)...)
	}
	g.wraps[s.ID] = wrappedLog{written, w, lines}
	return lines
}

// barWidth is how many cells a bar takes, where there is room.
const barWidth = 20

// transferLine is a bar with bytes; without a total, the bytes alone.
func transferLine(tr docker.Transfer, w int) string {
	amount, bar := bytesText(tr.Current), min(barWidth, max(1, w/5))
	if tr.Total > 0 {
		full := int(float64(tr.Current) / float64(tr.Total) * float64(bar))
		amount = strings.Repeat("▓", full) + strings.Repeat("░", bar-full) + fmt.Sprintf(" %s of %s", amount, bytesText(tr.Total))
	}
	if tr.Done {
		amount += " ✓"
	}
	return style.Cut(style.Fit(style.Plain(tr.Name), max(8, min(30, w-bar-22)))+" "+amount, w)
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
