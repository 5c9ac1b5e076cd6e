package aws

import (
	"strings"
	"time"
)

// Task is one run of a task definition, while it runs and for about an hour
// after it has stopped.
type Task struct {
	Scope
	ARN, ID             string
	Cluster, ClusterARN string
	Service             string // "" where no service started it
	Group, StartedBy    string // "service:web", "ecs-svc/123…"

	LastStatus    string // PROVISIONING, PENDING, RUNNING, DEPROVISIONING, STOPPED …
	DesiredStatus string // RUNNING or STOPPED
	Health        string // HEALTHY, UNHEALTHY, UNKNOWN

	TaskDefinition  string // family:revision
	LaunchType      string // FARGATE, EC2 …, or the capacity provider
	PlatformVersion string
	CPU, Memory     string // in CPU units and MiB, as ECS writes them
	ExecEnabled     bool

	AZ, PrivateIP, SubnetID, ENI string

	Created, Started, Stopping, Stopped time.Time // zero where it has not come so far

	StopCode   string // EssentialContainerExited, TaskFailedToStart, UserInitiated …
	StopReason string // see Reason for the whole story

	Containers []Container

	// Failure says why the task could not be described; then only its names
	// are known.
	Failure string
}

// Container is one container of a task.
type Container struct {
	Name, Image, Digest string
	RuntimeID           string // the engine's id; names the target of a session
	LastStatus, Health  string
	ExitCode            *int // nil while it runs, and where it never started
	Reason              string
	Ports               []Port
	Agent               ManagedAgent // the one of ECS Exec; zero where exec is off
}

// Port is a port of a container that can be reached from outside it.
type Port struct {
	Container, Host int
	Protocol        string // tcp or udp
	BindIP          string
}

// ManagedAgent is the state of ECS Exec's agent inside a container.
type ManagedAgent struct {
	Status, Reason string // RUNNING, PENDING, STOPPED
}

// Moving reports whether the task is on its way to another status.
func (t *Task) Moving() bool {
	return t.Failure == "" && t.LastStatus != "STOPPED" &&
		(t.LastStatus != "RUNNING" || t.DesiredStatus != "RUNNING")
}

// IsStopped reports whether the task has ended.
func (t *Task) IsStopped() bool { return t.LastStatus == "STOPPED" }

// ExitCode is the exit code that says most about how the task ended: the first
// one that is not zero, else zero if a container ended at all. A task does not
// say which of its containers are essential.
func (t *Task) ExitCode() (code int, ok bool) {
	for i := range t.Containers {
		exit := t.Containers[i].ExitCode
		if exit == nil {
			continue
		}
		ok = true
		if *exit != 0 {
			return *exit, true
		}
	}
	return 0, ok
}

// Reason is why the task stopped, in ECS's words: the task's own reason and
// then those of its containers that add something to it.
func (t *Task) Reason() string {
	said := make([]string, 0, 1+len(t.Containers))
	if t.StopReason != "" {
		said = append(said, t.StopReason)
	}
	for i := range t.Containers {
		k := &t.Containers[i]
		if k.Reason != "" && !strings.Contains(strings.Join(said, "\n"), k.Reason) {
			said = append(said, k.Name+": "+k.Reason)
		}
	}
	return strings.Join(said, "; ")
}

// Container is the container of that name, nil if the task has none.
func (t *Task) Container(name string) *Container {
	for i := range t.Containers {
		if t.Containers[i].Name == name {
			return &t.Containers[i]
		}
	}
	return nil
}

func (t *Task) id() string { return t.ARN }
