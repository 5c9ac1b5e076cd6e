package agent

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"gantry/aws/exec/wire"
)

// session is one session's agent. Its link outlives the connections; its work
// (a shell, a tunnel) begins with the first of them.
type session struct {
	id   string
	o    Open
	log  *slog.Logger
	link *wire.Link

	life context.Context // until nothing of the session is left
	kill context.CancelFunc
	work context.Context // until the work is to end
	stop context.CancelFunc
	once sync.Once // begins the work

	absent *time.Timer // ends the session when its client stays away

	phase   atomic.Int32
	over    atomic.Bool            // the work is done and the client is being told
	reason  atomic.Pointer[string] // why it was ended, from without
	answers chan []byte            // payloads that the handshake waits for
	input   *input
	cipher  atomic.Pointer[wire.Cipher]

	mu      sync.Mutex
	token   string
	program Process
	drop    context.CancelFunc // ends the current connection
	dropped chan struct{}      // closed when it has ended
}

// The phases of a session decide what becomes of input.
const (
	shaking int32 = iota // acknowledged and thrown away, as AWS's agent does
	started              // kept for the program
)

const (
	handshakeTimeout = 15 * time.Second
	// flushPatience is how long a client may stay silent before output that
	// it has not acknowledged is given up at the end of a session.
	flushPatience = 5 * time.Second
	// hangUpPatience is how long a client may take to hang up after
	// channel_closed.
	hangUpPatience = 2 * time.Second
)

func newSession(id string, o Open, log *slog.Logger) *session {
	sess := &session{
		id:      id,
		o:       o,
		log:     log.With("session", id),
		answers: make(chan []byte, 1),
		input:   newInput(),
	}
	sess.life, sess.kill = context.WithCancel(context.Background())
	sess.work, sess.stop = context.WithCancel(sess.life)
	sess.link = wire.NewLink(wire.Options{Sends: wire.OutputStreamData, Deliver: sess.deliver})
	return sess
}

// begin starts the work, once.
func (sess *session) begin(wg *sync.WaitGroup) {
	sess.once.Do(func() { wg.Go(sess.run) })
}

// run does the session's work and then tells the client that it is over.
func (sess *session) run() {
	reason := sess.perform()
	if given := sess.reason.Load(); given != nil {
		reason = *given
	}
	sess.log.Info("session ended", "reason", reason)
	sess.flush()
	sess.over.Store(true)
	sess.link.HangUp(wire.Closed{SessionID: sess.id, DestinationID: sess.target(), Output: reason})
	sess.awaitHangUp()
}

func (sess *session) target() string {
	if sess.o.KMS != nil {
		return sess.o.KMS.Target
	}
	return ""
}

// perform returns why the session ended, empty for a plain end.
func (sess *session) perform() string {
	defer sess.stop()
	if sess.handshakes() {
		if err := sess.shakeHands(sess.work); err != nil {
			if sess.work.Err() != nil {
				return ""
			}
			return "Encountered error while initiating handshake. " + err.Error()
		}
	}
	if sess.o.Kind == Port {
		return sess.servePort(sess.work)
	}
	return sess.runShell(sess.work)
}

// flush waits until the client has everything, as long as it says anything.
func (sess *session) flush() {
	ctx, cancel := context.WithCancel(sess.life)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		sess.link.Flush(ctx) // fails with ctx only
	}()
	tick := time.NewTicker(flushPatience / 10)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			if sess.connected() && time.Since(sess.link.Heard()) > flushPatience {
				cancel()
				<-done
				return
			}
		}
	}
}

// awaitHangUp drops a client that does not hang up by itself. Should it come
// back, it is told again.
func (sess *session) awaitHangUp() {
	sess.mu.Lock()
	drop, dropped := sess.drop, sess.dropped
	sess.mu.Unlock()
	if drop == nil {
		return
	}
	select {
	case <-dropped:
	case <-time.After(hangUpPatience):
		drop()
	case <-sess.life.Done():
	}
}

// terminate ends the work; the client is told as soon as it listens.
func (sess *session) terminate() { sess.stop() }

// destroy ends everything at once.
func (sess *session) destroy() {
	sess.kill()
	sess.link.End()
	sess.input.close()
}

