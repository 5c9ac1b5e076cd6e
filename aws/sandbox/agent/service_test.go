package agent

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"gantry/aws/exec/wire"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

const patience = 30 * time.Second

// newService serves a Service over HTTP.
func newService(t *testing.T) (s *Service, url string) {
	t.Helper()
	s = new(Service)
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		s.Close()
		server.Close()
	})
	return s, "ws" + strings.TrimPrefix(server.URL, "http")
}

// greeter prints a line and waits to be closed.
type greeter struct {
	io.Reader
	over chan struct{}
}

func newGreeter() *greeter {
	r, w := io.Pipe()
	g := &greeter{Reader: r, over: make(chan struct{})}
	go func() {
		_, _ = io.WriteString(w, "hello\r\n")
		<-g.over
		w.Close()
	}()
	return g
}

func (g *greeter) Write(p []byte) (int, error) { return len(p), nil }
func (g *greeter) Resize(int, int) error       { return nil }
func (g *greeter) Wait() error                 { <-g.over; return nil }

func (g *greeter) Close() error {
	select {
	case <-g.over:
	default:
		close(g.over)
	}
	return nil
}

func greeting() Open {
	return Open{Start: func(context.Context, int, int) (Process, error) { return newGreeter(), nil }}
}

// knock opens a websocket and presents message as the first one.
func knock(t *testing.T, url string, kind websocket.MessageType, message []byte) *websocket.Conn {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	if err := ws.Write(t.Context(), kind, message); err != nil {
		t.Fatal(err)
	}
	return ws
}

func present(t *testing.T, url, token string) *websocket.Conn {
	t.Helper()
	open, err := json.Marshal(wire.OpenDataChannel{MessageSchemaVersion: "1.0", TokenValue: token})
	if err != nil {
		t.Fatal(err)
	}
	return knock(t, url, websocket.MessageText, open)
}

// next reads the next frame.
func next(t *testing.T, ws *websocket.Conn) (wire.Frame, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, message, err := ws.Read(ctx)
	if err != nil {
		return wire.Frame{}, err
	}
	f, err := wire.Unmarshal(message)
	if err != nil {
		t.Fatal(err)
	}
	return f, nil
}

// A plain shell has no handshake: the first thing a client hears is output,
// numbered 0 and marked as the start.
func TestShellBeginsWithOutput(t *testing.T) {
	s, url := newService(t)
	_, path, token, err := s.Open(greeting())
	if err != nil {
		t.Fatal(err)
	}
	f, err := next(t, present(t, url+path, token))
	if err != nil {
		t.Fatal(err)
	}
	if f.Type != wire.OutputStreamData || f.PayloadType != wire.Output || f.Sequence != 0 || f.Flags != wire.FlagSyn {
		t.Errorf("first frame is %+v", f)
	}
	if string(f.Payload) != "hello\r\n" {
		t.Errorf("it says %q", f.Payload)
	}
}

func TestTokens(t *testing.T) {
	s, url := newService(t)
	id, path, first, err := s.Open(greeting())
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(name string, ws *websocket.Conn) {
		t.Helper()
		if _, err := next(t, ws); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
			t.Errorf("%s: %v, want a policy violation", name, err)
		}
	}
	allow := func(name string, ws *websocket.Conn) {
		t.Helper()
		if f, err := next(t, ws); err != nil || f.Sequence != 0 {
			t.Errorf("%s: frame %d, %v", name, f.Sequence, err)
		}
	}
	refuse("no token", present(t, url+path, ""))
	refuse("wrong token", present(t, url+path, first+"x"))
	refuse("not JSON", knock(t, url+path, websocket.MessageText, []byte("let me in")))
	refuse("binary", knock(t, url+path, websocket.MessageBinary, []byte(`{"TokenValue":"`+first+`"}`)))
	allow("first use", present(t, url+path, first))
	refuse("second use", present(t, url+path, first))

	old, err := s.Resume(id)
	if err != nil {
		t.Fatal(err)
	}
	current, err := s.Resume(id)
	if err != nil {
		t.Fatal(err)
	}
	refuse("replaced token", present(t, url+path, old))
	allow("resumed", present(t, url+path, current)) // frame 0 again: nobody acknowledged it
	if first == old || old == current {
		t.Error("tokens repeat")
	}
}

func TestUnknownSessions(t *testing.T) {
	s, url := newService(t)
	if _, err := s.Resume("nothing"); !errors.Is(err, ErrNoSession) {
		t.Errorf("resume: %v", err)
	}
	if err := s.Terminate("nothing"); !errors.Is(err, ErrNoSession) {
		t.Errorf("terminate: %v", err)
	}
	_, resp, err := websocket.Dial(t.Context(), url+StreamPath+"nothing", nil)
	if err == nil || resp == nil || resp.StatusCode != http.StatusNotFound {
		t.Errorf("stream: %v", err)
	}
	if _, _, _, err := s.Open(Open{}); err == nil {
		t.Error("opened a session of nothing")
	}
}

func TestForeignOriginIsRefused(t *testing.T) {
	s, url := newService(t)
	_, path, _, err := s.Open(greeting())
	if err != nil {
		t.Fatal(err)
	}
	_, resp, err := websocket.Dial(t.Context(), url+path, &websocket.DialOptions{
		HTTPHeader: http.Header{"Origin": {"https://example.com"}},
	})
	if err == nil || resp == nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("a web page reached the stream: %v", err)
	}
}

func TestTerminateClosesTheChannel(t *testing.T) {
	s, url := newService(t)
	id, path, token, err := s.Open(greeting())
	if err != nil {
		t.Fatal(err)
	}
	ws := present(t, url+path, token)
	if _, err := next(t, ws); err != nil {
		t.Fatal(err)
	}
	if err := s.Terminate(id); err != nil {
		t.Fatal(err)
	}
	for {
		f, err := next(t, ws)
		if err != nil {
			t.Fatalf("no channel_closed: %v", err)
		}
		if f.Type != wire.ChannelClosed {
			continue // output that this client does not acknowledge
		}
		var c wire.Closed
		if err := json.Unmarshal(f.Payload, &c); err != nil || c.SessionID != id || c.Output != "" {
			t.Errorf("closed with %+v, %v", c, err)
		}
		return
	}
}

func TestAbsentClientsAreForgotten(t *testing.T) {
	s, _ := newService(t)
	s.Retain = time.Millisecond
	id, _, _, err := s.Open(greeting())
	if err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(patience); s.Sessions() > 0; {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the session is still there")
		}
	}
	if _, err := s.Resume(id); !errors.Is(err, ErrNoSession) {
		t.Errorf("resume: %v", err)
	}
}

func TestClosedServiceOpensNothing(t *testing.T) {
	s, _ := newService(t)
	s.Close()
	if _, _, _, err := s.Open(greeting()); err == nil {
		t.Error("opened a session")
	}
}
