package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/moby/moby/client"

	"gantry/internal/diagnose"
)

// DefaultShells are tried in this order.
var DefaultShells = []string{"bash", "sh", "ash"}

// sessionVariable marks the processes of one session in their environment.
const sessionVariable = "GANTRY_SESSION"

// Exec opens the first of shells that the container has, in a terminal of that
// size. With none of them the error is ErrNoShell. Close sends the shell a
// SIGHUP: the engine itself would leave it running.
func (c *Client) Exec(ctx context.Context, id string, shells []string, cols, rows int) (*Session, error) {
	what := "open a shell in " + short(id)
	api, err := c.mutable(ctx, what)
	if err != nil {
		return nil, err
	}
	for _, shell := range shells {
		s, err := openExec(ctx, api, id, execution{command: []string{shell}, env: []string{"TERM=xterm-256color"}, hangup: shell})
		if errors.Is(err, errNotThere) {
			continue
		}
		if err != nil {
			return nil, c.explain(what, err)
		}
		s.begin(ctx, cols, rows)
		return s, nil
	}
	return nil, &diagnose.Error{
		What:  what,
		Cause: "its image has no shell (tried " + strings.Join(shells, ", ") + ")",
		Do:    "open a helper container beside it, which sees its processes and network",
		Err:   ErrNoShell,
	}
}

// errNotThere: the command is not in the container.
var errNotThere = errors.New("command not in the container")

// How long an exec may take to start, and how often to look.
const (
	startTimeout = 10 * time.Second
	lookInterval = 10 * time.Millisecond
)

// started waits until an exec has a process. The engine answers an attach
// before it has tried, so a missing command shows only in the exit code: 126 or
// 127 and no process.
func started(ctx context.Context, api *client.Client, exec string, conn client.HijackedResponse) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		state, err := api.ExecInspect(ctx, exec, client.ExecInspectOptions{})
		switch {
		case err != nil:
			return err
		case state.PID != 0:
			return nil
		case !state.Running && state.ExitCode != 0:
			return startFailure(conn, state.ExitCode)
		}
		if err := pause(ctx, lookInterval); err != nil {
			return err
		}
	}
}

// startFailure reads the runtime's words from the stream.
func startFailure(conn client.HijackedResponse, code int) error {
	_ = conn.Conn.SetReadDeadline(time.Now().Add(time.Second))
	text, _ := io.ReadAll(io.LimitReader(conn.Reader, 4<<10))
	said := failure{err: errors.New(string(text))}
	if code == 127 || said.says("no such file", "not found") {
		return errNotThere
	}
	return fmt.Errorf("%s (exit code %d)", runtimeWords(clean(string(text))), code)
}

// pause waits, or until the context ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// exitCode reads the exit code of an exec. The engine notes it a little after
// the stream has ended.
func exitCode(ctx context.Context, api *client.Client, exec string) (int, error) {
	for {
		state, err := api.ExecInspect(ctx, exec, client.ExecInspectOptions{})
		if err != nil {
			return 0, ErrNoExitCode
		}
		if !state.Running {
			return state.ExitCode, nil
		}
		if pause(ctx, lookInterval) != nil {
			return 0, ErrNoExitCode
		}
	}
}

// hangupScript finds the shell of a session: it carries the session's mark, and
// its parent is outside of the container's process namespace, which shows as 0.
// Daemons that the user has started from it have other parents and live on.
const hangupScript = `for p in /proc/[0-9]*; do
grep -qs '^PPid:[[:space:]]*0$' $p/status && grep -qs '%s=%s' $p/environ && kill -HUP ${p#/proc/}
done`

// hangUp ends the shell of a session. The engine has no call for that and lets
// an exec run on when its connection ends:
// https://github.com/moby/moby/issues/9098
func hangUp(ctx context.Context, api *client.Client, id, shell, mark string) {
	made, err := api.ExecCreate(ctx, id, client.ExecCreateOptions{
		Cmd: []string{shell, "-c", fmt.Sprintf(hangupScript, sessionVariable, mark)},
	})
	if err != nil {
		return
	}
	_, err = api.ExecStart(ctx, made.ID, client.ExecStartOptions{Detach: true})
	if err != nil {
		return
	}
	_, _ = exitCode(ctx, api, made.ID)
}
