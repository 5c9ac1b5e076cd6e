package aws

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"gantry/internal/diagnose"
)

// ExplainExec looks at the task as it is now and says which of the known causes
// keeps ECS Exec from working in the container, nil if it sees none. The checks
// are those of AWS's amazon-ecs-exec-checker that need no IAM permissions.
func (c *Client) ExplainExec(ctx context.Context, task Task, container string) error {
	what := fmt.Sprintf("open a shell in %s of task %s", container, task.ID)
	rows, err := c.DescribeTasks(ctx, task.ClusterARN, []string{task.ARN})
	if err != nil || len(rows) == 0 {
		return nil //nolint:nilerr // not knowing the cause is no cause
	}
	now := rows[0]
	if why := execCause(&now, container); why != nil {
		return &diagnose.Error{What: what, Cause: why.cause, Do: why.do, Err: ErrNotConnected}
	}
	if why := c.definitionCause(ctx, &now, container); why != nil {
		return &diagnose.Error{What: what, Cause: why.cause, Do: why.do, Err: ErrNotConnected}
	}
	return nil
}

// hindrance is a cause with what helps against it.
type hindrance struct{ cause, do string }

// execCause is what the task itself shows.
func execCause(t *Task, container string) *hindrance {
	switch {
	case t.Failure != "":
		return &hindrance{"the task is gone: " + t.Failure, "choose a running task"}
	case t.IsStopped():
		return &hindrance{strings.TrimSuffix("the task has stopped: "+t.Reason(), ": "), "choose a running task"}
	case t.DesiredStatus == "STOPPED":
		return &hindrance{strings.TrimSuffix("the task is being stopped: "+t.Reason(), ": "), "choose a running task"}
	case t.LastStatus != "RUNNING":
		return &hindrance{"the task is " + strings.ToLower(t.LastStatus), "wait until it runs"}
	case !t.ExecEnabled:
		return &hindrance{"ECS Exec was off when the task was started", "turn it on for the service and redeploy, or run the task anew with it"}
	case strings.HasPrefix(t.LaunchType, "FARGATE") && olderThan(t.PlatformVersion, 1, 4):
		return &hindrance{"platform version " + t.PlatformVersion + " has no ECS Exec", "use platform version 1.4.0 or later"}
	}
	return agentCause(t.Container(container))
}

func agentCause(k *Container) *hindrance {
	switch {
	case k == nil:
		return &hindrance{"the task has no container of that name", "choose one of its containers"}
	case k.LastStatus != "RUNNING":
		return &hindrance{"the container is " + strings.ToLower(k.LastStatus), "choose a running container"}
	case k.Agent.Status == "PENDING":
		return &hindrance{"the exec agent is still starting", "try again in a few seconds"}
	}
	return nil
}

// definitionCause is what only the task definition shows, and what it leaves
// open.
func (c *Client) definitionCause(ctx context.Context, t *Task, container string) *hindrance {
	agent := t.Container(container).Agent
	if agent.Status == "RUNNING" {
		return nil
	}
	stopped := "the exec agent does not run"
	if agent.Reason != "" {
		stopped += ": " + agent.Reason
	}
	d := c.taskDefinition(ctx, t.TaskDefinition)
	switch {
	case d != nil && readonlyRoot(d, container):
		return &hindrance{"the exec agent does not run, because the container's root file system is read-only", "set readonlyRootFilesystem to false"}
	case d != nil && d.PidMode == types.PidModeTask && len(t.Containers) > 1:
		return &hindrance{"the exec agent does not run here: with pidMode task only one container of the task has it", "use another container, or drop pidMode"}
	case d != nil && sdk.ToString(d.TaskRoleArn) == "":
		return &hindrance{stopped + "; the task has no task role", "give the task definition a task role that allows ssmmessages:*Channel"}
	}
	return &hindrance{stopped, "check that the task role allows ssmmessages:*Channel and that the subnet reaches ssmmessages"}
}

func (c *Client) taskDefinition(ctx context.Context, name string) *types.TaskDefinition {
	s, err := c.connect(ctx)
	if err != nil {
		return nil
	}
	out, err := s.ecs.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: sdk.String(name)})
	if err != nil {
		return nil
	}
	return out.TaskDefinition
}

func readonlyRoot(d *types.TaskDefinition, container string) bool {
	for i := range d.ContainerDefinitions {
		k := &d.ContainerDefinitions[i]
		if sdk.ToString(k.Name) == container {
			return sdk.ToBool(k.ReadonlyRootFilesystem)
		}
	}
	return false
}

// olderThan compares a platform version such as "1.3.0". What is no number,
// such as LATEST, is not older.
func olderThan(version string, major, minor int) bool {
	parts := strings.Split(version, ".")
	if len(parts) < 2 {
		return false
	}
	a, errA := strconv.Atoi(parts[0])
	b, errB := strconv.Atoi(parts[1])
	return errA == nil && errB == nil && (a < major || a == major && b < minor)
}
