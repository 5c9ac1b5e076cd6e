package docker

import (
	"sync"
	"time"
)

// progressInterval is the least time between two deliveries. A screen shows no
// more than that, and a build can report thousands of times a second.
const progressInterval = 50 * time.Millisecond

// delivery hands the latest state of a graph to a reader that may be slow,
// while the engine goes on reporting.
type delivery struct {
	mu    sync.Mutex
	graph *graph

	changed chan struct{} // holds one
	stop    chan struct{}
	stopped chan struct{}
	to      func(BuildProgress)
}

// deliver starts a delivery. Close ends it.
func deliver(to func(BuildProgress)) *delivery {
	d := &delivery{
		graph:   newGraph(),
		changed: make(chan struct{}, 1),
		stop:    make(chan struct{}),
		stopped: make(chan struct{}),
		to:      to,
	}
	go d.run()
	return d
}

// update changes the graph. It waits for no reader.
func (d *delivery) update(change func(*graph)) {
	d.mu.Lock()
	change(d.graph)
	d.mu.Unlock()
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// snapshot is the graph as it is now.
func (d *delivery) snapshot() BuildProgress {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.graph.snapshot()
}

func (d *delivery) run() {
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
func (d *delivery) close() {
	close(d.stop)
	<-d.stopped
	d.to(d.snapshot())
}
