package exec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gantry/aws/sandbox/agent"
	"gantry/internal/diagnose"
)

// tunnelTo opens a forward to addr through g.
func tunnelTo(t *testing.T, g *gateway, addr string, change func(*ForwardConfig)) *Forward {
	t.Helper()
	c := ForwardConfig{Remote: "80", Config: g.config(t, agent.Open{
		Kind:       agent.Port,
		Parameters: map[string]string{"portNumber": "80", "localPortNumber": "0"},
		Dial: func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		},
	})}
	if change != nil {
		change(&c)
	}
	return forward(t, c)
}

func forward(t *testing.T, c ForwardConfig) *Forward {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	f, err := DialPort(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestForwardServesManyAtOnce(t *testing.T) {
	for name, faults := range lossy {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := random(200_000)
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Errorf("request: %v", err)
				}
				_, _ = w.Write(page)
				_, _ = w.Write(body)
			}))
			defer web.Close()
			g := newGateway(t)
			g.SetFaults(faults)
			f := tunnelTo(t, g, web.Listener.Addr().String(), nil)
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					body := fmt.Appendf(nil, "request %d", i)
					resp, err := client.Post("http://"+f.Addr().String(), "text/plain", bytes.NewReader(body))
					if err != nil {
						t.Error(err)
						return
					}
					defer resp.Body.Close()
					got, err := io.ReadAll(resp.Body)
					if err != nil || !bytes.Equal(got, append(bytes.Clone(page), body...)) {
						t.Errorf("request %d: %d bytes, %v", i, len(got), err)
					}
				})
			}
			wg.Wait()
			if f.Received() < 8*200_000 || f.Sent() == 0 {
				t.Errorf("counted %d in, %d out", f.Received(), f.Sent())
			}
			eventually(t, "closed connections", func() bool { return f.Conns() == 0 })
		})
	}
}

func TestForwardToAPortWhereNothingListens(t *testing.T) {
	g := newGateway(t)
	var listens atomic.Bool
	cfg := g.config(t, agent.Open{
		Kind:       agent.Port,
		Parameters: map[string]string{"portNumber": "80"},
		Dial: func(context.Context) (net.Conn, error) {
			if !listens.Load() {
				return nil, errors.New("connection refused")
			}
			near, far := net.Pipe()
			go func() {
				_, _ = io.WriteString(far, "hi")
				far.Close()
			}()
			return near, nil
		},
	})
	f := forward(t, ForwardConfig{Config: cfg, Remote: "80"})
	if n, err := dialLocal(t, f).Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("read %d bytes, %v", n, err)
	}
	eventually(t, "problem", func() bool { return f.Problem() != "" })
	if want := "nothing listens on port 80 in the container"; f.Problem() != want {
		t.Errorf("problem is %q, want %q", f.Problem(), want)
	}
	listens.Store(true)
	if got, err := io.ReadAll(dialLocal(t, f)); string(got) != "hi" {
		t.Errorf("the tunnel did not outlive the problem: %q, %v", got, err)
	}
	if f.Problem() != "" {
		t.Errorf("problem is still %q", f.Problem())
	}
}

func dialLocal(t *testing.T, f *Forward) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", f.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn.(*net.TCPConn)
}

// A client that has said everything still gets its answer.
func TestForwardHalfClosed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	said := make(chan struct{})
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = c.Read(make([]byte, 64))
		<-said
		_, _ = io.WriteString(c, "answer")
	}()
	f := tunnelTo(t, newGateway(t), l.Addr().String(), nil)
	conn := dialLocal(t, f)
	if _, err := io.WriteString(conn, "question"); err != nil {
		t.Fatal(err)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	close(said)
	if got, err := io.ReadAll(conn); string(got) != "answer" {
		t.Errorf("got %q, %v", got, err)
	}
}

// A connection whose client went away without a word is closed at the far
// end in the end.
func TestForwardClosedByTheClient(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	far := make(chan struct{})
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, c)
		c.Close()
		close(far)
	}()
	f := tunnelTo(t, newGateway(t), l.Addr().String(), func(c *ForwardConfig) { c.timing.linger = 20 * time.Millisecond })
	dialLocal(t, f).Close()
	wait(t, "end at the far end", far)
}

func TestForwardCloseEndsOpenConnections(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	far := make(chan struct{})
	go func() {
		defer close(far)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, "hi")
		_, _ = io.Copy(io.Discard, c)
	}()
	g := newGateway(t)
	f := tunnelTo(t, g, l.Addr().String(), func(c *ForwardConfig) {
		c.Terminate = func(context.Context, string) error { return refused{"AccessDeniedException"} }
	})
	conn := dialLocal(t, f)
	readUntil(t, conn, "hi")
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	wait(t, "end at the far end", far)
	if f.Err() != nil {
		t.Errorf("a closed forward ended with %v", f.Err())
	}
	if _, err := net.Dial("tcp", f.Addr().String()); err == nil {
		t.Error("it still listens")
	}
}

func TestForwardNeedsAFreePort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	terminated := false
	_, err = DialPort(t.Context(), ForwardConfig{
		LocalPort: l.Addr().(*net.TCPAddr).Port,
		Config: Config{Terminate: func(context.Context, string) error {
			terminated = true
			return nil
		}},
	})
	var d *diagnose.Error
	if !errors.As(err, &d) || !strings.Contains(d.Do, "another local port") {
		t.Errorf("got %v", err)
	}
	if !terminated {
		t.Error("the session was left open")
	}
}

func TestForwardEndsWithItsSession(t *testing.T) {
	g := newGateway(t)
	var id string
	f := tunnelTo(t, g, "127.0.0.1:1", func(c *ForwardConfig) { id = c.SessionID })
	if err := g.Terminate(id); err != nil {
		t.Fatal(err)
	}
	wait(t, "end of the forward", f.Done())
	eventually(t, "closed listener", func() bool {
		c, err := net.Dial("tcp", f.Addr().String())
		if err == nil {
			c.Close()
		}
		return err != nil
	})
}

func TestForwardRefusesAShell(t *testing.T) {
	g, k := newGateway(t), new(keyring)
	cfg := g.config(t, encrypted(k, echo()))
	cfg.DataKey = k.generate
	_, err := DialPort(t.Context(), ForwardConfig{Config: cfg})
	if err == nil || !strings.Contains(err.Error(), "session type") {
		t.Errorf("got %v", err)
	}
}
