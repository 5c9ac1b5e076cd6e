package sandbox

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func TestRegisterTaskDefinitionRefuses(t *testing.T) {
	b, _ := newTestECS(t)
	b.registry = "127.0.0.1:5000"
	for _, test := range []struct {
		name   string
		change func(*ecs.RegisterTaskDefinitionInput)
		want   string
	}{
		{"no family", func(in *ecs.RegisterTaskDefinitionInput) { in.Family = nil }, "Family should not be null or empty."},
		{"no containers", func(in *ecs.RegisterTaskDefinitionInput) { in.ContainerDefinitions = nil }, "Container list cannot be empty."},
		{"no container name", func(in *ecs.RegisterTaskDefinitionInput) { in.ContainerDefinitions[0].Name = nil }, "Container.name should not be null or empty."},
		{"no image", func(in *ecs.RegisterTaskDefinitionInput) { in.ContainerDefinitions[0].Image = nil }, "Container.image should not be null or empty."},
		{"no memory", func(in *ecs.RegisterTaskDefinitionInput) { in.Memory = nil }, "Fargate requires that 'memory' be defined at the task level."},
		{"odd size", func(in *ecs.RegisterTaskDefinitionInput) { in.Memory = aws.String("1536") }, "No Fargate configuration exists for given values: 256 CPU, 1536 memory. See the Amazon ECS documentation for the valid values."},
		{"bridge", func(in *ecs.RegisterTaskDefinitionInput) { in.NetworkMode = types.NetworkModeBridge }, "Fargate only supports network mode ‘awsvpc’."},
		{"logs without a role", func(in *ecs.RegisterTaskDefinitionInput) { in.ExecutionRoleArn = nil }, "Fargate requires task definition to have execution role ARN to support log driver awslogs."},
		{"an image of ECR without a role", func(in *ecs.RegisterTaskDefinitionInput) {
			in.ExecutionRoleArn, in.ContainerDefinitions[0].Image = nil, aws.String("127.0.0.1:5000/web:1")
		}, "Fargate requires task definition to have execution role ARN to support ECR images."},
		{"ports", func(in *ecs.RegisterTaskDefinitionInput) {
			in.ContainerDefinitions[0].PortMappings[0].HostPort = aws.Int32(80)
		}, "When networkMode=awsvpc, the host ports and container ports in port mappings must match."},
		{"same name twice", func(in *ecs.RegisterTaskDefinitionInput) {
			in.ContainerDefinitions = append(in.ContainerDefinitions, in.ContainerDefinitions[0])
		}, "Container names must be unique. Duplicate name: web"},
		{"nothing essential", func(in *ecs.RegisterTaskDefinitionInput) {
			in.ContainerDefinitions[0].Essential = aws.Bool(false)
		}, "A task definition must have at least one essential container."},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := demoFamilies[0].input(account)
			test.change(in)
			_, err := b.RegisterTaskDefinition(t.Context(), in)
			wantError[*types.ClientException](t, err, test.want)
		})
	}
}

func TestTaskDefinitionRevisions(t *testing.T) {
	b, _ := newTestECS(t)
	for range 3 {
		register(t, b, "web", "serve")
	}
	register(t, b, "web-2", "serve")
	const arn = "arn:aws:ecs:us-east-1:000000000000:task-definition/web"
	if _, err := b.DeregisterTaskDefinition(t.Context(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: aws.String("web:3")}); err != nil {
		t.Fatal(err)
	}
	for ref, want := range map[string]string{"web": arn + ":2", "web:1": arn + ":1", arn + ":3": arn + ":3"} {
		out, err := b.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: &ref, Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags}})
		if err != nil || *out.TaskDefinition.TaskDefinitionArn != want || len(out.Tags) != 2 {
			t.Errorf("%s: %v, %+v; want %s", ref, err, out, want)
		}
	}
	for _, ref := range []string{"ghost", "web:9", "arn:aws:ecs:us-east-1:000000000000:cluster/web"} {
		_, err := b.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: &ref})
		wantError[*types.ClientException](t, err, "Unable to describe task definition.")
	}
	list := func(in ecs.ListTaskDefinitionsInput) []string {
		out, err := b.ListTaskDefinitions(t.Context(), &in)
		if err != nil {
			t.Fatal(err)
		}
		return out.TaskDefinitionArns
	}
	if got := list(ecs.ListTaskDefinitionsInput{FamilyPrefix: aws.String("web"), Sort: types.SortOrderDesc}); !slices.Equal(got, []string{arn + ":2", arn + ":1"}) {
		t.Errorf("active revisions of web: %v", got)
	}
	if got := list(ecs.ListTaskDefinitionsInput{Status: types.TaskDefinitionStatusInactive}); !slices.Equal(got, []string{arn + ":3"}) {
		t.Errorf("inactive revisions: %v", got)
	}
	families, err := b.ListTaskDefinitionFamilies(t.Context(), &ecs.ListTaskDefinitionFamiliesInput{FamilyPrefix: aws.String("we")})
	if err != nil || !slices.Equal(families.Families, []string{"web", "web-2"}) {
		t.Errorf("families: %v, %v", families, err)
	}
	if _, err := b.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String("shop")}); err != nil {
		t.Fatal(err)
	}
	in := runInput()
	in.TaskDefinition = aws.String("web:3")
	_, err = b.RunTask(t.Context(), in)
	wantError[*types.ClientException](t, err, "TaskDefinition is inactive")
}

// TestAnswersAreCopies changes what was sent and what was answered: the state
// must not notice.
func TestAnswersAreCopies(t *testing.T) {
	b, _ := newTestECS(t)
	in := demoFamilies[0].input(account)
	sent, err := b.RegisterTaskDefinition(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	*in.ContainerDefinitions[0].Environment[0].Value = "changed"
	*sent.TaskDefinition.ContainerDefinitions[0].Image = "changed"
	sent.TaskDefinition.ContainerDefinitions[0].LogConfiguration.Options["awslogs-group"] = "changed"
	out, err := b.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("web")})
	if err != nil {
		t.Fatal(err)
	}
	c := out.TaskDefinition.ContainerDefinitions[0]
	if *c.Environment[0].Value == "changed" || *c.Image == "changed" || c.LogConfiguration.Options["awslogs-group"] == "changed" {
		t.Error("the state is shared with a caller")
	}
}
