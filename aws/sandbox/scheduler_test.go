package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func TestServiceBecomesSteadyOnce(t *testing.T) {
	b, clock := newTestECS(t)
	createService(t, b, "serve", 3, nil)
	if s := web(t, b); s.PendingCount != 3 || s.RunningCount != 0 || s.Deployments[0].RolloutState != types.DeploymentRolloutStateInProgress {
		t.Fatalf("at once: %d pending, %d running, %s", s.PendingCount, s.RunningCount, s.Deployments[0].RolloutState)
	}
	clock.Advance(time.Hour)
	first := []string{
		"has reached a steady state.",
		"(deployment …) deployment completed.",
		"has started 3 tasks: …",
	}
	s := web(t, b)
	checkMessages(t, s, first...)
	if d := s.Deployments[0]; s.RunningCount != 3 || s.PendingCount != 0 || *d.RolloutStateReason != "ECS deployment "+*d.Id+" completed." {
		t.Errorf("%d running, %d pending, %q", s.RunningCount, s.PendingCount, *d.RolloutStateReason)
	}

	updateWeb(t, b, ecs.UpdateServiceInput{DesiredCount: aws.Int32(5)})
	clock.Advance(time.Hour)
	second := append([]string{"has reached a steady state.", "has started 2 tasks: …"}, first...)
	checkMessages(t, web(t, b), second...)

	updateWeb(t, b, ecs.UpdateServiceInput{DesiredCount: aws.Int32(1)})
	clock.Advance(time.Minute)
	checkMessages(t, web(t, b), append([]string{"has reached a steady state.", "has stopped 4 running tasks: …"}, second...)...)
	for _, task := range webTasks(t, b, types.DesiredStatusStopped) {
		want := "Scaling activity initiated by (deployment " + *s.Deployments[0].Id + ")"
		if task.StopCode != types.TaskStopCodeServiceSchedulerInitiated || *task.StoppedReason != want {
			t.Errorf("stopped with %s, %q; want ServiceSchedulerInitiated, %q", task.StopCode, *task.StoppedReason, want)
		}
	}
}

func TestRollingUpdateKeepsItsPercentages(t *testing.T) {
	for _, test := range []struct{ desired, least, most int32 }{
		{1, 100, 200},
		{2, 50, 100},
		{3, 100, 200},
		{4, 50, 150},
		{5, 0, 100},
		{10, 90, 110},
		{7, 66, 133},
	} {
		t.Run(fmt.Sprintf("%d tasks, %d to %d percent", test.desired, test.least, test.most), func(t *testing.T) {
			b, clock := newTestECS(t)
			createService(t, b, "serve", test.desired, func(in *ecs.CreateServiceInput) {
				in.DeploymentConfiguration = &types.DeploymentConfiguration{MinimumHealthyPercent: &test.least, MaximumPercent: &test.most}
			})
			clock.Advance(time.Minute)
			deploy(t, b, "serve")
			lower := (test.desired*test.least + 99) / 100
			upper := test.desired * test.most / 100
			for step := 0; web(t, b).Deployments[0].RolloutState != types.DeploymentRolloutStateCompleted; step++ {
				tasks := webTasks(t, b, types.DesiredStatusRunning)
				running := int32(0)
				for _, task := range tasks {
					if *task.LastStatus == "RUNNING" {
						running++
					}
				}
				if running < lower || int32(len(tasks)) > upper {
					t.Fatalf("step %d: %d running of at least %d, %d in all of at most %d", step, running, lower, len(tasks), upper)
				}
				if step > 10_000 {
					t.Fatalf("the deployment does not end: %v", messages(web(t, b)))
				}
				clock.Advance(20 * time.Millisecond)
			}
			s := web(t, b)
			if s.RunningCount != test.desired || len(s.Deployments) != 1 || !strings.HasSuffix(*s.TaskDefinition, "/web:2") {
				t.Errorf("%d running, %d deployments, %s", s.RunningCount, len(s.Deployments), *s.TaskDefinition)
			}
			for _, task := range webTasks(t, b, types.DesiredStatusRunning) {
				if *task.TaskDefinitionArn != *s.TaskDefinition || *task.StartedBy != *s.Deployments[0].Id {
					t.Errorf("task of %s, started by %s", *task.TaskDefinitionArn, *task.StartedBy)
				}
			}
		})
	}
}

