package aws

import (
	"context"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// AWS's limits (ListTasks and DescribeTasks API reference).
const (
	tasksPerDescribe = 100
	tasksPerPage     = 100
)

// Tasks reads every task of a cluster, or of one service of it; service "" is
// the whole cluster. Running tasks come first, then the stopped ones that ECS
// still shows. See listing.run for the order in which pages come.
func (c *Client) Tasks(ctx context.Context, cluster, service string, page func([]Task)) error {
	l, err := c.taskListing(ctx, cluster, service)
	if err != nil {
		return err
	}
	return l.run(ctx, page)
}

// TaskIDs is the ARNs of every task of a cluster or of one service of it,
// running and stopped.
func (c *Client) TaskIDs(ctx context.Context, cluster, service string) ([]string, error) {
	l, err := c.taskListing(ctx, cluster, service)
	if err != nil {
		return nil, err
	}
	return l.next.all(ctx)
}

// DescribeTasks describes tasks of one cluster, one row for each, in the order
// of the ARNs. Ids do as well as ARNs.
func (c *Client) DescribeTasks(ctx context.Context, cluster string, arns []string) ([]Task, error) {
	l, err := c.taskListing(ctx, cluster, "")
	if err != nil {
		return nil, err
	}
	return l.these(ctx, arns)
}

func (c *Client) taskListing(ctx context.Context, cluster, service string) (listing[Task], error) {
	s, err := c.connect(ctx)
	if err != nil {
		return listing[Task]{}, c.explain(listTasks(cluster, service), err)
	}
	return listing[Task]{
		next:     c.taskPages(s, cluster, service),
		size:     tasksPerDescribe,
		describe: c.describeTasks(s, cluster),
	}, nil
}

// StopTask stops one task. The reason, at most 255 characters, is what others
// will read on the stopped task.
func (c *Client) StopTask(ctx context.Context, task Task, reason string) error {
	what := "stop task " + task.ID
	s, err := c.mutable(ctx, what, task.Scope)
	if err != nil {
		return err
	}
	_, err = s.ecs.StopTask(ctx, &ecs.StopTaskInput{
		Cluster: sdk.String(task.ClusterARN), Task: sdk.String(task.ARN), Reason: sdk.String(reason),
	})
	return c.explain(what, err)
}

func listTasks(cluster, service string) string {
	if service != "" {
		return "list tasks of " + nameOf(service)
	}
	return "list tasks of " + nameOf(cluster)
}

// taskPages lists the running tasks and then the stopped ones, for ECS lists
// either, never both. One after the other: were both read at once, a task that
// stops in between could be missing from both.
func (c *Client) taskPages(s *session, cluster, service string) nextPage {
	in := ecs.ListTasksInput{Cluster: sdk.String(cluster), MaxResults: sdk.Int32(tasksPerPage)}
	if service != "" {
		in.ServiceName = sdk.String(service)
	}
	stopped := false
	return func(ctx context.Context, token *string) ([]string, *string, error) {
		if token == nil {
			stopped = false
		}
		ask := in
		ask.NextToken = token
		if token != nil && *token == stoppedFromStart {
			stopped, ask.NextToken = true, nil
		}
		ask.DesiredStatus = types.DesiredStatusRunning
		if stopped {
			ask.DesiredStatus = types.DesiredStatusStopped
		}
		out, err := s.ecs.ListTasks(ctx, &ask)
		if err != nil {
			return nil, nil, c.explain(listTasks(cluster, service), err)
		}
		if out.NextToken == nil && !stopped {
			return out.TaskArns, sdk.String(stoppedFromStart), nil
		}
		return out.TaskArns, out.NextToken, nil
	}
}

// stoppedFromStart stands between the last page of running tasks and the first
// one of stopped tasks. No token of AWS's is a lone control character.
const stoppedFromStart = "\x00"

func (c *Client) describeTasks(s *session, cluster string) func(context.Context, []string) ([]Task, error) {
	missing := func(id, why string) Task { return c.missingTask(cluster, id, why) }
	return func(ctx context.Context, ids []string) ([]Task, error) {
		out, err := s.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: sdk.String(cluster), Tasks: ids})
		if err != nil {
			err = c.explain("describe tasks of "+nameOf(cluster), err)
			return unread(ids, err, missing), err
		}
		rows := make([]Task, len(out.Tasks))
		for i := range out.Tasks {
			rows[i] = c.task(&out.Tasks[i])
		}
		return arrange(ids, rows, (*Task).id, reasons(out.Failures), missing), nil
	}
}

