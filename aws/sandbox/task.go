package sandbox

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/uuid"
)

// taskStatus is where a task is in its life (lastStatus), or is to go
// (desiredStatus). ACTIVATING and DEACTIVATING do not occur: they belong to
// load balancers and service discovery.
type taskStatus string

const (
	taskProvisioning   taskStatus = "PROVISIONING"
	taskPending        taskStatus = "PENDING"
	taskRunning        taskStatus = "RUNNING"
	taskStopping       taskStatus = "STOPPING"
	taskDeprovisioning taskStatus = "DEPROVISIONING"
	taskStopped        taskStatus = "STOPPED"
)

func (s taskStatus) starting() bool { return s == taskProvisioning || s == taskPending }

// stoppedTaskLife is how long a stopped task can be described: ECS promises
// "at least an hour".
const stoppedTaskLife = time.Hour

const (
	defaultStopTimeout = 30 * time.Second
	fargateVersion     = "1.4.0"
	fargateFamily      = "Linux"
)

type task struct {
	number     uint64
	id, arn    string
	cluster    *cluster
	service    *service    // nil if RunTask made it
	deployment *deployment // nil if RunTask made it
	attempt    int         // the deployment's, when the task was made
	definition *definition
	overrides  *types.TaskOverride
	group      string
	startedBy  string
	token      string // RunTask's client token
	exec       bool
	tags       []types.Tag
	nic        nic
	containers []*container

	last, desired taskStatus
	version       int64
	launched      bool // the runtime was asked to start it
	supervised    bool // the runtime checks its containers' health
	healthy       bool // has been RUNNING for long enough
	step          *alarm

	created, pullStarted, pullStopped    time.Time
	started, stopping, executed, stopped time.Time
	stopCode                             types.TaskStopCode
	stoppedReason                        string
}

func (t *task) place() uint64 { return t.number }

// wanted reports whether the task is meant to run.
func (t *task) wanted() bool { return t.desired == taskRunning }

type container struct {
	definition *types.ContainerDefinition
	arn        string
	runtimeID  string
	status     taskStatus // PENDING, RUNNING or STOPPED
	exitCode   *int32
	reason     string
	health     types.HealthStatus
	as         RunningContainer
	agent      *managedAgent // nil unless exec is enabled
	stream     *logStream    // where its output goes; nil unless awslogs is asked for
}

// nic is the elastic network interface of a task.
type nic struct {
	attachment, id, subnet, zone, ip, mac string
}

// order is what a new task is made of.
type order struct {
	cluster    *cluster
	service    *service
	deployment *deployment
	definition *definition
	overrides  *types.TaskOverride
	network    *types.NetworkConfiguration
	group      string
	startedBy  string
	token      string
	exec       bool
	tags       []types.Tag
}

// launch makes a task and sets it going.
func (b *ecsBackend) launch(o order) *task {
	t := &task{
		number: b.next(), id: hexID(32),
		cluster: o.cluster, service: o.service, deployment: o.deployment,
		definition: o.definition, overrides: o.overrides,
		group: o.group, startedBy: o.startedBy, token: o.token, exec: o.exec, tags: o.tags,
		last: taskProvisioning, desired: taskRunning, version: 1,
		created: b.clock.Now(),
	}
	t.arn = o.cluster.taskPrefix() + t.id
	t.nic = b.newNIC(o.network, t.number)
	t.containers = make([]*container, len(o.definition.ContainerDefinitions))
	for i := range t.containers {
		c := &container{
			definition: &o.definition.ContainerDefinitions[i],
			arn:        b.arn("container", o.cluster.name, t.id, uuid.NewString()),
			runtimeID:  t.id + "-" + strconv.FormatUint(1_000_000_000+t.number*10+uint64(i), 10),
			status:     taskPending,
			health:     types.HealthStatusUnknown,
		}
		if t.exec {
			c.agent = &managedAgent{status: taskPending}
		}
		t.containers[i] = c
	}
	o.cluster.tasks = append(o.cluster.tasks, t)
	o.cluster.byID[t.id] = t
	t.step = b.after(b.pace.provision, func() { b.pend(t) })
	return t
}

