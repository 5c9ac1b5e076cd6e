// Package frames runs a Bubble Tea program whose renderer rests while nothing
// happens.
package frames

import (
	"reflect"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
)

// PerSecond is twice Bubble Tea's default, and its most: the first rows and the
// answer to a key wait 8 ms at most for the next frame, not 17.
const PerSecond = 120

const (
	frame = time.Second / PerSecond
	// restAfter is how long after the last message the renderer goes on looking
	// for changes. It is long beside a frame, and short beside a human's pauses.
	restAfter = 250 * time.Millisecond
)

// New is tea.NewProgram with a renderer that rests.
//
// Bubble Tea looks 60 times a second, or as often as it is told, whether the
// view has changed, for as long as the program runs: 0.6 to 0.9 % of a core
// for a screen that nobody touches. The view can change only after a message,
// so that is when looking is worth it. There is no option for it; the ticker
// is the program's own, unexported, and is found by its name. Should a release
// of Bubble Tea not have it any more, the renderer just never rests, and a
// test says so.
func New(m tea.Model, options ...tea.ProgramOption) *tea.Program {
	r := &resting{Model: m}
	r.program = tea.NewProgram(r, append([]tea.ProgramOption{tea.WithFPS(PerSecond)}, options...)...)
	return r.program
}

// resting is a model that wakes its program's renderer with every view.
type resting struct {
	tea.Model
	program *tea.Program

	mu     sync.Mutex
	ticker *time.Ticker // of the renderer; nil until it runs
	rest   *time.Timer
	until  time.Time // when the renderer may rest
	asleep bool
}

// Update passes the message on.
func (r *resting) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	var cmd tea.Cmd
	r.Model, cmd = r.Model.Update(msg)
	return r, cmd
}

// View is asked for after every message.
func (r *resting) View() tea.View {
	v := r.Model.View()
	r.wake()
	return v
}

func (r *resting) wake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ticker == nil {
		if r.ticker = tickerOf(r.program); r.ticker == nil {
			return
		}
		r.rest = time.AfterFunc(restAfter, r.sleep)
	}
	if r.asleep {
		r.asleep = false
		r.ticker.Reset(frame)
	}
	r.until = time.Now().Add(restAfter)
	r.rest.Reset(restAfter)
}

// sleep stops the renderer, unless it was woken meanwhile: then the timer runs
// anew.
func (r *resting) sleep() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Now().Before(r.until) {
		return
	}
	r.asleep = true
	r.ticker.Stop()
}

// tickerOf is what makes the program draw, nil before it runs.
func tickerOf(p *tea.Program) *time.Ticker {
	f := reflect.ValueOf(p).Elem().FieldByName("ticker")
	if !f.IsValid() || f.Type() != reflect.TypeFor[*time.Ticker]() {
		return nil
	}
	return (*time.Ticker)(f.UnsafePointer())
}
