package aws

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"gantry/internal/diagnose"
)

// MostTasksPerRun is how many tasks one call starts at most (RunTask API
// reference, "count").
const MostTasksPerRun = 10

// startedBy is what ECS tells of the origin of a task that was run from here.
const startedBy = "gantry"

// RunTask runs tasks of a definition once. It returns those that were started;
// with an error they may be fewer than asked for.
func (c *Client) RunTask(ctx context.Context, scope Scope, n NewTask) ([]Task, error) {
	what := "run a task of " + nameOf(clean(n.Definition))
	switch {
	case n.Count < 1 || n.Count > MostTasksPerRun:
		return nil, &diagnose.Error{What: what, Cause: fmt.Sprintf("%d is not a count of tasks", n.Count), Do: fmt.Sprintf("give a number from 1 to %d", MostTasksPerRun)}
	case len(n.Subnets) == 0:
		return nil, noSubnet(what)
	}
	s, err := c.mutable(ctx, what, scope)
	if err != nil {
		return nil, err
	}
	count := int32(n.Count)
	out, err := s.ecs.RunTask(ctx, &ecs.RunTaskInput{
		Cluster: &n.Cluster, TaskDefinition: &n.Definition, Count: &count, LaunchType: types.LaunchTypeFargate,
		NetworkConfiguration: network(n.Subnets, n.SecurityGroups, publicIP[n.PublicIP]),
		EnableExecuteCommand: n.ExecEnabled, StartedBy: sdk.String(startedBy),
		// An attempt that is sent again after its answer was lost runs nothing twice.
		ClientToken: sdk.String(rand.Text()),
	})
	if err != nil {
		return nil, c.explain(what, err)
	}
	tasks := make([]Task, len(out.Tasks))
	for i := range out.Tasks {
		tasks[i] = c.task(&out.Tasks[i])
	}
	return tasks, notRun(what, out.Failures)
}

// notRun is why some tasks were not started, nil if all were.
func notRun(what string, failures []types.Failure) error {
	if len(failures) == 0 {
		return nil
	}
	var why []string
	for _, f := range failures {
		why = append(why, clean(strings.TrimSpace(sdk.ToString(f.Reason)+" "+sdk.ToString(f.Detail))))
	}
	return &diagnose.Error{
		What: what, Cause: fmt.Sprintf("%d of the tasks were not started: %s", len(failures), strings.Join(why, "; ")),
		Do: "look at the cluster's capacity and the account's quota, then run them again", Err: ErrRefused,
	}
}
