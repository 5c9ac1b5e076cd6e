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

// runInput runs the newest revision of "web" in the cluster "shop".
func runInput() *ecs.RunTaskInput {
	return &ecs.RunTaskInput{
		Cluster: aws.String("shop"), TaskDefinition: aws.String("web"), LaunchType: types.LaunchTypeFargate,
		NetworkConfiguration: demoNetwork(),
	}
}

func TestTaskLife(t *testing.T) {
	b, clock := newTestECS(t)
	createService(t, b, "serve", 0, nil)
	in := runInput()
	in.StartedBy = aws.String("somebody")
	out, err := b.RunTask(t.Context(), in)
	if err != nil || len(out.Tasks) != 1 {
		t.Fatalf("%v, %+v", err, out)
	}
	task := out.Tasks[0]
	if *task.LastStatus != "PROVISIONING" || *task.Group != "family:web" || *task.StartedBy != "somebody" || *task.Cpu != "256" || *task.Attachments[0].Status != "PRECREATED" {
		t.Errorf("at first %s of %s by %s, interface %s", *task.LastStatus, *task.Group, *task.StartedBy, *task.Attachments[0].Status)
	}
	if !strings.HasPrefix(*task.TaskArn, "arn:aws:ecs:us-east-1:000000000000:task/shop/") {
		t.Errorf("ARN %s", *task.TaskArn)
	}
	seen := []string{*task.LastStatus}
	watch := func(d time.Duration) {
		for range d / (50 * time.Millisecond) {
			clock.Advance(50 * time.Millisecond)
			now := describeTask(t, b, "shop", *task.TaskArn)
			if at := *now.LastStatus; seen[len(seen)-1] != at {
				seen = append(seen, at)
				if now.Version <= task.Version {
					t.Errorf("version %d at %s, was %d", now.Version, at, task.Version)
				}
			}
			task = now
		}
	}
	watch(2 * time.Second)
	details := make(map[string]string)
	for _, d := range task.Attachments[0].Details {
		details[*d.Name] = *d.Value
	}
	if !strings.HasPrefix(details["subnetId"], "subnet-") || !strings.HasPrefix(details["networkInterfaceId"], "eni-") || details["privateIPv4Address"] != *task.Containers[0].NetworkInterfaces[0].PrivateIpv4Address {
		t.Errorf("attachment %v", details)
	}
	if task.StartedAt == nil || task.PullStartedAt == nil || task.Connectivity != types.ConnectivityConnected || *task.PlatformVersion != "1.4.0" || task.Containers[0].RuntimeId == nil {
		t.Errorf("running task %+v", task)
	}
	if _, err := b.StopTask(t.Context(), &ecs.StopTaskInput{Cluster: aws.String("shop"), Task: task.TaskArn}); err != nil {
		t.Fatal(err)
	}
	watch(2 * time.Second)
	if *task.StoppedReason != "Task stopped by user" || task.StopCode != types.TaskStopCodeUserInitiated || task.StoppedAt == nil || task.StoppingAt == nil || task.ExecutionStoppedAt == nil || *task.Attachments[0].Status != "DELETED" {
		t.Errorf("stopped task %+v", task)
	}
	want := []string{"PROVISIONING", "PENDING", "RUNNING", "DEPROVISIONING", "STOPPED"}
	if !slices.Equal(seen, want) {
		t.Errorf("went through %v, want %v", seen, want)
	}
}

func TestStopTaskBeforeItRuns(t *testing.T) {
	b, clock := newTestECS(t)
	createService(t, b, "serve", 0, nil)
	for _, wait := range []time.Duration{0, b.pace.provision} {
		out, err := b.RunTask(t.Context(), runInput())
		if err != nil {
			t.Fatal(err)
		}
		clock.Advance(wait)
		arn := out.Tasks[0].TaskArn
		if _, err := b.StopTask(t.Context(), &ecs.StopTaskInput{Cluster: aws.String("shop"), Task: arn}); err != nil {
			t.Fatal(err)
		}
		clock.Advance(time.Second)
		task := describeTask(t, b, "shop", *arn)
		if *task.LastStatus != "STOPPED" || task.StartedAt != nil || task.Containers[0].ExitCode != nil || *task.Containers[0].LastStatus != "STOPPED" {
			t.Errorf("after %v: %s, started %v, container %s", wait, *task.LastStatus, task.StartedAt, *task.Containers[0].LastStatus)
		}
	}
}

func TestRunTaskRefuses(t *testing.T) {
	b, _ := newTestECS(t)
	createService(t, b, "serve", 0, nil)
	for _, test := range []struct {
		name   string
		change func(*ecs.RunTaskInput)
		want   string
	}{
		{"no definition", func(in *ecs.RunTaskInput) { in.TaskDefinition = nil }, "TaskDefinition can not be blank."},
		{"too many", func(in *ecs.RunTaskInput) { in.Count = aws.Int32(11) }, "Count must be between 1 and 10."},
		{"EC2", func(in *ecs.RunTaskInput) { in.LaunchType = types.LaunchTypeEc2 }, "No Container Instances were found in your cluster."},
		{"no network", func(in *ecs.RunTaskInput) { in.NetworkConfiguration = nil }, "Network Configuration must be provided when networkMode 'awsvpc' is specified."},
		{"unknown container", func(in *ecs.RunTaskInput) {
			in.Overrides = &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{{Name: aws.String("ghost")}}}
		}, "Override for container named ghost is not a container in the TaskDefinition."},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := runInput()
			test.change(in)
			_, err := b.RunTask(t.Context(), in)
			wantError[*types.InvalidParameterException](t, err, test.want)
		})
	}
}

