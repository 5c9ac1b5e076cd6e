package aws

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func TestRollout(t *testing.T) {
	primary := func(state string, failed int) Deployment {
		return Deployment{Status: "PRIMARY", RolloutState: state, Failed: failed}
	}
	old := Deployment{Status: "ACTIVE", RolloutState: "COMPLETED"}
	for name, tt := range map[string]struct {
		service Service
		want    string
		moving  bool
	}{
		"steady":       {Service{Status: "ACTIVE", Desired: 2, Running: 2, Deployments: []Deployment{primary("COMPLETED", 0)}}, RolloutSteady, false},
		"no states":    {Service{Status: "ACTIVE", Desired: 2, Running: 2, Deployments: []Deployment{primary("", 0)}}, RolloutSteady, false},
		"scaling":      {Service{Status: "ACTIVE", Desired: 5, Running: 2, Pending: 3, Deployments: []Deployment{primary("COMPLETED", 0)}}, RolloutMoving, true},
		"deploying":    {Service{Status: "ACTIVE", Desired: 2, Running: 2, Deployments: []Deployment{primary("IN_PROGRESS", 0), old}}, RolloutMoving, true},
		"failing":      {Service{Status: "ACTIVE", Desired: 2, Running: 2, Deployments: []Deployment{primary("IN_PROGRESS", 3), old}}, RolloutFailing, true},
		"rolling back": {Service{Status: "ACTIVE", Desired: 2, Running: 2, Deployments: []Deployment{primary("IN_PROGRESS", 0), {Status: "ACTIVE", RolloutState: "FAILED"}}}, RolloutRollingBack, true},
		"failed":       {Service{Status: "ACTIVE", Desired: 2, Running: 2, Deployments: []Deployment{primary("FAILED", 3)}}, RolloutFailed, false},
		"draining":     {Service{Status: "DRAINING", Running: 1}, RolloutDraining, true},
		"inactive":     {Service{Status: "INACTIVE"}, RolloutInactive, false},
		"not read":     {Service{Failure: "MISSING", Desired: 1}, RolloutUnknown, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tt.service.Rollout(); got != tt.want {
				t.Errorf("Rollout() = %q, want %q", got, tt.want)
			}
			if got := tt.service.Moving(); got != tt.moving {
				t.Errorf("Moving() = %v", got)
			}
		})
	}
}

func TestTaskExitCodeAndReason(t *testing.T) {
	code := func(n int) *int { return &n }
	for name, tt := range map[string]struct {
		task   Task
		code   int
		ok     bool
		reason string
	}{
		"running":       {Task{Containers: []Container{{Name: "app"}}}, 0, false, ""},
		"clean":         {Task{StopReason: "Essential container in task exited", Containers: []Container{{Name: "app", ExitCode: code(0)}}}, 0, true, "Essential container in task exited"},
		"sidecar first": {Task{Containers: []Container{{Name: "log", ExitCode: code(0)}, {Name: "app", ExitCode: code(137), Reason: "OutOfMemoryError: killed"}}}, 137, true, "app: OutOfMemoryError: killed"},
		"never started": {
			Task{StopReason: "CannotPullContainerError: no such image", Containers: []Container{{Name: "app", Reason: "CannotPullContainerError: no such image"}}},
			0, false, "CannotPullContainerError: no such image",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := tt.task.ExitCode()
			if got != tt.code || ok != tt.ok || tt.task.Reason() != tt.reason {
				t.Errorf("got %d %v %q", got, ok, tt.task.Reason())
			}
		})
	}
}

func TestTaskMoving(t *testing.T) {
	for status, want := range map[[2]string]bool{
		{"RUNNING", "RUNNING"}:      false,
		{"PENDING", "RUNNING"}:      true,
		{"RUNNING", "STOPPED"}:      true,
		{"DEPROVISIONING", ""}:      true,
		{"STOPPED", "STOPPED"}:      false,
		{"PROVISIONING", "RUNNING"}: true,
	} {
		task := Task{LastStatus: status[0], DesiredStatus: status[1]}
		if task.Moving() != want {
			t.Errorf("%v: Moving() = %v", status, !want)
		}
	}
}

func TestNamesInARNs(t *testing.T) {
	const task = "arn:aws:ecs:eu-west-1:111122223333:task/shop/0f9c"
	if s := scopeOf("prod", task); s != (Scope{Profile: "prod", Account: "111122223333", Region: "eu-west-1"}) {
		t.Errorf("scopeOf = %+v", s)
	}
	if nameOf(task) != "0f9c" || clusterOf(task) != "shop" {
		t.Errorf("got %q in %q", nameOf(task), clusterOf(task))
	}
	if got := clusterARN(task, "shop"); got != "arn:aws:ecs:eu-west-1:111122223333:cluster/shop" {
		t.Errorf("clusterARN = %q", got)
	}
	for _, odd := range []string{"", "web", "arn:aws:ecs", "arn:aws:ecs:eu-west-1:1:task/old-form"} {
		if scopeOf("", odd); clusterOf(odd) != "" {
			t.Errorf("clusterOf(%q) = %q", odd, clusterOf(odd))
		}
	}
}

func TestRowsOfTheServiceKeepWhatMatters(t *testing.T) {
	c := New(Options{AccessKeyID: "a", Profile: "p"})
	arn := "arn:aws:ecs:eu-west-1:1:"
	task := c.task(&types.Task{
		TaskArn: sdk.String(arn + "task/shop/t1"), ClusterArn: sdk.String(arn + "cluster/shop"), Group: sdk.String("service:web"),
		TaskDefinitionArn: sdk.String(arn + "task-definition/web:7"), CapacityProviderName: sdk.String("FARGATE_SPOT"),
		Attachments: []types.Attachment{
			{Type: sdk.String("ServiceConnect"), Details: []types.KeyValuePair{{Name: sdk.String("subnetId"), Value: sdk.String("wrong")}}},
			{Type: sdk.String("ElasticNetworkInterface"), Details: []types.KeyValuePair{
				{Name: sdk.String("subnetId"), Value: sdk.String("subnet-1")},
				{Name: sdk.String("privateIPv4Address"), Value: sdk.String("10.0.0.9")},
			}},
		},
		Containers: []types.Container{{
			Name: sdk.String("app"), RuntimeId: sdk.String("rt-1"), ExitCode: sdk.Int32(3),
			ManagedAgents: []types.ManagedAgent{{LastStatus: sdk.String("OTHER")}, {Name: types.ManagedAgentNameExecuteCommandAgent, LastStatus: sdk.String("RUNNING")}},
		}},
	})
	app := task.Container("app")
	switch {
	case task.Service != "web" || task.TaskDefinition != "web:7" || task.LaunchType != "FARGATE_SPOT":
		t.Errorf("got %+v", task)
	case task.SubnetID != "subnet-1" || task.PrivateIP != "10.0.0.9":
		t.Errorf("network %q %q", task.SubnetID, task.PrivateIP)
	case app == nil || app.Agent.Status != "RUNNING" || *app.ExitCode != 3:
		t.Errorf("container %+v", app)
	case task.target("app") != "ecs:shop_t1_rt-1" || task.target("none") != "":
		t.Errorf("target %q", task.target("app"))
	case task.Profile != "p" || task.Region != "eu-west-1":
		t.Errorf("scope %+v", task.Scope)
	}
}
