package sandbox

import (
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Runtime runs the containers of tasks. The scheduler decides what should run;
// a Runtime does it and tells the Sink what became of it.
type Runtime interface {
	// Start runs the containers of a task and returns at once. It is called
	// once per task id.
	Start(task TaskSpec, sink Sink)
	// Stop asks every container of the task to end (SIGTERM, then SIGKILL after
	// its StopTimeout) and returns at once. An unknown or ended task is ignored.
	Stop(taskID string)
	// Close ends everything that runs and waits until it is gone. Start after
	// Close does nothing.
	Close() error
}

// Supervisor is a Runtime that honours what a definition says about the order in
// which containers start (dependsOn) and about their health (healthCheck). Other
// runtimes know START alone, and leave containers' health UNKNOWN.
type Supervisor interface {
	Supervises(task TaskSpec) bool
}

// Sink hears what becomes of one task's containers. Its methods may be called
// from any goroutine, and from within Start and Stop.
type Sink interface {
	// Pending says that the images are being fetched.
	Pending()
	// Running says that a container has started.
	Running(container string, as RunningContainer)
	// Exited says that a container has ended. The code is as the shell gives
	// it: 128+n after signal n. The reason is empty unless there is more to say
	// than the code does ("OutOfMemoryError: …").
	Exited(container string, code int, reason string)
	// Failed says that a container could not be started at all; the reason is
	// worded as ECS does ("CannotPullContainerError: …"), or empty if Stop came
	// first. None of the task's containers runs, or is going to run, after it.
	Failed(container, reason string)
	// Health says what a container's check has found. Containers without one
	// stay UNKNOWN.
	Health(container string, status types.HealthStatus)
	// Log passes on one line of output, without its line end.
	Log(container string, line LogLine)
}

// LogLine is one line that a container wrote.
type LogLine struct {
	At     time.Time
	Stream string // "stdout" or "stderr"
	Text   string
}

// TaskSpec is what a Runtime has to know to run a task. Sizes are in the units
// of task definitions: 1024 CPU units are one processor, memory is in MiB, and 0
// is no limit.
type TaskSpec struct {
	ID          string // unique, 32 hexadecimal digits
	Cluster     string // the cluster's name
	Family      string // the task definition's family
	CPU, Memory int32
	Platform    string // os/architecture that the definition asks for, empty if it does not
	SharedPID   bool   // the containers see each other's processes
	Containers  []ContainerSpec
	// Forbidden are settings that would reach beyond the task, in the
	// definition's own words: "privileged (container web)". Lacking are those
	// that the sandbox has nothing for. Who honours settings refuses both.
	Forbidden, Lacking []string
}

// ContainerSpec is one container of a task, with the task's overrides applied.
type ContainerSpec struct {
	Name        string
	Image       string
	EntryPoint  []string // nil is the image's
	Command     []string // nil is the image's
	Env         []string // NAME=value; nothing else but the image's is in the container's environment
	Ports       []ContainerPort
	StopTimeout time.Duration // between SIGTERM and SIGKILL

	DependsOn    []Dependency
	StartTimeout time.Duration // how long others wait for it to be as they depend on; 0 is no limit
	Health       *HealthCheck  // nil is none

	CPU, Memory, MemoryReservation int32
	User, WorkingDirectory         string
	ReadOnlyRoot, Init             bool
	Terminal, Interactive          bool
	Labels                         map[string]string
	Ulimits                        []Ulimit
	Tmpfs                          map[string]string // path -> mount options
	SharedMemory                   int32
	Mounts                         []VolumeMount
	DropCapabilities               []string
}

// Dependency is another container of the task that has to be so far before a
// container starts.
type Dependency struct {
	Container string
	Condition types.ContainerCondition
}

// HealthCheck is a command that tells whether a container is well.
type HealthCheck struct {
	Command                        []string // CMD and words, or CMD-SHELL and a line
	Interval, Timeout, StartPeriod time.Duration
	Retries                        int
}

// VolumeMount is where a container has a volume of its task: a directory that
// its containers share and that ends with it.
type VolumeMount struct {
	Volume, Path string
	ReadOnly     bool
}

// Ulimit is a limit on a container's processes.
type Ulimit struct {
	Name       string
	Soft, Hard int64
}

// ContainerPort is a port that a container listens on.
type ContainerPort struct {
	Port     int32
	Protocol string // "tcp" or "udp"
}

// RunningContainer is how a started container can be reached.
type RunningContainer struct {
	Handle      string   // the runtime's own id of the container, empty if it has none
	PID         int      // of the container's first process; 0 if it is none of this machine's
	Dir         string   // its working directory on this machine, empty if it has none
	Env         []string // NAME=value
	Bindings    []PortBinding
	ImageDigest string // "sha256:…", empty if unknown
	IP          string // its task's address, empty if it has none of its own
}

// PortBinding is where a container's port is reachable on this machine.
type PortBinding struct {
	ContainerPort int32
	HostPort      int32
	HostIP        string
	Protocol      string
}

const (
	// usualLimit keeps a slip of the finger (a desired count of 500) from filling
	// the machine: a task takes some 12 MB.
	usualLimit = 100
	// aboveLimit is ECS's reason when the account's quota of Fargate tasks is
	// used up, as the sandbox's is.
	aboveLimit = "You’ve reached the limit on the number of tasks you can run concurrently"
	// startsAtOnce keeps a large service from starving the machine.
	startsAtOnce = 8
	// closingGrace is what containers get between SIGTERM and SIGKILL when the
	// whole sandbox ends: nobody waits half a minute to quit.
	closingGrace = 2 * time.Second
	// lastWords is how long output may still come after a container has ended,
	// should something that it has left behind hold the other end open.
	lastWords = time.Second
)

// None is a runtime that keeps states only: no process, no output. Containers
// run as soon as they are started and end with 143 as soon as they are stopped.
func None() Runtime { return newStates() }

func discardLog(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return log
}
