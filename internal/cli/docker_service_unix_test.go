//go:build unix

package cli_test

import (
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"gantry/docker"
)

func TestServicesOfContainers(t *testing.T) {
	w := newEngineWorld(t)
	for name, test := range map[string]func(*engineWorld){
		"a killed container is replaced":          testReplacement,
		"a broken deployment is rolled back":      testRollback,
		"an unhealthy container is replaced":      testUnhealthy,
		"a rollout waits until tasks are healthy": testHealthyRollout,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(w.of(t))
		})
	}
}

// service makes a service of a definition.
func (w *engineWorld) service(name, definition string, desired int32) {
	w.tb.Helper()
	_, err := w.ecs.CreateService(w.tb.Context(), &ecs.CreateServiceInput{
		Cluster: sdk.String("live"), ServiceName: &name, TaskDefinition: &definition, DesiredCount: &desired,
		LaunchType: types.LaunchTypeFargate, NetworkConfiguration: network(),
		DeploymentConfiguration: &types.DeploymentConfiguration{
			MinimumHealthyPercent: sdk.Int32(100), MaximumPercent: sdk.Int32(200),
			DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: true, Rollback: true},
		},
	})
	w.must(err)
}

func (w *engineWorld) deploy(name, definition string) {
	w.tb.Helper()
	_, err := w.ecs.UpdateService(w.tb.Context(), &ecs.UpdateServiceInput{Cluster: sdk.String("live"), Service: &name, TaskDefinition: &definition})
	w.must(err)
}

func (w *engineWorld) describe(name string) types.Service {
	w.tb.Helper()
	out, err := w.ecs.DescribeServices(w.tb.Context(), &ecs.DescribeServicesInput{Cluster: sdk.String("live"), Services: []string{name}})
	w.must(err)
	return out.Services[0]
}

// steady waits until a service runs a definition and nothing else.
func (w *engineWorld) steady(name, definition string) types.Service {
	w.tb.Helper()
	var s types.Service
	w.waitFor(name+" is steady", func() bool {
		s = w.describe(name)
		d := s.Deployments[0]
		return len(s.Deployments) == 1 && *d.TaskDefinition == definition && d.RolloutState == types.DeploymentRolloutStateCompleted
	})
	return s
}

func (w *engineWorld) tasksOf(name string, desired types.DesiredStatus) []types.Task {
	w.tb.Helper()
	out, err := w.ecs.ListTasks(w.tb.Context(), &ecs.ListTasksInput{Cluster: sdk.String("live"), ServiceName: &name, DesiredStatus: desired})
	w.must(err)
	var tasks []types.Task
	for _, arn := range out.TaskArns {
		tasks = append(tasks, w.task(arn))
	}
	return tasks
}

// engineID is the engine's id of a container of a task.
func (w *engineWorld) engineID(task types.Task, container string) string {
	w.tb.Helper()
	id := (*task.TaskArn)[strings.LastIndexByte(*task.TaskArn, '/')+1:]
	for _, c := range labeled(w.tb.Context(), w.tb, w.engine, w.dir) {
		if strings.HasSuffix(c.Labels["com.amazonaws.ecs.task-arn"], id) && c.Labels["com.amazonaws.ecs.container-name"] == container {
			return c.ID
		}
	}
	w.tb.Fatalf("no container %s of %s on the engine", container, id)
	return ""
}

func testReplacement(w *engineWorld) {
	definition := w.family(nil, w.busyboxWith("web", ""))
	w.service("replaced", definition, 2)
	w.steady("replaced", definition)
	victim := w.tasksOf("replaced", types.DesiredStatusRunning)[0]
	w.must(w.engine.Kill(w.tb.Context(), w.engineID(victim, "web"), "KILL"))
	dead := w.until(*victim.TaskArn, "STOPPED")
	if sdk.ToInt32(dead.Containers[0].ExitCode) != 137 || sdk.ToString(dead.StoppedReason) != "Essential container in task exited" {
		w.tb.Errorf("exit code %d, %s", sdk.ToInt32(dead.Containers[0].ExitCode), sdk.ToString(dead.StoppedReason))
	}
	w.waitFor("a task in its place", func() bool { return w.describe("replaced").RunningCount == 2 })
	// By its hand, and not by the scheduler's.
	other := w.tasksOf("replaced", types.DesiredStatusRunning)[0]
	w.must(w.engine.RemoveContainer(w.tb.Context(), w.engineID(other, "web"), docker.ContainerRemoval{Force: true}))
	w.until(*other.TaskArn, "STOPPED")
}

