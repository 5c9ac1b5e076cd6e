package sandbox

import (
	"context"
	"io"
	"time"
)

// Engine is a container engine as the docker runtime needs it. The text of its
// errors is the engine's own, in one line, since ECS passes that on. Its methods
// may be called at the same time.
type Engine interface {
	// Facts describes the engine. An error means that none answers.
	Facts(ctx context.Context) (EngineFacts, error)
	// Pull fetches an image and returns the digest of its manifest. A platform
	// or a login may be empty.
	Pull(ctx context.Context, image, platform string, login RegistryLogin) (digest string, err error)
	// HasImage reports whether an image is on the engine. When that cannot be
	// told, it is.
	HasImage(ctx context.Context, image string) bool
	// Import makes an image of a root filesystem in a tar and the lines of a
	// Dockerfile.
	Import(ctx context.Context, image string, root io.Reader, changes []string) error
	Create(ctx context.Context, c EngineContainer) (id string, err error)
	Start(ctx context.Context, id string) error
	// Inspect does not fail for a container that is gone.
	Inspect(ctx context.Context, id string) (EngineState, error)
	// Wait returns the exit code of a container that was started, once it has
	// ended.
	Wait(ctx context.Context, id string) (code int, err error)
	// Stop asks a container to end, kills it after the grace, and waits.
	Stop(ctx context.Context, id string, grace time.Duration) error
	// Remove kills a container if need be and removes it with its volumes.
	Remove(ctx context.Context, id string) error
	// RemoveImage removes an image, or only its name if it has others, unless a
	// container uses it.
	RemoveImage(ctx context.Context, image string) error
	// Logs passes on what a container writes until it ends.
	Logs(ctx context.Context, id string, emit func(LogLine)) error
	// Exec starts a command with a terminal, with env added to the container's.
	Exec(ctx context.Context, id string, command, env []string) (Terminal, error)
	// WatchHealth says that the health of a container, or of any if the id is
	// empty, may have changed, until ctx ends.
	WatchHealth(ctx context.Context, changed func(id string))
	RemoveVolume(ctx context.Context, name string) error
	// Labeled lists what has a label.
	Labeled(ctx context.Context, label string) (EngineThings, error)
}

// EngineFacts is what an engine says about itself.
type EngineFacts struct {
	Name         string // for people: "Docker 20.10.24"
	Architecture string // of its containers: amd64, arm64
	CPUs         int
}

// EngineThings are what an engine has.
type EngineThings struct{ Containers, Images, Volumes []EngineThing }

// EngineThing is a container, an image or a volume, and what it is labeled
// with. The id of a volume is its name.
type EngineThing struct {
	ID     string
	Labels map[string]string
}

// RegistryLogin is what an engine shows to a registry. It is given per call and
// kept nowhere. The zero value is none.
type RegistryLogin struct{ Username, Password string }

// EngineContainer is a container to be made.
type EngineContainer struct {
	ContainerSpec                   // Ports are published on a free port of 127.0.0.1 each
	Platform      string            // os/architecture that the image must have; empty for any
	EngineName    string            // what the engine lists it as
	Marks         map[string]string // labels besides the spec's
	Network, PID  string            // empty for its own, "none", or "container:ID" for another's
	MemoryBytes   int64
	NanoCPUs      int64
}

// EngineState is what has become of a container.
type EngineState struct {
	Exists, Running bool
	ExitCode        int
	OOMKilled       bool
	Health          string // starting, healthy or unhealthy; empty without a check
	IP              string
	Bindings        []PortBinding
}
