package exec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/xtaci/smux"

	"gantry/aws/exec/wire"
	"gantry/internal/diagnose"
)

// ForwardConfig is a port session as ssm:StartSession opened it, with the
// document AWS-StartPortForwardingSession or …ToRemoteHost.
type ForwardConfig struct {
	Config
	LocalPort int    // on 127.0.0.1; 0 takes a free one
	Remote    string // "80" or "db.internal:5432", as it is named to the user
}

// Forward is a local port whose connections end in a container or at a host
// that the container reaches.
type Forward struct {
	session  *Session
	mux      *smux.Session
	listener net.Listener
	remote   string
	linger   time.Duration
	wg       sync.WaitGroup

	sent, received, conns atomic.Int64
	problem               atomic.Pointer[string]
}

// Agents up to these versions need another treatment; the first is older than
// ECS Exec itself (session-manager-plugin src/config).
const (
	muxAboveAgent         = "3.0.196.0"
	noKeepAliveAboveAgent = "3.1.1511.0"
)

// DialPort listens on the local port and opens the tunnel; it returns when
// the agent has agreed to it. ctx bounds that alone. The error is a
// *diagnose.Error; the session is then terminated.
func DialPort(ctx context.Context, c ForwardConfig) (*Forward, error) {
	f := &Forward{remote: c.Remote}
	c.Handshake = HandshakeExpected
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(c.LocalPort)))
	if err != nil {
		(&Session{cfg: c.Config}).terminate() // ending must work when ctx is over
		return nil, &diagnose.Error{
			What:  fmt.Sprintf("listen on 127.0.0.1:%d", c.LocalPort),
			Cause: sanitise(err.Error()),
			Do:    "choose another local port, or 0 for a free one",
			Err:   err,
		}
	}
	f.listener = listener
	if f.session, err = dial(ctx, c.Config, portTypes, f.flag); err != nil {
		listener.Close()
		return nil, err
	}
	f.linger = f.session.cfg.timing.linger
	if err := f.start(ctx); err != nil {
		listener.Close()
		f.session.Close() // ending must work when ctx is over
		return nil, err
	}
	return f, nil
}

// start waits for the handshake and puts the multiplexer on the session.
func (f *Forward) start(ctx context.Context) error {
	select {
	case <-f.session.open:
	case <-f.session.Done():
		return f.session.endError()
	case <-ctx.Done():
		return &diagnose.Error{What: "open the tunnel", Cause: "the agent has not answered yet: " + ctx.Err().Error(), Do: "try again", Err: ctx.Err()}
	}
	agent := f.session.Status().AgentVersion
	if !newer(agent, muxAboveAgent) {
		return &diagnose.Error{
			What:  "open the tunnel",
			Cause: fmt.Sprintf("the Exec agent is version %s, which cannot carry several connections", agent),
			Do:    "use a platform version or ECS agent with an Exec agent above " + muxAboveAgent,
		}
	}
	config := smux.DefaultConfig() // version 1, as the agent's own
	// A keep-alive would defeat the idle timeout; agents that expect one are
	// older than this.
	config.KeepAliveDisabled = newer(agent, noKeepAliveAboveAgent)
	mux, err := smux.Client(tunnel{f.session}, config)
	if err != nil {
		return &diagnose.Error{What: "open the tunnel", Cause: sanitise(err.Error()), Err: err}
	}
	f.mux = mux
	f.wg.Go(f.accept)
	f.wg.Go(func() {
		<-f.session.Done()
		f.listener.Close()
		f.mux.Close()
	})
	return nil
}

// tunnel keeps the multiplexer's Close from terminating the session.
type tunnel struct{ *Session }

func (tunnel) Close() error { return nil }

// Addr is where the forward listens.
func (f *Forward) Addr() net.Addr { return f.listener.Addr() }

// Sent is how many bytes went into the tunnel, over all connections.
func (f *Forward) Sent() int64 { return f.sent.Load() }

// Received is how many bytes came out of the tunnel.
func (f *Forward) Received() int64 { return f.received.Load() }

// Conns is how many connections are open now.
func (f *Forward) Conns() int64 { return f.conns.Load() }

