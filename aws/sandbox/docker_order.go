package sandbox

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func (c *dockerContainer) dependsOn(other *dockerContainer) bool {
	return slices.ContainsFunc(c.spec.DependsOn, func(d Dependency) bool { return d.Container == other.spec.Name })
}

// awaitTurn waits until every dependency of the container has come true. The
// texts of its errors are those of ECS's agent (amazon-ecs-agent,
// agent/engine/dependencygraph/graph.go).
func (c *dockerContainer) awaitTurn() error {
	for _, d := range c.spec.DependsOn {
		at := slices.IndexFunc(c.task.all, func(other *dockerContainer) bool { return other.spec.Name == d.Container })
		if at < 0 {
			return cannotStartError(fmt.Errorf("dependency graph: container ordering dependency [%s] for target [%s] does not exist.", d.Container, c.spec.Name)) //nolint:staticcheck // the agent's words
		}
		if err := c.await(c.task.all[at], d.Condition); err != nil {
			return err
		}
	}
	return nil
}

// await waits for one dependency.
func (c *dockerContainer) await(other *dockerContainer, condition types.ContainerCondition) error {
	select {
	case <-other.started:
	case <-other.over:
		if !other.hasStarted() { // it could not, and the task ends for that
			return errStopped
		}
	case <-c.task.stopping.Done():
		return errStopped
	}
	var late <-chan time.Time
	if limit := other.spec.StartTimeout; limit > 0 {
		timer := time.NewTimer(limit)
		defer timer.Stop()
		late = timer.C
	}
	come, gone := other.exited, other.exited
	switch condition {
	case types.ContainerConditionStart:
		return nil
	case types.ContainerConditionHealthy:
		come = other.healthy
	default:
		gone = nil
	}
	select {
	case <-come:
	case <-gone:
		return cannotStartError(fmt.Errorf("dependency graph: failed to resolve the container ordering dependency [%s] for target [%s]", other.spec.Name, c.spec.Name))
	case <-late:
		return cannotStartError(fmt.Errorf("dependency graph: container ordering dependency [%s] for target [%s] has timed out.", other.spec.Name, c.spec.Name)) //nolint:staticcheck // the agent's words
	case <-c.task.stopping.Done():
		return errStopped
	}
	if condition == types.ContainerConditionSuccess && other.code != 0 {
		return cannotStartError(fmt.Errorf("dependency graph: failed to resolve container ordering dependency [%s] for target [%s] as dependency did not exit successfully.", other.spec.Name, c.spec.Name)) //nolint:staticcheck // the agent's words
	}
	return nil
}
