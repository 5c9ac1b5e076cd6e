package docker

import (
	"sync"
	"time"
)

// progressInterval is the least time between two deliveries. A screen shows no
// more than that, and an engine can report thousands of times a second.
const progressInterval = 50 * time.Millisecond

// reported is what an engine's messages change, and a copy of it for a reader.
type reported[P any] interface{ snapshot() P }

// delivery hands the latest state of a build or a transfer to a reader that may
// be slow, while the engine goes on reporting.
type delivery[S reported[P], P any] struct {
	mu    sync.Mutex
	state S

	changed chan struct{} // holds one
	stop    chan struct{}
	stopped chan struct{}
	to      func(P)
}

// deliver starts a delivery. Close ends it.
func deliver[S reported[P], P any](state S, to func(P)) *delivery[S, P] {
	d := &delivery[S, P]{
		state:   state,
		changed: make(chan struct{}, 1),
		stop:    make(chan struct{}),
		stopped: make(chan struct{}),
		to:      to,
	}
	go d.run()
	return d
}

// update changes the state. It waits for no reader.
func (d *delivery[S, P]) update(change func(S)) {
	d.mu.Lock()
	change(d.state)
	d.mu.Unlock()
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// snapshot is the state as it is now.
func (d *delivery[S, P]) snapshot() P {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state.snapshot()
}

func (d *delivery[S, P]) run() {
	defer close(d.stopped)
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-d.stop:
			return
		case <-pause.C:
		}
		select {
		case <-d.stop:
			return
		case <-d.changed:
			d.to(d.snapshot())
			pause.Reset(progressInterval)
		}
	}
}

// close ends the delivery and hands over the last state, so that a reader
// always sees how it ended.
func (d *delivery[S, P]) close() {
	close(d.stop)
	<-d.stopped
	d.to(d.snapshot())
}
