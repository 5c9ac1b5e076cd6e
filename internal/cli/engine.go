package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync"
	"time"

	"gantry/aws/sandbox"
	"gantry/docker"
)

// engine is a container engine as the sandbox's docker runtime wants it.
type engine struct{ client *docker.Client }

// engineError has the engine's own words as its text, for ECS's reasons.
type engineError struct{ err error }

func (e engineError) Error() string { return docker.Words(e.err) }
func (e engineError) Unwrap() error { return e.err }

func inWords(err error) error {
	if err == nil {
		return nil
	}
	return engineError{err}
}

func (e engine) Facts(ctx context.Context) (sandbox.EngineFacts, error) {
	at, err := e.client.Engine(ctx)
	if err != nil {
		return sandbox.EngineFacts{}, err
	}
	name := "Docker"
	if at.Podman {
		name = "Podman"
	}
	return sandbox.EngineFacts{Name: name + " " + at.Version, Architecture: at.Arch, CPUs: at.CPUs}, nil
}

func (e engine) Pull(ctx context.Context, image, platform string, login sandbox.RegistryLogin) (string, error) {
	auth := docker.RegistryAuth{Username: login.Username, Password: login.Password}
	digest, err := e.client.Pull(ctx, image, platform, auth, func(docker.TransferProgress) {})
	return digest, inWords(err)
}

func (e engine) HasImage(ctx context.Context, image string) bool {
	_, err := e.client.ImageFacts(ctx, image)
	return !errors.Is(err, docker.ErrNotFound) && !errors.Is(err, docker.ErrImageGone)
}

func (e engine) Import(ctx context.Context, image string, root io.Reader, changes []string) error {
	return inWords(e.client.ImportImage(ctx, image, root, changes))
}

func (e engine) Create(ctx context.Context, c sandbox.EngineContainer) (string, error) {
	t := docker.TaskContainer{
		Name: c.EngineName, Image: c.Image, Platform: c.Platform, Entrypoint: c.EntryPoint, Command: c.Command, Env: c.Env, User: c.User, WorkingDir: c.WorkingDirectory,
		Labels: map[string]string{}, Network: c.Network, PID: c.PID,
		Memory: c.MemoryBytes, MemoryReservation: int64(c.MemoryReservation) << 20, SharedMemory: int64(c.SharedMemory) << 20,
		CPUShares: int64(c.CPU), NanoCPUs: c.NanoCPUs,
		ReadOnlyRoot: c.ReadOnlyRoot, Init: c.Init, TTY: c.Terminal, OpenStdin: c.Interactive,
		Tmpfs: c.Tmpfs, DropCapabilities: c.DropCapabilities,
		LogOptions: map[string]string{"max-size": "10m", "max-file": "2"},
	}
	maps.Copy(t.Labels, c.Labels)
	maps.Copy(t.Labels, c.Marks) // they win: the sweep relies on them
	for _, p := range c.Ports {
		t.Ports = append(t.Ports, docker.Port{HostIP: "127.0.0.1", Container: int(p.Port), Proto: p.Protocol})
	}
	t.VolumeLabels = c.Marks
	for _, m := range c.Mounts {
		t.Volumes = append(t.Volumes, docker.Mount{Source: m.Volume, Destination: m.Path, ReadOnly: m.ReadOnly})
	}
	for _, u := range c.Ulimits {
		t.Ulimits = append(t.Ulimits, docker.Ulimit{Name: u.Name, Soft: u.Soft, Hard: u.Hard})
	}
	if h := c.Health; h != nil {
		t.Health = &docker.HealthCheck{
			Test: h.Command, Interval: h.Interval, Timeout: h.Timeout, StartPeriod: h.StartPeriod, Retries: h.Retries,
		}
	}
	id, err := e.client.CreateTaskContainer(ctx, t)
	return id, inWords(err)
}

func (e engine) Start(ctx context.Context, id string) error { return inWords(e.client.Start(ctx, id)) }

