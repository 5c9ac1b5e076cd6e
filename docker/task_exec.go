package docker

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/moby/moby/client"

	"gantry/internal/diagnose"
)

// ErrNoCommand says that the container has no such program.
var ErrNoCommand = errors.New("no such command in the container")

// ExecCommand starts a command with a terminal of that size in a container that
// runs. env is added to the container's own. An error that wraps ErrNoCommand
// means that the program is not there. Close hangs up on it, as Exec's does;
// that takes a sh in the container.
func (c *Client) ExecCommand(ctx context.Context, id string, command, env []string, cols, rows int) (*Session, error) {
	what := "run a command in " + short(id)
	api, err := c.mutable(ctx, what)
	if err != nil {
		return nil, err
	}
	s, err := openExec(ctx, api, id, execution{command: command, env: env, hangup: "sh"})
	if errors.Is(err, errNotThere) {
		return nil, &diagnose.Error{What: what, Cause: "there is no " + clean(command[0]) + " in its image", Do: "choose a command that it has", Err: ErrNoCommand}
	}
	if err != nil {
		return nil, c.explain(what, err)
	}
	s.begin(ctx, cols, rows)
	return s, nil
}

// execution is a command to start with a terminal in a container.
type execution struct {
	command []string
	env     []string
	hangup  string // the shell that ends it when its session is closed
}

// openExec starts a command with a terminal in a container.
func openExec(ctx context.Context, api *client.Client, id string, e execution) (*Session, error) {
	mark := rand.Text()
	made, err := api.ExecCreate(ctx, id, client.ExecCreateOptions{
		TTY: true, AttachStdin: true, AttachStdout: true, AttachStderr: true, DetachKeys: detachKeys,
		Cmd: e.command, Env: append([]string{sessionVariable + "=" + mark}, e.env...),
	})
	if err != nil {
		return nil, err
	}
	conn, err := api.ExecAttach(ctx, made.ID, client.ExecAttachOptions{TTY: true})
	if err != nil {
		return nil, err
	}
	if err := started(ctx, api, made.ID, conn.HijackedResponse); err != nil {
		conn.Close()
		return nil, err
	}
	s := newSession(conn.HijackedResponse, terminal)
	s.resize = func(ctx context.Context, cols, rows int) error {
		_, err := api.ExecResize(ctx, made.ID, client.ExecResizeOptions{Width: uint(max(cols, 0)), Height: uint(max(rows, 0))})
		return err
	}
	s.code = func(ctx context.Context) (int, error) { return exitCode(ctx, api, made.ID) }
	s.hangup = func(ctx context.Context) { hangUp(ctx, api, id, e.hangup, mark) }
	return s, nil
}
