package exec

import (
	"bytes"
	"io"
	"sync"
	"testing"
	"time"

	"gantry/aws/sandbox/agent"
)

func TestSessionEchoes(t *testing.T) {
	g := newGateway(t)
	s := connect(t, g.config(t, shell(echo())))
	readUntil(t, s, "$ ")
	if _, err := s.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	readUntil(t, s, "hello")
	if got := s.Status().State; got != Open {
		t.Errorf("state is %v, want open", got)
	}
}

// lossy are the ways in which a connection may fail without anything being
// lost or doubled.
var lossy = map[string]agent.Faults{
	"clean":      {},
	"drops":      {DropEvery: 7},
	"duplicates": {DuplicateEvery: 3},
	"reorders":   {SwapEvery: 5},
	"cuts":       {CutAfter: 300},
	"everything": {DropEvery: 11, DuplicateEvery: 7, SwapEvery: 5, CutAfter: 400, Delay: time.Millisecond},
}

func TestSessionIsByteExact(t *testing.T) {
	for name, faults := range lossy {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			g.SetFaults(faults)
			down, up := random(1<<20), random(1<<20)
			sink := newSink(len(up))
			p := run(bytes.NewReader(down), sink)
			p.out = io.MultiReader(bytes.NewReader(down), sink) // ends when all input is there
			s := connect(t, g.config(t, shell(p)))
			var wg sync.WaitGroup
			wg.Go(func() {
				if _, err := s.Write(up); err != nil {
					t.Errorf("write: %v", err)
				}
			})
			got, err := io.ReadAll(s)
			if err != nil {
				t.Fatal(err)
			}
			wg.Wait()
			wait(t, "end", s.Done())
			if err := s.Err(); err != nil {
				t.Errorf("session ended with %v", err)
			}
			if !bytes.Equal(got, down) {
				t.Errorf("output differs: %d bytes of %d", len(got), len(down))
			}
			if !bytes.Equal(sink.bytes(), up) {
				t.Errorf("input differs: %d bytes of %d", len(sink.bytes()), len(up))
			}
			if faults.CutAfter > 0 && s.Status().Resumes == 0 {
				t.Error("no connection was cut")
			}
		})
	}
}

// sink takes n bytes; its Read returns io.EOF once they are there.
type sink struct {
	mu   sync.Mutex
	got  []byte
	want int
	full chan struct{}
	over chan struct{}
	once sync.Once
}

func newSink(n int) *sink {
	return &sink{want: n, full: make(chan struct{}), over: make(chan struct{})}
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.got)
	s.got = append(s.got, p...)
	if before < s.want && len(s.got) >= s.want {
		close(s.full)
	}
	return len(p), nil
}

func (s *sink) Read([]byte) (int, error) {
	select {
	case <-s.full:
	case <-s.over:
	}
	return 0, io.EOF
}

func (s *sink) Close() error {
	s.once.Do(func() { close(s.over) })
	return nil
}

func (s *sink) bytes() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got
}
