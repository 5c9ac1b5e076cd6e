package sandbox

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func TestDescribeServicesLimits(t *testing.T) {
	b, _ := newTestECS(t)
	createService(t, b, "serve", 1, nil)
	shop := aws.String("shop")
	_, err := b.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: shop})
	wantError[*types.InvalidParameterException](t, err, "Services cannot be empty.")
	_, err = b.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: shop, Services: make([]string, 11)})
	wantError[*types.InvalidParameterException](t, err, "Services cannot have more than 10 elements.")
	arn := "arn:aws:ecs:us-east-1:000000000000:service/shop/web"
	out, err := b.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: shop, Services: []string{"web", arn, "ghost"}, Include: []types.ServiceField{types.ServiceFieldTags}})
	if err != nil || len(out.Services) != 2 || *out.Services[1].ServiceArn != arn || len(out.Services[0].Tags) != 2 {
		t.Fatalf("%v, %+v", err, out)
	}
	if len(out.Failures) != 1 || *out.Failures[0].Arn != "arn:aws:ecs:us-east-1:000000000000:service/shop/ghost" {
		t.Errorf("failures %+v", out.Failures)
	}
}

func TestCreateServiceRefuses(t *testing.T) {
	b, _ := newTestECS(t)
	createService(t, b, "serve", 1, nil)
	if _, err := b.RegisterTaskDefinition(t.Context(), demoFamily{name: "roleless", tag: "1", cpu: "256", memory: "512"}.input(account)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		change func(*ecs.CreateServiceInput)
		want   string
	}{
		{"no name", func(in *ecs.CreateServiceInput) { in.ServiceName = nil }, "ServiceName can not be blank."},
		{"no definition", func(in *ecs.CreateServiceInput) { in.TaskDefinition = nil }, "TaskDefinition can not be blank."},
		{"no count", func(in *ecs.CreateServiceInput) { in.DesiredCount = nil }, "DesiredCount can not be blank."},
		{"negative count", func(in *ecs.CreateServiceInput) { in.DesiredCount = aws.Int32(-1) }, "Invalid desired count: -1. It must be between 0 and 5000."},
		{"no network", func(in *ecs.CreateServiceInput) { in.NetworkConfiguration = nil }, "Network Configuration must be provided when networkMode 'awsvpc' is specified."},
		{"no subnets", func(in *ecs.CreateServiceInput) { in.NetworkConfiguration.AwsvpcConfiguration.Subnets = nil }, "subnets can not be empty."},
		{"load balancer", func(in *ecs.CreateServiceInput) { in.LoadBalancers = make([]types.LoadBalancer, 1) }, "The sandbox does not emulate load balancers."},
		{"blocked", func(in *ecs.CreateServiceInput) { in.DeploymentConfiguration.MaximumPercent = aws.Int32(100) }, "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments."},
		{"exec without role", func(in *ecs.CreateServiceInput) {
			in.TaskDefinition, in.EnableExecuteCommand = aws.String("roleless"), true
		}, "The service couldn't be created because a valid taskRoleArn is not being used. Specify a valid task role in your task definition and try again."},
		{"another of that name", func(in *ecs.CreateServiceInput) { in.ServiceName, in.DesiredCount = aws.String("web"), aws.Int32(9) }, "Creation of service was not idempotent."},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := demoService{family: "web", desired: 1}.input()
			in.ServiceName = aws.String("new")
			test.change(in)
			_, err := b.CreateService(t.Context(), in)
			wantError[*types.InvalidParameterException](t, err, test.want)
		})
	}
	in := demoService{family: "web", desired: 1}.input()
	if _, err := b.CreateService(t.Context(), in); err != nil {
		t.Errorf("the same service again: %v, want the one there is", err)
	}
	in.ServiceName, in.TaskDefinition = aws.String("new"), aws.String("ghost:7")
	_, err := b.CreateService(t.Context(), in)
	wantError[*types.ClientException](t, err, "TaskDefinition not found.")
	in.TaskDefinition, in.PlatformVersion = aws.String("web"), aws.String("9.9")
	_, err = b.CreateService(t.Context(), in)
	wantError[*types.PlatformUnknownException](t, err, "The specified platform does not exist.")
}

