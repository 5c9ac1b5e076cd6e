package exec

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gantry/aws/sandbox/agent"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// patience bounds every wait of these tests; nothing in them takes as long.
const patience = 30 * time.Second

// gateway is a message gateway with agents behind it, over real websockets.
type gateway struct {
	*agent.Service
	url string
}

func newGateway(t testing.TB) *gateway {
	t.Helper()
	service := new(agent.Service)
	server := httptest.NewServer(service)
	t.Cleanup(func() {
		service.Close()
		server.Close()
	})
	return &gateway{service, "ws" + strings.TrimPrefix(server.URL, "http")}
}

// config opens a session and returns what a client needs to reach it.
func (g *gateway) config(t testing.TB, o agent.Open) Config {
	t.Helper()
	id, path, token, err := g.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		StreamURL: g.url + path,
		Token:     token,
		SessionID: id,
		Target:    "ecs:cluster_task_runtime",
		Resume:    func(_ context.Context, id string) (string, error) { return g.Resume(id) },
		Terminate: func(_ context.Context, id string) error { return g.Terminate(id) },
	}
}

// connect dials and closes when the test ends.
func connect(t testing.TB, c Config) *Session {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := Dial(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// program is a Process made of functions and channels.
type program struct {
	out   io.Reader // what it prints
	in    io.Writer // where what is typed goes
	sizes chan [2]int
	once  sync.Once
	over  chan struct{}
}

func run(out io.Reader, in io.Writer) *program {
	return &program{out: out, in: in, sizes: make(chan [2]int, 64), over: make(chan struct{})}
}

func (p *program) Read(b []byte) (int, error)  { return p.out.Read(b) }
func (p *program) Write(b []byte) (int, error) { return p.in.Write(b) }

func (p *program) Resize(cols, rows int) error {
	select {
	case p.sizes <- [2]int{cols, rows}:
	default:
	}
	return nil
}

func (p *program) Wait() error { <-p.over; return nil }

func (p *program) Close() error {
	p.once.Do(func() {
		close(p.over)
		if c, ok := p.out.(io.Closer); ok {
			c.Close()
		}
		if c, ok := p.in.(io.Closer); ok {
			c.Close()
		}
	})
	return nil
}

// shell opens a session whose program is p.
func shell(p agent.Process) agent.Open {
	return agent.Open{Start: func(context.Context, int, int) (agent.Process, error) { return p, nil }}
}

// echo is a program that prints what is typed, after a prompt.
func echo() *program {
	r, w := io.Pipe()
	return run(io.MultiReader(strings.NewReader("$ "), r), w)
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// readUntil reads until the text has come.
func readUntil(t testing.TB, s io.Reader, text string) string {
	t.Helper()
	var got bytes.Buffer
	buf := make([]byte, 4096)
	for !strings.Contains(got.String(), text) {
		n, err := s.Read(buf)
		if err != nil {
			t.Fatalf("read %q, then %v; want %q", got.String(), err, text)
		}
		got.Write(buf[:n])
	}
	return got.String()
}

func wait(t testing.TB, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("%s: nothing in %s", what, patience)
	}
}

// eventually polls a condition that has no channel.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(patience); !ok(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not in %s", what, patience)
		}
	}
}
