package exec

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"gantry/aws/exec/wire"
	"gantry/internal/diagnose"
)

// State is where a session stands.
type State int

// The states. A session goes from Waiting to Open, between Open and Resuming
// as the network allows, and to Ended once.
const (
	Waiting  State = iota // connected; the agent does not listen yet
	Open                  // bytes flow
	Resuming              // the connection is lost and sought again
	Ended
)

// String is the state in one word.
func (s State) String() string {
	return [...]string{"waiting", "open", "resuming", "ended"}[s]
}

// Status is a session's state and what is worth showing beside it.
type Status struct {
	State        State
	Attempt      int    // number of the attempt while Resuming, from 1
	Resumes      int    // how often the connection was lost and found again
	AgentVersion string // known after a handshake only
	Encrypted    bool   // with a KMS data key
	Message      string // what the agent says to its user, one sanitised line
}

// Session is a byte stream to a program in a container and back. All methods
// are safe for concurrent use. Whoever has one must Close or Detach it.
type Session struct {
	cfg      Config
	clientID string
	log      *slog.Logger
	link     *wire.Link
	output   *stream
	types    []string             // the session types to agree to
	onFlag   func(wire.FlagValue) // takes the agent's flags

	ctx    context.Context // ends with the session
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup
	leave  sync.Once

	awake       chan struct{} // closed by the first output or the end of the handshake
	wakeOnce    sync.Once
	handshaking chan struct{} // closed when a handshake begins
	shakeOnce   sync.Once
	open        chan struct{} // closed when input may flow
	resized     chan struct{} // poked
	changed     chan struct{} // poked
	done        chan struct{}

	mu     sync.Mutex
	status Status
	size   wire.TerminalSize
	cipher *wire.Cipher
	closed bool  // by the service
	keyErr error // why there is no data key
	err    error
}

// errLeft is the cause of a session that its owner ended.
var errLeft = errors.New("session closed")

func dial(ctx context.Context, c Config, types []string, onFlag func(wire.FlagValue)) (*Session, error) {
	c.timing = c.timing.withDefaults()
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Session{
		cfg:         c,
		clientID:    uuid.NewString(),
		log:         c.Log.With("session", c.SessionID),
		output:      newStream(),
		types:       types,
		onFlag:      onFlag,
		awake:       make(chan struct{}),
		handshaking: make(chan struct{}),
		open:        make(chan struct{}),
		resized:     make(chan struct{}, 1),
		changed:     make(chan struct{}, 1),
		done:        make(chan struct{}),
		size:        terminalSize(c.Cols, c.Rows),
	}
	s.link = wire.NewLink(wire.Options{
		Sends:      wire.InputStreamData,
		Deliver:    s.deliver,
		PingAfter:  c.timing.pingAfter,
		PongWithin: c.timing.pongWithin,
	})
	conn, err := s.firstConnect(ctx)
	if err != nil {
		return nil, err
	}
	// A session outlives its dialing, and so ctx.
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	// The end of the session frees a delivery that nobody reads.
	context.AfterFunc(s.ctx, s.output.close)
	s.wg.Go(func() { s.run(conn) })
	s.wg.Go(s.steer)
	return s, nil
}

// Read gives what the program writes. It returns io.EOF when the session has
// ended and everything was read; Err then tells why.
func (s *Session) Read(p []byte) (int, error) { return s.output.pull(p) }

// Write sends input to the program. It waits until the agent listens and
// while 256 frames are unacknowledged, across lost connections too.
func (s *Session) Write(p []byte) (int, error) {
	select {
	case <-s.open:
	case <-s.ctx.Done():
		return 0, s.endError()
	}
	for n := 0; n < len(p); {
		chunk := p[n:min(n+wire.MaxPayload, len(p))]
		if err := s.send(wire.Output, chunk); err != nil {
			return n, err
		}
		n += len(chunk)
	}
	return len(p), nil
}

func (s *Session) send(t wire.PayloadType, payload []byte) error {
	if c := s.encryption(); c != nil && wire.Encrypted(t) {
		payload = c.Seal(payload)
	}
	if err := s.link.Send(s.ctx, t, payload); err != nil {
		return s.endError()
	}
	return nil
}

// endError is what a Write says about a session that ended.
func (s *Session) endError() error {
	<-s.done
	if err := s.Err(); err != nil {
		return err
	}
	return errLeft
}

// Resize tells the program its terminal's size, at least 1×1. It returns at
// once; of several sizes in a row the last one counts.
func (s *Session) Resize(cols, rows int) error {
	s.mu.Lock()
	s.size = terminalSize(max(cols, 1), max(rows, 1))
	s.mu.Unlock()
	poke(s.resized)
	select {
	case <-s.done:
		return s.endError()
	default:
		return nil
	}
}

