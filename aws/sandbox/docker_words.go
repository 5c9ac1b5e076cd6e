package sandbox

import (
	"errors"
	"fmt"
	"strings"
)

// ECS puts a name of its own before what the engine says. These are the names
// that its agent uses (amazon-ecs-agent, agent/engine/errors.go).

func cannotPullError(image string, err error) error {
	return fmt.Errorf("CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref %s: %w", imageReference(image), err)
}

func cannotCreateError(err error) error { return fmt.Errorf("CannotCreateContainerError: %w", err) }

// notMadeError is cannotCreateError for a container of the task's. An engine
// pulls an image of another platform and only then refuses to run it; ECS says
// that it could not be pulled.
func notMadeError(platform string, err error) error {
	if platform != "" && strings.Contains(err.Error(), "does not match the specified platform") {
		return fmt.Errorf("CannotPullContainerError: pull image manifest has been retried 1 time(s): image Manifest does not contain descriptor matching platform '%s': %w", platform, err)
	}
	return cannotCreateError(err)
}

func cannotStartError(err error) error { return fmt.Errorf("CannotStartContainerError: %w", err) }

// outOfMemory is ECS's reason beside the exit code 137.
const outOfMemory = "OutOfMemoryError: Container killed due to memory usage"

// errStopped says that the task was stopped before its containers could run.
// It is no failure, so it has no reason.
var errStopped = errors.New("the task was stopped")

// reasonOf is what ECS gives as the reason for an error, empty for a task that
// was stopped.
func reasonOf(err error) string {
	if errors.Is(err, errStopped) {
		return ""
	}
	return err.Error()
}

// refusal is why a task must not run, nil if it may.
func refusal(spec TaskSpec) error {
	switch {
	case len(spec.Forbidden) > 0:
		return cannotCreateError(fmt.Errorf("the sandbox runs no task that reaches into this machine: it refuses %s", strings.Join(spec.Forbidden, ", ")))
	case len(spec.Lacking) > 0:
		return fmt.Errorf("ResourceInitializationError: the sandbox does not emulate %s", strings.Join(spec.Lacking, ", "))
	}
	return nil
}