func TestRollingUpdateWithoutRoomSaysSo(t *testing.T) {
	b, clock := newTestECS(t)
	createService(t, b, "serve", 1, func(in *ecs.CreateServiceInput) {
		in.DeploymentConfiguration = &types.DeploymentConfiguration{MinimumHealthyPercent: aws.Int32(60), MaximumPercent: aws.Int32(150)}
	})
	clock.Advance(time.Minute)
	deploy(t, b, "serve")
	updateWeb(t, b, ecs.UpdateServiceInput{DesiredCount: aws.Int32(1)})
	want := "was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again."
	got := messages(web(t, b))
	if got[0] != want || got[1] == want {
		t.Errorf("events %q: want %q once", got, want)
	}
}

func TestBreakerRollsBack(t *testing.T) {
	b, clock := newTestECS(t)
	createService(t, b, "serve", 2, func(in *ecs.CreateServiceInput) {
		in.DeploymentConfiguration.DeploymentCircuitBreaker = &types.DeploymentCircuitBreaker{Enable: true, Rollback: true}
	})
	clock.Advance(time.Minute)
	good := *web(t, b).Deployments[0].Id
	deploy(t, b, "crash")
	bad := *web(t, b).Deployments[0].Id
	for step := 0; *web(t, b).Deployments[0].Id != good; step++ {
		if n := web(t, b).RunningCount; n < 2 {
			t.Fatalf("only %d tasks run", n)
		}
		if step > 10_000 {
			t.Fatal("no rollback")
		}
		clock.Advance(20 * time.Millisecond)
	}
	s := web(t, b)
	primary, failed := s.Deployments[0], s.Deployments[1]
	if primary.RolloutState != types.DeploymentRolloutStateInProgress || *primary.Status != "PRIMARY" ||
		*primary.RolloutStateReason != "ECS deployment circuit breaker: rolling back to deploymentId "+good+"." {
		t.Errorf("primary %s %s: %q", *primary.Status, primary.RolloutState, *primary.RolloutStateReason)
	}
	if *failed.Id != bad || failed.RolloutState != types.DeploymentRolloutStateFailed || *failed.Status != "ACTIVE" || failed.FailedTasks < 3 ||
		*failed.RolloutStateReason != "ECS deployment circuit breaker: tasks failed to start." {
		t.Errorf("failed one %s %s, %d failed tasks: %q", *failed.Status, failed.RolloutState, failed.FailedTasks, *failed.RolloutStateReason)
	}
	clock.Advance(time.Minute)
	s = web(t, b)
	if len(s.Deployments) != 1 || s.RunningCount != 2 || s.Deployments[0].RolloutState != types.DeploymentRolloutStateCompleted || !strings.HasSuffix(*s.TaskDefinition, "/web:1") {
		t.Errorf("after the rollback: %+v", s.Deployments)
	}
	var told []string
	for _, e := range s.Events {
		told = append(told, strings.NewReplacer(good, "GOOD", bad, "BAD").Replace(*e.Message))
	}
	want := []string{
		"(service web) has reached a steady state.",
		"(service web) (deployment GOOD) deployment completed.",
		"(service web) rolling back to deployment GOOD.",
		"(service web) (deployment BAD) deployment failed: tasks failed to start.",
	}
	last := -1
	for _, w := range want {
		at := slices.Index(told, w)
		if at <= last {
			t.Errorf("event %q stands at %d, want after %d in\n%s", w, at, last, strings.Join(told, "\n"))
		}
		last = at
	}
}

