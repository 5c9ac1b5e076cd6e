package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// Conn is one websocket as Link needs it: whole messages, binary ones only.
// WebSocket makes one. Write and Ping may be called while Read waits.
type Conn interface {
	Read() ([]byte, error) // valid until the next Read
	Write(message []byte) error
	Ping(ctx context.Context) error // returns when the pong is there
	Close() error                   // makes Read and Write return
}

// Options of a Link.
type Options struct {
	Sends MessageType // InputStreamData for a client, OutputStreamData for an agent

	// Deliver takes the payloads of the peer, each once and in order, never
	// two at a time. While it blocks nothing else is read. It may return
	// false to be called again with the same payload after Ready. The payload
	// is the caller's again on return.
	Deliver func(t PayloadType, payload []byte) bool

	Window int // unacknowledged frames until Send blocks; 0 means 256

	PingAfter  time.Duration // silence until a ping; 0 means 15 s
	PongWithin time.Duration // silence after a ping until the connection is given up; 0 means 10 s
	AckWithin  time.Duration // how long a frame is resent on a connection that is alive; 0 means 5 minutes, AWS's own limit
}

// Why Run ends when neither the peer nor the caller ended it.
var (
	ErrSilent         = errors.New("the peer is silent")
	ErrUnacknowledged = errors.New("the peer does not acknowledge")
	ErrEnded          = errors.New("the data channel has ended")
)

// Link is one end of a data channel: an ordered, lossless stream of payloads
// each way. Run carries it over one websocket after another.
type Link struct {
	o     Options
	heard atomic.Int64 // when the peer last said anything, Unix ns
	count atomic.Int64 // messages received

	receiving sync.Mutex // one Deliver at a time
	in        inbox
	stalled   atomic.Bool // Deliver is blocking, so silence means nothing

	mu    sync.Mutex
	out   *outbox
	acks  []pendingAck
	last  []byte // the channel_closed frame to send, whole
	told  bool   // last has been sent on this connection
	ended bool

	turn  chan struct{} // held by the one Send that may wait for space
	space chan struct{} // poked when frames were acknowledged
	wake  chan struct{} // poked when there is something to write
	over  chan struct{} // closed by End
}

type pendingAck struct {
	kind MessageType
	id   uuid.UUID
	seq  int64
}

const (
	defaultWindow     = 256
	defaultPingAfter  = 15 * time.Second
	defaultPongWithin = 10 * time.Second
	defaultAckWithin  = 5 * time.Minute

	// maxPendingAcks bounds what a peer that sends but does not read can pile
	// up. A frame whose acknowledgement is dropped comes again.
	maxPendingAcks = 4096
	batchFrames    = 64
	resendTick     = minRTO / 2
)

// NewLink makes a Link that is not connected yet; Send already works.
func NewLink(o Options) *Link {
	o.Window = orDefault(o.Window, defaultWindow)
	o.PingAfter = orDefault(o.PingAfter, defaultPingAfter)
	o.PongWithin = orDefault(o.PongWithin, defaultPongWithin)
	o.AckWithin = orDefault(o.AckWithin, defaultAckWithin)
	l := &Link{
		o:     o,
		out:   newOutbox(o.Sends, o.Window),
		turn:  make(chan struct{}, 1),
		space: make(chan struct{}, 1),
		wake:  make(chan struct{}, 1),
		over:  make(chan struct{}),
	}
	l.hear()
	return l
}

func orDefault[T int | time.Duration](v, def T) T {
	if v == 0 {
		return def
	}
	return v
}

// Send queues one payload for the peer and returns once it has a place in the
// window, connected or not. It fails when ctx ends or after End.
func (l *Link) Send(ctx context.Context, t PayloadType, payload []byte) error {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return ctx.Err()
	case <-l.over:
		return ErrEnded
	}
	for !l.tryAdd(t, payload) {
		select {
		case <-l.space:
		case <-ctx.Done():
			return ctx.Err()
		case <-l.over:
			return ErrEnded
		}
	}
	poke(l.wake)
	return nil
}

func (l *Link) tryAdd(t PayloadType, payload []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended || l.out.full() {
		return false
	}
	l.out.add(t, payload, time.Now())
	return true
}

// Flush waits until the peer has acknowledged everything sent so far and
// since.
func (l *Link) Flush(ctx context.Context) error {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return ctx.Err()
	case <-l.over:
		return ErrEnded
	}
	for !l.flushed() {
		select {
		case <-l.space:
		case <-ctx.Done():
			return ctx.Err()
		case <-l.over:
			return ErrEnded
		}
	}
	return nil
}

func (l *Link) flushed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.empty()
}

// Ready tells that Deliver may be called again with what it refused.
func (l *Link) Ready() {
	l.receiving.Lock()
	defer l.receiving.Unlock()
	l.in.drain(l.o.Deliver)
}

// Heard is when the peer last said anything, a pong included.
func (l *Link) Heard() time.Time { return time.Unix(0, l.heard.Load()) }

// Received is how many messages have come in over all connections.
func (l *Link) Received() int64 { return l.count.Load() }