func (e engine) Inspect(ctx context.Context, id string) (sandbox.EngineState, error) {
	at, err := e.client.TaskState(ctx, id)
	state := sandbox.EngineState{
		Exists: at.Exists, Running: at.Running, ExitCode: at.ExitCode, OOMKilled: at.OOMKilled, Health: at.Health, IP: at.IP,
	}
	for _, p := range at.Ports {
		state.Bindings = append(state.Bindings, sandbox.PortBinding{
			ContainerPort: int32(p.Container), HostPort: int32(p.Host), HostIP: p.HostIP, Protocol: p.Proto, //nolint:gosec // ports have 16 bits
		})
	}
	return state, inWords(err)
}

func (e engine) Wait(ctx context.Context, id string) (int, error) {
	code, err := e.client.WaitExit(ctx, id)
	return code, inWords(err)
}

func (e engine) Stop(ctx context.Context, id string, grace time.Duration) error {
	return gone(e.client.StopWithin(ctx, id, grace))
}

func (e engine) Remove(ctx context.Context, id string) error {
	return gone(e.client.RemoveContainer(ctx, id, docker.ContainerRemoval{Force: true, Volumes: true}))
}

func (e engine) RemoveImage(ctx context.Context, image string) error {
	_, err := e.client.RemoveImage(ctx, image, docker.ImageRemoval{})
	return gone(err)
}

// gone does not mind that what was to go is not there.
func gone(err error) error {
	if errors.Is(err, docker.ErrNotFound) || errors.Is(err, docker.ErrImageGone) {
		return nil
	}
	return inWords(err)
}

func (e engine) Logs(ctx context.Context, id string, emit func(sandbox.LogLine)) error {
	return inWords(e.client.Logs(ctx, id, docker.LogOptions{Follow: true}, func(lines []docker.LogLine) {
		for _, l := range lines {
			emit(sandbox.LogLine{At: l.At, Stream: l.Stream.String(), Text: l.Text})
		}
	}))
}

func (e engine) WatchHealth(ctx context.Context, changed func(id string)) {
	_ = e.client.Events(ctx, func(event docker.Event) { // it ends with ctx, and not before
		switch event.Action {
		case docker.Resync:
			changed("")
		case "health_status":
			changed(event.ID)
		}
	})
}

func (e engine) RemoveVolume(ctx context.Context, name string) error {
	return gone(e.client.RemoveVolume(ctx, name))
}

func (e engine) Labeled(ctx context.Context, label string) (sandbox.EngineThings, error) {
	found, err := e.client.Labeled(ctx, label)
	return sandbox.EngineThings{Containers: things(found.Containers), Images: things(found.Images), Volumes: things(found.Volumes)}, inWords(err)
}

func things(from []docker.Labeled) []sandbox.EngineThing {
	to := make([]sandbox.EngineThing, len(from))
	for i, f := range from {
		to[i] = sandbox.EngineThing{ID: f.ID, Labels: f.Labels}
	}
	return to
}

// The size of a terminal until its client tells another.
const (
	execCols = 80
	execRows = 24
)

func (e engine) Exec(ctx context.Context, id string, command, env []string) (sandbox.Terminal, error) {
	s, err := e.client.ExecCommand(ctx, id, command, env, execCols, execRows)
	if errors.Is(err, docker.ErrNoCommand) {
		return nil, errNoCommand{command[0]}
	}
	if err != nil {
		return nil, inWords(err)
	}
	t := &engineTerminal{Session: s, over: make(chan struct{})}
	t.stop = context.AfterFunc(ctx, func() { _ = t.Close() })
	return t, nil
}

// errNoCommand is worded as AWS's agent does it.
type errNoCommand struct{ name string }

func (e errNoCommand) Error() string {
	return fmt.Sprintf("exec: %q: executable file not found in $PATH", e.name)
}

// engineTerminal is a program with a terminal in a container. It ends when it has
// nothing more to say.
type engineTerminal struct {
	*docker.Session
	once sync.Once
	over chan struct{}
	stop func() bool
}

func (t *engineTerminal) Read(p []byte) (int, error) {
	n, err := t.Session.Read(p)
	if err != nil {
		t.end()
	}
	return n, err
}

func (t *engineTerminal) Close() error {
	t.stop()
	err := t.Session.Close()
	t.end()
	return err
}

// Wait returns once the program has ended, or was hung up on.
func (t *engineTerminal) Wait() error {
	<-t.over
	return nil
}

func (t *engineTerminal) end() { t.once.Do(func() { close(t.over) }) }
