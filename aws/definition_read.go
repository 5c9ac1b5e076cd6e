package aws

import (
	"context"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// familiesPerPage is AWS's limit (ListTaskDefinitionFamilies API reference).
const familiesPerPage = 100

// Definition reads a revision of a task definition, by ARN or family:revision;
// a family alone is its newest active one. A revision never changes, so that it
// is read once; what its Status says may be of then.
func (c *Client) Definition(ctx context.Context, ref string) (Definition, error) {
	name := nameOf(ref)
	if known, ok := c.definitions.Load(name); ok {
		if d, ok := known.(Definition); ok {
			return d, nil
		}
	}
	what := "describe task definition " + name
	s, err := c.connect(ctx)
	if err != nil {
		return Definition{}, c.explain(what, err)
	}
	out, err := s.ecs.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: &ref})
	if err != nil {
		return Definition{}, c.explain(what, err)
	}
	return c.keepDefinition(out.TaskDefinition), nil
}

// keepDefinition turns a definition into a row and keeps it.
func (c *Client) keepDefinition(k *types.TaskDefinition) Definition {
	d := c.definitionRow(k)
	if k.Status == types.TaskDefinitionStatusActive || k.Status == types.TaskDefinitionStatusInactive {
		c.definitions.Store(d.Name(), d)
	}
	return d
}

// Families is the names of the families that have an active revision.
func (c *Client) Families(ctx context.Context) ([]string, error) {
	const what = "list task definition families"
	s, err := c.connect(ctx)
	if err != nil {
		return nil, c.explain(what, err)
	}
	var names []string
	err = eachPage(func(token *string) (*string, error) {
		out, err := s.ecs.ListTaskDefinitionFamilies(ctx, &ecs.ListTaskDefinitionFamiliesInput{
			Status: types.TaskDefinitionFamilyStatusActive, MaxResults: sdk.Int32(familiesPerPage), NextToken: token,
		})
		if err != nil {
			return nil, err
		}
		names = append(names, out.Families...)
		return out.NextToken, nil
	})
	return names, c.explain(what, err)
}

func (c *Client) definitionRow(k *types.TaskDefinition) Definition {
	row := Definition{
		Scope:         scopeOf(c.profile(), sdk.ToString(k.TaskDefinitionArn)),
		ARN:           sdk.ToString(k.TaskDefinitionArn),
		Family:        sdk.ToString(k.Family),
		Revision:      int(k.Revision),
		Status:        string(k.Status),
		CPU:           sdk.ToString(k.Cpu),
		Memory:        sdk.ToString(k.Memory),
		NetworkMode:   string(k.NetworkMode),
		Platform:      platformOf(k.RuntimePlatform),
		ExecutionRole: sdk.ToString(k.ExecutionRoleArn),
		TaskRole:      sdk.ToString(k.TaskRoleArn),
		Containers:    make([]DefinedContainer, len(k.ContainerDefinitions)),
		Registered:    sdk.ToTime(k.RegisteredAt),
	}
	for _, compatible := range k.Compatibilities {
		row.Compatibilities = append(row.Compatibilities, string(compatible))
	}
	for i := range k.ContainerDefinitions {
		row.Containers[i] = definedContainer(&k.ContainerDefinitions[i])
	}
	return row
}

// definedContainer reads a container. One that says nothing is essential
// (ContainerDefinition API reference).
func definedContainer(k *types.ContainerDefinition) DefinedContainer {
	row := DefinedContainer{
		Name: sdk.ToString(k.Name), Image: sdk.ToString(k.Image), Essential: k.Essential == nil || *k.Essential,
		Log: logConfig(k.LogConfiguration),
	}
	for i := range k.PortMappings {
		m := &k.PortMappings[i]
		port := int(sdk.ToInt32(m.ContainerPort))
		if port != 0 && m.Protocol != types.TransportProtocolUdp && !slices.Contains(row.Ports, port) {
			row.Ports = append(row.Ports, port)
		}
	}
	return row
}

// platformOf is a platform as images name it. ECS takes Linux on x86 where a
// definition names none (RuntimePlatform API reference).
func platformOf(k *types.RuntimePlatform) string {
	system, architecture := "linux", "amd64"
	if k != nil && strings.HasPrefix(string(k.OperatingSystemFamily), "WINDOWS") {
		system = "windows"
	}
	if k != nil && k.CpuArchitecture == types.CPUArchitectureArm64 {
		architecture = "arm64"
	}
	return system + "/" + architecture
}
