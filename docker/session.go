package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"gantry/internal/diagnose"
)

// controlTimeout bounds the small calls beside a session: resize, exit code,
// hang up.
const controlTimeout = 2 * time.Second

// detachKeys replace the engine's default, ctrl-p ctrl-q, which would hold back
// every ctrl-p (the shell's last command) until the next key. A session ends by
// Close, so these are the least likely keys instead of none: the engine takes
// an empty text as its default.
const detachKeys = "ctrl-],ctrl-_,ctrl-]"

// framing is how the engine sends a container's output.
type framing int

const (
	terminal    framing = iota // raw bytes of a TTY
	multiplexed                // stdout and stderr in frames
)

// Session is a terminal in a container: an exec, or the container itself. It is
// a byte stream with a size. Read and Write may be called at the same time.
// After the end Read returns io.EOF; Err and ExitCode say more.
type Session struct {
	conn   client.HijackedResponse
	output io.Reader
	// The rest depends on what runs in the terminal. hangup ends it when the
	// connection's end does not; release frees what the session holds besides
	// the connection. Both may be nil.
	resize  func(ctx context.Context, cols, rows int) error
	code    func(ctx context.Context) (int, error)
	hangup  func(ctx context.Context)
	release func()

	mu     sync.Mutex
	over   bool
	closed bool
	err    error
	done   sync.WaitGroup
}

// newSession wraps a connection. What a program without a terminal writes gets
// the carriage returns that a terminal's line discipline would add.
func newSession(conn client.HijackedResponse, f framing) *Session {
	s := &Session{conn: conn, output: conn.Reader}
	if f == terminal {
		return s
	}
	out, in := io.Pipe()
	s.output = out
	s.done.Go(func() {
		lines := &carriage{to: in}
		_, err := stdcopy.StdCopy(lines, lines, conn.Reader)
		in.CloseWithError(err)
	})
	return s
}

// Read reads what the terminal shows.
func (s *Session) Read(p []byte) (int, error) {
	n, err := s.output.Read(p)
	if err == nil {
		return n, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	if !s.closed && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && s.err == nil {
		s.err = &diagnose.Error{What: "read from the container", Cause: words(err), Do: "open it again", Err: err}
	}
	return n, io.EOF
}

// Write sends keys.
func (s *Session) Write(p []byte) (int, error) { return s.conn.Conn.Write(p) }

// Resize tells the size in cells. After the end it does nothing.
func (s *Session) Resize(cols, rows int) error {
	if cols <= 0 || rows <= 0 || s.ended() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), controlTimeout)
	defer cancel()
	err := s.resize(ctx, cols, rows)
	if s.ended() || gone(err) {
		return nil
	}
	return err
}

// Close ends the session. A shell gets SIGHUP, as from a terminal that is
// closed; a container that was attached to goes on.
func (s *Session) Close() error {
	s.end(context.Background())
	return nil
}

// end is Close. What ctx has become does not matter.
func (s *Session) end(ctx context.Context) {
	s.mu.Lock()
	again, over := s.closed, s.over
	s.closed = true
	s.mu.Unlock()
	if again {
		return
	}
	if s.hangup != nil && !over {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), controlTimeout)
		defer cancel()
		s.hangup(ctx)
	}
	s.conn.Close()
	if pipe, ok := s.output.(io.Closer); ok {
		_ = pipe.Close()
	}
	if s.release != nil {
		s.release()
	}
	s.done.Wait()
}

// Err is why the connection broke, nil when what ran in it just ended or the
// session was closed.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// ExitCode is the exit code of what ran in the terminal. It is known after the
// end; ErrNoExitCode says that it never will be.
func (s *Session) ExitCode() (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), controlTimeout)
	defer cancel()
	return s.code(ctx)
}

// ErrNoExitCode says that the session was closed, or the engine went away, before what
// ran in it ended.
var ErrNoExitCode = errors.New("no exit code")

func (s *Session) ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over || s.closed
}

// carriage writes lines with the carriage return that a terminal needs.
type carriage struct {
	to   io.Writer
	last byte
}

func (c *carriage) Write(p []byte) (int, error) {
	out := make([]byte, 0, len(p)+len(p)/16)
	for _, b := range p {
		if b == '\n' && c.last != '\r' {
			out = append(out, '\r')
		}
		out = append(out, b)
		c.last = b
	}
	if _, err := c.to.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Attach connects to the terminal, or the output, of a running container. Close
// leaves it running.
func (c *Client) Attach(ctx context.Context, id string, cols, rows int) (*Session, error) {
	what := "attach to " + short(id)
	api, err := c.mutable(ctx, what)
	if err != nil {
		return nil, err
	}
	out, err := api.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return nil, c.explain(what, err)
	}
	row := described(out.Container)
	if row.State != string(container.StateRunning) {
		return nil, notRunning(what, row)
	}
	f := multiplexed
	if row.Detail.TTY {
		f = terminal
	}
	s, err := c.attach(ctx, api, id, f)
	if err != nil {
		return nil, c.explain(what, err)
	}
	s.begin(ctx, cols, rows)
	return s, nil
}

// attach connects to a container that runs, or that is about to be started.
func (c *Client) attach(ctx context.Context, api *client.Client, id string, f framing) (*Session, error) {
	conn, err := api.ContainerAttach(ctx, id, client.ContainerAttachOptions{
		Stream: true, Stdin: true, Stdout: true, Stderr: true, DetachKeys: detachKeys,
	})
	if err != nil {
		return nil, err
	}
	s := newSession(conn.HijackedResponse, f)
	s.resize = func(ctx context.Context, cols, rows int) error {
		if f == multiplexed {
			return nil
		}
		_, err := api.ContainerResize(ctx, id, client.ContainerResizeOptions{Width: uint(cols), Height: uint(rows)})
		return err
	}
	s.await(ctx, api, id)
	return s, nil
}

// await keeps the exit code of a container for when it ends. It must ask before
// the end: a container that removes itself takes its code along.
func (s *Session) await(ctx context.Context, api *client.Client, id string) {
	waiting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	// The opening ends with ctx, the waiting goes on without it.
	opened := context.AfterFunc(ctx, cancel)
	wait := api.ContainerWait(waiting, id, client.ContainerWaitOptions{Condition: container.WaitConditionNextExit})
	_ = opened()
	ended := make(chan struct{})
	code, failed := 0, error(nil)
	s.done.Go(func() {
		defer close(ended)
		select {
		case end := <-wait.Result:
			code = int(end.StatusCode)
		case err := <-wait.Error:
			failed = fmt.Errorf("%w: %w", ErrNoExitCode, err)
		}
	})
	s.release = cancel
	s.code = func(ctx context.Context) (int, error) {
		select {
		case <-ended:
			return code, failed
		case <-ctx.Done():
			return 0, ErrNoExitCode
		}
	}
}

// begin sets the size right after the connection: engines before API 1.42
// ignore a size given with the start. That it fails means that the program has
// ended already, which Read tells.
func (s *Session) begin(ctx context.Context, cols, rows int) {
	if cols > 0 && rows > 0 {
		_ = s.resize(ctx, cols, rows)
	}
}
