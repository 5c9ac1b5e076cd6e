package aws

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"gantry/aws/exec"
	"gantry/internal/diagnose"
)

// ErrNoShell means that the container has none of the shells that are tried.
var ErrNoShell = errors.New("no shell in the container")

// shells are tried in this order.
var shells = [...]string{"bash", "sh", "ash"}

// shellPatience is how long a shell that was found may be silent: longer than
// the agent takes to say that it was not.
const shellPatience = 3 * time.Second

// OpenShell runs a command with a terminal of cols by rows cells in a container
// of the task. The command is one line, which the agent splits into words
// itself, without a shell. Without a command it is the first of bash, sh and
// ash that the container has; with none of them the error is ErrNoShell.
//
// A task that has just started is tried again for a few seconds. ctx bounds the
// opening alone; whoever gets the session has to Close or Detach it.
func (c *Client) OpenShell(ctx context.Context, task Task, container, command string, cols, rows int) (*exec.Session, error) {
	expect := c.handshakeOf(ctx, task)
	if command != "" {
		return c.openCommand(ctx, task, container, command, expect, cols, rows)
	}
	var missing error
	for _, shell := range shells {
		session, err := c.openCommand(ctx, task, container, shell, expect, cols, rows)
		if err != nil {
			return nil, err
		}
		err = awaitStart(ctx, session)
		if err == nil {
			return session, nil
		}
		_ = session.Close() // it ended, or nobody waits for it
		if !errors.Is(err, exec.ErrNotStarted) {
			return nil, err
		}
		missing = err
	}
	return nil, &diagnose.Error{
		What:  fmt.Sprintf("open a shell in %s of task %s", container, task.ID),
		Cause: "its image has no shell (tried bash, sh and ash)",
		Do:    "run a program that it has, or add a sidecar with a shell to the task definition",
		Err:   errors.Join(ErrNoShell, missing),
	}
}

// OpenForward forwards a local port on 127.0.0.1, 0 for a free one, to a port
// of the container, or of remoteHost as the container sees it when that is not
// "". ctx bounds the opening alone; whoever gets the forward has to Close it.
func (c *Client) OpenForward(ctx context.Context, task Task, container, remoteHost string, remotePort, localPort int) (*exec.Forward, error) {
	opened, err := c.StartPortForward(ctx, task, container, remoteHost, remotePort)
	if err != nil {
		return nil, err
	}
	remote := strconv.Itoa(remotePort)
	if remoteHost != "" {
		remote = net.JoinHostPort(remoteHost, remote)
	}
	return exec.DialPort(ctx, exec.ForwardConfig{Config: c.channel(opened), LocalPort: localPort, Remote: remote})
}

func (c *Client) openCommand(ctx context.Context, task Task, container, command string, expect exec.Expect, cols, rows int) (*exec.Session, error) {
	opened, err := c.ExecuteCommand(ctx, task, container, command)
	if err != nil {
		return nil, err
	}
	config := c.channel(opened)
	config.Handshake, config.Cols, config.Rows = expect, cols, rows
	return exec.Dial(ctx, config)
}

// handshakeOf says whether sessions in the task's cluster begin with a
// handshake, as far as the caller may know.
func (c *Client) handshakeOf(ctx context.Context, task Task) exec.Expect {
	clusters, err := c.DescribeClusters(ctx, []string{task.ClusterARN})
	switch {
	case err != nil || len(clusters) == 0 || clusters[0].Failure != "":
		return exec.HandshakeUnknown
	case clusters[0].KMSKey != "":
		return exec.HandshakeExpected
	}
	return exec.HandshakeNone
}

// awaitStart returns nil once the session's program runs: it has printed
// something, or been silent for longer than a failure to start would take.
func awaitStart(ctx context.Context, s *exec.Session) error {
	silence := time.NewTimer(shellPatience)
	defer silence.Stop()
	for {
		select {
		case <-s.Spoke():
			return nil
		case <-s.Done():
			return endOf(s)
		case <-silence.C:
			if s.Status().State == exec.Open {
				return nil
			}
			silence.Reset(shellPatience) // a handshake may take its time, and fails by itself
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// endOf is why a session ended before it began.
func endOf(s *exec.Session) error {
	if err := s.Err(); err != nil {
		return err
	}
	return &diagnose.Error{What: "open a shell", Cause: "it ended at once", Do: "check that the task still runs"}
}

// channel is what the data channel of a session needs of the API.
func (c *Client) channel(s ExecSession) exec.Config {
	return exec.Config{
		StreamURL: s.StreamURL, Token: s.Token.Reveal(), SessionID: s.ID, Target: s.Target,
		Sign: c.SignWebsocket, Resume: c.ResumeSession, Terminate: c.TerminateSession, DataKey: c.GenerateDataKey,
		Log: c.opts.Log,
	}
}
