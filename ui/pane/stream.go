package pane

import (
	"context"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
)

const (
	// frame is the time between two drawings of the screen. More messages than
	// frames would be work that nobody sees.
	frame = time.Second / 60
	// defaultLimit is how much may wait between source and screen.
	defaultLimit = 4096
)

// Stream is a source of values that goes on: logs, events, stats. What comes is
// delivered in batches, at most one per drawn frame; a source that is faster
// than the screen is held up, so memory stays bounded. Like Load, it takes only
// what belongs to the source that it follows now.
type Stream[T any] struct {
	// Weigh is the size of a value and Limit how much may wait, in the same
	// unit. Without them, 4096 values wait.
	Weigh func(T) int
	Limit int
	// Err is why the source ended; nil while it runs and when it just ended.
	Err error

	key    string
	source *source[T]
	live   bool
}

// Follow gives the values of a source until it ends or the context does. emit
// copies them and blocks while too many wait; it may be called from several
// goroutines. An empty batch before the first value says that there is none
// yet; later ones say nothing.
type Follow[T any] func(ctx context.Context, emit func([]T)) error

// streamed is a batch. It names its source, so only the Stream that follows it
// takes it.
type streamed[T any] struct {
	source *source[T]
	items  []T
	done   bool
	err    error
}

// Start follows the source of key, and lets go of any other. The same key while
// it runs is skipped.
func (s *Stream[T]) Start(key string, follow Follow[T]) tea.Cmd {
	if s.live && s.key == key {
		return nil
	}
	s.Stop()
	ctx, cancel := context.WithCancel(context.Background())
	source := newSource(ctx, cancel, s.Weigh, s.Limit)
	s.key, s.source, s.live, s.Err = key, source, true, nil
	return func() tea.Msg {
		if ctx.Err() != nil {
			return nil
		}
		go func() { source.end(follow(ctx, source.emit)) }()
		return source.next(nil)
	}
}

// Stop lets go of the source. Nothing that it still says is taken.
func (s *Stream[T]) Stop() {
	if s.source != nil {
		s.source.cancel()
		s.source, s.live = nil, false
	}
}

// Live says that the source has not ended.
func (s *Stream[T]) Live() bool { return s.live }

// Key is what the source was asked for under.
func (s *Stream[T]) Key() string { return s.key }

// Update takes the message if it is a batch of this stream, and says so. The
// items are the caller's until next is run, which waits for the following
// batch; a caller that is not ready for more keeps next back, and thereby holds
// up the source.
func (s *Stream[T]) Update(msg tea.Msg) (items []T, mine bool, next tea.Cmd) {
	m, ok := msg.(streamed[T])
	if !ok || s.source == nil || m.source != s.source {
		return nil, false, nil
	}
	if m.done {
		s.Err = m.err
		s.Stop()
		return m.items, true, nil
	}
	return m.items, true, func() tea.Msg { return m.source.next(m.items) }
}

// source is what stands between a running Follow and the screen.
type source[T any] struct {
	ctx    context.Context //nolint:containedctx // the source's life
	cancel context.CancelFunc
	weigh  func(T) int
	limit  int
	ready  chan struct{} // one slot: something waits, or the end has come
	room   chan struct{} // one slot: the batch was taken
	last   time.Time     // when a batch was taken; only next uses it

	mu      sync.Mutex
	waiting []T
	weight  int
	begun   bool // something was emitted, even if that was nothing
	none    bool // nothing is there yet, and that is still to be told
	done    bool
	err     error
}

func newSource[T any](ctx context.Context, cancel context.CancelFunc, weigh func(T) int, limit int) *source[T] {
	if weigh == nil {
		weigh = func(T) int { return 1 }
	}
	if limit <= 0 {
		limit = defaultLimit
	}
	return &source[T]{ctx: ctx, cancel: cancel, weigh: weigh, limit: limit, ready: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

func (s *source[T]) emit(items []T) {
	if len(items) == 0 {
		s.tellNone()
	}
	for len(items) > 0 && s.ctx.Err() == nil {
		taken := s.put(items)
		items = items[taken:]
		if taken > 0 {
			poke(s.ready)
		}
		if len(items) == 0 {
			return
		}
		select {
		case <-s.room:
		case <-s.ctx.Done():
		}
	}
}

// tellNone says that the source has no value yet, if that was not clear before:
// whoever waits for the first one waits no more.
func (s *source[T]) tellNone() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.begun {
		s.begun, s.none = true, true
		poke(s.ready)
	}
}

// put takes as many items as there is room for: the last one may be heavier
// than that.
func (s *source[T]) put(items []T) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun = true
	n := 0
	for n < len(items) && s.weight < s.limit {
		s.weight += s.weigh(items[n])
		n++
	}
	s.waiting = append(s.waiting, items[:n]...)
	return n
}

func (s *source[T]) end(err error) {
	s.mu.Lock()
	s.done, s.err = true, err
	s.mu.Unlock()
	poke(s.ready)
}

// next waits for something, and then until a frame has passed since the batch
// before, while more comes in. used is that batch, which nobody needs any more.
func (s *source[T]) next(used []T) tea.Msg {
	clear(used)
	for s.idle() {
		select {
		case <-s.ready:
		case <-s.ctx.Done():
			return nil
		}
	}
	if wait := frame - time.Since(s.last); wait > 0 && !s.ended() {
		s.linger(wait)
	}
	s.last = time.Now()
	return s.take(used[:0])
}

// linger waits until the time is up or the source has ended.
func (s *source[T]) linger(wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return
		case <-s.ctx.Done():
			return
		case <-s.ready:
			if s.ended() {
				return
			}
		}
	}
}

// idle says that there is nothing to tell. A sign may be left over from items
// that went with the batch before.
func (s *source[T]) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting) == 0 && !s.none && !s.done
}

func (s *source[T]) ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done
}

func (s *source[T]) take(spare []T) tea.Msg {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := streamed[T]{source: s, items: s.waiting, done: s.done, err: s.err}
	s.waiting, s.weight, s.none = spare, 0, false
	poke(s.room)
	return m
}

// poke leaves a sign in a one-slot channel.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