func TestBreakerWithoutRollbackStops(t *testing.T) {
	b, clock := newTestECS(t)
	createService(t, b, "nopull", 1, func(in *ecs.CreateServiceInput) {
		in.DeploymentConfiguration.DeploymentCircuitBreaker = &types.DeploymentCircuitBreaker{Enable: true}
	})
	clock.Advance(24 * time.Hour)
	s := web(t, b)
	if d := s.Deployments[0]; d.RolloutState != types.DeploymentRolloutStateFailed || d.FailedTasks != 3 || s.RunningCount+s.PendingCount != 0 {
		t.Errorf("%s, %d failed, %d running, %d pending", d.RolloutState, d.FailedTasks, s.RunningCount, s.PendingCount)
	}
	unable := "was unable to place a task. Reason: " + cannotPull(demoImage+":1")
	if got := messages(s); !slices.Contains(got, unable) {
		t.Errorf("no event %q in %q", unable, got)
	}
	deploy(t, b, "serve")
	clock.Advance(time.Minute)
	if s := web(t, b); s.RunningCount != 1 || s.Deployments[0].RolloutState != types.DeploymentRolloutStateCompleted {
		t.Errorf("a new deployment does not mend it: %+v", s.Deployments)
	}
}

func TestFailedPull(t *testing.T) {
	b, clock := newTestECS(t)
	createService(t, b, "nopull", 1, nil)
	clock.Advance(1200 * time.Millisecond)
	stopped := webTasks(t, b, types.DesiredStatusStopped)
	if len(stopped) == 0 {
		t.Fatal("nothing stopped")
	}
	task := stopped[0]
	want := cannotPull(demoImage + ":1")
	if task.StopCode != types.TaskStopCodeTaskFailedToStart || *task.StoppedReason != want || *task.Containers[0].Reason != want || task.Containers[0].ExitCode != nil || task.StartedAt != nil {
		t.Errorf("stopped with %s %q, container %q", task.StopCode, *task.StoppedReason, *task.Containers[0].Reason)
	}
}

func TestBreakerThreshold(t *testing.T) {
	of := func(kind types.ThresholdType, value int32) *types.ThresholdConfiguration {
		return &types.ThresholdConfiguration{Type: kind, Value: value}
	}
	for _, test := range []struct {
		config        *types.ThresholdConfiguration
		desired, want int32
	}{
		{nil, 0, 3},
		{nil, 1, 3},
		{nil, 6, 3},
		{nil, 7, 4},
		{nil, 25, 13},
		{nil, 400, 200},
		{nil, 5000, 200},
		{of(types.ThresholdTypeCount, 1), 100, 1},
		{of(types.ThresholdTypeBoundedPercent, 10), 100, 10},
		{of(types.ThresholdTypeUnboundedPercent, 10), 10, 1},
		{of(types.ThresholdTypeUnboundedPercent, 50), 5000, 2500},
	} {
		if got := breakerThreshold(test.config, test.desired); got != test.want {
			t.Errorf("%+v of %d: %d, want %d", test.config, test.desired, got, test.want)
		}
	}
}

func TestBackOffGrowsAndResets(t *testing.T) {
	b, clock := newTestECS(t)
	createService(t, b, "crash", 2, nil)
	var started []time.Time
	seen := make(map[string]bool)
	for range 40_000 {
		for _, task := range webTasks(t, b, types.DesiredStatusRunning) {
			if !seen[*task.TaskArn] {
				seen[*task.TaskArn] = true
				started = append(started, *task.CreatedAt)
			}
		}
		clock.Advance(100 * time.Millisecond)
	}
	var gaps []time.Duration
	for i := 2; i+1 < len(started); i += 2 {
		gaps = append(gaps, started[i].Sub(started[i-2]).Round(time.Second))
	}
	// A round takes 1.7 s: 0.7 s to start and a second to crash.
	want := []time.Duration{2, 4, 6, 10, 18, 34, 66, 130, 258, 514, 902, 902}
	for i := range want {
		want[i] *= time.Second
	}
	if len(gaps) < len(want) || !slices.Equal(gaps[:len(want)], want) {
		t.Fatalf("gaps %v, want %v", gaps, want)
	}
	loops := slices.DeleteFunc(messages(web(t, b)), func(m string) bool { return !strings.HasPrefix(m, "is unable to consistently start") })
	if len(loops) != 1 || loops[0] != "is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide." {
		t.Errorf("crash loop told as %q", loops)
	}
	if n := web(t, b).Deployments[0].FailedTasks; int(n) < 2*len(want) {
		t.Errorf("%d failed tasks, want at least %d", n, 2*len(want))
	}

	deploy(t, b, "serve")
	clock.Advance(5 * time.Second)
	if s := web(t, b); s.RunningCount != 2 || s.Deployments[0].FailedTasks != 0 {
		t.Errorf("mended, %d run and %d failed; want 2 and 0 at once", s.RunningCount, s.Deployments[0].FailedTasks)
	}
}

