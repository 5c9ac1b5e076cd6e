package docker

import (
	"context"
	"errors"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"gantry/internal/diagnose"
)

// TaskContainer is a container made for somebody who runs tasks: all that a
// task definition can say, and nothing that reaches into the host.
type TaskContainer struct {
	Name       string // "": the engine invents one
	Image      string
	Platform   string   // os/architecture[/variant] that the image must have; "": any
	Entrypoint []string // nil: the image's
	Command    []string // nil: the image's
	Env        []string // NAME=value
	Labels     map[string]string
	User       string
	WorkingDir string
	// Network is "" for the engine's bridge, "none", or "container:ID" for the
	// network of another; PID is "" or "container:ID".
	Network, PID string
	Ports        []Port

	Memory, MemoryReservation, SharedMemory int64 // bytes; 0 is no limit, no reservation, the engine's size
	CPUShares                               int64 // against other containers; 0 is the engine's
	NanoCPUs                                int64 // 0 is no limit
	ReadOnlyRoot                            bool
	Init                                    bool // a process that reaps the others
	TTY, OpenStdin                          bool
	Ulimits                                 []Ulimit
	Tmpfs                                   map[string]string // path -> mount options
	Volumes                                 []Mount           // made if need be, with VolumeLabels
	VolumeLabels                            map[string]string
	DropCapabilities                        []string
	Health                                  *HealthCheck // nil: none, not the image's either
	LogOptions                              map[string]string
}

// Ulimit is a limit on a container's processes.
type Ulimit struct {
	Name       string
	Soft, Hard int64
}

// HealthCheck is how the engine finds out whether a container is well.
type HealthCheck struct {
	Test                           []string // CMD and words, or CMD-SHELL and a line
	Interval, Timeout, StartPeriod time.Duration
	Retries                        int
}

// noHealthCheck is the engine's word against a check that the image brings.
const noHealthCheck = "NONE"

// CreateTaskContainer makes a container and does not start it. Its image must
// be on the engine.
func (c *Client) CreateTaskContainer(ctx context.Context, t TaskContainer) (id string, err error) {
	what := "create a container of " + clean(t.Image)
	api, err := c.mutable(ctx, what)
	if err != nil {
		return "", err
	}
	ports, bindings, err := portMap(t.Ports)
	if err != nil {
		return "", err
	}
	platform, err := parsePlatform(what, t.Platform)
	if err != nil {
		return "", err
	}
	out, err := api.ContainerCreate(ctx, client.ContainerCreateOptions{
		Name: t.Name, Platform: platform,
		Config: &container.Config{
			Image: t.Image, Entrypoint: t.Entrypoint, Cmd: t.Command, Env: t.Env, Labels: t.Labels, User: t.User, WorkingDir: t.WorkingDir,
			ExposedPorts: ports, Tty: t.TTY, OpenStdin: t.OpenStdin, Healthcheck: t.Health.config(),
		},
		HostConfig: t.host(bindings),
	})
	return out.ID, c.explain(what, err)
}

func (h *HealthCheck) config() *container.HealthConfig {
	if h == nil {
		return &container.HealthConfig{Test: []string{noHealthCheck}}
	}
	return &container.HealthConfig{Test: h.Test, Interval: h.Interval, Timeout: h.Timeout, StartPeriod: h.StartPeriod, Retries: h.Retries}
}

// TaskState is what has become of a container.
type TaskState struct {
	Exists, Running bool
	ExitCode        int // of one that has run and ended
	OOMKilled       bool
	Health          string // starting, healthy, unhealthy, "" without a check
	IP              string // on the engine's bridge, "" if it has none of its own
	Ports           []Port // published ones
}

// TaskState asks for a container's state. One that is gone is no failure.
func (c *Client) TaskState(ctx context.Context, id string) (TaskState, error) {
	what := "look at container " + short(id)
	ctx, cancel := c.within(ctx)
	defer cancel()
	api, err := c.api(ctx)
	if err != nil {
		return TaskState{}, c.explain(what, err)
	}
	out, err := api.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if gone(err) {
		return TaskState{}, nil
	}
	if err != nil {
		return TaskState{}, c.explain(what, err)
	}
	row := described(out.Container)
	s := TaskState{
		Exists: true, Running: row.Running(), ExitCode: row.ExitCode, OOMKilled: row.Detail.OOMKilled, Health: row.Health,
	}
	for _, p := range row.Ports {
		if p.Published() {
			s.Ports = append(s.Ports, p)
		}
	}
	if n := out.Container.NetworkSettings; n != nil {
		for _, at := range n.Networks {
			if at.IPAddress.IsValid() {
				s.IP = at.IPAddress.String()
			}
		}
	}
	return s, nil
}

// WaitExit waits until a container that was started does not run any more, and
// returns its exit code.
func (c *Client) WaitExit(ctx context.Context, id string) (int, error) {
	what := "wait for container " + short(id)
	api, err := c.api(ctx)
	if err != nil {
		return 0, c.explain(what, err)
	}
	wait := api.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select {
	case end := <-wait.Result:
		if end.Error != nil {
			return 0, c.explain(what, errors.New(end.Error.Message))
		}
		return int(end.StatusCode), nil
	case err := <-wait.Error:
		return 0, c.explain(what, err)
	}
}

// StopWithin asks a container to end, with the signal that its image names, and
// kills it when it has not after so much time. It waits for the end.
func (c *Client) StopWithin(ctx context.Context, id string, grace time.Duration) error {
	seconds := int((grace + time.Second - 1) / time.Second)
	return c.act(ctx, "stop "+short(id), func(api *client.Client) error {
		_, err := api.ContainerStop(ctx, id, client.ContainerStopOptions{Timeout: &seconds})
		return err
	})
}

// Words is the text of the engine, or of the registry behind it, in an error of
// this package, in one line: what a caller needs who words errors himself.
func Words(err error) string {
	for {
		var told *diagnose.Error
		if errors.As(err, &told) && told.Err != nil {
			err = told.Err
			continue
		}
		several, ok := err.(interface{ Unwrap() []error })
		if !ok || len(several.Unwrap()) != 2 {
			break
		}
		err = several.Unwrap()[1] // the kind stands before it
	}
	if err == nil {
		return ""
	}
	return words(err)
}
