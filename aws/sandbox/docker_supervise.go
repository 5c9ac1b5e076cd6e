package sandbox

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

const (
	// stopSlack is how much longer than the stop timeout the engine may take to
	// stop a container before it is taken away.
	stopSlack = 10 * time.Second
	// askAgain is the pause before an engine that did not answer is asked again.
	askAgain = 500 * time.Millisecond
)

// supervise passes on what the container writes and how it is, stops it when
// the task is to end, and returns when it has ended.
func (c *dockerContainer) supervise() EngineState {
	r := c.task.owner
	waiting, giveUp := context.WithCancel(r.ctx)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer giveUp()

	var end EngineState
	gone, logged := make(chan struct{}), make(chan struct{})
	beside.Go(func() {
		defer close(gone)
		end = c.awaitEnd(waiting)
	})
	beside.Go(func() {
		defer close(logged)
		c.passLogs(waiting)
	})
	var look <-chan struct{}
	if c.spec.Health != nil {
		look = r.health.watch(r, c.id)
		defer r.health.forget(c.id)
	}
	stopping := c.task.stopping.Done()
	for {
		select {
		case <-look:
			c.lookAtHealth(waiting)
		case <-stopping:
			stopping = nil
			beside.Go(func() { c.stop(gone, giveUp) })
		case <-gone:
			c.awaitWords(logged)
			return end
		}
	}
}

// awaitWords lets the last lines of output come, unless the sandbox ends and
// nobody is going to read them.
func (c *dockerContainer) awaitWords(logged <-chan struct{}) {
	timer := time.NewTimer(lastWords)
	defer timer.Stop()
	select {
	case <-logged:
	case <-c.task.owner.working.Done():
	case <-timer.C:
	}
}

// passLogs passes on the output. An engine that goes away takes the rest of it
// along.
func (c *dockerContainer) passLogs(ctx context.Context) {
	err := c.task.owner.engine.Logs(ctx, c.id, func(line LogLine) { c.task.sink.Log(c.spec.Name, line) })
	if err != nil && ctx.Err() == nil {
		c.task.owner.log.Warn("read what a container writes", "container", c.spec.Name, "error", err)
	}
}

// awaitEnd returns what the container has come to, once it does not run any
// more. While the engine does not answer it goes on asking, until ctx ends.
func (c *dockerContainer) awaitEnd(ctx context.Context) EngineState {
	engine := c.task.owner.engine
	for {
		code, err := engine.Wait(ctx, c.id)
		state, unknown := engine.Inspect(ctx, c.id)
		switch {
		case ctx.Err() != nil:
			return EngineState{ExitCode: exitKilled}
		case unknown == nil && state.Exists && !state.Running:
			return state
		case err == nil:
			return EngineState{ExitCode: code}
		case unknown == nil && !state.Exists:
			return EngineState{ExitCode: exitKilled} // somebody has removed it
		}
		pauseFor(ctx, askAgain)
	}
}

// exitKilled is what a shell reports for a process that SIGKILL ended.
const exitKilled = 128 + 9

func pauseFor(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// lookAtHealth tells what the container's check says now.
func (c *dockerContainer) lookAtHealth(ctx context.Context) {
	state, err := c.task.owner.engine.Inspect(ctx, c.id)
	if err != nil || !state.Running {
		return
	}
	status := healthOf(state.Health)
	if status == types.HealthStatusHealthy {
		c.wellOnce.Do(func() { close(c.healthy) })
	}
	c.task.sink.Health(c.spec.Name, status)
}

// stop makes the container end: those that depend on it first, then itself, by
// its signal and at last by force. When nothing helps, nobody waits any more.
func (c *dockerContainer) stop(gone <-chan struct{}, giveUp func()) {
	r := c.task.owner
	c.awaitDependents(gone)
	asking, cancel := context.WithCancel(r.ctx)
	defer cancel()
	var asked sync.WaitGroup
	defer asked.Wait()
	defer cancel()
	asked.Go(func() {
		if err := r.engine.Stop(asking, c.id, c.spec.StopTimeout); err != nil && asking.Err() == nil {
			r.log.Warn("stop a container", "container", c.spec.Name, "error", err)
		}
	})
	patience := time.NewTimer(c.spec.StopTimeout + stopSlack)
	defer patience.Stop()
	closing := r.working.Done()
	for {
		select {
		case <-gone:
			return
		case <-closing:
			closing = nil
			patience.Reset(min(c.spec.StopTimeout, closingGrace))
		case <-patience.C:
			if r.remove(c.id) {
				patience.Reset(stopSlack)
				select {
				case <-gone:
					return
				case <-patience.C:
				}
			}
			giveUp()
			return
		}
	}
}

// awaitDependents waits for the containers that depend on this one. When the
// whole sandbox ends, they all end at once.
func (c *dockerContainer) awaitDependents(gone <-chan struct{}) {
	for _, other := range c.task.all {
		if !other.dependsOn(c) {
			continue
		}
		select {
		case <-other.over:
		case <-gone:
			return
		case <-c.task.owner.working.Done():
			return
		}
	}
}
