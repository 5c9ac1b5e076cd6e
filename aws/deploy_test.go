package aws_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"gantry/aws"
)

func TestDefinition(t *testing.T) {
	w := newWorld(t)
	c := w.client(nil)
	w.cluster("shop")
	d, err := c.Definition(t.Context(), "app:1")
	w.must(err)
	want := []aws.DefinedContainer{{Name: "app", Image: "gantry/demo", Essential: true}, {Name: "log", Image: "gantry/demo"}}
	if d.Name() != "app:1" || d.Family != "app" || d.Revision != 1 || d.Status != "ACTIVE" || d.CPU != "256" || d.Memory != "512" ||
		d.NetworkMode != "awsvpc" || d.Platform != "linux/amd64" || !slices.Contains(d.Compatibilities, "FARGATE") ||
		!reflect.DeepEqual(d.Containers, want) || d.Region != w.server.Region() || d.Registered.IsZero() {
		t.Errorf("got %+v", d)
	}
	before := c.Calls()
	for _, ref := range []string{"app:1", d.ARN} {
		if again, err := c.Definition(t.Context(), ref); err != nil || !reflect.DeepEqual(again, d) {
			t.Errorf("%s: %+v, %v", ref, again, err)
		}
	}
	if c.Calls() != before {
		t.Error("a revision was read again")
	}
	if newest, err := c.Definition(t.Context(), "app"); err != nil || newest.Revision != 1 {
		t.Errorf("the family: %+v, %v", newest, err)
	}
	families, err := c.Families(t.Context())
	if err != nil || !reflect.DeepEqual(families, []string{"app"}) {
		t.Errorf("families %v, %v", families, err)
	}
}

func TestRegisterRevision(t *testing.T) {
	w := newWorld(t)
	c := w.client(nil)
	w.cluster("shop")
	_, err := w.raw.TagResource(t.Context(), &ecs.TagResourceInput{
		ResourceArn: arnOf(t, c, "app:1"), Tags: []types.Tag{{Key: sdk.String("team"), Value: sdk.String("shop")}},
	})
	w.must(err)
	from, err := c.Definition(t.Context(), "app:1")
	w.must(err)
	to, err := c.RegisterRevision(t.Context(), from, map[string]string{"app": "reg.local/web@sha256:1"})
	w.must(err)
	if to.Name() != "app:2" || to.Containers[0].Image != "reg.local/web@sha256:1" || to.Containers[1].Image != "gantry/demo" {
		t.Errorf("registered %+v", to)
	}
	old, now := raw(t, w, "app:1"), raw(t, w, "app:2")
	if !reflect.DeepEqual(old.Tags, now.Tags) || len(now.Tags) != 1 {
		t.Errorf("tags %+v, before %+v", now.Tags, old.Tags)
	}
	now.TaskDefinition.ContainerDefinitions[0].Image = old.TaskDefinition.ContainerDefinitions[0].Image
	if !reflect.DeepEqual(old.TaskDefinition.ContainerDefinitions, now.TaskDefinition.ContainerDefinitions) {
		t.Errorf("containers %+v\nbefore %+v", now.TaskDefinition.ContainerDefinitions, old.TaskDefinition.ContainerDefinitions)
	}

	_, err = c.RegisterRevision(t.Context(), from, map[string]string{"web": "x"})
	told(t, err, aws.ErrNotFound, "no container of the name given")
	from.Profile = "other"
	_, err = c.RegisterRevision(t.Context(), from, nil)
	told(t, err, aws.ErrOtherScope, `"other"`)
}

func arnOf(t *testing.T, c *aws.Client, ref string) *string {
	t.Helper()
	d, err := c.Definition(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	return &d.ARN
}

func raw(t *testing.T, w *world, ref string) *ecs.DescribeTaskDefinitionOutput {
	t.Helper()
	out, err := w.raw.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{
		TaskDefinition: &ref, Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags},
	})
	w.must(err)
	return out
}

