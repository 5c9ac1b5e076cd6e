package sandbox

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// newCheckedECS is a backend whose runtime checks health, with a service "web"
// of one task whose only container has a check.
func newCheckedECS(t *testing.T, grace *int32) (*ecsBackend, *manualClock) {
	t.Helper()
	clock := newManualClock()
	b := newECS(region, account, clock, supervising{newStates(), true}, nil)
	t.Cleanup(func() { _ = b.Close() })
	if _, err := b.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String("shop")}); err != nil {
		t.Fatal(err)
	}
	family := demoFamily{name: "web", tag: "1", command: []string{"serve"}, cpu: "256", memory: "512"}.input(account)
	family.ContainerDefinitions[0].HealthCheck = &types.HealthCheck{Command: []string{"CMD", "true"}}
	if _, err := b.RegisterTaskDefinition(t.Context(), family); err != nil {
		t.Fatal(err)
	}
	in := demoService{family: "web", desired: 1}.input()
	in.HealthCheckGracePeriodSeconds = grace
	if _, err := b.CreateService(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	clock.Advance(10 * time.Second)
	return b, clock
}

func TestRolloutWaitsForHealth(t *testing.T) {
	b, clock := newCheckedECS(t, nil)
	task := webTasks(t, b, types.DesiredStatusRunning)[0]
	if *task.LastStatus != "RUNNING" || task.HealthStatus != types.HealthStatusUnknown {
		t.Fatalf("%s, %s", *task.LastStatus, task.HealthStatus)
	}
	clock.Advance(time.Minute)
	if d := web(t, b).Deployments[0]; d.RolloutState != types.DeploymentRolloutStateInProgress {
		t.Fatalf("without a word on health the rollout is %s", d.RolloutState)
	}
	sinkOf(b, *task.TaskArn).Health("web", types.HealthStatusHealthy)
	if d := web(t, b).Deployments[0]; d.RolloutState != types.DeploymentRolloutStateCompleted {
		t.Errorf("the rollout is %s", d.RolloutState)
	}
	if task = describeTask(t, b, "shop", *task.TaskArn); task.HealthStatus != types.HealthStatusHealthy {
		t.Errorf("the task is %s", task.HealthStatus)
	}
}

func TestUnhealthyTasksAreReplaced(t *testing.T) {
	for name, grace := range map[string]*int32{"at once": nil, "after the grace period": aws.Int32(60)} {
		t.Run(name, func(t *testing.T) {
			b, clock := newCheckedECS(t, grace)
			arn := *webTasks(t, b, types.DesiredStatusRunning)[0].TaskArn
			sinkOf(b, arn).Health("web", types.HealthStatusUnhealthy)
			if grace != nil {
				if got := describeTask(t, b, "shop", arn); *got.DesiredStatus != "RUNNING" || got.HealthStatus != types.HealthStatusUnhealthy {
					t.Fatalf("in the grace period: %s, %s", *got.DesiredStatus, got.HealthStatus)
				}
				clock.Advance(time.Minute)
			}
			clock.Advance(10 * time.Second)
			task := describeTask(t, b, "shop", arn)
			if *task.LastStatus != "STOPPED" || *task.StoppedReason != failedHealthChecks || task.StopCode != types.TaskStopCodeServiceSchedulerInitiated {
				t.Errorf("%s: %s %s", *task.LastStatus, task.StopCode, aws.ToString(task.StoppedReason))
			}
			if now := webTasks(t, b, types.DesiredStatusRunning); len(now) != 1 || *now[0].TaskArn == arn {
				t.Error("it was not replaced")
			}
			if said := strings.Join(messages(web(t, b)), "\n"); !strings.Contains(said, "failed container health checks.") {
				t.Error(said)
			}
		})
	}
}

// A task that RunTask made is nobody's to replace.
func TestUnhealthyTasksOfNoServiceStay(t *testing.T) {
	b, clock := newCheckedECS(t, nil)
	out, err := b.RunTask(t.Context(), &ecs.RunTaskInput{
		Cluster: aws.String("shop"), TaskDefinition: aws.String("web"), LaunchType: types.LaunchTypeFargate, NetworkConfiguration: demoNetwork(),
	})
	if err != nil {
		t.Fatal(err)
	}
	clock.Advance(10 * time.Second)
	arn := *out.Tasks[0].TaskArn
	sinkOf(b, arn).Health("web", types.HealthStatusUnhealthy)
	clock.Advance(time.Hour)
	if got := describeTask(t, b, "shop", arn); *got.LastStatus != "RUNNING" || got.HealthStatus != types.HealthStatusUnhealthy {
		t.Errorf("%s, %s", *got.LastStatus, got.HealthStatus)
	}
}
