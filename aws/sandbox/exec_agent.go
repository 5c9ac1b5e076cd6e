package sandbox

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// managedAgent is the ExecuteCommandAgent beside a container.
type managedAgent struct {
	status  taskStatus
	reason  string
	started time.Time
}

// startAgent lets the agent come up a little after its container, as it does
// in ECS, or fail where it cannot run.
func (b *ecsBackend) startAgent(t *task, c *container) {
	if c.agent == nil {
		return
	}
	b.after(b.pace.agent, func() {
		if !t.wanted() || c.status != taskRunning {
			return
		}
		t.version++
		if c.agent.reason = t.agentObstacle(c); c.agent.reason != "" {
			c.agent.status = taskStopped
			return
		}
		c.agent.status = taskRunning
		c.agent.started = b.clock.Now()
	})
}

func (c *container) stopAgent() {
	if c.agent != nil {
		c.agent.status = taskStopped
	}
}

// enterable reports whether there is an agent to open a session.
func (c *container) enterable() bool {
	return c.status == taskRunning && c.agent != nil && c.agent.status == taskRunning
}

// agentVolumes are where the agent writes; with volumes there it runs in spite
// of a read-only root (aws/containers-roadmap#1359).
var agentVolumes = []string{"/managed-agents", "/var/lib/amazon/ssm", "/var/log/amazon/ssm"}

// agentObstacle is why the agent cannot run in a container, empty if it can.
// The causes are ECS's (developer guide, "Considerations for using Amazon ECS
// Exec"); its wording of them is not documented.
func (t *task) agentObstacle(c *container) string {
	switch {
	case aws.ToBool(c.definition.ReadonlyRootFilesystem) && !writesToVolumes(c.definition):
		return "The agent could not be started: the container's root filesystem is read-only (readonlyRootFilesystem)."
	case t.definition.PidMode == types.PidModeTask && c != t.containers[0]:
		return "The agent could not be started: the task's containers share a PID namespace (pidMode task), and the agent runs in " + *t.containers[0].definition.Name + " already."
	}
	return ""
}

func writesToVolumes(d *types.ContainerDefinition) bool {
	for _, path := range agentVolumes {
		mounted := slices.ContainsFunc(d.MountPoints, func(m types.MountPoint) bool {
			return aws.ToString(m.ContainerPath) == path && !aws.ToBool(m.ReadOnly)
		})
		if !mounted {
			return false
		}
	}
	return true
}