func TestUpdateServiceRefuses(t *testing.T) {
	b, _ := newTestECS(t)
	createService(t, b, "serve", 1, nil)
	if _, err := b.RegisterTaskDefinition(t.Context(), demoFamily{name: "roleless", tag: "1", cpu: "256", memory: "512"}.input(account)); err != nil {
		t.Fatal(err)
	}
	shop, name := aws.String("shop"), aws.String("web")
	_, err := b.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: shop, Service: aws.String("ghost")})
	wantError[*types.ServiceNotFoundException](t, err, "Service not found.")
	_, err = b.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: shop})
	wantError[*types.InvalidParameterException](t, err, "Service can not be blank.")
	_, err = b.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: shop, Service: name, DesiredCount: aws.Int32(5001)})
	wantError[*types.InvalidParameterException](t, err, "Invalid desired count: 5001. It must be between 0 and 5000.")
	_, err = b.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: shop, Service: name, TaskDefinition: aws.String("roleless"), EnableExecuteCommand: aws.Bool(true)})
	wantError[*types.InvalidParameterException](t, err, "The service couldn't be updated because a valid taskRoleArn is not being used. Specify a valid task role in your task definition and try again.")
	if s := web(t, b); s.EnableExecuteCommand || s.DesiredCount != 1 || len(s.Deployments) != 1 {
		t.Errorf("a refused update left traces: exec %v, desired %d, %d deployments", s.EnableExecuteCommand, s.DesiredCount, len(s.Deployments))
	}
}

// TestExecIsForNewTasks follows ECS: the switch holds for tasks that start
// later, and the agent comes up after its container.
func TestExecIsForNewTasks(t *testing.T) {
	b, clock := newTestECS(t)
	createService(t, b, "serve", 1, nil)
	clock.Advance(time.Minute)
	updateWeb(t, b, ecs.UpdateServiceInput{EnableExecuteCommand: aws.Bool(true)})
	clock.Advance(time.Minute)
	if s := web(t, b); !s.EnableExecuteCommand || len(s.Deployments) != 1 {
		t.Errorf("exec %v, %d deployments; want true, 1", s.EnableExecuteCommand, len(s.Deployments))
	}
	old := webTasks(t, b, types.DesiredStatusRunning)[0]
	if old.EnableExecuteCommand || old.Containers[0].ManagedAgents != nil {
		t.Error("exec was switched on for a task that ran already")
	}
	updateWeb(t, b, ecs.UpdateServiceInput{ForceNewDeployment: true})
	clock.Advance(b.pace.provision + b.pace.pull)
	agentOf := func() types.ManagedAgent {
		for _, task := range webTasks(t, b, types.DesiredStatusRunning) {
			if *task.TaskArn != *old.TaskArn {
				return task.Containers[0].ManagedAgents[0]
			}
		}
		t.Fatal("no new task")
		return types.ManagedAgent{}
	}
	if a := agentOf(); a.Name != types.ManagedAgentNameExecuteCommandAgent || *a.LastStatus != "PENDING" {
		t.Errorf("agent %s %s, want ExecuteCommandAgent PENDING", a.Name, *a.LastStatus)
	}
	clock.Advance(b.pace.agent)
	if a := agentOf(); *a.LastStatus != "RUNNING" || a.LastStartedAt == nil {
		t.Errorf("agent %s, started %v; want RUNNING", *a.LastStatus, a.LastStartedAt)
	}
	clock.Advance(time.Minute)
	fresh := webTasks(t, b, types.DesiredStatusRunning)[0]
	b.lock()
	defer b.unlock()
	target, err := b.execTarget("shop", *fresh.TaskArn, "")
	if err != nil || target.RuntimeID != *fresh.Containers[0].RuntimeId || target.Container != "web" {
		t.Errorf("exec target %+v, %v", target, err)
	}
	if _, err := b.execTarget("shop", *old.TaskArn, "web"); err == nil {
		t.Error("a stopped container can be entered")
	}
}
