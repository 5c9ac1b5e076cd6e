package docker

import (
	"cmp"
	"context"
	"path"
	"slices"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"gantry/internal/diagnose"
)

// HelperLabel marks a helper container; its value is the container it helps.
const HelperLabel = "gantry.helper"

// ExecHelper opens a shell beside a container that has none: a container made
// from a local image that has sh, in the process and network namespaces of the
// other, removed when the session ends. It has no capability but SYS_PTRACE,
// without which it could not look at /proc/1/root, the other's files. image ""
// takes what HelperImage finds.
func (c *Client) ExecHelper(ctx context.Context, id, image string, cols, rows int) (*Session, error) {
	what := "open a helper container beside " + short(id)
	api, err := c.mutable(ctx, what)
	if err != nil {
		return nil, err
	}
	if image == "" {
		if image, err = c.HelperImage(ctx); err != nil {
			return nil, err
		}
	}
	target, err := api.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return nil, c.explain(what, err)
	}
	if row := described(target.Container); !row.Running() {
		return nil, notRunning(what, row)
	}
	s, err := c.openHelper(ctx, api, target.Container.ID, image)
	if err != nil {
		return nil, c.explain(what, err)
	}
	s.begin(ctx, cols, rows)
	return s, nil
}

func notRunning(what string, row Container) error {
	return &diagnose.Error{What: what, Cause: row.Name + " does not run, it is " + row.State, Do: "start it first", Err: ErrConflict}
}

// openHelper makes, connects and starts a helper.
func (c *Client) openHelper(ctx context.Context, api *client.Client, target, image string) (*Session, error) {
	made, err := api.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config: &container.Config{
			Image: image, Entrypoint: []string{"sh"}, Cmd: []string{}, Tty: true, OpenStdin: true, StdinOnce: true,
			AttachStdin: true, AttachStdout: true, AttachStderr: true, User: "0",
			Env: []string{"TERM=xterm-256color"}, Labels: map[string]string{HelperLabel: target},
		},
		HostConfig: &container.HostConfig{
			AutoRemove: true, CapDrop: []string{"ALL"}, CapAdd: []string{"SYS_PTRACE"}, SecurityOpt: []string{"no-new-privileges"},
			PidMode: container.PidMode("container:" + target), NetworkMode: container.NetworkMode("container:" + target),
		},
	})
	if err != nil {
		return nil, err
	}
	s, err := c.attach(ctx, api, made.ID, terminal)
	if err != nil {
		discard(ctx, api, made.ID)
		return nil, err
	}
	s.hangup = func(ctx context.Context) { discard(ctx, api, made.ID) }
	if err := start(ctx, api, made.ID); err != nil {
		s.end(ctx)
		return nil, err
	}
	return s, nil
}

// knownHelpers are images that are small and have sh, the best first.
var knownHelpers = []string{"busybox", "alpine", "debian", "ubuntu", "bash"}

// helpersTried bounds the images that HelperImage looks into.
const helpersTried = 12

// HelperImage finds a local image with sh: a well-known one first, then the
// smallest. Nothing is pulled. Without any the error is ErrNoShell.
func (c *Client) HelperImage(ctx context.Context) (string, error) {
	const what = "find an image with a shell"
	api, err := c.mutable(ctx, what)
	if err != nil {
		return "", err
	}
	images, err := c.Images(ctx, TopImages)
	if err != nil {
		return "", err
	}
	slices.SortStableFunc(images, func(a, b Image) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Size, b.Size))
	})
	for _, image := range images[:min(len(images), helpersTried)] {
		has, err := hasShell(ctx, api, image.ID)
		if err != nil {
			return "", c.explain(what, err)
		}
		if has {
			return image.Reference(), nil
		}
	}
	return "", &diagnose.Error{
		What: what, Cause: "no image on this engine has one", Do: "docker pull busybox", Err: ErrNoShell,
	}
}

// rank is the place of an image among the well-known ones.
func rank(image Image) int {
	if i := slices.Index(knownHelpers, path.Base(image.Repository)); i >= 0 {
		return i
	}
	return len(knownHelpers)
}

// hasShell reports whether an image has /bin/sh. It makes a container and never
// starts it: its files can be asked for all the same.
func hasShell(ctx context.Context, api *client.Client, image string) (bool, error) {
	made, err := api.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config:     &container.Config{Image: image, Entrypoint: []string{"sh"}, Labels: map[string]string{HelperLabel: ""}},
		HostConfig: &container.HostConfig{NetworkMode: "none"},
	})
	if gone(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer discard(ctx, api, made.ID)
	_, err = api.ContainerStatPath(ctx, made.ID, client.ContainerStatPathOptions{Path: "/bin/sh"})
	if gone(err) {
		return false, nil
	}
	return err == nil, err
}
