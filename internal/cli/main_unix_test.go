//go:build unix

package cli_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/goleak"

	"gantry/aws"
	"gantry/aws/sandbox"
	"gantry/aws/sandbox/demo"
	"gantry/internal/cli"
	"gantry/internal/diagnose"
)

// TestMain makes the test binary what gantry is to the process runtime.
func TestMain(m *testing.M) {
	if demo.Requested() {
		demo.Main()
		return
	}
	goleak.VerifyTestMain(m)
}

// deadline bounds every wait of these tests; nothing in them takes as long.
const deadline = 45 * time.Second

// world is a sandbox with the demo in it, whose tasks are processes.
type world struct {
	*sandbox.Server
	t      *testing.T
	web    []aws.Task // the running tasks of service web
	worker []aws.Task // those of service worker, for which exec is off
}

func newWorld(t *testing.T) *world {
	t.Helper()
	runtime, err := sandbox.Process(sandbox.ProcessConfig{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	server, err := sandbox.Start(context.Background(), sandbox.Config{Runtime: runtime, RunDir: t.TempDir() + "/run"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{Server: server, t: t}
	client := aws.New(w.options())
	defer client.Close()
	w.until("the services run", func() bool {
		w.web = w.running(client, "web")
		w.worker = w.running(client, "worker")
		return len(w.web) == 3 && len(w.worker) == 2
	})
	return w
}

// running is the tasks of a service that run, with their agents if they have
// any.
func (w *world) running(client *aws.Client, service string) []aws.Task {
	w.t.Helper()
	var tasks []aws.Task
	if err := client.Tasks(w.t.Context(), "shop", service, func(rows []aws.Task) { tasks = append(tasks, rows...) }); err != nil {
		w.t.Fatal(err)
	}
	return slices.DeleteFunc(tasks, func(k aws.Task) bool {
		return k.LastStatus != "RUNNING" || k.ExecEnabled && k.Containers[0].Agent.Status != "RUNNING"
	})
}

func (w *world) options() aws.Options {
	return aws.Options{
		Endpoint: w.URL(), Region: w.Region(), Unlimited: true,
		AccessKeyID: w.AccessKeyID(), SecretAccessKey: w.SecretAccessKey(),
	}
}

// until polls a condition.
func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	over := time.After(deadline)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-over:
			w.t.Fatalf("never: %s", what)
		case <-tick.C:
		}
	}
}

// command is gantry with its subcommands, as main has it.
func (w *world) command(in io.Reader, out, messages io.Writer, args ...string) *cobra.Command {
	o := w.options()
	root := &cobra.Command{Use: "gantry", SilenceUsage: true, SilenceErrors: true}
	cli.AWSFlags(root, &o)
	root.AddCommand(cli.Exec(&o), cli.Forward(&o), cli.Copy(&o))
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(messages)
	root.SetArgs(args)
	return root
}

// run runs gantry without a terminal.
func (w *world) run(args ...string) (out, messages string, err error) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	var stdout, stderr bytes.Buffer
	err = w.command(&bytes.Buffer{}, &stdout, &stderr, args...).ExecuteContext(ctx)
	return stdout.String(), stderr.String(), err
}

func status(err error) int {
	if err == nil {
		return 0
	}
	return cli.ExitStatus(err)
}

// told is the diagnosis in an error.
func told(t *testing.T, err error) *diagnose.Error {
	t.Helper()
	var d *diagnose.Error
	if !errors.As(err, &d) {
		t.Fatalf("got %v, want a diagnosis", err)
	}
	return d
}
