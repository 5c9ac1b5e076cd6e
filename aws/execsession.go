package aws

import (
	"context"

	"gantry/aws/exec"
)

// OpenShell opens a terminal session of cols by rows cells in a container of
// the task. Without a command it is the best shell the container has.
func (c *Client) OpenShell(ctx context.Context, task Task, container, command string, cols, rows int) (*exec.Session, error) {
	if command == "" {
		command = `/bin/sh -c "command -v bash >/dev/null && exec bash; exec sh"`
	}
	opened, err := c.ExecuteCommand(ctx, task, container, command)
	if err != nil {
		return nil, err
	}
	config := c.channel(opened)
	config.Cols, config.Rows = cols, rows
	return exec.Dial(ctx, config)
}

// channel is what the data channel of a session needs of the API.
func (c *Client) channel(s ExecSession) exec.Config {
	return exec.Config{
		StreamURL: s.StreamURL, Token: s.Token.Reveal(), SessionID: s.ID, Target: s.Target,
		Sign: c.SignWebsocket, Resume: c.ResumeSession, Terminate: c.TerminateSession, DataKey: c.GenerateDataKey,
		Log: c.opts.Log,
	}
}
