package docker

import (
	"context"
	"strings"

	"github.com/moby/moby/client"

	"gantry/internal/diagnose"
)

// act makes one call that changes a container.
func (c *Client) act(ctx context.Context, what string, call func(*client.Client) error) error {
	api, err := c.mutable(ctx, what)
	if err != nil {
		return err
	}
	return c.explain(what, call(api))
}

// Start starts a container that does not run.
func (c *Client) Start(ctx context.Context, id string) error {
	return c.act(ctx, "start "+short(id), func(api *client.Client) error {
		_, err := api.ContainerStart(ctx, id, client.ContainerStartOptions{})
		return err
	})
}

// Stop asks a container to end, and kills it after its grace period, 10 s if it
// names none. It returns when the container has ended.
func (c *Client) Stop(ctx context.Context, id string) error {
	return c.act(ctx, "stop "+short(id), func(api *client.Client) error {
		_, err := api.ContainerStop(ctx, id, client.ContainerStopOptions{})
		return err
	})
}

// Restart stops a container and starts it again.
func (c *Client) Restart(ctx context.Context, id string) error {
	return c.act(ctx, "restart "+short(id), func(api *client.Client) error {
		_, err := api.ContainerRestart(ctx, id, client.ContainerRestartOptions{})
		return err
	})
}

// Pause freezes the processes of a container.
func (c *Client) Pause(ctx context.Context, id string) error {
	return c.act(ctx, "pause "+short(id), func(api *client.Client) error {
		_, err := api.ContainerPause(ctx, id, client.ContainerPauseOptions{})
		return err
	})
}

// Unpause lets the processes of a paused container go on.
func (c *Client) Unpause(ctx context.Context, id string) error {
	return c.act(ctx, "unpause "+short(id), func(api *client.Client) error {
		_, err := api.ContainerUnpause(ctx, id, client.ContainerUnpauseOptions{})
		return err
	})
}

// Kill sends a signal to the first process: SIGKILL, HUP, 9. "" is SIGKILL.
func (c *Client) Kill(ctx context.Context, id, signal string) error {
	return c.act(ctx, "kill "+short(id), func(api *client.Client) error {
		_, err := api.ContainerKill(ctx, id, client.ContainerKillOptions{Signal: signal})
		return err
	})
}

// Rename gives a container another name.
func (c *Client) Rename(ctx context.Context, id, name string) error {
	what := "rename " + short(id) + " to " + name
	if err := checkName(what, name); err != nil {
		return err
	}
	return c.act(ctx, what, func(api *client.Client) error {
		_, err := api.ContainerRename(ctx, id, client.ContainerRenameOptions{NewName: name})
		return err
	})
}

// checkName refuses what the engine would, in clearer words.
// https://github.com/moby/moby/blob/master/daemon/names/names.go
func checkName(what, name string) error {
	if containerName().MatchString(name) {
		return nil
	}
	return &diagnose.Error{
		What:  what,
		Cause: "\"" + clean(name) + "\" is no name for a container",
		Do:    "begin with a letter or digit, then letters, digits, _ . and -, two characters at least",
		Err:   ErrInvalid,
	}
}

// ContainerRemoval says how to remove a container.
type ContainerRemoval struct {
	Force   bool // kill it first when it runs
	Volumes bool // remove its anonymous volumes too
}

// RemoveContainer removes a container. One that is being removed already, as
// one is that removes itself when it ends, is no failure.
func (c *Client) RemoveContainer(ctx context.Context, id string, how ContainerRemoval) error {
	return c.act(ctx, "remove "+short(id), func(api *client.Client) error {
		_, err := api.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: how.Force, RemoveVolumes: how.Volumes})
		if err != nil && strings.Contains(err.Error(), "is already in progress") {
			return nil
		}
		return err
	})
}

// Processes are what runs in a container, as ps on the engine's machine shows
// it.
type Processes struct {
	Titles []string
	Rows   [][]string
}

// Top lists the processes of a running container.
func (c *Client) Top(ctx context.Context, id string) (Processes, error) {
	what := "list processes of " + short(id)
	ctx, cancel := c.within(ctx)
	defer cancel()
	api, err := c.api(ctx)
	if err != nil {
		return Processes{}, c.explain(what, err)
	}
	out, err := api.ContainerTop(ctx, id, client.ContainerTopOptions{})
	return Processes{Titles: out.Titles, Rows: out.Processes}, c.explain(what, err)
}

// ChangeKind says how a file differs from the image's.
type ChangeKind int

// The kinds of change, with the engine's numbers.
const (
	Modified ChangeKind = iota
	Added
	Deleted
)

// String is the letter of `docker diff`.
func (k ChangeKind) String() string {
	if k < Modified || k > Deleted {
		return "?"
	}
	return [...]string{"C", "A", "D"}[k]
}

// Change is a file that a container has changed.
type Change struct {
	Kind ChangeKind
	Path string
}

// Changes lists the files that differ from the image's, in the order of paths.
func (c *Client) Changes(ctx context.Context, id string) ([]Change, error) {
	what := "list changed files of " + short(id)
	ctx, cancel := c.within(ctx)
	defer cancel()
	api, err := c.api(ctx)
	if err != nil {
		return nil, c.explain(what, err)
	}
	out, err := api.ContainerDiff(ctx, id, client.ContainerDiffOptions{})
	if err != nil {
		return nil, c.explain(what, err)
	}
	changes := make([]Change, 0, len(out.Changes))
	for _, change := range out.Changes {
		changes = append(changes, Change{Kind: ChangeKind(change.Kind), Path: change.Path})
	}
	return changes, nil
}
