package sandbox

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// The demo world is made through the operations that everybody uses, so it
// holds nothing that a user could not have made.

// demoImage is what every container of the demo world runs. The process
// runtime has this image alone.
const demoImage = "gantry/demo"

// demoFamily is a task definition of the demo world.
type demoFamily struct {
	name, tag   string
	command     []string
	cpu, memory string
	port        int32 // 0: listens nowhere
	env         []types.KeyValuePair
	role        bool
}

// demoService is a service of the demo world.
type demoService struct {
	family  string
	desired int32
	exec    bool
	breaker bool
}

var demoFamilies = []demoFamily{
	{name: "web", tag: "1.4.0", command: []string{"serve"}, cpu: "256", memory: "512", port: 8080, role: true, env: webEnv},
	{name: "web", tag: "1.5.0", command: []string{"serve"}, cpu: "256", memory: "512", port: 8080, role: true, env: webEnv},
	{name: "api", tag: "2.11.3", command: []string{"serve"}, cpu: "512", memory: "1024", port: 8081, role: true, env: apiEnv},
	{name: "worker", tag: "2.11.3", command: []string{"work"}, cpu: "256", memory: "1024", env: env("APP_ENV", "production", "QUEUE", "orders")},
	{name: "checkout", tag: "0.9.0", command: []string{"crash"}, cpu: "256", memory: "512", env: env("PAYMENT_URL", "http://payment.shop.internal")},
	{name: "report", tag: "1.0.2", command: []string{"batch"}, cpu: "256", memory: "512", env: env("REPORT", "daily")},
	{name: "import", tag: "1.0.2", command: []string{"batch", "3"}, cpu: "256", memory: "512", env: env("SOURCE", "catalogue.csv")},
}

var (
	webEnv = env(
		"APP_ENV", "production",
		"LOG_LEVEL", "info",
		"PORT", "8080",
		"API_URL", "http://api.shop.internal:8081",
	)
	// apiEnv holds what should have been a secret, as it often does: whoever
	// draws an environment has to mask it.
	apiEnv = env(
		"APP_ENV", "production",
		"PORT", "8081",
		"DB_HOST", "db.shop.internal",
		"DB_USER", "shop",
		"DB_PASSWORD", "not-a-real-password",
	)
)

var demoServices = []demoService{
	{family: "web", desired: 3, exec: true, breaker: true},
	{family: "api", desired: 2, exec: true, breaker: true},
	{family: "worker", desired: 2},
	{family: "checkout", desired: 1},
}

// seedDemo makes the demo world: the cluster "shop" with the services web (3
// tasks), api (2), worker (2) and checkout, which keeps crashing, and the
// cluster "batch" with a task that will finish and one that will fail.
func (b *ecsBackend) seedDemo(ctx context.Context) error {
	for _, name := range []string{"shop", "batch"} {
		if _, err := b.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String(name), Tags: demoTags(name)}); err != nil {
			return fmt.Errorf("create the demo cluster %s: %w", name, err)
		}
	}
	for _, f := range demoFamilies {
		if _, err := b.RegisterTaskDefinition(ctx, f.input(b.account)); err != nil {
			return fmt.Errorf("register the demo task definition %s: %w", f.name, err)
		}
	}
	for _, s := range demoServices {
		if _, err := b.CreateService(ctx, s.input()); err != nil {
			return fmt.Errorf("create the demo service %s: %w", s.family, err)
		}
	}
	for _, family := range []string{"report", "import"} {
		in := &ecs.RunTaskInput{
			Cluster: aws.String("batch"), TaskDefinition: aws.String(family), LaunchType: types.LaunchTypeFargate,
			StartedBy: aws.String("nightly"), NetworkConfiguration: demoNetwork(), Tags: demoTags(family),
		}
		if _, err := b.RunTask(ctx, in); err != nil {
			return fmt.Errorf("run the demo task %s: %w", family, err)
		}
	}
	return nil
}

func (f demoFamily) input(account string) *ecs.RegisterTaskDefinitionInput {
	c := types.ContainerDefinition{
		Name: aws.String(f.name), Image: aws.String(demoImage + ":" + f.tag), Command: f.command,
		Essential: aws.Bool(true), Environment: f.env, StopTimeout: aws.Int32(10),
		LogConfiguration: &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{
			"awslogs-group": "/ecs/" + f.name, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "ecs", "awslogs-create-group": "true",
		}},
	}
	if f.port != 0 {
		c.PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(f.port), Protocol: types.TransportProtocolTcp}}
	}
	in := &ecs.RegisterTaskDefinitionInput{
		Family: aws.String(f.name), Cpu: aws.String(f.cpu), Memory: aws.String(f.memory),
		NetworkMode:             types.NetworkModeAwsvpc,
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		RuntimePlatform:         &types.RuntimePlatform{CpuArchitecture: types.CPUArchitectureX8664, OperatingSystemFamily: types.OSFamilyLinux},
		ExecutionRoleArn:        aws.String("arn:aws:iam::" + account + ":role/ecsTaskExecutionRole"),
		ContainerDefinitions:    []types.ContainerDefinition{c},
		Tags:                    demoTags(f.name),
	}
	if f.role {
		in.TaskRoleArn = aws.String("arn:aws:iam::" + account + ":role/" + f.name + "-task")
	}
	return in
}

func (s demoService) input() *ecs.CreateServiceInput {
	return &ecs.CreateServiceInput{
		Cluster: aws.String("shop"), ServiceName: aws.String(s.family), TaskDefinition: aws.String(s.family),
		DesiredCount: aws.Int32(s.desired), LaunchType: types.LaunchTypeFargate,
		NetworkConfiguration: demoNetwork(), EnableExecuteCommand: s.exec,
		PropagateTags: types.PropagateTagsService, Tags: demoTags(s.family),
		DeploymentConfiguration: &types.DeploymentConfiguration{
			MinimumHealthyPercent: aws.Int32(100), MaximumPercent: aws.Int32(200),
			DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: s.breaker, Rollback: s.breaker},
		},
	}
}

// demoRoles are the task roles of the demo world, none if that is not wanted.
func demoRoles(c Config) []*role {
	var roles []*role
	for i, f := range demoFamilies {
		if !c.Empty && f.role && (i == 0 || demoFamilies[i-1].name != f.name) {
			roles = append(roles, &role{name: f.name + "-task", description: "What the tasks of " + f.name + " may do"})
		}
	}
	return roles
}

func demoNetwork() *types.NetworkConfiguration {
	return &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
		Subnets:        []string{defaultSubnets[0].id, defaultSubnets[1].id},
		SecurityGroups: []string{defaultGroup},
		AssignPublicIp: types.AssignPublicIpEnabled,
	}}
}

func demoTags(name string) []types.Tag {
	return []types.Tag{
		{Key: aws.String("app"), Value: aws.String(name)},
		{Key: aws.String("team"), Value: aws.String("shop")},
	}
}

// env makes environment variables of names and values in turn.
func env(pairs ...string) []types.KeyValuePair {
	out := make([]types.KeyValuePair, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, types.KeyValuePair{Name: aws.String(pairs[i]), Value: aws.String(pairs[i+1])})
	}
	return out
}
