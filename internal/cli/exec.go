package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"

	"github.com/spf13/cobra"

	"gantry/aws"
	"gantry/aws/exec"
	"gantry/aws/exec/remote"
	"gantry/internal/diagnose"
)

// plainShell is what commands and copies run in: every container that has any
// shell has this one.
const plainShell = "sh"

// Exec is `gantry exec`: a shell or a command in a container of a task. The
// options are those of AWSFlags.
func Exec(o *aws.Options) *cobra.Command {
	var at taskFlags
	var command string
	c := &cobra.Command{
		Use:   "exec --cluster CLUSTER --task TASK [--container NAME] [--command COMMAND]",
		Short: "Open a shell in a task, or run a command there",
		Long: "The terminal becomes a shell in the container: ~. at the beginning of a line leaves it, ~? tells more.\n" +
			"With --command a shell runs that one command line, and gantry ends with its exit status. Without a\n" +
			"terminal it has no input, and its output comes as it is: no echo and no carriage returns, stderr among stdout.",
		Example: "gantry exec --cluster shop --task web/7f3a\n" +
			"gantry exec --cluster shop --task web --command 'tail -n 50 /var/log/app.log' >app.log",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withTask(cmd, *o, at, func(ctx context.Context, in inTask) error {
				return in.exec(ctx, command, terminalOf(cmd.InOrStdin(), cmd.OutOrStdout()), cmd.OutOrStdout())
			})
		},
	}
	at.add(c)
	c.Flags().StringVar(&command, "command", "", "command line for a shell, instead of an interactive one")
	return c
}

// inTask is a container of a task, and a client that reaches it.
type inTask struct {
	client    *aws.Client
	task      aws.Task
	container string
}

// withTask finds the container and ends the use of it on ctrl+c.
func withTask(cmd *cobra.Command, o aws.Options, at taskFlags, use func(ctx context.Context, in inTask) error) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
	defer stop()
	client := aws.New(o)
	defer client.Close()
	task, container, err := at.find(ctx, client)
	if err == nil {
		err = use(ctx, inTask{client, task, container})
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return Exit{1} // by a signal, which needs no words
	}
	return err
}

func (in inTask) exec(ctx context.Context, command string, t *terminal, out io.Writer) error {
	switch {
	case t == nil && command == "":
		return &diagnose.Error{
			What:  "open a shell in " + in.container,
			Cause: "input or output is not a terminal",
			Do:    "call it from a terminal, or give it a --command",
		}
	case t == nil:
		return in.runCommand(ctx, command, out)
	case command == "":
		return in.openShell(ctx, t)
	}
	return in.attach(ctx, command, t)
}

// explain finds the known cause behind ECS's error.
func (in inTask) explain(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil || errors.Is(err, aws.ErrReadOnly) || errors.Is(err, aws.ErrDenied) {
		return err
	}
	if why := in.client.ExplainExec(ctx, in.task, in.container); why != nil {
		return why
	}
	return err
}

// openRemote takes over a plain shell, with a terminal of that size.
func (in inTask) openRemote(ctx context.Context, cols, rows int) (*remote.Shell, *exec.Session, error) {
	session, err := in.client.OpenShell(ctx, in.task, in.container, plainShell, cols, rows)
	if err != nil {
		return nil, nil, in.explain(ctx, err)
	}
	shell, err := remote.Open(ctx, session)
	return shell, session, err
}

// runCommand prints a command's output and ends with its status.
func (in inTask) runCommand(ctx context.Context, command string, out io.Writer) error {
	shell, _, err := in.openRemote(ctx, 0, 0)
	if err != nil {
		return err
	}
	defer func() { _ = shell.Close() }()
	return exit(shell.Run(ctx, command, out))
}

// attach runs a command on the terminal and ends with its status.
func (in inTask) attach(ctx context.Context, command string, t *terminal) error {
	cols, rows := t.size()
	shell, session, err := in.openRemote(ctx, cols, rows)
	if err != nil {
		return err
	}
	defer func() { _ = shell.Close() }()
	return t.lend(ctx, session.Resize, func(ctx context.Context, keys <-chan []byte) error {
		return exit(shell.Attach(ctx, command, keys, t.out))
	})
}

// exit makes a command's status the program's own.
func exit(status int, err error) error {
	if err == nil && status != 0 {
		return Exit{status}
	}
	return err
}

// openShell makes the terminal a shell.
func (in inTask) openShell(ctx context.Context, t *terminal) error {
	cols, rows := t.size()
	session, err := in.client.OpenShell(ctx, in.task, in.container, "", cols, rows)
	if err != nil {
		return in.explain(ctx, err)
	}
	defer func() { _ = session.Close() }()
	return t.lend(ctx, session.Resize, func(ctx context.Context, keys <-chan []byte) error {
		return connect(ctx, session, keys, t.out)
	})
}

// connect copies both ways until the session or the context ends.
func connect(ctx context.Context, session *exec.Session, keys <-chan []byte, out io.Writer) error {
	var copying sync.WaitGroup
	over := make(chan struct{})
	copying.Go(func() {
		defer close(over)
		_, _ = io.Copy(out, session) // the session tells how it ended
	})
	copying.Go(func() {
		for {
			select {
			case p := <-keys:
				if _, err := session.Write(p); err != nil {
					return
				}
			case <-over:
				return
			}
		}
	})
	select {
	case <-over:
	case <-ctx.Done():
	}
	_ = session.Close() // frees both copies
	copying.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return session.Err()
}