func TestStoppedTaskOfAServiceIsReplaced(t *testing.T) {
	b, clock := newTestECS(t)
	createService(t, b, "serve", 2, nil)
	clock.Advance(time.Minute)
	victim := *webTasks(t, b, types.DesiredStatusRunning)[0].TaskArn
	out, err := b.StopTask(t.Context(), &ecs.StopTaskInput{Cluster: aws.String("shop"), Task: &victim, Reason: aws.String("tested")})
	if err != nil {
		t.Fatal(err)
	}
	if *out.Task.LastStatus != "RUNNING" || *out.Task.DesiredStatus != "STOPPED" {
		t.Errorf("the answer says %s, %s; ECS says RUNNING, STOPPED", *out.Task.LastStatus, *out.Task.DesiredStatus)
	}
	if n := web(t, b).PendingCount; n != 1 {
		t.Errorf("%d pending, want 1", n)
	}
	clock.Advance(time.Minute)
	task := describeTask(t, b, "shop", victim)
	if *task.LastStatus != "STOPPED" || task.StopCode != types.TaskStopCodeUserInitiated || *task.StoppedReason != "tested" || *task.Containers[0].ExitCode != 143 {
		t.Errorf("%s, %s, %q", *task.LastStatus, task.StopCode, *task.StoppedReason)
	}
	if s := web(t, b); s.RunningCount != 2 || s.Deployments[0].FailedTasks != 0 {
		t.Errorf("%d running, %d failed; want 2, 0", s.RunningCount, s.Deployments[0].FailedTasks)
	}
	clock.Advance(stoppedTaskLife)
	gone, err := b.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: aws.String("shop"), Tasks: []string{victim}})
	if err != nil || len(gone.Failures) != 1 || *gone.Failures[0].Reason != "MISSING" {
		t.Errorf("after an hour: %v, %+v", err, gone)
	}
}

func TestDeletedServiceDrains(t *testing.T) {
	b, clock := newTestECS(t)
	createService(t, b, "serve", 2, nil)
	clock.Advance(time.Minute)
	in := &ecs.DeleteServiceInput{Cluster: aws.String("shop"), Service: aws.String("web")}
	_, err := b.DeleteService(t.Context(), in)
	wantError[*types.InvalidParameterException](t, err, "The service cannot be stopped while it is scaled above 0.")
	in.Force = aws.Bool(true)
	out, err := b.DeleteService(t.Context(), in)
	if err != nil || *out.Service.Status != "DRAINING" {
		t.Fatalf("%v, %+v", err, out)
	}
	_, err = b.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("shop"), Service: aws.String("web")})
	wantError[*types.ServiceNotActiveException](t, err, "Service was not ACTIVE.")
	_, err = b.CreateService(t.Context(), demoService{family: "web", desired: 1}.input())
	wantError[*types.InvalidParameterException](t, err, "Unable to Start a service that is still Draining.")
	clock.Advance(time.Minute)
	if s := web(t, b); *s.Status != "INACTIVE" || s.RunningCount != 0 || s.DesiredCount != 0 {
		t.Errorf("%s, %d running, %d desired", *s.Status, s.RunningCount, s.DesiredCount)
	}
	if _, err := b.DeleteCluster(t.Context(), &ecs.DeleteClusterInput{Cluster: aws.String("shop")}); err != nil {
		t.Errorf("delete the empty cluster: %v", err)
	}
}
