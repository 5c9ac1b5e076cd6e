package sandbox

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func TestDemoWorldComesUp(t *testing.T) {
	b, clock := newTestECS(t)
	if err := b.seedDemo(t.Context()); err != nil {
		t.Fatal(err)
	}
	clock.Advance(10 * time.Second)
	for name, want := range map[string]int32{"web": 3, "api": 2, "worker": 2} {
		s := describeService(t, b, "shop", name)
		if s.RunningCount != want || s.Deployments[0].RolloutState != types.DeploymentRolloutStateCompleted {
			t.Errorf("%s: %d running, %s; want %d, COMPLETED", name, s.RunningCount, s.Deployments[0].RolloutState, want)
		}
	}
	if n := describeService(t, b, "shop", "checkout").Deployments[0].FailedTasks; n == 0 {
		t.Error("checkout does not crash")
	}
}
