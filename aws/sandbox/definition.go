package sandbox

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// family is all revisions of a task definition, the first first.
type family struct {
	name      string
	revisions []*definition
}

// latest is the newest active revision, nil if there is none.
func (f *family) latest() *definition {
	for _, d := range slices.Backward(f.revisions) {
		if d.active() {
			return d
		}
	}
	return nil
}

// definition is one revision. It never changes but for its tags and its end.
type definition struct {
	types.TaskDefinition
	tags []types.Tag
}

func (d *definition) arn() string { return *d.TaskDefinitionArn }

func (d *definition) active() bool { return d.Status == types.TaskDefinitionStatusActive }

// container finds a container definition by name, nil if there is none.
func (d *definition) container(name string) *types.ContainerDefinition {
	for i := range d.ContainerDefinitions {
		if *d.ContainerDefinitions[i].Name == name {
			return &d.ContainerDefinitions[i]
		}
	}
	return nil
}

// definition finds a revision by "family", "family:revision" or ARN, whatever
// its status; a family alone means its newest active revision.
func (b *ecsBackend) definition(ref string) (*definition, error) {
	name := ref
	if isARN(ref) {
		kind, path, ok := b.resource(ref)
		if !ok || kind != "task-definition" || len(path) != 1 {
			return nil, clientError("Unable to describe task definition.")
		}
		name = path[0]
	}
	name, revision, err := splitRevision(name)
	if err != nil {
		return nil, clientError("Invalid revision number. Number: %s", ref[strings.LastIndexByte(ref, ':')+1:])
	}
	f := b.families[name]
	var found *definition
	switch {
	case f == nil:
	case revision == 0:
		found = f.latest()
	case int(revision) <= len(f.revisions):
		found = f.revisions[revision-1]
	}
	if found == nil {
		return nil, clientError("Unable to describe task definition.")
	}
	return found, nil
}

// usableDefinition finds a revision that new tasks may run.
func (b *ecsBackend) usableDefinition(ref *string) (*definition, error) {
	if aws.ToString(ref) == "" {
		return nil, invalidParameter("TaskDefinition can not be blank.")
	}
	d, err := b.definition(*ref)
	if err != nil {
		return nil, clientError("TaskDefinition not found.")
	}
	if !d.active() {
		return nil, clientError("TaskDefinition is inactive")
	}
	return d, nil
}

// RegisterTaskDefinition makes the next revision of a family.
func (b *ecsBackend) RegisterTaskDefinition(_ context.Context, in *ecs.RegisterTaskDefinitionInput) (*ecs.RegisterTaskDefinitionOutput, error) {
	if err := checkDefinition(in); err != nil {
		return nil, err
	}
	if err := b.checkExecutionRole(in); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	if err := b.checkOrder(in.ContainerDefinitions); err != nil {
		return nil, err
	}
	b.lock()
	defer b.unlock()
	f := b.families[*in.Family]
	if f == nil {
		f = &family{name: *in.Family}
		b.families[f.name] = f
	}
	d := &definition{
		TaskDefinition: b.fillDefinition(clone(*in), int32(len(f.revisions)+1), b.clock.Now()), //nolint:gosec // a count of revisions
		tags:           mergeTags(nil, in.Tags),
	}
	f.revisions = append(f.revisions, d)
	return &ecs.RegisterTaskDefinitionOutput{TaskDefinition: new(clone(d.TaskDefinition)), Tags: clone(d.tags)}, nil
}

