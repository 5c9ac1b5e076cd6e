package pane

import (
	"context"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
)

// partEvery is how often the parts of a first load are drawn at most.
const partEvery = 50 * time.Millisecond

// Load is a value that arrives later. It is asked for under a key: another key
// cancels the request under way and clears the value at once; the same key
// while busy is skipped. An answer carries a pointer to its request and is
// taken only while that is the current one, so no stale answer is ever shown.
type Load[T any] struct {
	Value T
	// Err is why the last request failed. Value is then the last good one.
	Err error
	// At is when Value arrived; zero while there is none.
	At time.Time

	key     string
	whole   bool // Value is a whole answer, not a part of the first one
	request *request
}

type request struct{ cancel context.CancelFunc }

// loaded is an answer, or a part of it. It names its request, so only the Load
// that waits for it takes it.
type loaded[T any] struct {
	request *request
	value   T
	err     error
	more    *mailbox[T] // nil with the last
}

// Get fetches a value. It may hand over what it has so far, which is drawn
// only while there is no whole value yet.
type Get[T any] func(ctx context.Context, soFar func(T)) (T, error)

// Start asks for the value of key.
func (l *Load[T]) Start(key string, get Get[T]) tea.Cmd {
	if l.request != nil && l.key == key {
		return nil
	}
	l.Stop()
	if l.key != key {
		l.Clear()
		l.key = key
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &request{cancel}
	l.request = r
	box := &mailbox[T]{ready: make(chan struct{}, 1)}
	return func() tea.Msg {
		go func() {
			value, err := get(ctx, box.put)
			cancel()
			box.close(value, err)
		}()
		return box.next(r)
	}
}

// Stop gives up on the request under way.
func (l *Load[T]) Stop() {
	if l.request != nil {
		l.request.cancel()
		l.request = nil
	}
}

// Clear forgets the value and its key.
func (l *Load[T]) Clear() {
	l.Stop()
	var none T
	l.Value, l.Err, l.At, l.key, l.whole = none, nil, time.Time{}, "", false
}

// Busy says that an answer is still to come.
func (l *Load[T]) Busy() bool { return l.request != nil }

// Whole says that Value is a complete answer, not the first part of one.
func (l *Load[T]) Whole() bool { return l.whole }

// Key is what the value was asked for.
func (l *Load[T]) Key() string { return l.key }

// Update takes the message if it is the answer, and says so. The command, if
// any, waits for the next part.
func (l *Load[T]) Update(msg tea.Msg) (bool, tea.Cmd) {
	m, ok := msg.(loaded[T])
	if !ok || m.request != l.request {
		return false, nil
	}
	if m.more != nil {
		if !l.whole {
			l.Value, l.At = m.value, time.Now()
		}
		return true, func() tea.Msg { return m.more.next(m.request) }
	}
	l.request = nil
	if l.Err = m.err; m.err == nil {
		l.Value, l.At, l.whole = m.value, time.Now(), true
	}
	return true, nil
}

// mailbox holds the newest part only: a reader that is slower than the writer
// skips parts and never holds the writer up.
type mailbox[T any] struct {
	mu    sync.Mutex
	value T
	err   error
	done  bool
	drawn time.Time
	ready chan struct{}
}

func (b *mailbox[T]) put(v T) {
	b.mu.Lock()
	b.value = v
	b.mu.Unlock()
	b.poke()
}

func (b *mailbox[T]) close(v T, err error) {
	b.mu.Lock()
	b.value, b.err, b.done = v, err, true
	b.mu.Unlock()
	b.poke()
}

func (b *mailbox[T]) poke() {
	select {
	case b.ready <- struct{}{}:
	default:
	}
}

// next waits for something new. After a first part it lets some time pass, so
// that a fast source does not redraw the screen for every page; the end is
// never held up.
func (b *mailbox[T]) next(r *request) tea.Msg {
	<-b.ready
	b.mu.Lock()
	wait := partEvery - time.Since(b.drawn)
	done := b.done
	b.mu.Unlock()
	if !done && wait > 0 {
		b.linger(wait)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drawn = time.Now()
	m := loaded[T]{request: r, value: b.value, err: b.err}
	if !b.done {
		m.more = b
	}
	return m
}

// linger waits until the time is up or the value is whole.
func (b *mailbox[T]) linger(wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return
		case <-b.ready:
			b.mu.Lock()
			done := b.done
			b.mu.Unlock()
			if done {
				return
			}
		}
	}
}