// newNIC numbers interfaces, spread over the subnets in turn. One in a subnet
// that EC2 does not know here gets an address all the same.
func (b *ecsBackend) newNIC(config *types.NetworkConfiguration, n uint64) nic {
	subnets := []string{defaultSubnets[0].id}
	if config != nil && config.AwsvpcConfiguration != nil && len(config.AwsvpcConfiguration.Subnets) > 0 {
		subnets = config.AwsvpcConfiguration.Subnets
	}
	turn := n % uint64(len(subnets))
	in := network{id: subnets[turn], zone: b.region + string(rune('a'+turn%3))}
	for _, s := range defaultSubnets {
		if s.id == in.id {
			in = s
		}
	}
	low := n%16_000 + 10
	return nic{
		attachment: uuid.NewString(),
		id:         "eni-" + hexID(17),
		subnet:     in.id,
		zone:       in.zone,
		ip:         fmt.Sprintf("10.0.%d.%d", in.base+low>>8, low&0xff),
		mac:        fmt.Sprintf("0a:00:00:%02x:%02x:%02x", n>>16&0xff, n>>8&0xff, n&0xff),
	}
}

// enter moves a task to its next status.
func (t *task) enter(s taskStatus) {
	t.last = s
	t.version++
}

func (b *ecsBackend) pend(t *task) {
	t.enter(taskPending)
	t.step = b.after(b.pace.pull, func() {
		if err := b.openLogs(t); err != nil {
			b.cannotStart(t, err.Error())
			return
		}
		t.launched = true
		spec := t.spec()
		sink := &taskSink{b: b, task: t, spec: spec}
		b.later(func() { b.runtime.Start(spec, sink) })
	})
}

// run is reached when every container has started.
func (b *ecsBackend) run(t *task) {
	t.enter(taskRunning)
	t.started = b.clock.Now()
	if t.checked() {
		b.weigh(t) // it may have been found healthy before
		return
	}
	t.step = b.after(b.pace.healthy, func() { b.prove(t) })
}

// prove counts a task as healthy.
func (b *ecsBackend) prove(t *task) {
	t.healthy = true
	if t.service != nil {
		t.deployment.recover(t.service)
		b.reconcile(t.service)
	}
}

// stop makes a task end, for the first reason given.
func (b *ecsBackend) stop(t *task, code types.TaskStopCode, reason string) {
	if !t.wanted() {
		return
	}
	b.cancel(t.step)
	t.desired = taskStopped
	t.version++
	t.stopping = b.clock.Now()
	t.stopCode, t.stoppedReason = code, reason
	for _, c := range t.containers {
		c.stopAgent()
	}
	if !t.launched {
		b.deprovision(t)
		return
	}
	t.enter(taskStopping)
	b.later(func() { b.runtime.Stop(t.id) })
}

// deprovision is reached when no container runs any more.
func (b *ecsBackend) deprovision(t *task) {
	b.cancel(t.step)
	for _, c := range t.containers {
		c.status = taskStopped
	}
	if t.launched {
		t.executed = b.clock.Now()
	}
	t.enter(taskDeprovisioning)
	t.step = b.after(b.pace.deprovision, func() { b.finish(t) })
}

func (b *ecsBackend) finish(t *task) {
	t.enter(taskStopped)
	t.stopped = b.clock.Now()
	t.step = b.after(stoppedTaskLife, func() { t.cluster.drop(t) })
	if t.service != nil {
		t.service.forget(t)
		b.reconcile(t.service)
	}
}

// fail is a stop that nobody wished for.
func (b *ecsBackend) fail(t *task, code types.TaskStopCode, reason string) {
	if !t.wanted() {
		return
	}
	b.stop(t, code, reason)
	if t.service != nil {
		b.countFailure(t)
		b.reconcile(t.service)
	}
}

func (c *container) essential() bool { return c.definition.Essential == nil || *c.definition.Essential }

// dnsName is the private name that AWS derives from an address.
func (n nic) dnsName() string {
	return "ip-" + strings.ReplaceAll(n.ip, ".", "-") + ".ec2.internal"
}