// fillDefinition adds what ECS derives and its defaults.
func (b *ecsBackend) fillDefinition(in ecs.RegisterTaskDefinitionInput, revision int32, now time.Time) types.TaskDefinition {
	d := types.TaskDefinition{
		TaskDefinitionArn:       aws.String(b.arn("task-definition", *in.Family+":"+strconv.Itoa(int(revision)))),
		Family:                  in.Family,
		Revision:                revision,
		Status:                  types.TaskDefinitionStatusActive,
		ContainerDefinitions:    in.ContainerDefinitions,
		Cpu:                     in.Cpu,
		Memory:                  in.Memory,
		NetworkMode:             cmp.Or(in.NetworkMode, types.NetworkModeBridge),
		EphemeralStorage:        in.EphemeralStorage,
		ExecutionRoleArn:        in.ExecutionRoleArn,
		TaskRoleArn:             in.TaskRoleArn,
		IpcMode:                 in.IpcMode,
		PidMode:                 in.PidMode,
		PlacementConstraints:    append([]types.TaskDefinitionPlacementConstraint{}, in.PlacementConstraints...),
		ProxyConfiguration:      in.ProxyConfiguration,
		RequiresCompatibilities: in.RequiresCompatibilities,
		RuntimePlatform:         in.RuntimePlatform,
		Volumes:                 append([]types.Volume{}, in.Volumes...),
		EnableFaultInjection:    in.EnableFaultInjection,
		Compatibilities:         []types.Compatibility{types.CompatibilityEc2},
		RequiresAttributes:      []types.Attribute{},
		RegisteredAt:            aws.Time(now),
		RegisteredBy:            aws.String("arn:aws:iam::" + b.account + ":root"),
	}
	if d.NetworkMode == types.NetworkModeAwsvpc && fargateSize(d.Cpu, d.Memory) {
		d.Compatibilities = append(d.Compatibilities, types.CompatibilityFargate)
	}
	for i := range d.ContainerDefinitions {
		fillContainer(&d.ContainerDefinitions[i], d.NetworkMode)
	}
	return d
}

// fillContainer adds the defaults that ECS writes into a container definition.
func fillContainer(c *types.ContainerDefinition, mode types.NetworkMode) {
	if c.Essential == nil {
		c.Essential = aws.Bool(true)
	}
	for i := range c.PortMappings {
		p := &c.PortMappings[i]
		p.Protocol = cmp.Or(p.Protocol, types.TransportProtocolTcp)
		if p.HostPort == nil && p.ContainerPort != nil && mode == types.NetworkModeAwsvpc {
			p.HostPort = aws.Int32(*p.ContainerPort)
		}
	}
	if c.Environment == nil {
		c.Environment = []types.KeyValuePair{}
	}
	if c.MountPoints == nil {
		c.MountPoints = []types.MountPoint{}
	}
	if c.VolumesFrom == nil {
		c.VolumesFrom = []types.VolumeFrom{}
	}
	if c.PortMappings == nil {
		c.PortMappings = []types.PortMapping{}
	}
	if c.SystemControls == nil {
		c.SystemControls = []types.SystemControl{}
	}
}

// DescribeTaskDefinition describes one revision.
func (b *ecsBackend) DescribeTaskDefinition(_ context.Context, in *ecs.DescribeTaskDefinitionInput) (*ecs.DescribeTaskDefinitionOutput, error) {
	b.lock()
	defer b.unlock()
	if aws.ToString(in.TaskDefinition) == "" {
		return nil, invalidParameter("TaskDefinition can not be blank.")
	}
	d, err := b.definition(*in.TaskDefinition)
	if err != nil {
		return nil, err
	}
	out := &ecs.DescribeTaskDefinitionOutput{TaskDefinition: new(clone(d.TaskDefinition))}
	if slices.Contains(in.Include, types.TaskDefinitionFieldTags) {
		out.Tags = append([]types.Tag{}, clone(d.tags)...)
	}
	return out, nil
}

// DeregisterTaskDefinition makes a revision INACTIVE; what runs keeps running.
func (b *ecsBackend) DeregisterTaskDefinition(_ context.Context, in *ecs.DeregisterTaskDefinitionInput) (*ecs.DeregisterTaskDefinitionOutput, error) {
	b.lock()
	defer b.unlock()
	ref := aws.ToString(in.TaskDefinition)
	if ref == "" {
		return nil, invalidParameter("TaskDefinition can not be blank.")
	}
	if name := ref[strings.LastIndexByte(ref, '/')+1:]; !strings.Contains(name, ":") {
		return nil, clientError("The specified task definition does not have a revision: %s", ref)
	}
	d, err := b.definition(ref)
	if err != nil {
		return nil, err
	}
	if !d.active() {
		return nil, clientError("The specified task definition is inactive. Specify an active task definition and try again.")
	}
	d.Status = types.TaskDefinitionStatusInactive
	d.DeregisteredAt = aws.Time(b.clock.Now())
	return &ecs.DeregisterTaskDefinitionOutput{TaskDefinition: new(clone(d.TaskDefinition))}, nil
}
