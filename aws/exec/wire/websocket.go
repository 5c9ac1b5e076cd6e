package wire

import (
	"context"
	"fmt"
	"io"

	"github.com/coder/websocket"
)

// WebSocket makes a Conn of an open websocket.
func WebSocket(ws *websocket.Conn) Conn {
	ws.SetReadLimit(MaxFrame)
	return &webSocket{ws: ws}
}

type webSocket struct {
	ws  *websocket.Conn
	buf []byte // the last message; grows to the largest seen
}

// Read skips text messages: after the first, which is not Link's, the
// channel is binary.
func (w *webSocket) Read() ([]byte, error) {
	for {
		kind, r, err := w.ws.Reader(context.Background())
		if err != nil {
			return nil, err
		}
		w.buf, err = readInto(w.buf[:0], r)
		if err != nil {
			return nil, err
		}
		if kind == websocket.MessageBinary {
			return w.buf, nil
		}
	}
}

// readInto is io.ReadAll into memory that is already there.
func readInto(buf []byte, r io.Reader) ([]byte, error) {
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, make([]byte, max(2048, len(buf)))...)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return buf, fmt.Errorf("read message: %w", err)
		}
	}
}

// Write and Read take no context: the websocket library would arm a timer for
// each message. Close ends both.
func (w *webSocket) Write(message []byte) error {
	return w.ws.Write(context.Background(), websocket.MessageBinary, message)
}

func (w *webSocket) Ping(ctx context.Context) error { return w.ws.Ping(ctx) }

func (w *webSocket) Close() error { return w.ws.CloseNow() }
