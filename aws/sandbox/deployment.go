package sandbox

import (
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// deployment is one rollout of a service: a definition, and how far it got.
type deployment struct {
	id         string
	definition *definition
	network    *types.NetworkConfiguration
	platform   string
	created    time.Time
	updated    time.Time
	rollout    types.DeploymentRolloutState
	reason     string
	restored   bool // brought back by a rollback: no second one follows

	failed    int32     // tasks failed in a row
	attempt   int       // rounds of failures in a row; tasks remember theirs
	notBefore time.Time // back-off: no task is started before
}

func (d *deployment) turn(to types.DeploymentRolloutState, reason string, now time.Time) {
	d.rollout, d.reason, d.updated = to, reason, now
}

const maxBackOff = 15 * time.Minute

// backOff is how long to wait after so many rounds of failures in a row: not
// at all after the first, then 2 s, doubled each time up to 15 minutes.
func backOff(rounds int) time.Duration {
	if rounds < 2 {
		return 0
	}
	if rounds > 12 {
		return maxBackOff
	}
	return min(2*time.Second<<(rounds-2), maxBackOff)
}

// missed counts a failed task. Tasks of one round count as one for the
// back-off, however many they are.
func (d *deployment) missed(attempt int, now time.Time) {
	d.failed++
	d.updated = now
	if attempt == d.attempt {
		d.attempt++
		d.notBefore = now.Add(backOff(d.attempt))
	}
}

// recover forgets failures once a task has stayed up.
func (d *deployment) recover(s *service) {
	d.attempt = 0
	d.notBefore = time.Time{}
	if breaker := s.deploying.DeploymentCircuitBreaker; breaker == nil || breaker.ResetOnHealthyTask == nil || *breaker.ResetOnHealthyTask {
		d.failed = 0
	}
}

// breakerThreshold is how many failures in a row trip the circuit breaker. By
// default it is half of the desired count, at least 3 and at most 200
// (types.ThresholdConfiguration).
func breakerThreshold(c *types.ThresholdConfiguration, desired int32) int32 {
	kind, value := types.ThresholdTypeBoundedPercent, int32(50)
	if c != nil {
		kind, value = c.Type, c.Value
	}
	percent := int32(min((int64(desired)*int64(value)+99)/100, math.MaxInt32)) //nolint:gosec // bounded
	switch kind {
	case types.ThresholdTypeCount:
		return max(value, 1)
	case types.ThresholdTypeUnboundedPercent:
		return max(percent, 1)
	}
	return max(3, min(200, percent))
}

// describe is the deployment as ECS answers.
func (d *deployment) describe(s *service) types.Deployment {
	out := types.Deployment{
		Id:                   aws.String(d.id),
		Status:               aws.String(statusActive),
		TaskDefinition:       aws.String(d.definition.arn()),
		CreatedAt:            aws.Time(d.created),
		UpdatedAt:            aws.Time(d.updated),
		FailedTasks:          d.failed,
		LaunchType:           s.launchType,
		NetworkConfiguration: clone(d.network),
		PlatformVersion:      aws.String(d.platform),
		PlatformFamily:       aws.String(fargateFamily),
		RolloutState:         d.rollout,
		RolloutStateReason:   aws.String(d.reason),
	}
	for _, t := range s.tasks {
		if t.deployment != d {
			continue
		}
		switch {
		case t.last == taskRunning:
			out.RunningCount++
		case t.last.starting() && t.wanted():
			out.PendingCount++
		}
		if t.wanted() {
			out.DesiredCount++
		}
	}
	if d == s.primary() {
		out.Status = aws.String(statusPrimary)
		out.DesiredCount = s.desired
	}
	return out
}
