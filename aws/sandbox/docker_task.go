package sandbox

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// making bounds the calls that make and start a container. They are not
// canceled when the sandbox ends: a container whose id nobody has heard could
// not be removed.
const making = time.Minute

// dockerTask is one task that runs in containers.
type dockerTask struct {
	owner *Containers
	spec  TaskSpec
	sink  Sink
	// stopping ends when the task is to end.
	stopping  context.Context
	askToStop context.CancelFunc

	pause   string           // the container whose network the others share, empty for a task of one
	network RunningContainer // how the task is reached, once it is known
	all     []*dockerContainer

	mu      sync.Mutex
	failed  string // the container that could not start, empty if none
	failure error
}

func newDockerTask(r *Containers, spec TaskSpec, sink Sink) *dockerTask {
	t := &dockerTask{owner: r, spec: spec, sink: sink}
	t.stopping, t.askToStop = context.WithCancel(r.ctx)
	for i := range spec.Containers {
		t.all = append(t.all, newDockerContainer(t, spec.Containers[i]))
	}
	return t
}

// run starts the containers and stays until nothing is left of them.
func (t *dockerTask) run() {
	defer t.askToStop()
	select {
	case <-t.owner.decided:
	case <-t.stopping.Done():
		t.giveUp(t.all[0], errStopped)
		return
	}
	if !t.owner.choice.Docker {
		t.delegate()
		return
	}
	t.sink.Pending()
	if at, err := t.prepare(); err != nil {
		t.giveUp(at, err)
	} else {
		t.runAll()
	}
	if t.pause != "" {
		t.owner.remove(t.pause)
	}
	t.removeVolumes()
}

// delegate leaves a task to the other runtime, which no engine takes from it.
func (t *dockerTask) delegate() {
	t.owner.demo.Start(t.spec, t.sink)
	if t.stopping.Err() != nil { // Stop may have come too early for it
		t.owner.demo.Stop(t.spec.ID)
	}
}

// giveUp tells that the task cannot start, or was stopped before it could.
func (t *dockerTask) giveUp(at *dockerContainer, err error) {
	t.sink.Failed(at.spec.Name, reasonOf(err))
}

// prepare makes what the containers need. On an error it says which container
// it was about.
func (t *dockerTask) prepare() (*dockerContainer, error) {
	if err := refusal(t.spec); err != nil {
		return t.all[0], err
	}
	if at, err := t.pullAll(); err != nil {
		return at, err
	}
	if len(t.all) == 1 {
		return nil, nil // its own network is the task's
	}
	if err := t.slot(t.startPause); err != nil {
		return t.all[0], err
	}
	return nil, nil
}

// pullAll fetches the images, all at once. The first failure in the order of
// the definition counts.
func (t *dockerTask) pullAll() (*dockerContainer, error) {
	errs := make([]error, len(t.all))
	var wait sync.WaitGroup
	for i, c := range t.all {
		wait.Go(func() {
			c.digest, errs[i] = t.owner.pull(t.stopping, imageKey{c.spec.Image, t.spec.Platform})
		})
	}
	wait.Wait()
	for i, c := range t.all {
		switch {
		case t.stopping.Err() != nil:
			return c, errStopped
		case errs[i] != nil:
			return c, cannotPullError(c.spec.Image, errs[i])
		}
	}
	return nil, nil
}

// slot does something that only so many tasks may do at once.
func (t *dockerTask) slot(do func() error) error {
	select {
	case t.owner.starts <- struct{}{}:
	case <-t.stopping.Done():
		return errStopped
	}
	defer func() { <-t.owner.starts }()
	if t.stopping.Err() != nil {
		return errStopped
	}
	return do()
}

