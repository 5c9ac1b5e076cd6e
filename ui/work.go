package ui

import (
	"context"
	"errors"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
)

// workEvery is how often the seconds of running work move on.
const workEvery = time.Second

// work is a job that is a pane on the stage too: what stands there is its
// newest state S, and once it is over, how it ended. A pane embeds it, draws
// the state, and may begin it again.
type work[S any] struct {
	now  func() time.Time
	host pane.Host
	of   working

	job   *pane.Job
	load  pane.Load[workState[S]]
	runs  int // how often it was begun: the key of the load
	began time.Time
	ended time.Time
	still chan struct{} // closed once no second counts any more
	gone  bool
}

// workState is work at one moment.
type workState[S any] struct {
	at   S
	err  error
	over bool
}

// working is the pane that shows the work.
type working interface {
	// draw draws the state as it is now.
	draw()
	// progressed takes a new state, before it is drawn.
	progressed() tea.Cmd
	// notice says how the work ended.
	notice(err error) pane.Notice
}

// workTick lets the seconds of running work move on.
type workTick struct {
	still chan struct{} // of the run that it belongs to
}

// begin does the work, as a job that puts its newest state where the pane
// waits for it: a screen that is slower than the work skips states. do reports
// from one goroutine.
func (w *work[S]) begin(name string, do func(ctx context.Context, state func(S), report func(done, total int64)) error) tea.Cmd {
	w.runs++
	w.began, w.ended, w.still = w.now(), time.Time{}, make(chan struct{})
	newest, over := make(chan S, 1), make(chan workState[S], 1)
	w.job = &pane.Job{Name: name, Run: func(ctx context.Context, report func(done, total int64)) error {
		last := workState[S]{over: true}
		last.err = do(ctx, func(s S) {
			last.at = s
			select {
			case <-newest:
			default:
			}
			newest <- s
		}, report)
		over <- last
		return last.err
	}}
	w.host.Start(w.job)
	loading := w.load.Start(fmt.Sprint(w.runs), func(ctx context.Context, soFar func(workState[S])) (workState[S], error) {
		for {
			select {
			case s := <-newest:
				soFar(workState[S]{at: s})
			case last := <-over:
				return last, nil
			case <-ctx.Done():
				return workState[S]{}, ctx.Err()
			}
		}
	})
	w.of.draw()
	return tea.Batch(w.tick(), loading)
}

// tick lets a second pass, unless the work ends before.
func (w *work[S]) tick() tea.Cmd {
	still := w.still
	return func() tea.Msg {
		second := time.NewTimer(workEvery)
		defer second.Stop()
		select {
		case <-second.C:
			return workTick{still}
		case <-still:
			return nil
		}
	}
}

// Update takes states, the end, and the seconds.
func (w *work[S]) Update(msg tea.Msg) tea.Cmd {
	if mine, next := w.load.Update(msg); mine {
		if w.load.Value.over {
			w.ended = w.now()
			close(w.still)
		}
		did := w.of.progressed()
		w.of.draw()
		return tea.Batch(next, did)
	}
	switch msg := msg.(type) {
	case workTick:
		if msg.still != w.still || !w.load.Busy() {
			return nil
		}
		w.of.draw()
		return w.tick()
	case pane.Ended:
		if msg.Job == w.job {
			w.host.Say(w.of.notice(msg.Err))
		}
	}
	return nil
}

// state is the newest state.
func (w *work[S]) state() workState[S] { return w.load.Value }

// took is how long the work has taken so far, or took.
func (w *work[S]) took() time.Duration {
	if w.state().over {
		return w.ended.Sub(w.began)
	}
	return w.now().Sub(w.began)
}

// canceled says that the user has ended the work.
func (w *work[S]) canceled() bool { return errors.Is(w.state().err, context.Canceled) }

// askCancel asks before the work is canceled.
func (w *work[S]) askCancel(consequence string) tea.Cmd {
	w.host.Ask(pane.Dialog{
		Title: "Cancel " + w.job.Name + "?",
		Body:  pane.Static(consequence),
		Do: func([]string) tea.Cmd {
			w.job.Cancel()
			return nil
		},
	})
	return nil
}

// leave lets the tab go.
func (w *work[S]) leave() tea.Cmd {
	w.gone = true
	return nil
}

// Live says that quitting would stop the work.
func (w *work[S]) Live() bool { return w.load.Busy() }

// Gone says that the tab can go.
func (w *work[S]) Gone() bool { return w.gone }

// Mark is how the work stands, for its tab.
func (w *work[S]) Mark() string {
	switch {
	case !w.state().over:
		return "●"
	case w.canceled():
		return "–"
	case w.state().err != nil:
		return "✗"
	}
	return "✓"
}

// Close stops the work: nobody would see how it goes on.
func (w *work[S]) Close() {
	if !w.load.Busy() {
		return
	}
	w.job.Cancel()
	w.load.Stop()
	close(w.still)
}
