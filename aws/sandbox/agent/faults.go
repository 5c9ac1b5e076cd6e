package agent

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"gantry/aws/exec/wire"
)

// Faults are ways in which connections fail. Each counts from the start of a
// connection; zero is off.
type Faults struct {
	DropEvery      int           // every nth message of each direction is lost, acknowledgements too
	DuplicateEvery int           // every nth comes twice
	SwapEvery      int           // every nth comes after the one that follows it
	CutAfter       int           // the connection breaks after so many messages of both directions
	Delay          time.Duration // until a message of the agent reaches the client
	SilentAfter    int           // the connection stands but is dead after so many messages, pings included
}

var errCut = errors.New("connection cut by a fault switch")

// newFaultyConn puts faults before c, or returns c itself if there are none.
func newFaultyConn(c wire.Conn, f Faults) wire.Conn {
	if f == (Faults{}) {
		return c
	}
	fc := &faultyConn{Conn: c, faults: f, closed: make(chan struct{})}
	fc.in.faults, fc.out.faults = f, f
	if f.Delay > 0 {
		fc.delayed = make(chan delayedMessage, 1024)
		fc.wg.Go(fc.release)
	}
	return fc
}

type faultyConn struct {
	wire.Conn
	faults  Faults
	in, out lane
	passed  atomic.Int64
	delayed chan delayedMessage
	closed  chan struct{}
	once    sync.Once
	wg      sync.WaitGroup
	queue   [][]byte // what Read is still to return
}

type delayedMessage struct {
	due  time.Time
	data []byte
}

// lane is one direction.
type lane struct {
	faults Faults
	n      int
	held   []byte // to come after the next
}

// pass turns one message into those that get through now.
func (l *lane) pass(message []byte) [][]byte {
	l.n++
	f := l.faults
	if every(l.n, f.DropEvery) {
		return nil
	}
	if every(l.n, f.SwapEvery) && l.held == nil {
		l.held = append([]byte(nil), message...)
		return nil
	}
	through := [][]byte{message}
	if every(l.n, f.DuplicateEvery) {
		through = append(through, append([]byte(nil), message...))
	}
	if l.held != nil {
		through = append(through, l.held)
		l.held = nil
	}
	return through
}

func every(n, of int) bool { return of > 0 && n%of == 0 }

func (c *faultyConn) Read() ([]byte, error) {
	for len(c.queue) == 0 {
		message, err := c.Conn.Read()
		if err != nil {
			return nil, err
		}
		silent, err := c.count()
		if err != nil {
			return nil, err
		}
		if silent { // whoever does not read does not answer pings either
			<-c.closed
			return nil, errCut
		}
		c.queue = c.in.pass(message)
	}
	message := c.queue[0]
	c.queue = c.queue[1:]
	return message, nil
}

func (c *faultyConn) Write(message []byte) error {
	silent, err := c.count()
	if silent || err != nil {
		return err
	}
	for _, m := range c.out.pass(message) {
		if err := c.deliver(m); err != nil {
			return err
		}
	}
	return nil
}

func (c *faultyConn) deliver(message []byte) error {
	if c.delayed == nil {
		return c.Conn.Write(message)
	}
	select {
	case c.delayed <- delayedMessage{time.Now().Add(c.faults.Delay), append([]byte(nil), message...)}:
		return nil
	case <-c.closed:
		return errCut
	}
}

// release writes delayed messages when they are due.
func (c *faultyConn) release() {
	for {
		select {
		case m := <-c.delayed:
			select {
			case <-time.After(time.Until(m.due)):
			case <-c.closed:
				return
			}
			if c.Conn.Write(m.data) != nil {
				return
			}
		case <-c.closed:
			return
		}
	}
}

// count takes note of a message and tells what the connection has come to.
func (c *faultyConn) count() (silent bool, err error) {
	n := c.passed.Add(1)
	if past(n, c.faults.CutAfter) {
		c.Conn.Close()
		return false, errCut
	}
	return past(n, c.faults.SilentAfter), nil
}

func past(n int64, limit int) bool { return limit > 0 && n > int64(limit) }

func (c *faultyConn) Close() error {
	var err error
	c.once.Do(func() {
		close(c.closed)
		err = c.Conn.Close()
		c.wg.Wait()
	})
	return err
}
