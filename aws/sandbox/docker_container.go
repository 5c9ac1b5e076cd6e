package sandbox

import (
	"context"
	"slices"
	"sync"
)

// dockerContainer is one container of a task.
type dockerContainer struct {
	task   *dockerTask
	spec   ContainerSpec
	digest string // of its image
	id     string // the engine's

	started chan struct{} // closed once it runs
	healthy chan struct{} // closed once its check has found it well
	exited  chan struct{} // closed once it has run and ended; code is known then
	over    chan struct{} // closed once nothing more is going to happen
	code    int

	wellOnce sync.Once
}

func newDockerContainer(t *dockerTask, spec ContainerSpec) *dockerContainer {
	return &dockerContainer{
		task: t, spec: spec,
		started: make(chan struct{}), healthy: make(chan struct{}), exited: make(chan struct{}), over: make(chan struct{}),
	}
}

func (c *dockerContainer) hasStarted() bool {
	select {
	case <-c.started:
		return true
	default:
		return false
	}
}

// run starts the container when its turn comes and stays until it is gone.
func (c *dockerContainer) run() {
	defer close(c.over)
	t := c.task
	err := c.awaitTurn()
	if err == nil {
		err = t.slot(c.launch)
	}
	if c.id != "" {
		defer t.owner.remove(c.id)
	}
	if err != nil {
		t.fail(c.spec.Name, err)
		return
	}
	close(c.started)
	as := RunningContainer{Handle: c.id, ImageDigest: c.digest, Env: c.spec.Env, IP: t.network.IP}
	for _, b := range t.network.Bindings {
		if slices.Contains(c.spec.Ports, ContainerPort{b.ContainerPort, b.Protocol}) {
			as.Bindings = append(as.Bindings, b)
		}
	}
	t.sink.Running(c.spec.Name, as)
	end := c.supervise()
	c.code = end.ExitCode
	close(c.exited)
	if t.hasFailed() {
		return // Failed tells it, for the task as a whole
	}
	reason := ""
	if end.OOMKilled {
		reason = outOfMemory
	}
	t.sink.Exited(c.spec.Name, end.ExitCode, reason)
}

// launch makes and starts the container.
func (c *dockerContainer) launch() (err error) {
	t, r := c.task, c.task.owner
	made := EngineContainer{ContainerSpec: c.spec, Platform: t.spec.Platform, EngineName: t.nameOf(c.spec.Name), Marks: r.marks(&t.spec, c.spec.Name)}
	made.Image = pinned(c.spec.Image, c.digest)
	made.Mounts = t.mounts(c.spec)
	made.MemoryBytes, made.NanoCPUs = t.limits(c.spec)
	if t.pause != "" {
		made.Ports = nil // they are the pause container's
		made.Network = "container:" + t.pause
		if t.spec.SharedPID {
			made.PID = made.Network
		}
	}
	ctx, cancel := context.WithTimeout(r.ctx, making)
	defer cancel()
	if c.id, err = r.engine.Create(ctx, made); err != nil {
		return notMadeError(t.spec.Platform, err)
	}
	if err := r.engine.Start(ctx, c.id); err != nil {
		return cannotStartError(err)
	}
	if t.pause == "" {
		return t.readNetwork(ctx, c.id)
	}
	return nil
}
