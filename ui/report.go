package ui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
	"gantry/ui/style"
	"gantry/ui/text"
)

// report is a stage tab whose text is asked for when it is first seen, again
// on ctrl+r, and again when what it is about has changed.
type report[T any] struct {
	*text.Document
	load  pane.Load[T]
	get   func(context.Context) (T, error)
	lines func(value T, w int) []string
	// every is how often to ask again while the tab is seen. Zero: never.
	every time.Duration
	// again tells the messages after which the answer may be another.
	again func(tea.Msg) bool

	host    pane.Host
	seen    bool
	pausing bool // the load under way waits before it asks
}

func newReport[T any](title string, get func(context.Context) (T, error), lines func(T, int) []string) *report[T] {
	return &report[T]{
		Document: text.New(title, func(int) []string { return []string{style.Now().Dim.Render(" loading…")} }),
		get:      get, lines: lines,
	}
}

// Init takes the host.
func (r *report[T]) Init(h pane.Host) tea.Cmd {
	r.host = h
	return r.Document.Init(h)
}

// Resize asks when the tab comes into sight, and asks no more when it leaves.
func (r *report[T]) Resize(w, h int) tea.Cmd {
	cmd := r.Document.Resize(w, h)
	switch seen := w > 0 && h > 0; {
	case seen && !r.seen:
		r.seen = true
		return tea.Batch(cmd, r.ask(0))
	case !seen && r.seen:
		r.seen = false
		r.load.Stop()
	}
	return cmd
}

// ask asks after a while. A request that has not been sent yet is replaced, one
// under way is left to finish.
func (r *report[T]) ask(after time.Duration) tea.Cmd {
	if r.load.Busy() && !r.pausing {
		return nil
	}
	r.load.Stop()
	r.pausing = after > 0
	return r.load.Start("report", func(ctx context.Context, _ func(T)) (T, error) {
		if !pause(ctx, after) {
			var none T
			return none, ctx.Err()
		}
		return r.get(ctx)
	})
}

// pause waits, and tells whether the context has lasted.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Update takes the answer.
func (r *report[T]) Update(msg tea.Msg) tea.Cmd {
	if r.again != nil && r.seen && r.again(msg) {
		return tea.Batch(r.Document.Update(msg), r.ask(0))
	}
	mine, cmd := r.load.Update(msg)
	if !mine {
		return r.Document.Update(msg)
	}
	r.draw()
	if r.every > 0 && r.seen && !r.load.Busy() {
		return tea.Batch(cmd, r.ask(r.every))
	}
	return cmd
}

func (r *report[T]) draw() {
	value, err := r.load.Value, r.load.Err
	r.Set(func(w int) []string {
		if err != nil {
			return padded(errorLines(err, w-2))
		}
		return r.lines(value, w)
	})
}

// Commands add asking again.
func (r *report[T]) Commands() []pane.Command {
	return append(r.Document.Commands(), pane.Command{Key: "ctrl+r", Does: "refresh", Run: func() tea.Cmd { return r.ask(0) }})
}

// Close gives up on what was asked.
func (r *report[T]) Close() { r.load.Stop() }

// padded puts a blank before every line.
func padded(lines []string) []string {
	for i := range lines {
		lines[i] = " " + lines[i]
	}
	return lines
}
