package ui

import (
	"context"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/docker"
	"gantry/ui/pane"
	"gantry/ui/style"
)

const (
	// keptStats is how many samples, one per second, are kept.
	keptStats = 900
	// leastSpan is how many seconds a graph shows at least.
	leastSpan = 180
)

// statsClient tells what containers use.
type statsClient interface {
	Stats(ctx context.Context, id string, emit func(docker.Stat)) error
}

// stats is the stage tab with what a container uses, as it runs. It asks only
// while it is seen.
type stats struct {
	client statsClient
	row    containerRow
	stream pane.Stream[docker.Stat]
	runs   int

	w, h  int
	kept  []docker.Stat
	count int // of all samples, also those no longer kept
}

func newStats(c statsClient, r containerRow) *stats { return &stats{client: c, row: r} }

// Title names the tab.
func (s *stats) Title() string { return "Stats" }

// Init has nothing to start before there is a size.
func (s *stats) Init(pane.Host) tea.Cmd { return nil }

// Resize starts the stream when the tab comes into sight and ends it when it
// leaves.
func (s *stats) Resize(w, h int) tea.Cmd {
	s.w, s.h = w, h
	if w <= 0 || h <= 0 {
		s.stream.Stop()
		return nil
	}
	return s.follow()
}

func (s *stats) follow() tea.Cmd {
	if s.stream.Live() || !s.row.Running() {
		return nil
	}
	s.runs++
	id := s.row.ID
	return s.stream.Start(fmt.Sprint(s.runs), func(ctx context.Context, emit func([]docker.Stat)) error {
		return s.client.Stats(ctx, id, func(v docker.Stat) { emit([]docker.Stat{v}) })
	})
}

// Update takes samples, and begins anew when the container runs again.
func (s *stats) Update(msg tea.Msg) tea.Cmd {
	if m, ok := msg.(pane.Selected[containerRow]); ok {
		if m.Row == nil || m.Row.ID != s.row.ID {
			return nil
		}
		s.row = *m.Row
		if s.w > 0 && s.h > 0 {
			return s.follow()
		}
		return nil
	}
	batch, mine, next := s.stream.Update(msg)
	if !mine {
		return nil
	}
	for _, v := range batch {
		s.take(v)
	}
	return next
}

// take keeps a sample. The first of a stream has no rates, and would be a gap
// in the graph.
func (s *stats) take(v docker.Stat) {
	if v.Over == 0 && len(s.kept) > 0 {
		return
	}
	if s.kept = append(s.kept, v); len(s.kept) > keptStats {
		s.kept = append(s.kept[:0], s.kept[len(s.kept)-keptStats:]...)
	}
	s.count++
}

// Close ends the stream.
func (s *stats) Close() { s.stream.Stop() }

// Commands are none.
func (s *stats) Commands() []pane.Command { return nil }

// View draws the last values and the graphs.
func (s *stats) View() string {
	t := style.Now()
	switch {
	case s.stream.Err != nil:
		return style.Block(padded(errorLines(s.stream.Err, s.w-2)), s.w, s.h)
	case len(s.kept) == 0 && !s.row.Running():
		return style.Block([]string{t.Dim.Render(" The container does not run: " + s.row.State + ".")}, s.w, s.h)
	case len(s.kept) == 0:
		return style.Block([]string{t.Dim.Render(" waiting for the first sample …")}, s.w, s.h)
	}
	return style.Block(s.lines(), s.w, s.h)
}

// graph is one value over time.
type graph struct {
	title string
	value func(docker.Stat) float64
	last  func(docker.Stat) string
	unit  func(float64) string // of the peak
	floor float64              // the least that the height stands for
}