func (c *Client) missingTask(cluster, id, why string) Task {
	return Task{
		Scope: scopeOf(c.profile(), id), ARN: id, ID: nameOf(id),
		Cluster: nameOf(cluster), ClusterARN: clusterARN(id, cluster), Failure: why,
	}
}

func (c *Client) task(k *types.Task) Task {
	row := Task{
		Scope:           scopeOf(c.profile(), sdk.ToString(k.TaskArn)),
		ARN:             sdk.ToString(k.TaskArn),
		ID:              nameOf(sdk.ToString(k.TaskArn)),
		Cluster:         nameOf(sdk.ToString(k.ClusterArn)),
		ClusterARN:      sdk.ToString(k.ClusterArn),
		Group:           sdk.ToString(k.Group),
		StartedBy:       sdk.ToString(k.StartedBy),
		LastStatus:      sdk.ToString(k.LastStatus),
		DesiredStatus:   sdk.ToString(k.DesiredStatus),
		Health:          string(k.HealthStatus),
		TaskDefinition:  nameOf(sdk.ToString(k.TaskDefinitionArn)),
		LaunchType:      string(k.LaunchType),
		PlatformVersion: sdk.ToString(k.PlatformVersion),
		CPU:             sdk.ToString(k.Cpu),
		Memory:          sdk.ToString(k.Memory),
		ExecEnabled:     k.EnableExecuteCommand,
		AZ:              sdk.ToString(k.AvailabilityZone),
		Created:         sdk.ToTime(k.CreatedAt),
		Started:         sdk.ToTime(k.StartedAt),
		Stopping:        sdk.ToTime(k.StoppingAt),
		Stopped:         sdk.ToTime(k.StoppedAt),
		StopCode:        string(k.StopCode),
		StopReason:      sdk.ToString(k.StoppedReason),
		Containers:      containers(k.Containers),
	}
	if row.LaunchType == "" {
		row.LaunchType = sdk.ToString(k.CapacityProviderName)
	}
	if service, ok := strings.CutPrefix(row.Group, "service:"); ok {
		row.Service = service
	}
	row.setNetwork(k.Attachments)
	return row
}

// setNetwork reads the network interface off a task's attachments, where it
// stays readable after the interface itself is gone.
func (t *Task) setNetwork(attachments []types.Attachment) {
	for i := range attachments {
		if sdk.ToString(attachments[i].Type) != "ElasticNetworkInterface" {
			continue
		}
		for _, d := range attachments[i].Details {
			switch sdk.ToString(d.Name) {
			case "subnetId":
				t.SubnetID = sdk.ToString(d.Value)
			case "networkInterfaceId":
				t.ENI = sdk.ToString(d.Value)
			case "privateIPv4Address":
				t.PrivateIP = sdk.ToString(d.Value)
			}
		}
	}
}

func containers(list []types.Container) []Container {
	rows := make([]Container, len(list))
	for i := range list {
		k := &list[i]
		rows[i] = Container{
			Name:       sdk.ToString(k.Name),
			Image:      sdk.ToString(k.Image),
			Digest:     sdk.ToString(k.ImageDigest),
			RuntimeID:  sdk.ToString(k.RuntimeId),
			LastStatus: sdk.ToString(k.LastStatus),
			Health:     string(k.HealthStatus),
			ExitCode:   exitCode(k.ExitCode),
			Reason:     sdk.ToString(k.Reason),
			Ports:      ports(k.NetworkBindings),
			Agent:      execAgent(k.ManagedAgents),
		}
	}
	return rows
}

func exitCode(code *int32) *int {
	if code == nil {
		return nil
	}
	n := int(*code)
	return &n
}

func ports(list []types.NetworkBinding) []Port {
	var rows []Port
	for i := range list {
		b := &list[i]
		rows = append(rows, Port{
			Container: int(sdk.ToInt32(b.ContainerPort)),
			Host:      int(sdk.ToInt32(b.HostPort)),
			Protocol:  string(b.Protocol),
			BindIP:    sdk.ToString(b.BindIP),
		})
	}
	return rows
}

// execAgent finds the agent by name: a container may have others, in any order.
func execAgent(list []types.ManagedAgent) ManagedAgent {
	for i := range list {
		if list[i].Name == types.ManagedAgentNameExecuteCommandAgent {
			return ManagedAgent{Status: sdk.ToString(list[i].LastStatus), Reason: sdk.ToString(list[i].Reason)}
		}
	}
	return ManagedAgent{}
}