func terminalSize(cols, rows int) wire.TerminalSize {
	const most = 1 << 16 // winsize holds 16 bits
	return wire.TerminalSize{Cols: uint32(min(max(cols, 0), most-1)), Rows: uint32(min(max(rows, 0), most-1))}
}

// Spoke is closed once the program has written something, read or not.
func (s *Session) Spoke() <-chan struct{} { return s.output.spoke }

// Done is closed when the session has ended.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err tells why the session ended: nil if it has not, if the program simply
// exited or if its owner closed it, else a *diagnose.Error.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Status is where the session stands now.
func (s *Session) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// Changed receives after Status changed, at most one poke at a time. It is
// meant for one reader.
func (s *Session) Changed() <-chan struct{} { return s.changed }

// Quiet is how long the other side has said nothing at all, pongs included.
func (s *Session) Quiet() time.Duration { return max(0, time.Since(s.link.Heard())) }

// Close ends the session and the program in it, through TerminateSession
// where that is allowed, and returns when nothing of it is left here.
func (s *Session) Close() error {
	s.leave.Do(func() {
		s.terminate()
		s.cancel(errLeft)
	})
	s.wg.Wait()
	return nil
}

// Detach closes the connection and leaves the program to itself: the agent
// ends it after ECS's idle timeout of 20 minutes.
func (s *Session) Detach() error {
	s.leave.Do(func() { s.cancel(errLeft) })
	s.wg.Wait()
	return nil
}

func (s *Session) terminate() {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed || s.cfg.Terminate == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), terminateTimeout)
	defer cancel()
	if err := s.cfg.Terminate(ctx, s.cfg.SessionID); err != nil {
		s.log.Info("session not terminated at the service", "error", sanitise(err.Error()))
	}
}

// run carries the session over one connection after another until it ends.
func (s *Session) run(conn wire.Conn) {
	var o outage
	for {
		began, received := time.Now(), s.link.Received()
		lost := s.link.Run(s.ctx, conn)
		var closed *wire.Closed
		switch {
		case s.ctx.Err() != nil:
			s.finish(context.Cause(s.ctx))
			return
		case errors.As(lost, &closed):
			s.closedByService(closed)
			return
		case errors.Is(lost, wire.ErrUnacknowledged):
			s.finish(&diagnose.Error{
				What:  "the agent in the container does not answer any more",
				Cause: "it acknowledged nothing for 5 minutes",
				Do:    "check whether the task still runs, then open a new session",
				Err:   lost,
			})
			return
		}
		s.log.Info("connection lost", "error", sanitise(lost.Error()))
		if o.attempts == 0 || s.link.Received() > received {
			o = newOutage(time.Since(began))
		}
		var err error
		if conn, err = s.reconnect(&o, lost); err != nil {
			s.finish(err)
			return
		}
		s.log.Info("connection resumed", "attempt", o.attempts)
		s.update(func(st *Status) {
			st.State, st.Attempt = s.connectedState(), 0
			st.Resumes++
		})
	}
}

func (s *Session) connectedState() State {
	select {
	case <-s.open:
		return Open
	default:
		return Waiting
	}
}

func (s *Session) closedByService(c *wire.Closed) {
	s.mu.Lock()
	s.closed = true
	err := s.keyErr // says more than the service's echo of it
	s.mu.Unlock()
	if err == nil {
		err = closedError(c.Output)
	}
	s.finish(err)
}

// finish ends the session, run's last act.
func (s *Session) finish(err error) {
	if errors.Is(err, errLeft) {
		err = nil
	}
	s.log.Info("session ended", "error", err)
	s.cancel(errLeft)
	s.link.End()
	s.mu.Lock()
	s.err = err
	s.mu.Unlock()
	s.update(func(st *Status) { st.State, st.Attempt = Ended, 0 })
	s.output.close()
	close(s.done)
}

func (s *Session) update(change func(*Status)) {
	s.mu.Lock()
	change(&s.status)
	s.mu.Unlock()
	poke(s.changed)
}

func (s *Session) encryption() *wire.Cipher {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cipher
}

// steer lets input flow once the agent listens and tells it the terminal's
// size, first and whenever it changes.
func (s *Session) steer() {
	if err := s.awaitAgent(); err != nil {
		s.cancel(err)
		return
	}
	var told wire.TerminalSize
	for first := true; ; first = false {
		s.mu.Lock()
		size := s.size
		s.mu.Unlock()
		if size != told && size != (wire.TerminalSize{}) {
			if s.sendSize(size) != nil {
				return
			}
			told = size
		}
		if first {
			close(s.open)
			s.update(func(st *Status) {
				if st.State == Waiting {
					st.State = Open
				}
			})
		}
		select {
		case <-s.resized:
		case <-s.ctx.Done():
			return
		}
	}
}

func (s *Session) sendSize(size wire.TerminalSize) error {
	payload, err := json.Marshal(size)
	if err != nil {
		return err
	}
	return s.send(wire.Size, payload)
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
