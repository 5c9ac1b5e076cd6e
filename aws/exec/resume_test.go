package exec

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"gantry/aws/sandbox/agent"
	"gantry/internal/diagnose"
)

// refused is an API error as an AWS SDK has them.
type refused struct{ code string }

func (e refused) Error() string     { return "api error " + e.code + ": not today" }
func (e refused) ErrorCode() string { return e.code }

// ending waits for the session's end and returns why.
func ending(t *testing.T, s *Session) *diagnose.Error {
	t.Helper()
	wait(t, "end of the session", s.Done())
	if s.Err() == nil {
		return nil
	}
	var d *diagnose.Error
	if !errors.As(s.Err(), &d) {
		t.Fatalf("ended with %T: %v", s.Err(), s.Err())
	}
	return d
}

func TestLostConnectionThatCannotBeResumed(t *testing.T) {
	for name, c := range map[string]struct {
		resume func(context.Context, string) (string, error)
		want   string
	}{
		"denied":      {func(context.Context, string) (string, error) { return "", refused{"AccessDeniedException"} }, "AccessDenied"},
		"gone":        {func(context.Context, string) (string, error) { return "", refused{"DoesNotExistException"} }, "DoesNotExist"},
		"empty token": {func(context.Context, string) (string, error) { return "", nil }, "over"},
		"unreachable": {func(context.Context, string) (string, error) { return "", errors.New("no route") }, "no route"},
		"not offered": {nil, "cannot be resumed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			g.SetFaults(agent.Faults{CutAfter: 20})
			cfg := g.config(t, shell(run(strings.NewReader(strings.Repeat("x", 100_000)), io.Discard)))
			cfg.Resume = c.resume
			cfg.timing = timing{backOff: time.Millisecond, resumeFor: 50 * time.Millisecond}
			s := connect(t, cfg)
			if _, err := io.Copy(io.Discard, s); err != nil {
				t.Errorf("read: %v", err) // what came before the loss stays readable
			}
			d := ending(t, s)
			if d == nil || !strings.Contains(d.Error(), c.want) || d.Do == "" {
				t.Errorf("ended with %v, want %q and advice", d, c.want)
			}
			if _, err := s.Write([]byte("x")); err == nil {
				t.Error("wrote to a session that ended")
			}
			if s.Status().State != Ended {
				t.Errorf("state is %v", s.Status().State)
			}
		})
	}
}

// A connection that stands but carries nothing is found out by its missing
// pong, and the session goes on over another.
func TestSilentConnectionIsReplaced(t *testing.T) {
	g := newGateway(t)
	g.SetFaults(agent.Faults{SilentAfter: 1})
	cfg := g.config(t, shell(run(strings.NewReader(strings.Repeat("x", 3000)+"$ "), newSink(1))))
	resume := cfg.Resume
	cfg.Resume = func(ctx context.Context, id string) (string, error) {
		g.SetFaults(agent.Faults{})
		return resume(ctx, id)
	}
	cfg.timing = timing{pingAfter: 50 * time.Millisecond, pongWithin: 50 * time.Millisecond}
	s := connect(t, cfg)
	if got := readUntil(t, s, "$ "); len(got) != 3002 {
		t.Errorf("read %d bytes", len(got))
	}
	if got := s.Status().Resumes; got != 1 {
		t.Errorf("%d resumes, want 1", got)
	}
}

func TestSilentConnectionWithoutResumeEnds(t *testing.T) {
	g := newGateway(t)
	g.SetFaults(agent.Faults{SilentAfter: 1})
	cfg := g.config(t, shell(echo()))
	cfg.Resume = nil
	cfg.timing = timing{pingAfter: 50 * time.Millisecond, pongWithin: 50 * time.Millisecond}
	d := ending(t, connect(t, cfg))
	if d == nil || !strings.Contains(d.Cause, "silent") {
		t.Errorf("ended with %v", d)
	}
}

