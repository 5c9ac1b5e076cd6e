package sandbox

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func asError[E error](err error, target *E) bool { return errors.As(err, target) }

// wantError checks the type of an error and its message.
func wantError[E interface {
	error
	ErrorMessage() string
}](t *testing.T, err error, message string) {
	t.Helper()
	var want E
	if !errors.As(err, &want) {
		t.Errorf("error %v, want a %T", err, want)
		return
	}
	if want.ErrorMessage() != message {
		t.Errorf("message %q, want %q", want.ErrorMessage(), message)
	}
}

// TestManyAtOnce lets readers and writers meet on real time; the race detector
// is the judge, and that everything settles in the end.
func TestManyAtOnce(t *testing.T) {
	b := newECS(region, account, wallClock{}, nil, nil)
	b.pace = pace{provision: time.Millisecond, pull: time.Millisecond, agent: time.Millisecond, deprovision: time.Millisecond, healthy: 2 * time.Millisecond}
	defer func() {
		if err := b.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	createService(t, b, "serve", 3, nil)
	register(t, b, "web", "serve")
	var wait sync.WaitGroup
	for w := range 4 {
		wait.Go(func() {
			for i := range 50 {
				n := int32(i%7) + 1
				definition := fmt.Sprintf("web:%d", i%2+1)
				_, err := b.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("shop"), Service: aws.String("web"), DesiredCount: &n, TaskDefinition: &definition})
				if err != nil {
					t.Errorf("update: %v", err)
				}
				if w == 0 {
					for _, task := range webTasks(t, b, types.DesiredStatusRunning) {
						_, _ = b.StopTask(t.Context(), &ecs.StopTaskInput{Cluster: aws.String("shop"), Task: task.TaskArn})
					}
				}
			}
		})
		wait.Go(func() {
			for range 50 {
				s := web(t, b)
				for i := range s.Deployments {
					*s.Deployments[i].Id = "changed by a reader"
				}
				for _, task := range webTasks(t, b, types.DesiredStatusStopped) {
					*task.TaskArn = "changed by a reader"
				}
			}
		})
	}
	wait.Wait()
	eventually(t, func() bool {
		s := web(t, b)
		return s.RunningCount == s.DesiredCount && len(s.Deployments) == 1 && s.Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted
	})
}

func TestCloseLeavesStateReadable(t *testing.T) {
	b := newECS(region, account, wallClock{}, nil, nil)
	createService(t, b, "serve", 3, nil)
	for range 2 {
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if s := web(t, b); s.DesiredCount != 3 {
		t.Errorf("%d desired", s.DesiredCount)
	}
	updateWeb(t, b, ecs.UpdateServiceInput{DesiredCount: aws.Int32(9)})
	if n := len(b.alarms); n != 0 {
		t.Errorf("%d alarms set after the end", n)
	}
}

// seedFleet makes many services of five tasks each and waits until they run.
func seedFleet(tb testing.TB, b *ecsBackend, clock *manualClock, services int) {
	tb.Helper()
	createService(tb, b, "serve", 0, nil)
	for i := range services {
		in := demoService{family: "web", desired: 5, exec: true}.input()
		in.ServiceName = aws.String(fmt.Sprintf("service-%04d", i))
		if _, err := b.CreateService(tb.Context(), in); err != nil {
			tb.Fatal(err)
		}
	}
	clock.Advance(10 * time.Second)
	out, err := b.DescribeClusters(tb.Context(), &ecs.DescribeClustersInput{Clusters: []string{"shop"}})
	if err != nil || out.Clusters[0].RunningTasksCount != int32(services)*5 {
		tb.Fatalf("%v, %d tasks run, want %d", err, out.Clusters[0].RunningTasksCount, services*5)
	}
}

// BenchmarkSeedFleet is 1,000 services of 5 tasks, from nothing to steady.
func BenchmarkSeedFleet(b *testing.B) {
	for b.Loop() {
		clock := newManualClock()
		backend := newECS(region, account, clock, None(), nil)
		seedFleet(b, backend, clock, 1000)
		if err := backend.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDescribeFleet reads all of it once: every page of ListServices and
// ListTasks, and a describe for each.
func BenchmarkDescribeFleet(b *testing.B) {
	clock := newManualClock()
	backend := newECS(region, account, clock, None(), nil)
	defer backend.Close()
	seedFleet(b, backend, clock, 1000)
	b.ReportAllocs()
	for b.Loop() {
		tasks, services := 0, 0
		list := &ecs.ListTasksInput{Cluster: aws.String("shop")}
		for {
			out, err := backend.ListTasks(b.Context(), list)
			if err != nil {
				b.Fatal(err)
			}
			described, err := backend.DescribeTasks(b.Context(), &ecs.DescribeTasksInput{Cluster: list.Cluster, Tasks: out.TaskArns})
			if err != nil {
				b.Fatal(err)
			}
			tasks += len(described.Tasks)
			if list.NextToken = out.NextToken; list.NextToken == nil {
				break
			}
		}
		page := &ecs.ListServicesInput{Cluster: aws.String("shop")}
		for {
			out, err := backend.ListServices(b.Context(), page)
			if err != nil {
				b.Fatal(err)
			}
			described, err := backend.DescribeServices(b.Context(), &ecs.DescribeServicesInput{Cluster: page.Cluster, Services: out.ServiceArns})
			if err != nil {
				b.Fatal(err)
			}
			services += len(described.Services)
			if page.NextToken = out.NextToken; page.NextToken == nil {
				break
			}
		}
		if tasks != 5000 || services != 1001 {
			b.Fatalf("%d tasks, %d services", tasks, services)
		}
	}
}
