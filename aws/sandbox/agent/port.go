package agent

import (
	"context"
	"io"
	"net"
	"sync"

	"github.com/xtaci/smux"

	"gantry/aws/exec/wire"
)

// servePort connects each stream of the client's multiplexer to the forwarded
// address until the client or ctx ends the session.
func (sess *session) servePort(ctx context.Context) string {
	config := smux.DefaultConfig() // version 1, as AWS's agent
	config.KeepAliveDisabled = true
	mux, err := smux.Server(&tunnel{sess: sess, ctx: ctx}, config)
	if err != nil {
		return "Unable to start the port session: " + err.Error()
	}
	sess.link.Ready()
	stop := context.AfterFunc(ctx, func() {
		mux.Close()
		sess.input.close()
	})
	defer stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer mux.Close()
	for {
		stream, err := mux.AcceptStream()
		if err != nil {
			return ""
		}
		wg.Go(func() { sess.connect(ctx, stream) })
	}
}

// connect joins one stream with a new connection. When either ends both do:
// the client's multiplexer of AWS knows no half-closed stream.
func (sess *session) connect(ctx context.Context, stream *smux.Stream) {
	defer stream.Close()
	conn, err := sess.o.Dial(ctx)
	if err != nil {
		sess.log.Info("port does not answer", "error", err)
		_ = sess.send(ctx, wire.Flag, wire.ConnectToPortError.Bytes()) // fails with the session only
		return
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	var up sync.WaitGroup
	defer up.Wait()
	defer conn.Close()
	up.Go(func() {
		_, _ = io.Copy(conn, stream)
		closeWrite(conn)
	})
	_, _ = io.Copy(stream, conn)
	stream.Close()
}

// closeWrite passes the client's end on; where a connection cannot be closed
// by half, it is closed whole.
func closeWrite(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
		return
	}
	conn.Close()
}

// tunnel is the session's link as the multiplexer needs it.
type tunnel struct {
	sess *session
	ctx  context.Context
	rest []byte // of a chunk that Read did not take whole
}

func (t *tunnel) Read(p []byte) (int, error) {
	if len(t.rest) == 0 {
		chunk, err := t.sess.input.next(t.sess.link.Ready)
		if err != nil {
			return 0, io.EOF
		}
		t.rest = chunk
	}
	n := copy(p, t.rest)
	t.rest = t.rest[n:]
	return n, nil
}

func (t *tunnel) Write(p []byte) (int, error) {
	if err := t.sess.send(t.ctx, wire.Output, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (t *tunnel) Close() error { return nil }
