package sandbox

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

const maxDescribedTasks = 100

// DescribeTasks describes up to 100 tasks of a cluster.
func (b *ecsBackend) DescribeTasks(_ context.Context, in *ecs.DescribeTasksInput) (*ecs.DescribeTasksOutput, error) {
	b.lock()
	defer b.unlock()
	c, err := b.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	switch {
	case len(in.Tasks) == 0:
		return nil, invalidParameter("Tasks cannot be empty.")
	case len(in.Tasks) > maxDescribedTasks:
		return nil, invalidParameter("Tasks cannot have more than %d elements.", maxDescribedTasks)
	}
	out := &ecs.DescribeTasksOutput{Tasks: make([]types.Task, 0, len(in.Tasks)), Failures: []types.Failure{}}
	withTags := slices.Contains(in.Include, types.TaskFieldTags)
	for _, ref := range in.Tasks {
		t := c.task(ref)
		if t == nil {
			out.Failures = append(out.Failures, missing(b.asARN("task", c.name, ref)))
			continue
		}
		described := t.describe()
		if !withTags {
			described.Tags = []types.Tag{}
		}
		out.Tasks = append(out.Tasks, described)
	}
	return out, nil
}

// describe is the task as ECS answers, with its tags.
func (t *task) describe() types.Task {
	d := t.definition
	out := types.Task{
		TaskArn:              aws.String(t.arn),
		ClusterArn:           aws.String(t.cluster.arn),
		TaskDefinitionArn:    aws.String(d.arn()),
		Group:                aws.String(t.group),
		StartedBy:            optional(t.startedBy),
		LastStatus:           aws.String(string(t.last)),
		DesiredStatus:        aws.String(string(t.desired)),
		Version:              t.version,
		LaunchType:           types.LaunchTypeFargate,
		PlatformVersion:      aws.String(fargateVersion),
		PlatformFamily:       aws.String(fargateFamily),
		AvailabilityZone:     aws.String(t.nic.zone),
		Cpu:                  clone(d.Cpu),
		Memory:               clone(d.Memory),
		EnableExecuteCommand: t.exec,
		HealthStatus:         t.health(),
		Attributes:           []types.Attribute{{Name: aws.String("ecs.cpu-architecture"), Value: aws.String("x86_64")}},
		Attachments:          []types.Attachment{t.nic.describe(t)},
		Containers:           make([]types.Container, len(t.containers)),
		Overrides:            t.describeOverrides(),
		EphemeralStorage:     &types.EphemeralStorage{SizeInGiB: 20},
		Tags:                 append([]types.Tag{}, clone(t.tags)...),
		CreatedAt:            aws.Time(t.created),
		PullStartedAt:        moment(t.pullStarted),
		PullStoppedAt:        moment(t.pullStopped),
		StartedAt:            moment(t.started),
		StoppingAt:           moment(t.stopping),
		ExecutionStoppedAt:   moment(t.executed),
		StoppedAt:            moment(t.stopped),
		StopCode:             t.stopCode,
		StoppedReason:        optional(t.stoppedReason),
	}
	if !t.pullStarted.IsZero() {
		out.Connectivity = types.ConnectivityConnected
		out.ConnectivityAt = aws.Time(t.pullStarted)
	}
	if d.EphemeralStorage != nil {
		out.EphemeralStorage = clone(d.EphemeralStorage)
	}
	if o := t.overrides; o != nil {
		if o.Cpu != nil {
			out.Cpu = clone(o.Cpu)
		}
		if o.Memory != nil {
			out.Memory = clone(o.Memory)
		}
	}
	for i, c := range t.containers {
		out.Containers[i] = c.describe(t)
	}
	return out
}

// describeOverrides lists every container, overridden or not, as ECS does.
func (t *task) describeOverrides() *types.TaskOverride {
	out := &types.TaskOverride{}
	if t.overrides != nil {
		*out = clone(*t.overrides)
	}
	for _, c := range t.containers {
		name := c.definition.Name
		named := func(o types.ContainerOverride) bool { return aws.ToString(o.Name) == *name }
		if !slices.ContainsFunc(out.ContainerOverrides, named) {
			out.ContainerOverrides = append(out.ContainerOverrides, types.ContainerOverride{Name: aws.String(*name)})
		}
	}
	return out
}

// describe is the interface as an attachment. It has an address once it is
// attached, and keeps it in the answers after it is gone.
func (n nic) describe(t *task) types.Attachment {
	out := types.Attachment{
		Id:     aws.String(n.attachment),
		Type:   aws.String("ElasticNetworkInterface"),
		Status: aws.String("ATTACHED"),
	}
	detail := func(name, value string) {
		out.Details = append(out.Details, types.KeyValuePair{Name: aws.String(name), Value: aws.String(value)})
	}
	detail("subnetId", n.subnet)
	switch t.last {
	case taskProvisioning:
		out.Status = aws.String("PRECREATED")
		return out
	case taskStopped:
		out.Status = aws.String("DELETED")
	case taskDeprovisioning:
		out.Status = aws.String("DETACHING")
	}
	detail("networkInterfaceId", n.id)
	detail("macAddress", n.mac)
	detail("privateDnsName", n.dnsName())
	detail("privateIPv4Address", n.ip)
	return out
}

func (c *container) describe(t *task) types.Container {
	d := c.definition
	over := t.override(*d.Name)
	out := types.Container{
		ContainerArn:      aws.String(c.arn),
		TaskArn:           aws.String(t.arn),
		Name:              aws.String(*d.Name),
		Image:             aws.String(*d.Image),
		ImageDigest:       optional(c.as.ImageDigest),
		LastStatus:        aws.String(string(c.status)),
		ExitCode:          clone(c.exitCode),
		Reason:            optional(c.reason),
		HealthStatus:      c.health,
		Cpu:               aws.String(strconv.Itoa(int(d.Cpu))),
		Memory:            number(d.Memory),
		MemoryReservation: number(d.MemoryReservation),
		NetworkBindings:   make([]types.NetworkBinding, 0, len(c.as.Bindings)),
		NetworkInterfaces: []types.NetworkInterface{},
	}
	if over.Cpu != nil {
		out.Cpu = number(over.Cpu)
	}
	if over.Memory != nil {
		out.Memory = number(over.Memory)
	}
	if !t.pullStarted.IsZero() {
		out.RuntimeId = aws.String(c.runtimeID)
	}
	for _, p := range c.as.Bindings {
		out.NetworkBindings = append(out.NetworkBindings, types.NetworkBinding{
			BindIP: aws.String(p.HostIP), ContainerPort: aws.Int32(p.ContainerPort), HostPort: aws.Int32(p.HostPort),
			Protocol: types.TransportProtocol(p.Protocol),
		})
	}
	if t.last != taskProvisioning {
		out.NetworkInterfaces = append(out.NetworkInterfaces, types.NetworkInterface{
			AttachmentId: aws.String(t.nic.attachment), PrivateIpv4Address: aws.String(t.nic.ip),
		})
	}
	if a := c.agent; a != nil {
		out.ManagedAgents = []types.ManagedAgent{{
			Name: types.ManagedAgentNameExecuteCommandAgent, LastStatus: aws.String(string(a.status)),
			LastStartedAt: moment(a.started), Reason: optional(a.reason),
		}}
	}
	return out
}

// optional is nil for an empty text.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// moment is nil for a time that has not come.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func number(n *int32) *string {
	if n == nil {
		return nil
	}
	return aws.String(strconv.Itoa(int(*n)))
}
