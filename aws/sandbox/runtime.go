package sandbox

import (
	"log/slog"
	"time"
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
	// Log passes on one line of output, without its line end.
	Log(container string, line LogLine)
}

// LogLine is one line that a container wrote.
type LogLine struct {
	At     time.Time
	Stream string // "stdout" or "stderr"
	Text   string
}

// TaskSpec is what a Runtime has to know to run a task.
type TaskSpec struct {
	ID         string // unique, 32 hexadecimal digits
	Cluster    string // the cluster's name
	Family     string // the task definition's family
	Containers []ContainerSpec
}

// ContainerSpec is one container of a task, with the task's overrides applied.
type ContainerSpec struct {
	Name        string
	Image       string
	Command     []string // entry point and command in one
	Env         []string // NAME=value; nothing else is in the container's environment
	Ports       []ContainerPort
	StopTimeout time.Duration // between SIGTERM and SIGKILL
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
}

// PortBinding is where a container's port is reachable on this machine.
type PortBinding struct {
	ContainerPort int32
	HostPort      int32
	HostIP        string
	Protocol      string
}

// None is a runtime that keeps states only: no process, no output. Containers
// run as soon as they are started and end with 143 as soon as they are stopped.
func None() Runtime { return newStates() }

func discardLog(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return log
}
