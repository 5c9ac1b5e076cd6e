package sandbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"
)

// The labels of everything that the docker runtime makes. The first has the
// name of the sandbox as its value, the second says how to find out whether
// that sandbox lives, and the others are for people.
const (
	ownerLabel     = "gantry.sandbox"
	lockLabel      = "gantry.sandbox.lock"
	clusterLabel   = "com.amazonaws.ecs.cluster"
	taskLabel      = "com.amazonaws.ecs.task-arn"
	familyLabel    = "com.amazonaws.ecs.task-definition-family"
	containerLabel = "com.amazonaws.ecs.container-name"
)

// DockerConfig says how tasks run as containers.
type DockerConfig struct {
	Engine Engine
	// Demo runs the tasks of which every container is the demo app, and all
	// tasks when no engine can. It is closed with the runtime.
	Demo     Runtime
	DemoName string       // for people: "process"
	LockDir  string       // where the lock is; the user's runtime directory when empty
	Log      *slog.Logger // nil discards
}

// Containers is the runtime whose containers are a container engine's. Whether
// there is an engine, and whether it can pull from the sandbox's registry, it
// finds out once the sandbox serves; see Decided.
type Containers struct {
	engine   Engine
	demo     Runtime
	demoName string
	log      *slog.Logger
	owner    owner
	starts   chan struct{}
	// working ends when Close begins, ctx when it is done: what makes something
	// runs under the first, what takes it away under the second.
	working, ctx context.Context
	stopWork     context.CancelFunc
	cancel       context.CancelFunc

	decided  chan struct{} // closed when the rest of this block is set
	choice   Choice
	facts    EngineFacts
	registry ownRegistry

	pulls  pulls
	pause  pause
	health watches

	mu     sync.Mutex
	met    bool
	closed bool
	tasks  map[string]*dockerTask
	wait   sync.WaitGroup // tasks, and what is done in the background
}

// Choice is which runtime runs what is not the demo app, and why.
type Choice struct {
	Docker bool
	Name   string // docker, or that of the other runtime
	Engine string // "Docker 20.10.24", empty if none answered
	Why    string // empty if it is docker
}

// String is the choice in a few words: "process runtime: no engine answers".
func (c Choice) String() string {
	if c.Why == "" {
		return c.Name + " runtime"
	}
	return c.Name + " runtime: " + c.Why
}

// Docker makes the runtime. It does nothing until the sandbox that it is given
// to serves, as it pulls from that sandbox's registry.
func Docker(c DockerConfig) (*Containers, error) {
	o, err := newOwner(c.LockDir)
	if err != nil {
		return nil, fmt.Errorf("make the lock of the sandbox's containers: %w", err)
	}
	r := &Containers{
		engine: c.Engine, demo: c.Demo, demoName: c.DemoName, log: discardLog(c.Log), owner: o,
		starts:  make(chan struct{}, startsAtOnce),
		decided: make(chan struct{}),
		tasks:   make(map[string]*dockerTask),
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.working, r.stopWork = context.WithCancel(r.ctx)
	return r, nil
}

// Decided is closed when it is known what runs the tasks.
func (r *Containers) Decided() <-chan struct{} { return r.decided }

// Choice says what runs the tasks. It waits until that is known.
func (r *Containers) Choice() Choice {
	<-r.decided
	return r.choice
}

// Start runs a task as containers, or as the demo app.
func (r *Containers) Start(spec TaskSpec, sink Sink) {
	if demoAlone(spec) {
		r.demo.Start(spec, sink)
		return
	}
	if !r.admit(spec, sink) {
		sink.Failed(spec.Containers[0].Name, aboveLimit)
	}
}

// admit starts a task unless too many run already. After Close it does nothing.
func (r *Containers) admit(spec TaskSpec, sink Sink) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return true
	}
	if len(r.tasks) >= usualLimit {
		return false
	}
	t := newDockerTask(r, spec, sink)
	r.tasks[spec.ID] = t
	r.wait.Go(func() {
		t.run()
		r.mu.Lock()
		delete(r.tasks, spec.ID)
		r.mu.Unlock()
	})
	return true
}

// Stop asks a task to end.
func (r *Containers) Stop(taskID string) {
	r.mu.Lock()
	t := r.tasks[taskID]
	r.mu.Unlock()
	if t != nil {
		t.askToStop()
	}
	r.demo.Stop(taskID)
}

// Supervises reports whether a task runs in containers. Before that is decided
// it gives the engine the benefit of the doubt.
func (r *Containers) Supervises(spec TaskSpec) bool {
	if demoAlone(spec) {
		s, ok := r.demo.(Supervisor)
		return ok && s.Supervises(spec)
	}
	select {
	case <-r.decided:
		return r.choice.Docker
	default:
		return true
	}
}

// demoAlone reports whether every container of a task is the demo app, whose
// program is this very one: it need not be one that containers could run.
func demoAlone(spec TaskSpec) bool {
	for _, c := range spec.Containers {
		if !hasImage(c.Image) {
			return false
		}
	}
	return true
}

// Exec starts a command in a container that runs.
func (r *Containers) Exec(ctx context.Context, in RunningContainer, command []string) (Terminal, error) {
	if in.Handle != "" {
		return r.enter(ctx, in.Handle, command)
	}
	executor, ok := r.demo.(Executor)
	if !ok {
		return nil, errStatesOnly
	}
	return executor.Exec(ctx, in, command)
}

func (r *Containers) enter(ctx context.Context, id string, command []string) (Terminal, error) {
	if len(command) == 0 {
		return nil, errors.New("no command")
	}
	// As AWS's agent sets and words it.
	terminal, err := r.engine.Exec(ctx, id, command, []string{"TERM=xterm-256color", "LANG=C.UTF-8"})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", "Failed to start pty", err)
	}
	return terminal, nil
}

// Close ends and removes every container, and what else was made.
func (r *Containers) Close() error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil
	}
	r.closed = true
	r.stopWork()
	for _, t := range r.tasks {
		t.askToStop()
	}
	met := r.met
	r.mu.Unlock()
	if !met {
		r.decide(Choice{Name: r.demoName, Why: "the sandbox has ended"})
	}
	err := r.demo.Close()
	r.wait.Wait()
	r.pause.remove(r)
	r.forgetImages()
	r.cancel()
	r.health.wait()
	return errors.Join(err, r.owner.release())
}

// decide settles what runs the tasks.
func (r *Containers) decide(c Choice) {
	r.choice = c
	close(r.decided)
}

// marks are the labels of what belongs to a task, or to the runtime itself if
// the task is nil.
func (r *Containers) marks(spec *TaskSpec, container string) map[string]string {
	m := maps.Clone(r.owner.marks)
	if spec == nil {
		return m
	}
	m[clusterLabel], m[familyLabel], m[taskLabel] = spec.Cluster, spec.Family, spec.Cluster+"/"+spec.ID
	if container != "" {
		m[containerLabel] = container
	}
	return m
}

// cleaning bounds the calls that remove something.
const cleaning = 20 * time.Second

// remove takes a container away. What fails is left to the next sweep.
func (r *Containers) remove(id string) (removed bool) {
	ctx, cancel := context.WithTimeout(r.ctx, cleaning)
	defer cancel()
	err := r.engine.Remove(ctx, id)
	if err != nil {
		r.log.Warn("remove a container", "id", id, "error", err)
	}
	return err == nil
}

// newName is a name that nothing else has.
func newName() string { return strings.ToLower(rand.Text())[:16] }
