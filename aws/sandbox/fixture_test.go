package sandbox

import (
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

// sinkOf is the sink of a task in "shop", for a test to say what a runtime would.
func sinkOf(b *ecsBackend, arn string) *taskSink {
	b.lock()
	defer b.unlock()
	return &taskSink{b: b, task: b.clusters["shop"].task(arn)}
}

// crashOne makes the oldest running task of "web" exit with 1.
func crashOne(t testing.TB, b *ecsBackend) {
	t.Helper()
	sinkOf(b, *webTasks(t, b, types.DesiredStatusRunning)[0].TaskArn).Exited("web", 1, "")
}
