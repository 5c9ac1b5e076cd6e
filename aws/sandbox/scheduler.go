package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// The scheduler has no loop: whatever changes a service calls reconcile, which
// does everything that can be done now and leaves an alarm for what cannot.

// crashLoopAfter is how many failures in a row make ECS say that a service
// cannot start its tasks.
const crashLoopAfter = 3

// reconcile brings a service nearer to what is wanted of it.
func (b *ecsBackend) reconcile(s *service) {
	if b.closed || s.status == statusInactive {
		return
	}
	if s.status == statusDraining {
		b.drain(s)
		return
	}
	b.tripBreaker(s)
	started := b.startMissing(s)
	stopped := b.stopSurplus(s)
	started = append(started, b.startMissing(s)...)
	b.tellTasks(s, "has started %d tasks: %s.", started)
	b.tellTasks(s, "has stopped %d running tasks: %s.", stopped)
	s.steady = s.steady && len(started)+len(stopped) == 0
	s.retire()
	b.tellStuck(s)
	b.settle(s)
}

// drain stops what is left of a deleted service, then makes it INACTIVE.
func (b *ecsBackend) drain(s *service) {
	var stopped []*task
	for _, t := range s.live() {
		b.stopByScheduler(t)
		stopped = append(stopped, t)
	}
	b.tellTasks(s, "has stopped %d running tasks: %s.", stopped)
	if len(s.tasks) == 0 {
		s.status = statusInactive
		b.cancel(s.wake)
	}
}

// bounds are the least and the most tasks that may run during a rollout.
func (s *service) bounds() (lower, upper int) {
	desired := int(s.desired)
	least, most := int(*s.deploying.MinimumHealthyPercent), int(*s.deploying.MaximumPercent)
	return (desired*least + 99) / 100, desired * most / 100
}

// startMissing starts what the primary deployment lacks, as far as the maximum
// percent and the back-off allow.
func (b *ecsBackend) startMissing(s *service) []*task {
	d := s.primary()
	live := s.live()
	_, upper := s.bounds()
	room := min(int(s.desired)-s.count(d), upper-len(live))
	if room <= 0 || d.rollout == types.DeploymentRolloutStateFailed {
		return nil
	}
	if s.launchType == types.LaunchTypeEc2 {
		b.say(s, "was unable to place a task because no container instance met all of its requirements. Reason: No Container Instances were found in your cluster.")
		return nil
	}
	if wait := d.notBefore.Sub(b.clock.Now()); wait > 0 {
		b.wakeAfter(s, wait)
		return nil
	}
	started := make([]*task, room)
	for i := range started {
		started[i] = b.launchFor(s, d)
	}
	return started
}

// wakeAfter reconciles a service once its back-off is over.
func (b *ecsBackend) wakeAfter(s *service, wait time.Duration) {
	b.cancel(s.wake)
	s.wake = b.after(wait, func() { b.reconcile(s) })
}

func (b *ecsBackend) launchFor(s *service, d *deployment) *task {
	t := b.launch(order{
		cluster: s.cluster, service: s, deployment: d, definition: d.definition,
		network: d.network, group: "service:" + s.name, startedBy: d.id,
		exec: s.exec, tags: s.tagsForTask(d),
	})
	t.attempt = d.attempt
	s.tasks = append(s.tasks, t)
	return t
}

// stopSurplus stops tasks of the primary deployment above the desired count,
// and tasks of older deployments as far as the minimum percent allows.
func (b *ecsBackend) stopSurplus(s *service) []*task {
	d := s.primary()
	var own, old []*task
	for _, t := range s.live() {
		if t.deployment == d {
			own = append(own, t)
		} else {
			old = append(old, t)
		}
	}
	var stopped []*task
	if excess := len(own) - int(s.desired); excess > 0 {
		stopped = leastUseful(own)[:excess]
	}
	if d.rollout != types.DeploymentRolloutStateFailed {
		stopped = append(stopped, s.replaceable(own, old)...)
	}
	for _, t := range stopped {
		b.stopByScheduler(t)
	}
	return stopped
}