// A definition and a service from nothing, a new image, and the way back.
func TestShipFromNothing(t *testing.T) {
	w := newWorld(t)
	c := w.client(nil)
	ctx := t.Context()
	scope := aws.Scope{Region: w.server.Region()}
	_, err := w.raw.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: sdk.String("shop")})
	w.must(err)
	role := "arn:aws:iam::000000000000:role/ecsTaskExecutionRole"
	d, err := c.RegisterDefinition(ctx, scope, aws.NewDefinition{
		Family: "web", Container: "web", Image: "reg.local/web:1", Port: 8080, CPU: "256", Memory: "512",
		Platform: "linux/arm64/v8", ExecutionRole: role, TaskRole: role, LogGroup: "/ecs/web",
	})
	w.must(err)
	if d.Name() != "web:1" || d.Platform != "linux/arm64" || d.ExecutionRole != role || d.TaskRole != role || d.NetworkMode != "awsvpc" ||
		!reflect.DeepEqual(d.Containers, []aws.DefinedContainer{{Name: "web", Image: "reg.local/web:1", Essential: true, Ports: []int{8080}, Log: aws.LogConfig{Driver: "awslogs", Group: "/ecs/web", Region: "us-east-1", Prefix: "web"}}}) {
		t.Errorf("registered %+v", d)
	}
	log := raw(t, w, "web:1").TaskDefinition.ContainerDefinitions[0].LogConfiguration
	if log == nil || log.LogDriver != types.LogDriverAwslogs || !reflect.DeepEqual(log.Options, map[string]string{
		"awslogs-group": "/ecs/web", "awslogs-region": w.server.Region(), "awslogs-stream-prefix": "web", "awslogs-create-group": "true",
	}) {
		t.Errorf("logs %+v", log)
	}

	order := aws.NewService{
		Cluster: "shop", Name: "web", Definition: d.Name(), Desired: 2, Subnets: []string{"subnet-1"},
		SecurityGroups: []string{"sg-1"}, PublicIP: true, ExecEnabled: true,
	}
	s, err := c.CreateService(ctx, scope, order)
	w.must(err)
	if s.Name != "web" || s.Desired != 2 || s.TaskDefinition != "web:1" || s.LaunchType != "FARGATE" || !s.CircuitBreaker || !s.Rollback ||
		!s.PublicIP || !s.ExecEnabled || !reflect.DeepEqual(s.Subnets, order.Subnets) || !reflect.DeepEqual(s.SecurityGroups, order.SecurityGroups) {
		t.Errorf("created %+v", s)
	}
	order.Desired = 3
	_, err = c.CreateService(ctx, scope, order)
	told(t, err, aws.ErrExists, "a service of this name")
	order.Desired = -1
	_, err = c.CreateService(ctx, scope, order)
	told(t, err, nil, "not a count of tasks")
	order.Desired, order.Subnets = 1, nil
	_, err = c.CreateService(ctx, scope, order)
	told(t, err, aws.ErrRefused, "no subnet is given")

	next, err := c.RegisterRevision(ctx, d, map[string]string{"web": "reg.local/web:2"})
	w.must(err)
	moved, err := c.Deploy(ctx, s, next.ARN)
	w.must(err)
	if moved.TaskDefinition != "web:2" || moved.Primary() == nil || moved.Primary().TaskDefinition != "web:2" {
		t.Errorf("deployed %+v", moved)
	}
	w.must(c.Redeploy(ctx, s))
	now, err := c.Service(ctx, s)
	w.must(err)
	if now.TaskDefinition != "web:2" || len(now.Deployments) < 2 {
		t.Errorf("now %+v", now)
	}
	gone := s
	gone.ARN += "x"
	_, err = c.Service(ctx, gone)
	told(t, err, aws.ErrNotFound, "not there any more")
	_, err = c.Deploy(ctx, s, "nothing:9")
	told(t, err, aws.ErrNotFound, "no such task definition")
}

func TestRegisterDefinitionRefused(t *testing.T) {
	w := newWorld(t)
	c := w.client(nil)
	n := aws.NewDefinition{Family: "web", Container: "web", Image: "web:1", CPU: "256", Memory: "512"}
	for _, platform := range []string{"linux/arm/v7", "linux/s390x", "plan9/amd64", "linux"} {
		n.Platform = platform
		_, err := c.RegisterDefinition(t.Context(), aws.Scope{}, n)
		told(t, err, aws.ErrRefused, fmt.Sprintf("Fargate runs no images for %s", platform))
	}
	n.Platform, n.Memory = "", "5"
	_, err := c.RegisterDefinition(t.Context(), aws.Scope{}, n)
	told(t, err, aws.ErrRefused, "Fargate does not offer this CPU with this memory")
}
