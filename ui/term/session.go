package term

import (
	"errors"
	"io"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/term/screen"
)

const (
	// frame is the shortest time between two messages about output, however fast
	// it comes.
	frame = 8 * time.Millisecond
	// piece is how much output is drawn at a time: the lock is let go of in
	// between, so that a flood never holds up a key for long.
	piece = 8 << 10
	// parting is how long Close waits for the far end to be told.
	parting = 2 * time.Second
)

// session is a stream and the screen that it draws on: all that goes on
// outside of the program's event loop.
type session struct {
	stream Stream
	out    *outbox
	size   chan [2]int // the newest size that the far end was not told yet

	mu      sync.Mutex
	screen  *screen.Screen
	outputs int       // counts what has arrived
	mirror  io.Writer // takes the output too, while the session has the whole terminal
	over    bool
	err     error

	finished chan struct{} // closed when the stream is over

	dirty   chan struct{} // poked when there is something new to show
	drawn   time.Time     // when the last message about it was; of the waiting command only
	closed  chan struct{}
	closing sync.Once
	gone    chan struct{} // closed when nothing is left
	running sync.WaitGroup
}

// changed says that a session has new output or has ended.
type changed struct{ session *session }

func newSession(stream Stream, cols, rows, lines int) *session {
	s := &session{
		stream:   stream,
		out:      newOutbox(),
		size:     make(chan [2]int, 1),
		dirty:    make(chan struct{}, 1),
		finished: make(chan struct{}),
		closed:   make(chan struct{}),
		gone:     make(chan struct{}),
	}
	s.screen = screen.New(cols, rows, lines, s.out.answer)
	s.running.Go(s.read)
	s.running.Go(s.write)
	s.running.Go(s.tellSizes)
	return s
}

// read draws what arrives until the stream ends.
func (s *session) read() {
	buf := make([]byte, 4*piece)
	for {
		n, err := s.stream.Read(buf)
		for p := buf[:n]; len(p) > 0; {
			p = p[s.draw(p[:min(piece, len(p))]):]
		}
		if err != nil {
			s.end(err)
			return
		}
	}
}

// draw shows some of the output, and says how many bytes that was.
func (s *session) draw(p []byte) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.screen.WriteSome(p)
	s.outputs++
	if s.mirror != nil {
		_, _ = s.mirror.Write(p[:n])
	}
	s.poke()
	return n
}

func (s *session) end(err error) {
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if f, ok := s.stream.(interface{ Err() error }); ok {
		err = f.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over, s.err = true, err
	close(s.finished)
	s.poke()
	s.out.stop()
}

// ended tells whether the stream is over, and why if that is an error.
func (s *session) ended() (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over, s.err
}

func (s *session) poke() {
	select {
	case s.dirty <- struct{}{}:
	default:
	}
}

// next waits for something new to show: at once after a pause, once per frame
// in a flood.
func (s *session) next() tea.Msg {
	select {
	case <-s.dirty:
	case <-s.closed:
		return nil
	}
	if wait := frame - time.Since(s.drawn); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-s.closed:
			return nil
		}
		select {
		case <-s.dirty:
		default:
		}
	}
	s.drawn = time.Now()
	return changed{s}
}

// write sends what was typed and answered.
func (s *session) write() {
	for {
		p := s.out.take()
		if p == nil {
			return
		}
		if _, err := s.stream.Write(p); err != nil {
			s.out.stop() // the reader learns why
			return
		}
	}
}

// resize gives the screen its size at once, and the far end as soon as it
// takes it.
func (s *session) resize(cols, rows int) {
	s.mu.Lock()
	s.screen.Resize(cols, rows)
	s.mu.Unlock()
	select {
	case <-s.size:
	default:
	}
	s.size <- [2]int{cols, rows}
}

// tellSizes tells the far end the newest size. A failure shows when the
// session ends; a wrong size alone is no reason to end it.
func (s *session) tellSizes() {
	for {
		select {
		case <-s.closed:
			return
		case size := <-s.size:
			_ = s.stream.Resize(size[0], size[1])
		}
	}
}

// close lets go of everything, in the background. gone is closed when that is
// done.
func (s *session) close() {
	s.closing.Do(func() {
		close(s.closed)
		s.out.stop()
		go func() {
			defer close(s.gone)
			_ = s.stream.Close()
			s.running.Wait()
			s.screen.Close()
		}()
	})
}