// replaceable picks the tasks of older deployments that may go. Of the new ones
// only healthy tasks make up for them. When all new tasks have been started,
// old ones stay until then, though the minimum percent might let them go.
func (s *service) replaceable(own, old []*task) []*task {
	floor, _ := s.bounds()
	if len(own) >= int(s.desired) {
		floor = int(s.desired)
	}
	available := 0
	for _, t := range own {
		if t.healthy {
			available++
		}
	}
	for _, t := range old {
		if t.last == taskRunning {
			available++
		}
	}
	var picked []*task
	for _, t := range leastUseful(old) {
		if t.last == taskRunning {
			if available <= floor {
				break
			}
			available--
		}
		picked = append(picked, t)
	}
	return picked
}

// leastUseful sorts tasks so that those which are missed least come first: not
// running yet, then the newest.
func leastUseful(tasks []*task) []*task {
	sorted := slices.Clone(tasks)
	slices.SortFunc(sorted, func(x, y *task) int {
		if rx, ry := x.last == taskRunning, y.last == taskRunning; rx != ry {
			if ry {
				return -1
			}
			return 1
		}
		return int(int64(y.number) - int64(x.number)) //nolint:gosec // counts of tasks
	})
	return sorted
}

func (b *ecsBackend) stopByScheduler(t *task) {
	b.stop(t, types.TaskStopCodeServiceSchedulerInitiated, fmt.Sprintf("Scaling activity initiated by (deployment %s)", t.deployment.id))
}

// countFailure notes that a task of a service ended by itself.
func (b *ecsBackend) countFailure(t *task) {
	s, d := t.service, t.deployment
	s.steady = false
	d.missed(t.attempt, b.clock.Now())
	if d.failed == crashLoopAfter {
		b.record(s, "is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.")
	}
}

// tripBreaker ends a deployment whose tasks keep failing, and brings back the
// last one that completed if the service wishes so.
func (b *ecsBackend) tripBreaker(s *service) {
	d, breaker := s.primary(), s.deploying.DeploymentCircuitBreaker
	if breaker == nil || !breaker.Enable || d.restored || d.rollout != types.DeploymentRolloutStateInProgress ||
		d.failed < breakerThreshold(breaker.ThresholdConfiguration, s.desired) {
		return
	}
	now := b.clock.Now()
	d.turn(types.DeploymentRolloutStateFailed, "ECS deployment circuit breaker: tasks failed to start.", now)
	b.record(s, fmt.Sprintf("(deployment %s) deployment failed: tasks failed to start.", d.id))
	back := s.completed
	if !breaker.Rollback || back == nil {
		return
	}
	b.record(s, fmt.Sprintf("rolling back to deployment %s.", back.id))
	back.turn(types.DeploymentRolloutStateInProgress, fmt.Sprintf("ECS deployment circuit breaker: rolling back to deploymentId %s.", back.id), now)
	back.restored = true
	back.failed, back.attempt, back.notBefore = 0, 0, time.Time{}
	s.promote(back)
}

// settle announces, once, that a service is as it should be.
func (b *ecsBackend) settle(s *service) {
	d := s.primary()
	if s.steady || d.rollout == types.DeploymentRolloutStateFailed || len(s.tasks) != int(s.desired) {
		return
	}
	for _, t := range s.tasks {
		if t.deployment != d || !t.healthy || !t.wanted() {
			return
		}
	}
	s.steady = true
	if d.rollout != types.DeploymentRolloutStateCompleted {
		d.turn(types.DeploymentRolloutStateCompleted, fmt.Sprintf("ECS deployment %s completed.", d.id), b.clock.Now())
		s.completed = d
		b.record(s, fmt.Sprintf("(deployment %s) deployment completed.", d.id))
	}
	b.record(s, "has reached a steady state.")
}

// tellStuck says that the percentages leave no room to move.
func (b *ecsBackend) tellStuck(s *service) {
	d, live := s.primary(), s.live()
	_, upper := s.bounds()
	if d.rollout == types.DeploymentRolloutStateFailed || s.count(d) >= int(s.desired) || len(live) < upper || upper == 0 {
		return
	}
	for _, t := range live {
		if t.last != taskRunning || t.deployment == d && !t.healthy {
			return
		}
	}
	b.say(s, "was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.")
}

// toldTasks is how many tasks one event names.
const toldTasks = 10

func (b *ecsBackend) tellTasks(s *service, format string, tasks []*task) {
	for some := range slices.Chunk(tasks, toldTasks) {
		names := make([]string, len(some))
		for i, t := range some {
			names[i] = "(task " + t.id + ")"
		}
		b.record(s, fmt.Sprintf(format, len(some), strings.Join(names, " ")))
	}
}
