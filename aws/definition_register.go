package aws

import (
	"context"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"gantry/internal/diagnose"
)

// RegisterRevision registers the next revision of a family: a copy of
// everything that from says, its tags too, with other images. images is by the
// name of the container.
func (c *Client) RegisterRevision(ctx context.Context, from Definition, images map[string]string) (Definition, error) {
	what := "register a revision of " + from.Family
	s, err := c.mutable(ctx, what, from.Scope)
	if err != nil {
		return Definition{}, err
	}
	out, err := s.ecs.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{
		TaskDefinition: &from.ARN, Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags},
	})
	if err != nil {
		return Definition{}, c.explain(what, err)
	}
	in := registration(out.TaskDefinition, out.Tags)
	if err := replaceImages(what, in.ContainerDefinitions, images); err != nil {
		return Definition{}, err
	}
	return c.register(ctx, s, what, in)
}

func (c *Client) register(ctx context.Context, s *session, what string, in *ecs.RegisterTaskDefinitionInput) (Definition, error) {
	out, err := s.ecs.RegisterTaskDefinition(ctx, in)
	if err != nil {
		return Definition{}, c.explain(what, err)
	}
	return c.keepDefinition(out.TaskDefinition), nil
}

// registration is what registers the same definition again. A test compares it
// with every field that the two have.
func registration(k *types.TaskDefinition, tags []types.Tag) *ecs.RegisterTaskDefinitionInput {
	return &ecs.RegisterTaskDefinitionInput{
		Family:                  k.Family,
		ContainerDefinitions:    k.ContainerDefinitions,
		Cpu:                     k.Cpu,
		EnableFaultInjection:    k.EnableFaultInjection,
		EphemeralStorage:        k.EphemeralStorage,
		ExecutionRoleArn:        k.ExecutionRoleArn,
		InferenceAccelerators:   k.InferenceAccelerators, //nolint:staticcheck // old definitions may have some
		IpcMode:                 k.IpcMode,
		Memory:                  k.Memory,
		NetworkMode:             k.NetworkMode,
		PidMode:                 k.PidMode,
		PlacementConstraints:    k.PlacementConstraints,
		ProxyConfiguration:      k.ProxyConfiguration,
		RequiresCompatibilities: k.RequiresCompatibilities,
		RuntimePlatform:         k.RuntimePlatform,
		TaskRoleArn:             k.TaskRoleArn,
		Volumes:                 k.Volumes,
		Tags:                    ownTags(tags),
	}
}

// ownTags leaves out what AWS has put on by itself: aws: is reserved, and a
// registration with such a tag is refused.
func ownTags(tags []types.Tag) []types.Tag {
	own := slices.DeleteFunc(slices.Clone(tags), func(t types.Tag) bool {
		return strings.HasPrefix(strings.ToLower(sdk.ToString(t.Key)), "aws:")
	})
	if len(own) == 0 {
		return nil // an empty list is refused
	}
	return own
}

// replaceImages puts other images in. A name that is not there is a mistake
// that would otherwise deploy the old image.
func replaceImages(what string, containers []types.ContainerDefinition, images map[string]string) error {
	left := len(images)
	for i := range containers {
		if image, ok := images[sdk.ToString(containers[i].Name)]; ok {
			containers[i].Image = sdk.String(image)
			left--
		}
	}
	if left == 0 {
		return nil
	}
	names := make([]string, len(containers))
	for i := range containers {
		names[i] = sdk.ToString(containers[i].Name)
	}
	return &diagnose.Error{
		What: what, Cause: "the definition has no container of the name given",
		Do: "choose one of: " + clean(strings.Join(names, ", ")), Err: ErrNotFound,
	}
}

// RegisterDefinition registers a definition of one container for Fargate.
func (c *Client) RegisterDefinition(ctx context.Context, scope Scope, n NewDefinition) (Definition, error) {
	what := "register task definition " + clean(n.Family)
	s, err := c.mutable(ctx, what, scope)
	if err != nil {
		return Definition{}, err
	}
	platform, err := runtimePlatform(what, n.Platform)
	if err != nil {
		return Definition{}, err
	}
	container := types.ContainerDefinition{
		Name: &n.Container, Image: &n.Image, Essential: sdk.Bool(true), LogConfiguration: n.logs(s.cfg.Region),
	}
	if n.Port != 0 {
		port := int32(n.Port) //nolint:gosec // AWS refuses what is no port
		container.PortMappings = []types.PortMapping{{ContainerPort: &port, Protocol: types.TransportProtocolTcp}}
	}
	return c.register(ctx, s, what, &ecs.RegisterTaskDefinitionInput{
		Family:                  &n.Family,
		Cpu:                     &n.CPU,
		Memory:                  &n.Memory,
		NetworkMode:             types.NetworkModeAwsvpc,
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		RuntimePlatform:         platform,
		ExecutionRoleArn:        orNil(n.ExecutionRole),
		TaskRoleArn:             orNil(n.TaskRole),
		ContainerDefinitions:    []types.ContainerDefinition{container},
	})
}

// logs sends the container's output to CloudWatch. Fargate wants the prefix;
// the stream is then prefix/container/task.
func (n NewDefinition) logs(region string) *types.LogConfiguration {
	if n.LogGroup == "" {
		return nil
	}
	return &types.LogConfiguration{
		LogDriver: types.LogDriverAwslogs,
		Options: map[string]string{
			"awslogs-group":         n.LogGroup,
			"awslogs-region":        region,
			"awslogs-stream-prefix": n.Family,
			"awslogs-create-group":  "true",
		},
	}
}

// runtimePlatform is an image's platform in ECS's words. Fargate knows no other
// processors; nil leaves it to ECS.
func runtimePlatform(what, platform string) (*types.RuntimePlatform, error) {
	if platform == "" {
		return nil, nil
	}
	system, architecture, _ := strings.Cut(platform, "/")
	architecture, _, _ = strings.Cut(architecture, "/") // arm64/v8 is arm64
	p := &types.RuntimePlatform{OperatingSystemFamily: types.OSFamilyLinux, CpuArchitecture: types.CPUArchitectureX8664}
	switch system + "/" + architecture {
	case "linux/amd64":
	case "linux/arm64":
		p.CpuArchitecture = types.CPUArchitectureArm64
	case "windows/amd64":
		p.OperatingSystemFamily = types.OSFamilyWindowsServer2022Core
	default:
		return nil, &diagnose.Error{
			What: what, Cause: fmt.Sprintf("Fargate runs no images for %s", clean(platform)),
			Do: "build the image for linux/amd64 or linux/arm64", Err: ErrRefused,
		}
	}
	return p, nil
}

func orNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