// A peer that pongs but never acknowledges anything is still quiet only as
// long as its last pong.
func TestQuietIsResetByPongs(t *testing.T) {
	g := newGateway(t)
	cfg := g.config(t, shell(echo()))
	cfg.timing = timing{pingAfter: 20 * time.Millisecond, pongWithin: time.Minute}
	s := connect(t, cfg)
	readUntil(t, s, "$ ")
	before := s.link.Heard()
	eventually(t, "pong", func() bool { return s.link.Heard().After(before) })
	if s.Quiet() > patience {
		t.Errorf("quiet for %s", s.Quiet())
	}
}

func TestDetachLeavesTheProgram(t *testing.T) {
	g := newGateway(t)
	p := echo()
	cfg := g.config(t, shell(p))
	s := connect(t, cfg)
	readUntil(t, s, "$ ")
	if err := s.Detach(); err != nil {
		t.Error(err)
	}
	select {
	case <-p.over:
		t.Fatal("detaching ended the program")
	default:
	}
	if err := g.Terminate(cfg.SessionID); err != nil {
		t.Fatal(err)
	}
	wait(t, "end of the program", p.over)
}

func TestCloseEndsTheProgram(t *testing.T) {
	for name, terminate := range map[string]error{"allowed": nil, "denied": refused{"AccessDeniedException"}} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t)
			p := echo()
			cfg := g.config(t, shell(p))
			allowed := cfg.Terminate
			cfg.Terminate = func(ctx context.Context, id string) error {
				if terminate != nil {
					return terminate
				}
				return allowed(ctx, id)
			}
			s := connect(t, cfg)
			readUntil(t, s, "$ ")
			if err := s.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			if err := s.Err(); err != nil {
				t.Errorf("a closed session ended with %v", err)
			}
			if terminate == nil {
				wait(t, "end of the program", p.over)
			}
		})
	}
}

// Close must not wait for a reader that has gone away.
func TestCloseWithUnreadOutput(t *testing.T) {
	g := newGateway(t)
	s := connect(t, g.config(t, shell(run(endless{}, io.Discard))))
	eventually(t, "full buffer", func() bool {
		s.output.mu.Lock()
		defer s.output.mu.Unlock()
		return len(s.output.buf) >= maxBuffered
	})
	closed := make(chan struct{})
	go func() {
		s.Close()
		close(closed)
	}()
	wait(t, "close", closed)
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestFiftySessions(t *testing.T) {
	g := newGateway(t)
	sessions := make([]*Session, 50)
	for i := range sessions {
		sessions[i] = connect(t, g.config(t, shell(echo())))
	}
	for _, s := range sessions {
		if _, err := s.Write([]byte("here")); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range sessions {
		readUntil(t, s, "here")
		s.Close()
	}
}

func TestDialTellsWhatFailed(t *testing.T) {
	g := newGateway(t)
	cfg := g.config(t, shell(echo()))
	cfg.timing = timing{backOff: time.Millisecond}
	for name, c := range map[string]struct {
		url  string
		want string
	}{
		"unknown session": {strings.Replace(cfg.StreamURL, "ecs-execute", "no-execute", 1), "404"},
		"nobody there":    {"ws://127.0.0.1:1/v1/data-channel/x?X-Amz-Signature=secret", "refused"},
		"no websocket":    {"http://%zz", "invalid"},
	} {
		bad := cfg
		bad.StreamURL = c.url
		_, err := Dial(t.Context(), bad)
		var d *diagnose.Error
		if !errors.As(err, &d) || !strings.Contains(d.Cause, c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the signature is in %v", name, err)
		}
	}
}

func TestTokensWorkOnce(t *testing.T) {
	g := newGateway(t)
	cfg := g.config(t, shell(echo()))
	readUntil(t, connect(t, cfg), "$ ")
	cfg.Resume = nil
	if d := ending(t, connect(t, cfg)); d == nil {
		t.Error("a token opened two connections")
	}
}