func (l *Link) hear() { l.heard.Store(time.Now().UnixNano()) }

// End makes every Send and Flush return. A running Run is ended by its
// context.
func (l *Link) End() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ended {
		l.ended = true
		close(l.over)
	}
}

// HangUp sends channel_closed after whatever is due, on this connection and
// any later one. It is the service's part: the peer then closes the
// connection, which ends Run.
func (l *Link) HangUp(c Closed) {
	c.MessageType, c.SchemaVersion = ChannelClosed, 1
	now := time.Now()
	id := uuid.New()
	c.MessageID, c.CreatedDate = id.String(), fmt.Sprint(now.UnixMilli())
	payload, _ := json.Marshal(c) // strings and one int cannot fail
	f := Frame{Type: ChannelClosed, Created: now, Flags: FlagSyn | FlagFin, ID: id, Payload: payload}
	l.mu.Lock()
	l.last = f.Append(nil)
	l.told = false
	l.mu.Unlock()
	poke(l.wake)
}

// Run carries the link over c until either ends, and closes c. It returns
// *Closed when the service closed the channel, the cause of ctx when that
// ended, and else why the connection was lost. What the peer has not
// acknowledged is sent again by the next Run.
func (l *Link) Run(ctx context.Context, c Conn) error {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()

	l.mu.Lock()
	l.out.rewind()
	l.acks = l.acks[:0]
	l.told = false
	l.mu.Unlock()
	l.hear()

	var wg sync.WaitGroup
	wg.Go(func() { cancel(l.write(ctx, c)) })
	wg.Go(func() { l.watch(ctx, c, cancel) })
	cancel(l.read(c))
	c.Close()
	wg.Wait()
	return context.Cause(ctx)
}

// read takes in frames until the connection or the channel ends.
func (l *Link) read(c Conn) error {
	for {
		message, err := c.Read()
		if err != nil {
			return fmt.Errorf("read from the data channel: %w", err)
		}
		l.hear()
		l.count.Add(1)
		f, err := Unmarshal(message)
		if err != nil {
			continue // a frame nobody can read is as good as lost: it comes again
		}
		switch f.Type {
		case Acknowledge:
			l.acknowledged(f.Payload)
		case ChannelClosed:
			closed := new(Closed)
			if err := json.Unmarshal(f.Payload, closed); err != nil {
				closed.Output = ""
			}
			return closed
		case l.receives():
			l.receive(&f)
		}
	}
}

func (l *Link) receives() MessageType {
	if l.o.Sends == InputStreamData {
		return OutputStreamData
	}
	return InputStreamData
}

func (l *Link) acknowledged(payload []byte) {
	var a Ack
	if json.Unmarshal(payload, &a) != nil || a.Type != l.o.Sends {
		return
	}
	l.mu.Lock()
	l.out.acknowledge(a.Sequence, time.Now())
	more := l.out.sendable()
	l.mu.Unlock()
	poke(l.space)
	if more {
		poke(l.wake)
	}
}

// receive delivers f if it is its turn and acknowledges it unless it could
// not even be kept. What was delivered before is acknowledged again: the
// first acknowledgement may be lost.
func (l *Link) receive(f *Frame) {
	if f.Sequence < 0 {
		return
	}
	l.receiving.Lock()
	defer l.receiving.Unlock()
	switch {
	case f.Sequence < l.in.next:
	case f.Sequence == l.in.next && len(l.in.held) == 0 && l.deliver(f.PayloadType, f.Payload):
		l.in.next++
	case !l.in.hold(f):
		return
	default:
		l.in.drain(l.deliver)
	}
	l.mu.Lock()
	if len(l.acks) < maxPendingAcks {
		l.acks = append(l.acks, pendingAck{f.Type, f.ID, f.Sequence})
	}
	l.mu.Unlock()
	poke(l.wake)
}

func (l *Link) deliver(t PayloadType, payload []byte) bool {
	l.stalled.Store(true)
	defer func() {
		l.hear()
		l.stalled.Store(false)
	}()
	return l.o.Deliver(t, payload)
}

// watch pings when the peer has been silent and gives the connection up when
// it stays so. Silence, not the ping itself, is what counts: while Deliver
// blocks nobody reads the pong.
func (l *Link) watch(ctx context.Context, c Conn, giveUp context.CancelCauseFunc) {
	tick := time.NewTicker(min(l.o.PingAfter, l.o.PongWithin) / 4)
	defer tick.Stop()
	var pings sync.WaitGroup
	defer pings.Wait()
	pinged := make(chan struct{}, 1) // holds one token while a ping is out
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if l.stalled.Load() {
			continue
		}
		silent := time.Since(l.Heard())
		if silent > l.o.PingAfter+l.o.PongWithin {
			giveUp(fmt.Errorf("%w for %s", ErrSilent, silent.Round(time.Second)))
			return
		}
		if silent <= l.o.PingAfter {
			continue
		}
		select {
		case pinged <- struct{}{}:
			pings.Go(func() {
				if c.Ping(ctx) == nil {
					l.hear()
				}
				<-pinged
			})
		default:
		}
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
