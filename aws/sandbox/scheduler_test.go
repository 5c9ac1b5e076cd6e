package sandbox

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// newTestECS is a backend on a manual clock that ends with the test.
func newTestECS(t testing.TB, rt Runtime) (*ecsBackend, *manualClock) {
	t.Helper()
	clock := newManualClock()
	b := newECS(region, account, clock, rt, nil)
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return b, clock
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

// messages are the events of a service, the newest first, without its name.
func messages(s types.Service) []string {
	out := make([]string, len(s.Events))
	for i, e := range s.Events {
		out[i] = strings.TrimPrefix(*e.Message, "(service "+*s.ServiceName+") ")
	}
	return out
}

func TestDemoWorldComesUp(t *testing.T) {
	b, clock := newTestECS(t, nil)
	if err := b.seedDemo(context.Background()); err != nil {
		t.Fatal(err)
	}
	if s := describeService(t, b, "shop", "web"); s.PendingCount != 3 || s.RunningCount != 0 {
		t.Fatalf("at once: %d pending, %d running; want 3, 0", s.PendingCount, s.RunningCount)
	}
	clock.Advance(10 * time.Second)
	for name, want := range map[string]int32{"web": 3, "api": 2, "worker": 2, "checkout": 1} {
		s := describeService(t, b, "shop", name)
		if s.RunningCount != want || s.Deployments[0].RolloutState != types.DeploymentRolloutStateCompleted {
			t.Errorf("%s: %d running, %s; want %d, COMPLETED", name, s.RunningCount, s.Deployments[0].RolloutState, want)
		}
	}
	web := describeService(t, b, "shop", "web")
	if got := messages(web)[0]; got != "has reached a steady state." {
		t.Errorf("newest event %q", got)
	}
	_, err := b.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("shop"), Service: aws.String("web"), DesiredCount: aws.Int32(5)})
	if err != nil {
		t.Fatal(err)
	}
	clock.Advance(10 * time.Second)
	t.Log(strings.Join(messages(describeService(t, b, "shop", "web")), "\n"))
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

// describeTask describes one task or ends the test.
func describeTask(t testing.TB, b *ecsBackend, cluster, ref string) types.Task {
	t.Helper()
	out, err := b.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: &cluster, Tasks: []string{ref}})
	if err != nil || len(out.Tasks) != 1 {
		t.Fatalf("describe %s: %v, %+v", ref, err, out)
	}
	return out.Tasks[0]
}
