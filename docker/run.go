package docker

import (
	"context"
	"maps"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"gantry/internal/diagnose"
	"gantry/internal/pattern"
)

// containerName is the engine's own rule.
var containerName = pattern.Late(`^[a-zA-Z0-9][a-zA-Z0-9_.-]+$`)

// RunOptions say what to run. Only Image must be set.
type RunOptions struct {
	Image        string
	Name         string // "": the engine invents one
	Ports        []Port
	Env          []string // NAME=value; NAME alone takes gantry's own value
	Volumes      []string // HOST-PATH-OR-VOLUME:CONTAINER-PATH[:ro]
	Command      []string // instead of the image's
	Entrypoint   []string // instead of the image's
	RemoveOnExit bool
	Platform     string // os/architecture[/variant]; "": the engine's
	TTY          bool
	Labels       map[string]string
}

// Run creates a container and starts it in the background. When it cannot be
// started it is removed again, so that its name is free for the next attempt.
func (c *Client) Run(ctx context.Context, o RunOptions) (id string, err error) {
	what := "run " + o.Image
	api, err := c.mutable(ctx, what)
	if err != nil {
		return "", err
	}
	id, err = c.create(ctx, api, o, container.Config{}, [2]uint{})
	if err != nil {
		return "", c.explain(what, err)
	}
	if err := start(ctx, api, id); err != nil {
		return "", c.explain(what, err)
	}
	return id, nil
}

// RunAttached creates a container, connects to its terminal and starts it, so
// that nothing of its output is missed. The session ends with the container.
func (c *Client) RunAttached(ctx context.Context, o RunOptions, cols, rows int) (id string, s *Session, err error) {
	what := "run " + o.Image
	api, err := c.mutable(ctx, what)
	if err != nil {
		return "", nil, err
	}
	o.TTY = true
	id, err = c.create(ctx, api, o, container.Config{OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: true, AttachStderr: true},
		[2]uint{uint(max(rows, 0)), uint(max(cols, 0))})
	if err != nil {
		return "", nil, c.explain(what, err)
	}
	s, err = c.attach(ctx, api, id, terminal)
	if err != nil {
		discard(ctx, api, id)
		return "", nil, c.explain(what, err)
	}
	if err := start(ctx, api, id); err != nil {
		s.end(ctx)
		return "", nil, c.explain(what, err)
	}
	s.begin(ctx, cols, rows)
	return id, s, nil
}

// create makes the container of a run from the options and what the way of
// running adds. size is rows and columns of its terminal, from engines of API
// 1.42 on; older ones are told after the start.
func (c *Client) create(ctx context.Context, api *client.Client, o RunOptions, config container.Config, size [2]uint) (string, error) {
	what := "run " + o.Image
	if o.Name != "" {
		if err := checkName(what, o.Name); err != nil {
			return "", err
		}
	}
	ports, bindings, err := portMap(o.Ports)
	if err != nil {
		return "", err
	}
	platform, err := parsePlatform(what, o.Platform)
	if err != nil {
		return "", err
	}
	config.Image, config.Env, config.Cmd, config.Entrypoint = o.Image, environment(o.Env), o.Command, o.Entrypoint
	config.Tty, config.Labels, config.ExposedPorts = o.TTY, maps.Clone(o.Labels), ports
	out, err := api.ContainerCreate(ctx, client.ContainerCreateOptions{
		Name: o.Name, Config: &config, Platform: platform,
		HostConfig: &container.HostConfig{PortBindings: bindings, Binds: o.Volumes, AutoRemove: o.RemoveOnExit, ConsoleSize: size},
	})
	return out.ID, err
}

// start starts a container made just now, and removes it when that fails.
func start(ctx context.Context, api *client.Client, id string) error {
	_, err := api.ContainerStart(ctx, id, client.ContainerStartOptions{})
	if err != nil {
		discard(ctx, api, id)
	}
	return err
}

// discardTimeout bounds the removal of a container of ours after its purpose,
// or the caller's context, has ended.
const discardTimeout = 10 * time.Second

// discard removes a container of ours, whatever has become of ctx.
func discard(ctx context.Context, api *client.Client, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardTimeout)
	defer cancel()
	_, _ = api.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
}

// parsePlatform reads os/architecture[/variant]. "" is nil: the engine's own.
func parsePlatform(what, text string) (*ocispec.Platform, error) {
	if text == "" {
		return nil, nil
	}
	parts := strings.Split(text, "/")
	if len(parts) < 2 || len(parts) > 3 || parts[0] == "" || parts[1] == "" {
		return nil, &diagnose.Error{
			What: what, Cause: "\"" + clean(text) + "\" is no platform", Do: "write os/architecture, such as linux/amd64", Err: ErrInvalid,
		}
	}
	p := &ocispec.Platform{OS: parts[0], Architecture: parts[1]}
	if len(parts) == 3 {
		p.Variant = parts[2]
	}
	return p, nil
}