// Problem says why the last connection came to nothing while the tunnel
// itself stands; empty when it did not.
func (f *Forward) Problem() string {
	if p := f.problem.Load(); p != nil {
		return *p
	}
	return ""
}

// Status is where the session under the forward stands.
func (f *Forward) Status() Status { return f.session.Status() }

// Changed receives after Status or Problem changed, as Session.Changed does.
func (f *Forward) Changed() <-chan struct{} { return f.session.Changed() }

// Quiet is how long the other side has said nothing at all.
func (f *Forward) Quiet() time.Duration { return f.session.Quiet() }

// Done is closed when the session under the forward has ended.
func (f *Forward) Done() <-chan struct{} { return f.session.Done() }

// Err tells why the forward ended, as Session.Err does.
func (f *Forward) Err() error { return f.session.Err() }

// Close ends every connection and the session.
func (f *Forward) Close() error {
	f.listener.Close()
	f.mux.Close()
	f.sayGoodbye()
	err := f.session.Close()
	f.wg.Wait()
	return err
}

// sayGoodbye asks the agent to end the session, which needs no permission.
func (f *Forward) sayGoodbye() {
	const patience = time.Second
	ctx, cancel := context.WithTimeout(f.session.ctx, patience)
	defer cancel()
	if f.session.link.Send(ctx, wire.Flag, wire.TerminateSession.Bytes()) == nil {
		f.session.link.Flush(ctx) // unheard is as good as not said
	}
}

func (f *Forward) flag(v wire.FlagValue) {
	if v != wire.ConnectToPortError {
		return
	}
	text := "nothing answers at " + f.remote
	if !strings.Contains(f.remote, ":") {
		text = fmt.Sprintf("nothing listens on port %s in the container", f.remote)
	}
	f.problem.Store(&text)
	poke(f.session.changed)
}

func (f *Forward) accept() {
	for {
		local, err := f.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			f.session.fail(&diagnose.Error{What: "accept local connections", Cause: sanitise(err.Error()), Err: err})
			return
		}
		remote, err := f.mux.OpenStream()
		if err != nil { // the session is ending; Accept will say so
			local.Close()
			continue
		}
		f.conns.Add(1)
		f.wg.Go(func() {
			defer f.conns.Add(-1)
			f.join(local, remote)
		})
	}
}

// join copies both ways until the far end closes. AWS's agent takes a closed
// stream for the end of both directions, so when the local end has only
// finished sending, the stream stays open until the answer has been silent
// for a while.
func (f *Forward) join(local net.Conn, remote *smux.Stream) {
	defer local.Close()
	defer remote.Close()
	var finished atomic.Bool
	var up sync.WaitGroup
	defer up.Wait()
	defer local.Close() // ends the copy up
	up.Go(func() {
		_, err := io.Copy(remote, counted{local, &f.sent})
		if err != nil {
			remote.Close()
			return
		}
		finished.Store(true)
		_ = remote.SetReadDeadline(time.Now().Add(f.linger))
	})
	buf := make([]byte, 32<<10)
	for {
		n, err := remote.Read(buf)
		if n > 0 {
			f.received.Add(int64(n))
			f.settle()
			if _, werr := local.Write(buf[:n]); werr != nil {
				return
			}
		}
		if err != nil {
			return
		}
		if finished.Load() {
			_ = remote.SetReadDeadline(time.Now().Add(f.linger))
		}
	}
}

// settle forgets the last problem once something answers.
func (f *Forward) settle() {
	if f.problem.Load() != nil && f.problem.Swap(nil) != nil {
		poke(f.session.changed)
	}
}

type counted struct {
	r io.Reader
	n *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// newer compares dotted versions number by number. What is no number counts
// as 0, so an agent that names no version is an old one.
func newer(version, than string) bool {
	v, t := strings.Split(version, "."), strings.Split(than, ".")
	for i := range max(len(v), len(t)) {
		if a, b := part(v, i), part(t, i); a != b {
			return a > b
		}
	}
	return false
}

func part(version []string, i int) int {
	if i >= len(version) {
		return 0
	}
	n, err := strconv.Atoi(version[i])
	if err != nil {
		return 0
	}
	return n
}
