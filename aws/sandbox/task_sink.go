package sandbox

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// taskSink takes what the runtime says about one task into the state.
type taskSink struct {
	b    *ecsBackend
	task *task
	spec TaskSpec
}

func (s *taskSink) Pending() {
	s.b.lock()
	defer s.b.unlock()
	s.task.pullStarted = s.b.clock.Now()
}

func (s *taskSink) Running(name string, as RunningContainer) {
	b, t := s.b, s.task
	b.lock()
	defer b.unlock()
	c := t.container(name)
	if c == nil || c.status != taskPending {
		return
	}
	c.status = taskRunning
	c.as = as
	t.supervised = b.supervises(s.spec)
	if as.IP != "" {
		t.nic.ip = as.IP
	}
	if t.pullStopped.IsZero() {
		t.pullStopped = b.clock.Now()
	}
	if !t.wanted() {
		return
	}
	b.startAgent(t, c)
	ready := func(c *container) bool { return c.status != taskPending }
	if t.last == taskPending && !slices.ContainsFunc(t.containers, func(c *container) bool { return !ready(c) }) {
		b.run(t)
	}
}

func (s *taskSink) Exited(name string, code int, reason string) {
	b, t := s.b, s.task
	b.lock()
	defer b.unlock()
	c := t.container(name)
	if c == nil || c.status == taskStopped {
		return
	}
	c.status = taskStopped
	c.exitCode = aws.Int32(int32(code)) //nolint:gosec // an exit code has 8 bits
	c.reason = reason
	c.stopAgent()
	if arn, ended := c.arn, b.containerEnded; ended != nil {
		b.later(func() { ended(arn) })
	}
	t.version++
	over := !slices.ContainsFunc(t.containers, func(c *container) bool { return c.status != taskStopped })
	if c.essential() || over {
		b.fail(t, types.TaskStopCodeEssentialContainerExited, "Essential container in task exited")
	}
	if over {
		b.deprovision(t)
	}
}

func (s *taskSink) Failed(name, reason string) {
	b, t := s.b, s.task
	b.lock()
	defer b.unlock()
	if t.last == taskDeprovisioning || t.last == taskStopped {
		return
	}
	if c := t.container(name); c != nil {
		c.reason = reason
	}
	if t.wanted() && t.service != nil {
		b.say(t.service, "was unable to place a task. Reason: "+reason)
	}
	b.fail(t, types.TaskStopCodeTaskFailedToStart, reason)
	b.deprovision(t)
}

func (s *taskSink) Health(name string, status types.HealthStatus) {
	b, t := s.b, s.task
	b.lock()
	defer b.unlock()
	c := t.container(name)
	if c == nil || c.status == taskStopped || c.health == status {
		return
	}
	c.health = status
	t.version++
	b.weigh(t)
}

func (s *taskSink) Log(name string, line LogLine) {
	if c := s.task.container(name); c != nil {
		s.b.logs.write(c.stream, line)
	}
}

// container finds a container by name, nil if there is none. The containers of
// a task never change, so this needs no lock.
func (t *task) container(name string) *container {
	for _, c := range t.containers {
		if *c.definition.Name == name {
			return c
		}
	}
	return nil
}
