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

const crashTakes = time.Second

// scripted is a runtime on a test's clock. Its containers do what their command
// says: "crash" exits with 1 after a second, "nopull" has no image, anything
// else runs until it is stopped.
type scripted struct {
	*states
	clock *manualClock
}

func (s scripted) Start(spec TaskSpec, sink Sink) {
	switch c := spec.Containers[0]; strings.Join(c.Command, " ") {
	case "nopull":
		sink.Pending()
		sink.Failed(c.Name, cannotPull(c.Image))
		return
	case "crash":
		s.clock.AfterFunc(crashTakes, func() { sink.Exited(c.Name, 1, "") })
	}
	s.states.Start(spec, sink)
}

// newTestECS is a backend on a manual clock that ends with the test.
func newTestECS(t testing.TB) (*ecsBackend, *manualClock) {
	t.Helper()
	clock := newManualClock()
	b := newECS(region, account, clock, scripted{newStates(), clock}, nil)
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return b, clock
}

// register registers the next revision of a family that runs a command.
func register(t testing.TB, b *ecsBackend, name, command string) {
	t.Helper()
	family := demoFamily{name: name, tag: "1", command: []string{command}, cpu: "256", memory: "512", port: 8080, role: true}
	if _, err := b.RegisterTaskDefinition(t.Context(), family.input(account)); err != nil {
		t.Fatal(err)
	}
}

// createService creates a service "web" in the cluster "shop" that runs a
// command, after a change to the request.
func createService(t testing.TB, b *ecsBackend, command string, desired int32, change func(*ecs.CreateServiceInput)) {
	t.Helper()
	if _, err := b.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String("shop")}); err != nil {
		t.Fatal(err)
	}
	register(t, b, "web", command)
	in := demoService{family: "web", desired: desired}.input()
	if change != nil {
		change(in)
	}
	if _, err := b.CreateService(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

// updateWeb changes the service "web".
func updateWeb(t testing.TB, b *ecsBackend, in ecs.UpdateServiceInput) {
	t.Helper()
	in.Cluster, in.Service = aws.String("shop"), aws.String("web")
	if _, err := b.UpdateService(t.Context(), &in); err != nil {
		t.Fatal(err)
	}
}

// deploy begins a deployment of "web" that runs a command.
func deploy(t testing.TB, b *ecsBackend, command string) {
	t.Helper()
	register(t, b, "web", command)
	updateWeb(t, b, ecs.UpdateServiceInput{TaskDefinition: aws.String("web")})
}

func web(t testing.TB, b *ecsBackend) types.Service {
	t.Helper()
	return describeService(t, b, "shop", "web")
}

// describeService describes one service or ends the test.
func describeService(t testing.TB, b *ecsBackend, cluster, name string) types.Service {
	t.Helper()
	out, err := b.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: &cluster, Services: []string{name}})
	if err != nil || len(out.Services) != 1 {
		t.Fatalf("describe %s: %v, %+v", name, err, out)
	}
	return out.Services[0]
}

// listTasks are the ARNs of the tasks that a request finds on its first page.
func listTasks(t testing.TB, b *ecsBackend, in *ecs.ListTasksInput) []string {
	t.Helper()
	out, err := b.ListTasks(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out.TaskArns
}

// webTasks describes the tasks of "web" that have a desired status.
func webTasks(t testing.TB, b *ecsBackend, desired types.DesiredStatus) []types.Task {
	t.Helper()
	arns := listTasks(t, b, &ecs.ListTasksInput{Cluster: aws.String("shop"), ServiceName: aws.String("web"), DesiredStatus: desired})
	if len(arns) == 0 {
		return nil
	}
	out, err := b.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: aws.String("shop"), Tasks: arns})
	if err != nil {
		t.Fatal(err)
	}
	return out.Tasks
}

// describeTask describes one task or ends the test.
func describeTask(t testing.TB, b *ecsBackend, cluster, ref string) types.Task {
	t.Helper()
	out, err := b.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: &cluster, Tasks: []string{ref}})
	if err != nil || len(out.Tasks) != 1 {
		t.Fatalf("describe %s: %v, %+v", ref, err, out)
	}
	return out.Tasks[0]
}

// messages are the events of a service, the newest first, without its name,
// and with "…" for whatever is made at random.
func messages(s types.Service) []string {
	out := make([]string, len(s.Events))
	for i, e := range s.Events {
		out[i] = strings.TrimPrefix(*e.Message, "(service "+*s.ServiceName+") ")
		for _, d := range s.Deployments {
			out[i] = strings.ReplaceAll(out[i], *d.Id, "…")
		}
		if head, _, names := strings.Cut(out[i], " tasks: "); names {
			out[i] = head + " tasks: …"
		}
	}
	return out
}

func checkMessages(t *testing.T, s types.Service, want ...string) {
	t.Helper()
	if got := messages(s); !slices.Equal(got, want) {
		t.Errorf("events, the newest first:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

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
