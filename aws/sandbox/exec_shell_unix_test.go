//go:build unix

package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"gantry/aws"
	"gantry/aws/exec/remote"
	"gantry/aws/sandbox"
	"gantry/aws/sandbox/agent"
)

// with is a container whose programs are these alone, by name.
func with(t *testing.T, programs ...string) types.ContainerDefinition {
	t.Helper()
	path := t.TempDir()
	for _, name := range programs {
		if err := os.Symlink("/bin/sh", path+"/"+name); err != nil {
			t.Fatal(err)
		}
	}
	c := container("app")
	c.Environment = append(c.Environment, types.KeyValuePair{Name: sdk.String("PATH"), Value: sdk.String(path)})
	return c
}

// unconfined starts shells that see the folders of a test.
type unconfined struct{ sandbox.Runtime }

func (unconfined) Exec(ctx context.Context, in sandbox.RunningContainer, command []string) (sandbox.Terminal, error) {
	return agent.StartPTY(ctx, in.Dir, in.Env, command)
}

func TestOpenShellTriesThemInOrder(t *testing.T) {
	runtime, err := sandbox.Process(sandbox.ProcessConfig{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorldOf(t, unconfined{runtime})
	for want, programs := range map[string][]string{"bash": {"ash", "bash", "sh"}, "sh": {"ash", "sh"}, "ash": {"ash"}} {
		for _, encrypted := range []bool{false, true} {
			w.server.Faults().RequireKMS(encrypted)
			session, err := w.client.OpenShell(t.Context(), w.run(nil, with(t, programs...)), "app", "", 80, 24)
			w.must(err)
			if _, err := session.Write([]byte("echo \"it is $0\"; exit\n")); err != nil {
				t.Error(err)
			}
			var said bytes.Buffer
			if _, err := said.ReadFrom(session); err != nil {
				t.Error(err)
			}
			if !bytes.Contains(said.Bytes(), []byte("it is "+want)) {
				t.Errorf("with %q a session said %q", programs, said.String())
			}
			w.must(session.Close())
		}
	}
	_, err = w.client.OpenShell(t.Context(), w.run(nil, with(t)), "app", "", 80, 24)
	if !errors.Is(err, aws.ErrNoShell) {
		t.Errorf("got %v", err)
	}
}

func TestRemoteCommandInATask(t *testing.T) {
	w := newExecWorld(t)
	session, err := w.client.OpenShell(t.Context(), w.run(nil, container("app")), "app", "sh", 0, 0)
	w.must(err)
	shell, err := remote.Open(t.Context(), session)
	w.must(err)
	var out bytes.Buffer
	status, err := shell.Run(t.Context(), `echo "$APP_ENV"; exit 7`, &out)
	if out.String() != "test\n" || status != 7 || err != nil {
		t.Errorf("printed %q, status %d, %v", out.String(), status, err)
	}
	w.must(shell.Close())
}
