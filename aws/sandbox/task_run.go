package sandbox

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

const maxRunCount = 10

// RunTask starts up to ten tasks that belong to no service.
func (b *ecsBackend) RunTask(_ context.Context, in *ecs.RunTaskInput) (*ecs.RunTaskOutput, error) {
	b.lock()
	defer b.unlock()
	c, err := b.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	out := &ecs.RunTaskOutput{Tasks: []types.Task{}, Failures: []types.Failure{}}
	if before := c.withToken(aws.ToString(in.ClientToken)); len(before) > 0 {
		for _, t := range before {
			out.Tasks = append(out.Tasks, t.describe())
		}
		return out, nil
	}
	d, err := b.checkRun(in)
	if err != nil {
		return nil, err
	}
	o := order{
		cluster: c, definition: d,
		overrides: clone(in.Overrides), network: clone(in.NetworkConfiguration),
		group:     cmp.Or(aws.ToString(in.Group), "family:"+*d.Family),
		startedBy: aws.ToString(in.StartedBy), token: aws.ToString(in.ClientToken),
		exec: in.EnableExecuteCommand,
	}
	count := int32(1)
	if in.Count != nil {
		count = *in.Count
	}
	for range count {
		o.tags = runTags(c, d, in)
		out.Tasks = append(out.Tasks, b.launch(o).describe())
	}
	return out, nil
}

// withToken are the tasks that a client token made: a retried RunTask must not
// start them again.
func (c *cluster) withToken(token string) []*task {
	if token == "" {
		return nil
	}
	var made []*task
	for _, t := range c.tasks {
		if t.token == token {
			made = append(made, t)
		}
	}
	return made
}

// runTags are the tags of a task that RunTask makes.
func runTags(c *cluster, d *definition, in *ecs.RunTaskInput) []types.Tag {
	var tags []types.Tag
	if in.PropagateTags == types.PropagateTagsTaskDefinition {
		tags = clone(d.tags)
	}
	tags = mergeTags(tags, in.Tags)
	if in.EnableECSManagedTags {
		tags = mergeTags(tags, []types.Tag{{Key: aws.String("aws:ecs:clusterName"), Value: aws.String(c.name)}})
	}
	return tags
}

func (b *ecsBackend) checkRun(in *ecs.RunTaskInput) (*definition, error) {
	switch {
	case in.Count != nil && (*in.Count < 1 || *in.Count > maxRunCount):
		return nil, invalidParameter("Count must be between 1 and %d.", maxRunCount)
	case len(in.VolumeConfigurations) > 0:
		return nil, notEmulated("managed volumes")
	case len(in.CapacityProviderStrategy) > 0:
		return nil, notEmulated("capacity providers")
	case len(aws.ToString(in.StartedBy)) > 128:
		return nil, invalidParameter("startedBy must have at most 128 characters.")
	case in.LaunchType == types.LaunchTypeEc2:
		return nil, invalidParameter("No Container Instances were found in your cluster.")
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	d, err := b.usableDefinition(in.TaskDefinition)
	if err != nil {
		return nil, err
	}
	if in.Overrides != nil {
		for _, o := range in.Overrides.ContainerOverrides {
			if d.container(aws.ToString(o.Name)) == nil {
				return nil, invalidParameter("Override for container named %s is not a container in the TaskDefinition.", aws.ToString(o.Name))
			}
		}
	}
	role := d.TaskRoleArn
	if in.Overrides != nil && in.Overrides.TaskRoleArn != nil {
		role = in.Overrides.TaskRoleArn
	}
	if in.EnableExecuteCommand && role == nil {
		return nil, invalidParameter("The task couldn't be run because a valid taskRoleArn is not being used. Specify a valid task role in your task definition and try again.")
	}
	return d, checkPlacing(d, in.LaunchType, in.PlatformVersion, in.NetworkConfiguration)
}

// StopTask ends a task. One of a service is replaced.
func (b *ecsBackend) StopTask(_ context.Context, in *ecs.StopTaskInput) (*ecs.StopTaskOutput, error) {
	b.lock()
	defer b.unlock()
	c, err := b.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	if aws.ToString(in.Task) == "" {
		return nil, invalidParameter("Task can not be blank.")
	}
	t := c.task(*in.Task)
	if t == nil {
		return nil, invalidParameter("The referenced task was not found.")
	}
	before := t.last
	b.stop(t, types.TaskStopCodeUserInitiated, cmp.Or(aws.ToString(in.Reason), "Task stopped by user"))
	described := t.describe()
	if before != taskStopped {
		// ECS answers before the task has moved.
		described.LastStatus = aws.String(string(before))
	}
	if t.service != nil {
		t.service.steady = false
		b.reconcile(t.service)
	}
	return &ecs.StopTaskOutput{Task: &described}, nil
}

// ListTasks pages through the ARNs of a cluster's tasks, in the order of their
// making. Unless asked otherwise these are the ones that are meant to run.
func (b *ecsBackend) ListTasks(_ context.Context, in *ecs.ListTasksInput) (*ecs.ListTasksOutput, error) {
	b.lock()
	defer b.unlock()
	c, err := b.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	desired := cmp.Or(in.DesiredStatus, types.DesiredStatusRunning)
	if !slices.Contains(desired.Values(), desired) {
		return nil, invalidParameter("Invalid desiredStatus: %s", desired)
	}
	var of *service
	if in.ServiceName != nil {
		if of, err = b.service(c, *in.ServiceName); err != nil {
			return nil, err
		}
	}
	var all []*task
	for _, t := range c.tasks {
		if string(t.desired) == string(desired) &&
			(of == nil || t.service == of) &&
			(in.Family == nil || *t.definition.Family == *in.Family) &&
			(in.StartedBy == nil || t.startedBy == *in.StartedBy) &&
			(in.LaunchType == "" || in.LaunchType == types.LaunchTypeFargate) &&
			in.ContainerInstance == nil {
			all = append(all, t)
		}
	}
	name := question("ListTasks", c.arn, string(desired), aws.ToString(in.ServiceName), aws.ToString(in.Family), aws.ToString(in.StartedBy), string(in.LaunchType))
	found, next, err := page(b.pager, query{name: name, fallback: 100, limit: 100, asked: in.MaxResults, token: in.NextToken}, all)
	if err != nil {
		return nil, err
	}
	out := &ecs.ListTasksOutput{TaskArns: make([]string, 0, len(found)), NextToken: next}
	for _, t := range found {
		out.TaskArns = append(out.TaskArns, t.arn)
	}
	return out, nil
}