// startPause starts the container that holds the task's network, with all of
// the task's ports.
func (t *dockerTask) startPause() error {
	r := t.owner
	image, err := r.pause.image(r)
	if err != nil {
		return cannotCreateError(err)
	}
	c := EngineContainer{ContainerSpec: ContainerSpec{Image: image}, EngineName: t.nameOf(".pause"), Marks: r.marks(&t.spec, "")}
	for _, member := range t.all {
		c.Ports = append(c.Ports, member.spec.Ports...)
	}
	ctx, cancel := context.WithTimeout(r.ctx, making)
	defer cancel()
	if t.pause, err = r.engine.Create(ctx, c); err != nil {
		return cannotCreateError(err)
	}
	if err := r.engine.Start(ctx, t.pause); err != nil {
		return cannotStartError(err)
	}
	return t.readNetwork(ctx, t.pause)
}

// nameOf is what the engine lists a container as. No container of a definition
// can have a name with a dot, so that of the pause container is its own.
func (t *dockerTask) nameOf(container string) string {
	return "ecs-" + t.spec.Family + "-" + t.spec.ID[:min(len(t.spec.ID), 12)] + "-" + container
}

// readNetwork notes how the task is reached: its network is that container's.
func (t *dockerTask) readNetwork(ctx context.Context, id string) error {
	state, err := t.owner.engine.Inspect(ctx, id)
	if err != nil {
		return cannotStartError(err)
	}
	t.network.IP, t.network.Bindings = state.IP, state.Bindings
	return nil
}

// runAll runs the containers, each as soon as its dependencies allow.
func (t *dockerTask) runAll() {
	var wait sync.WaitGroup
	for _, c := range t.all {
		wait.Go(c.run)
	}
	wait.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed != "" {
		t.sink.Failed(t.failed, reasonOf(t.failure))
		return
	}
	for _, c := range t.all {
		if !c.hasStarted() { // the task was stopped before its turn came
			t.giveUp(c, errStopped)
			return
		}
	}
}

// fail ends the task because a container cannot start. The first reason counts.
func (t *dockerTask) fail(container string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed == "" && t.stopping.Err() == nil {
		t.failed, t.failure = container, err
	}
	t.askToStop()
}

// hasFailed reports whether the task as a whole could not start.
func (t *dockerTask) hasFailed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed != ""
}

// volume is the engine's name of a volume of the task.
func (t *dockerTask) volume(name string) string { return t.nameOf(name) }

// mounts are a container's, with the engine's names.
func (t *dockerTask) mounts(c ContainerSpec) []VolumeMount {
	mounts := slices.Clone(c.Mounts)
	for i := range mounts {
		mounts[i].Volume = t.volume(mounts[i].Volume)
	}
	return mounts
}

// removeVolumes removes the task's volumes once its containers are gone.
func (t *dockerTask) removeVolumes() {
	ctx, cancel := context.WithTimeout(t.owner.ctx, cleaning)
	defer cancel()
	removed := make(map[string]bool)
	for _, c := range t.all {
		for _, m := range c.spec.Mounts {
			if c.id == "" || removed[m.Volume] {
				continue
			}
			removed[m.Volume] = true
			if err := t.owner.engine.RemoveVolume(ctx, t.volume(m.Volume)); err != nil {
				t.owner.log.Warn("remove a volume", "volume", m.Volume, "error", err)
			}
		}
	}
}

// limits are a container's shares of the task's size. A task has no control
// group of its own on an engine, so each container may use what the task has,
// unless its own limit is lower.
func (t *dockerTask) limits(c ContainerSpec) (memory, nanoCPUs int64) {
	memory = int64(cmp.Or(c.Memory, t.spec.Memory)) << 20
	if cpus := t.owner.facts.CPUs; cpus > 0 && int(t.spec.CPU) < cpus*cpuUnitsEach {
		nanoCPUs = int64(t.spec.CPU) * 1e9 / cpuUnitsEach
	}
	return memory, nanoCPUs
}

// cpuUnitsEach are the CPU units of one processor.
const cpuUnitsEach = 1024