func (sess *session) connected() bool {
	sess.mu.Lock()
	defer sess.mu.Unlock()
	return sess.drop != nil
}

// carry runs the link over c. A client that comes back replaces its former
// connection.
func (sess *session) carry(c wire.Conn) error {
	ctx, cancel := context.WithCancel(sess.life)
	done := make(chan struct{})
	sess.mu.Lock()
	drop, dropped := sess.drop, sess.dropped
	sess.drop, sess.dropped = cancel, done
	sess.mu.Unlock()
	defer func() {
		cancel()
		sess.mu.Lock()
		if sess.dropped == done {
			sess.drop, sess.dropped = nil, nil
		}
		sess.mu.Unlock()
		close(done)
	}()
	if drop != nil {
		drop()
		<-dropped
	}
	return sess.link.Run(ctx, c)
}

// deliver takes the client's payloads in order. It never blocks, or the
// client's acknowledgements behind them would wait for a program that waits
// for just these.
func (sess *session) deliver(t wire.PayloadType, payload []byte) bool {
	switch t {
	case wire.HandshakeResponse, wire.EncChallengeResponse:
		select {
		case sess.answers <- append([]byte(nil), payload...):
		default: // an answer to nothing
		}
		return true
	}
	if sess.phase.Load() == shaking && sess.handshakes() {
		return true
	}
	switch t {
	case wire.Output:
		return sess.deliverInput(payload)
	case wire.Size:
		return sess.resize(payload)
	case wire.Flag:
		if f, err := wire.ParseFlag(payload); err == nil && f == wire.TerminateSession && sess.o.Kind == Port {
			sess.terminate()
		}
	}
	return true
}

func (sess *session) handshakes() bool { return sess.o.Kind == Port || sess.o.KMS != nil }

func (sess *session) deliverInput(payload []byte) bool {
	plain := append([]byte(nil), payload...)
	if c := sess.cipher.Load(); c != nil {
		var err error
		if plain, err = c.Open(payload); err != nil {
			sess.log.Warn("input cannot be decrypted", "error", err)
			sess.terminate()
			return true
		}
	}
	return sess.input.offer(plain)
}

// resize is refused until there is a program to tell.
func (sess *session) resize(payload []byte) bool {
	sess.mu.Lock()
	program := sess.program
	sess.mu.Unlock()
	if program == nil {
		return sess.o.Kind == Port || sess.work.Err() != nil
	}
	var size wire.TerminalSize
	if json.Unmarshal(payload, &size) != nil {
		return true
	}
	const most = 1<<16 - 1
	if err := program.Resize(int(min(size.Cols, most)), int(min(size.Rows, most))); err != nil {
		sess.log.Debug("resize failed", "error", err)
	}
	return true
}

// send encrypts what is to be encrypted and queues it in chunks.
func (sess *session) send(ctx context.Context, t wire.PayloadType, data []byte) error {
	for len(data) > 0 {
		chunk := data[:min(len(data), wire.MaxPayload)]
		data = data[len(chunk):]
		if c := sess.cipher.Load(); c != nil && wire.Encrypted(t) {
			chunk = c.Seal(chunk)
		}
		if err := sess.link.Send(ctx, t, chunk); err != nil {
			return err
		}
	}
	return nil
}

// input is what the client typed on its way to the program. It is bounded;
// what it refuses the link keeps.
type input struct {
	chunks  chan []byte
	refused atomic.Bool
	over    chan struct{}
	end     sync.Once
}

const inputChunks = 64

var errInputClosed = errors.New("input closed")

func newInput() *input {
	return &input{chunks: make(chan []byte, inputChunks), over: make(chan struct{})}
}

func (in *input) offer(chunk []byte) bool {
	for range 2 { // once more after saying so: the reader may just have emptied it
		select {
		case in.chunks <- chunk:
			return true
		default:
			in.refused.Store(true)
		}
	}
	return false
}

// next waits for a chunk. It calls ready when there is room again for what
// was refused.
func (in *input) next(ready func()) ([]byte, error) {
	select {
	case chunk := <-in.chunks:
		if in.refused.Swap(false) {
			ready()
		}
		return chunk, nil
	case <-in.over:
		return nil, errInputClosed
	}
}

func (in *input) close() { in.end.Do(func() { close(in.over) }) }
