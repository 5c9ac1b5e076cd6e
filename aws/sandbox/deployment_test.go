package sandbox

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func TestBackOff(t *testing.T) {
	for rounds, want := range map[int]time.Duration{
		0: 0, 1: 0, 2: 2 * time.Second, 3: 4 * time.Second, 10: 512 * time.Second,
		11: maxBackOff, 12: maxBackOff, 100: maxBackOff, 1 << 40: maxBackOff,
	} {
		if got := backOff(rounds); got != want {
			t.Errorf("after %d rounds %v, want %v", rounds, got, want)
		}
	}
}

// TestLateCrashIsForgotten lets tasks crash that had long been up: each is
// replaced at once, and none counts once its replacement is healthy.
func TestLateCrashIsForgotten(t *testing.T) {
	b, clock := newTestECS(t)
	createService(t, b, "serve", 2, nil)
	clock.Advance(time.Minute)
	for range 5 {
		crashOne(t, b)
		if s := web(t, b); s.PendingCount != 1 || s.Deployments[0].FailedTasks != 1 {
			t.Fatalf("%d pending, %d failed; want 1, 1", s.PendingCount, s.Deployments[0].FailedTasks)
		}
		clock.Advance(10 * time.Second)
		if s := web(t, b); s.RunningCount != 2 || s.Deployments[0].FailedTasks != 0 {
			t.Fatalf("%d running, %d failed; want 2, 0", s.RunningCount, s.Deployments[0].FailedTasks)
		}
	}
}

func TestUpdateEndsTheBackOff(t *testing.T) {
	b, clock := newTestECS(t)
	createService(t, b, "crash", 1, nil)
	clock.Advance(10 * time.Minute)
	if n := web(t, b).PendingCount; n != 0 {
		t.Fatalf("%d pending, want none while backing off", n)
	}
	updateWeb(t, b, ecs.UpdateServiceInput{})
	if n := web(t, b).PendingCount; n != 1 {
		t.Errorf("%d pending after an update, want 1 at once", n)
	}
}

func TestUpdateThatChangesNothingSaysNothing(t *testing.T) {
	b, clock := newTestECS(t)
	createService(t, b, "serve", 2, nil)
	clock.Advance(time.Minute)
	before := len(web(t, b).Events)
	updateWeb(t, b, ecs.UpdateServiceInput{DesiredCount: aws.Int32(2)})
	clock.Advance(time.Minute)
	if s := web(t, b); len(s.Events) != before || len(s.Deployments) != 1 {
		t.Errorf("%d events and %d deployments, want %d and 1", len(s.Events), len(s.Deployments), before)
	}
}

// TestRolloutWithRoomKeepsCapacity has percentages that would let old tasks go
// early, and room enough not to.
func TestRolloutWithRoomKeepsCapacity(t *testing.T) {
	b, clock := newTestECS(t)
	createService(t, b, "serve", 3, func(in *ecs.CreateServiceInput) {
		in.DeploymentConfiguration.MinimumHealthyPercent = aws.Int32(0)
	})
	clock.Advance(time.Minute)
	deploy(t, b, "serve")
	for range 1000 {
		if n := web(t, b).RunningCount; n < 3 {
			t.Fatalf("only %d run", n)
		}
		clock.Advance(20 * time.Millisecond)
	}
	if s := web(t, b); len(s.Deployments) != 1 || s.Deployments[0].RolloutState != types.DeploymentRolloutStateCompleted {
		t.Errorf("deployments %+v", s.Deployments)
	}
}

// TestRollbackIsNotRolledBack lets the restored deployment fail too: there is
// nothing better to go to, so ECS keeps trying.
func TestRollbackIsNotRolledBack(t *testing.T) {
	b, clock := newTestECS(t)
	createService(t, b, "serve", 1, func(in *ecs.CreateServiceInput) {
		in.DeploymentConfiguration.DeploymentCircuitBreaker = &types.DeploymentCircuitBreaker{Enable: true, Rollback: true}
	})
	clock.Advance(time.Minute)
	good := *web(t, b).Deployments[0].Id
	deploy(t, b, "crash")
	for *web(t, b).Deployments[0].Id != good {
		clock.Advance(50 * time.Millisecond)
	}
	for range 4 {
		crashOne(t, b)
		for web(t, b).RunningCount == 0 {
			clock.Advance(50 * time.Millisecond)
		}
	}
	if d := web(t, b).Deployments[0]; *d.Id != good || d.RolloutState != types.DeploymentRolloutStateInProgress || d.FailedTasks != 4 {
		t.Errorf("%s, %d failed; want IN_PROGRESS, 4", d.RolloutState, d.FailedTasks)
	}
	clock.Advance(time.Minute)
	if d := web(t, b).Deployments[0]; d.RolloutState != types.DeploymentRolloutStateCompleted {
		t.Errorf("%s, want COMPLETED once a task stays up", d.RolloutState)
	}
}

func TestAgentOfATaskThatStopsEarly(t *testing.T) {
	b, clock := newTestECS(t)
	createService(t, b, "serve", 1, func(in *ecs.CreateServiceInput) { in.EnableExecuteCommand = true })
	clock.Advance(b.pace.provision + b.pace.pull)
	crashOne(t, b)
	clock.Advance(b.pace.agent)
	stopped := webTasks(t, b, types.DesiredStatusStopped)[0]
	if got := *stopped.Containers[0].ManagedAgents[0].LastStatus; got != "STOPPED" {
		t.Errorf("the agent is %s, want STOPPED", got)
	}
}