func TestRunTaskTokenRunsOnce(t *testing.T) {
	b, _ := newTestECS(t)
	createService(t, b, "serve", 0, nil)
	in := runInput()
	in.ClientToken, in.Count = aws.String("once"), aws.Int32(3)
	first, err := b.RunTask(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	again, err := b.RunTask(t.Context(), in)
	if err != nil || len(again.Tasks) != 3 || *again.Tasks[2].TaskArn != *first.Tasks[2].TaskArn {
		t.Errorf("%v: %d tasks, want the same 3", err, len(again.Tasks))
	}
}

func TestOverridesReachTheContainer(t *testing.T) {
	d := &types.ContainerDefinition{
		Name: aws.String("c"), Image: aws.String("i"), EntryPoint: []string{"/init"}, Command: []string{"a", "b"},
		Environment: env("A", "1", "B", "2"), StopTimeout: aws.Int32(7),
	}
	got := containerSpec(d, types.ContainerOverride{Command: []string{"z"}, Environment: env("B", "3", "C", "4")})
	if !slices.Equal(got.EntryPoint, []string{"/init"}) || !slices.Equal(got.Command, []string{"z"}) || !slices.Equal(got.Env, []string{"A=1", "B=3", "C=4"}) || got.StopTimeout != 7*time.Second {
		t.Errorf("%+v", got)
	}
}

func TestListTasksFilters(t *testing.T) {
	b, clock := newTestECS(t)
	if err := b.seedDemo(t.Context()); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Second)
	shop, batch := aws.String("shop"), aws.String("batch")
	deployment := describeService(t, b, "shop", "api").Deployments[0].Id
	for _, test := range []struct {
		in   ecs.ListTasksInput
		want int
	}{
		{ecs.ListTasksInput{Cluster: shop}, 8},
		{ecs.ListTasksInput{Cluster: shop, ServiceName: aws.String("web")}, 3},
		{ecs.ListTasksInput{Cluster: shop, Family: aws.String("worker")}, 2},
		{ecs.ListTasksInput{Cluster: shop, StartedBy: deployment}, 2},
		{ecs.ListTasksInput{Cluster: shop, LaunchType: types.LaunchTypeEc2}, 0},
		{ecs.ListTasksInput{Cluster: shop, LaunchType: types.LaunchTypeFargate}, 8},
		{ecs.ListTasksInput{Cluster: shop, DesiredStatus: types.DesiredStatusStopped}, 0},
		{ecs.ListTasksInput{Cluster: batch, StartedBy: aws.String("nightly")}, 2},
	} {
		if got := listTasks(t, b, &test.in); len(got) != test.want {
			t.Errorf("%+v: %d tasks, want %d", test.in, len(got), test.want)
		}
	}
	_, err := b.ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: shop, ServiceName: aws.String("ghost")})
	wantError[*types.ServiceNotFoundException](t, err, "Service not found.")
	_, err = b.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: shop, Tasks: make([]string, 101)})
	wantError[*types.InvalidParameterException](t, err, "Tasks cannot have more than 100 elements.")
	_, err = b.StopTask(t.Context(), &ecs.StopTaskInput{Cluster: shop, Task: aws.String("ghost")})
	wantError[*types.InvalidParameterException](t, err, "The referenced task was not found.")
}

// TestSidecars runs tasks of two containers: the essential one decides.
func TestSidecars(t *testing.T) {
	for _, test := range []struct {
		crashing string
		want     string
	}{
		{"main", "STOPPED"},
		{"side", "RUNNING"},
	} {
		t.Run(test.crashing+" exits", func(t *testing.T) {
			b, clock := newTestECS(t)
			createService(t, b, "serve", 0, nil)
			in := demoFamily{name: "two", tag: "1", command: []string{"serve"}, cpu: "256", memory: "512"}.input(account)
			side := clone(in.ContainerDefinitions[0])
			in.ContainerDefinitions[0].Name = aws.String("main")
			side.Name, side.Essential = aws.String("side"), aws.Bool(false)
			in.ContainerDefinitions = append(in.ContainerDefinitions, side)
			if _, err := b.RegisterTaskDefinition(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			run := runInput()
			run.TaskDefinition = aws.String("two")
			out, err := b.RunTask(t.Context(), run)
			if err != nil {
				t.Fatal(err)
			}
			clock.Advance(time.Second)
			sinkOf(b, *out.Tasks[0].TaskArn).Exited(test.crashing, 9, "OutOfMemoryError: Container killed due to memory usage")
			clock.Advance(time.Second)
			task := describeTask(t, b, "shop", *out.Tasks[0].TaskArn)
			if *task.LastStatus != test.want {
				t.Errorf("task %s, want %s", *task.LastStatus, test.want)
			}
			for _, c := range task.Containers {
				if *c.Name == test.crashing && (*c.ExitCode != 9 || !strings.HasPrefix(*c.Reason, "OutOfMemoryError")) {
					t.Errorf("container %s: exit code %d, %q", *c.Name, *c.ExitCode, *c.Reason)
				}
			}
		})
	}
}
