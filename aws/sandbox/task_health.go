package sandbox

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// failedHealthChecks is ECS's reason for a task that its service replaces.
const failedHealthChecks = "Task failed container health checks"

// checked reports whether a task's health depends on checks: without any it is
// healthy once it has stayed up for a while.
func (t *task) checked() bool {
	if !t.supervised {
		return false
	}
	for _, c := range t.containers {
		if c.essential() && c.definition.HealthCheck != nil {
			return true
		}
	}
	return false
}

// health is what the checks of the essential containers say together
// (types.Task.HealthStatus): one that fails makes the task UNHEALTHY, one that
// has found nothing yet leaves it UNKNOWN.
func (t *task) health() types.HealthStatus {
	if !t.checked() {
		return types.HealthStatusUnknown
	}
	all := types.HealthStatusHealthy
	for _, c := range t.containers {
		if !c.essential() || c.definition.HealthCheck == nil {
			continue
		}
		switch c.health {
		case types.HealthStatusUnhealthy:
			return types.HealthStatusUnhealthy
		case types.HealthStatusUnknown:
			all = types.HealthStatusUnknown
		}
	}
	return all
}

// weigh acts on the health of a running task. A task of a service that fails
// its checks is replaced; one that RunTask made is left to whoever made it.
func (b *ecsBackend) weigh(t *task) {
	if t.last != taskRunning || !t.wanted() {
		return
	}
	switch t.health() {
	case types.HealthStatusHealthy:
		b.cancel(t.step)
		b.prove(t)
	case types.HealthStatusUnhealthy:
		t.healthy = false
		if t.service == nil {
			return
		}
		if rest := t.grace() - b.clock.Now().Sub(t.started); rest > 0 {
			b.cancel(t.step)
			t.step = b.after(rest, func() { b.weigh(t) })
			return
		}
		b.record(t.service, "(task "+t.id+") failed container health checks.")
		b.fail(t, types.TaskStopCodeServiceSchedulerInitiated, failedHealthChecks)
	}
}

// grace is how long the service looks away from the health of a new task.
func (t *task) grace() time.Duration {
	return time.Duration(aws.ToInt32(t.service.grace)) * time.Second
}

// supervises reports whether the runtime honours the order and the health of a
// task's containers.
func (b *ecsBackend) supervises(spec TaskSpec) bool {
	s, ok := b.runtime.(Supervisor)
	return ok && s.Supervises(spec)
}
