package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"gantry/aws/sandbox"
	"gantry/docker"
	"gantry/internal/diagnose"
)

// The runtimes of the sandbox's tasks. DefaultRuntime takes docker when an
// engine answers and can pull from the sandbox's registry, else what runs
// without one.
const (
	DefaultRuntime = "auto"
	dockerRuntime  = "docker"
	processRuntime = "process"
	noRuntime      = "none"
)

// RuntimeHelp is the description of the flag.
const RuntimeHelp = "what runs the sandbox's tasks: docker, process (the built-in demo app alone), none (states only), or auto, which is docker if an engine can"

// LocalAWS is a sandbox and what runs its tasks.
type LocalAWS struct {
	*sandbox.Server
	fixed      string              // the runtime's name
	containers *sandbox.Containers // nil unless an engine may run the tasks
	engine     *docker.Client      // that of containers
}

// Close stops serving and ends all tasks.
func (s *LocalAWS) Close() error {
	err := s.Server.Close()
	if s.engine != nil {
		s.engine.Close()
	}
	return err
}

// Meanwhile is what to say of the runtime before Runtime knows.
func (s *LocalAWS) Meanwhile() string {
	if s.containers == nil {
		return s.fixed + " runtime"
	}
	return "trying the Docker engine"
}

// Runtime says what runs the tasks, for people: "docker runtime", or "process
// runtime: no Docker engine answers". It waits until that is known.
func (s *LocalAWS) Runtime(ctx context.Context) (string, error) {
	if s.containers == nil {
		return s.Meanwhile(), nil
	}
	select {
	case <-s.containers.Decided():
		return s.containers.Choice().String(), nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// StartSandbox starts the local AWS with the runtime of that name, on the
// engine that is chosen as the docker command chooses.
func StartSandbox(ctx context.Context, config sandbox.Config, runtime string, at docker.Options) (*LocalAWS, error) {
	s := &LocalAWS{fixed: runtime}
	var err error
	switch runtime {
	case DefaultRuntime, dockerRuntime:
		s.engine = openEngine(at, config.Log)
		s.containers, err = containers(s.engine, config)
		config.Runtime = s.containers
	case processRuntime:
		config.Runtime, err = sandbox.Process(sandbox.ProcessConfig{})
	case noRuntime:
		config.Runtime = sandbox.None()
	default:
		return nil, &diagnose.Error{What: fmt.Sprintf("there is no runtime %q", runtime), Do: "choose docker, process or none, or auto, the default"}
	}
	if err != nil {
		return nil, err
	}
	s.Server, err = sandbox.Start(ctx, config)
	if err != nil {
		_ = config.Runtime.Close()
		return nil, cannotStart(err)
	}
	if runtime == dockerRuntime {
		if err := s.insistOnDocker(); err != nil {
			_ = s.Close()
			return nil, err
		}
	}
	return s, nil
}

func cannotStart(err error) error {
	if errors.As(err, new(*diagnose.Error)) {
		return err
	}
	return &diagnose.Error{What: "start the sandbox", Cause: err.Error(), Do: "choose another loopback address with --listen", Err: err}
}

// openEngine is the engine for the sandbox's own containers: what the user sees
// of it may be read-only all the same.
func openEngine(at docker.Options, log *slog.Logger) *docker.Client {
	at.ReadOnly, at.Log = false, log
	return docker.New(at)
}

// containers is the runtime that finds out by itself whether an engine can run
// the tasks.
func containers(client *docker.Client, config sandbox.Config) (*sandbox.Containers, error) {
	demo, name, err := withoutEngine()
	if err != nil {
		return nil, err
	}
	r, err := sandbox.Docker(sandbox.DockerConfig{
		Engine: engine{client}, Demo: demo, DemoName: name, LockDir: config.RunDir, Log: config.Log,
	})
	if err != nil {
		return nil, &diagnose.Error{What: "prepare the docker runtime", Cause: err.Error(), Do: "use --runtime " + name, Err: errors.Join(err, demo.Close())}
	}
	return r, nil
}

// insistOnDocker waits until it is known what runs the tasks.
func (s *LocalAWS) insistOnDocker() error {
	choice := s.containers.Choice()
	if choice.Docker {
		return nil
	}
	e := &diagnose.Error{What: "run the sandbox's tasks as containers", Cause: choice.Why, Do: "start the engine, or use --runtime auto"}
	if choice.Engine != "" {
		e.Do = "use an engine of this machine, or --runtime auto"
	}
	return e
}
