// Package sandbox is a local AWS on one loopback port, spoken to through the
// same SDK client as the real one. What it does is real as far as it can be:
// state and scheduling follow ECS's rules and limits, and tasks run in a Runtime,
// as processes of this machine for instance. What it does not emulate it refuses
// by name; it never fakes a success.
package sandbox

import (
	"log/slog"
	"sync"
	"time"

	"gantry/aws/sandbox/wire"
)

// pace is how long the steps of a task's life take, where no runtime decides.
// They are short beside Fargate's half minute, and long enough to be seen.
type pace struct {
	provision   time.Duration // PROVISIONING: the network interface is made
	pull        time.Duration // PENDING, before the runtime is asked to start
	agent       time.Duration // the exec agent's PENDING, after the container runs
	deprovision time.Duration // DEPROVISIONING: the network interface is removed
	// healthy is how long a task must have been RUNNING before it counts as
	// healthy. ECS waits 40 s for tasks without a health check
	// (types.DeploymentConfiguration.MinimumHealthyPercent).
	healthy time.Duration
}

var usualPace = pace{
	provision:   400 * time.Millisecond,
	pull:        300 * time.Millisecond,
	agent:       200 * time.Millisecond,
	deprovision: 400 * time.Millisecond,
	healthy:     3 * time.Second,
}

// ecsBackend is the state of Amazon ECS in one account and region. Each of its
// operations is a method of the SDK client's own shape.
//
// One mutex guards everything. What must not happen under it, which is every
// call of the runtime, is queued with later and made by unlock, in order.
type ecsBackend struct {
	region, account string
	registry        string // HOST:PORT of our own ECR, empty where there is none
	clock           Clock
	runtime         Runtime
	logs            *logsBackend // where the output of tasks goes
	log             *slog.Logger
	pace            pace
	pager           pager
	// containerEnded hears of each container that has ended, by ARN, without
	// the lock; nil where nobody wants to know.
	containerEnded func(arn string)

	alarmsDone sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	effects  []func()
	draining bool
	alarms   map[*alarm]struct{}
	sequence uint64 // orders everything that is listed
	clusters map[string]*cluster
	families map[string]*family
}

// newECS makes an empty ECS. A nil runtime keeps states only, a nil log is
// silent. The backend owns the runtime and closes it.
func newECS(region, account string, clock Clock, rt Runtime, log *slog.Logger) *ecsBackend {
	if rt == nil {
		rt = None()
	}
	return &ecsBackend{
		region: region, account: account,
		clock: clock, runtime: rt, logs: newLogs(clock), log: discardLog(log),
		pace:     usualPace,
		pager:    newPager(invalidParameter),
		alarms:   make(map[*alarm]struct{}),
		clusters: make(map[string]*cluster),
		families: make(map[string]*family),
	}
}

// operations lists what is emulated of ECS, without Exec.
func (b *ecsBackend) operations() []wire.Operation {
	return []wire.Operation{
		wire.Op(b.CreateCluster),
		wire.Op(b.UpdateCluster),
		wire.Op(b.DeleteCluster),
		wire.Op(b.ListClusters),
		wire.Op(b.DescribeClusters),
		wire.Op(b.RegisterTaskDefinition),
		wire.Op(b.DeregisterTaskDefinition),
		wire.Op(b.DescribeTaskDefinition),
		wire.Op(b.ListTaskDefinitions),
		wire.Op(b.ListTaskDefinitionFamilies),
		wire.Op(b.CreateService),
		wire.Op(b.UpdateService),
		wire.Op(b.DeleteService),
		wire.Op(b.ListServices),
		wire.Op(b.DescribeServices),
		wire.Op(b.RunTask),
		wire.Op(b.StopTask),
		wire.Op(b.ListTasks),
		wire.Op(b.DescribeTasks),
		wire.Op(b.TagResource),
		wire.Op(b.UntagResource),
		wire.Op(b.ListTagsForResource),
	}
}

// Close stops every task, waits for what runs on its behalf, and leaves the
// state readable.
func (b *ecsBackend) Close() error {
	b.lock()
	b.closed = true
	for a := range b.alarms {
		b.cancel(a)
	}
	b.unlock()
	err := b.runtime.Close()
	b.alarmsDone.Wait()
	return err
}

func (b *ecsBackend) lock() { b.mu.Lock() }

// unlock makes the queued calls before it returns, unless another goroutine is
// at it: then that one makes them, so that their order holds.
func (b *ecsBackend) unlock() {
	if b.draining {
		b.mu.Unlock()
		return
	}
	b.draining = true
	for len(b.effects) > 0 {
		next := b.effects[0]
		b.effects = b.effects[1:]
		b.mu.Unlock()
		next()
		b.mu.Lock()
	}
	b.effects = nil
	b.draining = false
	b.mu.Unlock()
}

// later queues a call to be made without the lock.
func (b *ecsBackend) later(call func()) { b.effects = append(b.effects, call) }

// alarm is a change of state that waits for its time.
type alarm struct{ timer Timer }

// after makes a change, under the lock, once d has passed. Nothing happens once
// the backend is closed.
func (b *ecsBackend) after(d time.Duration, change func()) *alarm {
	a := &alarm{}
	if b.closed {
		return a
	}
	b.alarms[a] = struct{}{}
	b.alarmsDone.Add(1)
	a.timer = b.clock.AfterFunc(d, func() {
		defer b.alarmsDone.Done()
		b.lock()
		defer b.unlock()
		if _, due := b.alarms[a]; !due {
			return
		}
		delete(b.alarms, a)
		change()
	})
	return a
}

// cancel prevents a change; one that was made already, or nil, is ignored.
func (b *ecsBackend) cancel(a *alarm) {
	if _, waiting := b.alarms[a]; !waiting {
		return
	}
	delete(b.alarms, a)
	if a.timer.Stop() {
		b.alarmsDone.Done()
	}
}

// next numbers what is made, so that lists have one order that paging can rely on.
func (b *ecsBackend) next() uint64 {
	b.sequence++
	return b.sequence
}