var graphs = []graph{
	{
		title: "cpu", value: func(v docker.Stat) float64 { return v.CPU }, floor: 5,
		last: func(v docker.Stat) string { return fmt.Sprintf("%.1f %% of %.4g cores", v.CPU, v.Cores) },
		unit: func(f float64) string { return fmt.Sprintf("%.1f %%", f) },
	},
	{
		title: "memory", value: func(v docker.Stat) float64 { return float64(v.Memory) }, floor: 1e6,
		last: func(v docker.Stat) string {
			return fmt.Sprintf("%s of %s, %.1f %%", bytesText(int64(v.Memory)), bytesText(int64(v.MemoryLimit)), 100*v.MemoryShare())
		},
		unit: byteRate,
	},
	{
		title: "network", value: func(v docker.Stat) float64 { return v.Received + v.Sent }, floor: 1e3,
		last: func(v docker.Stat) string {
			return fmt.Sprintf("↓ %s/s  ↑ %s/s", byteRate(v.Received), byteRate(v.Sent))
		},
		unit: func(f float64) string { return byteRate(f) + "/s" },
	},
	{
		title: "disk", value: func(v docker.Stat) float64 { return v.Read + v.Written }, floor: 1e3,
		last: func(v docker.Stat) string {
			return fmt.Sprintf("read %s/s  write %s/s", byteRate(v.Read), byteRate(v.Written))
		},
		unit: func(f float64) string { return byteRate(f) + "/s" },
	},
}

func byteRate(f float64) string { return bytesText(int64(f)) }

func (s *stats) lines() []string {
	t := style.Now()
	last := s.kept[len(s.kept)-1]
	w := max(1, s.w-2)
	high := min(max((s.h-2)/len(graphs)-1, 1), 5)
	per := max(1, (leastSpan+w-1)/w)
	var lines []string
	for _, g := range graphs {
		points, peak := g.points(s.kept, s.count, per, w)
		lines = append(lines, g.label(last, peak, w))
		for _, l := range bars(points, max(peak, g.floor), high) {
			lines = append(lines, " "+t.Accent.Render(style.FitRight(l, w)))
		}
	}
	foot := fmt.Sprintf("%d processes · %s per column", last.Processes, plural(per, "second"))
	if !s.stream.Live() {
		foot += " · it has ended"
	}
	return append(lines, t.Dim.Render(" "+style.Cut(foot, w)))
}

func (g graph) label(last docker.Stat, peak float64, w int) string {
	t := style.Now()
	left := t.Header.Render(style.Fit(g.title, 9)) + g.last(last)
	right := t.Dim.Render("peak " + g.unit(peak))
	if style.Width(left)+style.Width(right)+2 > w {
		return " " + style.Cut(left, w)
	}
	return " " + left + style.Blank(w-style.Width(left)-style.Width(right)) + right
}

// points are the peaks of so many samples each, at most n of them, the newest
// last. Where a column begins depends on the number of samples there ever
// were, so that a graph moves and does not flicker.
func (g graph) points(kept []docker.Stat, count, per, n int) (points []float64, peak float64) {
	first := count - len(kept) // number of kept[0]
	last := (count - 1) / per
	from := max(last-n+1, (first+per-1)/per)
	if from > last {
		from = last
	}
	points = make([]float64, last-from+1)
	for i, v := range kept {
		if column := (first+i)/per - from; column >= 0 {
			points[column] = max(points[column], g.value(v))
			peak = max(peak, g.value(v))
		}
	}
	return points, peak
}

const blocks = " ▁▂▃▄▅▆▇█"

// bars draws points in so many lines, where top is the full height. What is
// not nothing is seen.
func bars(points []float64, top float64, high int) []string {
	signs := []rune(blocks)
	full := len(signs) - 1
	lines := make([]strings.Builder, high)
	for _, p := range points {
		n := int(p / top * float64(high*full))
		if n == 0 && p > 0 {
			n = 1
		}
		n = min(max(n, 0), high*full)
		for row := range high {
			lines[high-1-row].WriteRune(signs[min(max(n-row*full, 0), full)])
		}
	}
	out := make([]string, high)
	for i := range lines {
		out[i] = lines[i].String()
	}
	return out
}