func testRollback(w *engineWorld) {
	good := w.family(nil, w.busyboxWith("web", ""))
	w.service("rolled", good, 2)
	w.steady("rolled", good)
	missing := w.busyboxWith("web", "")
	missing.Image = sdk.String(strings.TrimSuffix(w.image, "1") + "broken")
	w.deploy("rolled", w.family(nil, missing))
	w.waitFor("the breaker", func() bool {
		for _, e := range w.describe("rolled").Events {
			if strings.Contains(*e.Message, "rolling back to deployment") {
				return true
			}
		}
		return false
	})
	s := w.steady("rolled", good)
	if s.RunningCount != 2 {
		w.tb.Errorf("%d tasks run", s.RunningCount)
	}
	if failed := w.tasksOf("rolled", types.DesiredStatusStopped); len(failed) == 0 || !strings.Contains(sdk.ToString(failed[0].StoppedReason), "CannotPullContainerError") {
		w.tb.Errorf("the failed tasks: %d", len(failed))
	}
}

// quick is a check of the quickest kind that ECS allows.
func quick(line string) *types.HealthCheck {
	return &types.HealthCheck{Command: []string{"CMD-SHELL", line}, Interval: sdk.Int32(5), Timeout: sdk.Int32(2), Retries: sdk.Int32(1)}
}

func testUnhealthy(w *engineWorld) {
	c := w.busyboxWith("web", "touch /well; sleep 7; while :; do sleep 1; done")
	c.HealthCheck = quick("test -f /well")
	definition := w.family(nil, c)
	w.service("ill", definition, 1)
	s := w.steady("ill", definition)
	first := w.tasksOf("ill", types.DesiredStatusRunning)[0]
	if first.HealthStatus != types.HealthStatusHealthy || first.Containers[0].HealthStatus != types.HealthStatusHealthy {
		w.tb.Fatalf("steady with a task that is %s", first.HealthStatus)
	}
	terminal, err := w.engine.ExecCommand(w.tb.Context(), w.engineID(first, "web"), []string{"sh", "-c", "rm /well"}, nil, 80, 24)
	w.must(err)
	defer terminal.Close()
	dead := w.until(*first.TaskArn, "STOPPED")
	if sdk.ToString(dead.StoppedReason) != "Task failed container health checks" || dead.Containers[0].HealthStatus != types.HealthStatusUnhealthy {
		w.tb.Errorf("%s: %s", dead.Containers[0].HealthStatus, sdk.ToString(dead.StoppedReason))
	}
	w.waitFor("a task in its place", func() bool { return w.describe("ill").RunningCount == s.DesiredCount })
	id := (*first.TaskArn)[strings.LastIndexByte(*first.TaskArn, '/')+1:]
	said := false
	for _, e := range w.describe("ill").Events {
		said = said || strings.Contains(*e.Message, "(task "+id+") failed container health checks.")
	}
	if !said {
		w.tb.Error("no event says that the task failed its checks")
	}
}

// testHealthyRollout deploys what runs but is never well: the old task stays
// until the breaker brings it back.
func testHealthyRollout(w *engineWorld) {
	well, ill := w.busyboxWith("web", ""), w.busyboxWith("web", "")
	well.HealthCheck, ill.HealthCheck = quick("true"), quick("false")
	good := w.family(nil, well)
	w.service("careful", good, 1)
	w.steady("careful", good)
	before := *w.tasksOf("careful", types.DesiredStatusRunning)[0].TaskArn
	w.deploy("careful", w.family(nil, ill))
	w.waitFor("the breaker", func() bool {
		s := w.describe("careful")
		return *s.Deployments[0].TaskDefinition == good && len(s.Deployments) > 1 || strings.Contains(*s.Events[0].Message, "rolling back")
	})
	w.steady("careful", good)
	if task := w.task(before); *task.LastStatus != "RUNNING" {
		w.tb.Errorf("the old task did not stay: %s", *task.LastStatus)
	}
}
