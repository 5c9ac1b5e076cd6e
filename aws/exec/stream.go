package exec

import (
	"io"
	"sync"
)

// maxBuffered is how much output waits for Read before the peer is slowed
// down.
const maxBuffered = 256 << 10

// stream is the output on its way from the data channel to Read.
type stream struct {
	mu     sync.Mutex
	change sync.Cond
	buf    []byte
	start  int // of what is unread
	closed bool
	spoke  chan struct{} // closed by the first push
}

func newStream() *stream {
	s := &stream{spoke: make(chan struct{})}
	s.change.L = &s.mu
	return s
}

// push appends p, waiting while the stream is full. On a closed stream p is
// dropped.
func (s *stream) push(p []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.closed && len(s.buf)-s.start >= maxBuffered {
		s.change.Wait()
	}
	if s.closed {
		return
	}
	if s.start > 0 && len(s.buf)+len(p) > cap(s.buf) {
		s.buf = s.buf[:copy(s.buf, s.buf[s.start:])]
		s.start = 0
	}
	s.buf = append(s.buf, p...)
	select {
	case <-s.spoke:
	default:
		close(s.spoke)
	}
	s.change.Broadcast()
}

// pull waits for output. It returns io.EOF once the stream is closed and
// read to its end.
func (s *stream) pull(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.start == len(s.buf) {
		if s.closed {
			return 0, io.EOF
		}
		if len(p) == 0 {
			return 0, nil
		}
		s.change.Wait()
	}
	n := copy(p, s.buf[s.start:])
	s.start += n
	if s.start == len(s.buf) {
		s.buf, s.start = s.buf[:0], 0
	}
	s.change.Broadcast()
	return n, nil
}

// close ends the stream; what is in it can still be read.
func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.change.Broadcast()
}
