//go:build unix

package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"gantry/aws"
	"gantry/aws/sandbox"
	"gantry/docker"
	"gantry/internal/cli"
)

// TestContainersCanBeEntered goes into a container by ECS Exec, as it goes into
// the demo app.
func TestContainersCanBeEntered(t *testing.T) {
	w := newEngineWorld(t)
	c := w.busyboxWith("web", "")
	c.PortMappings = []types.PortMapping{{ContainerPort: sdk.Int32(8080)}}
	c.Environment = []types.KeyValuePair{{Name: sdk.String("APP_ENV"), Value: sdk.String("production")}}
	side := w.busyboxWith("side", "trap 'exit 0' TERM; httpd -p 9090 -h /; while :; do sleep 1000 & wait; done")
	arn := w.runTask(w.family(nil, c, side))
	w.waitFor("the exec agents", func() bool {
		return !slices.ContainsFunc(w.task(arn).Containers, func(c types.Container) bool {
			return len(c.ManagedAgents) != 1 || *c.ManagedAgents[0].LastStatus != "RUNNING"
		})
	})
	id := arn[strings.LastIndexByte(arn, '/')+1:]
	for command, want := range map[string]struct {
		out    string
		status int
	}{
		`echo $((6*7)); exit 7`:  {"42\n", 7},
		`printf 'a\r\nb'`:        {"a\r\nb", 0},
		`echo "$APP_ENV" >&2`:    {"production\n", 0},
		"cat /index.html":        {"hello from a container", 0},
		"false || exit 1":        {"", 1},
		"wget -qO- 127.0.0.1:80": {"wget: can't connect to remote host (127.0.0.1): Connection refused\n", 1},
	} {
		out, _, err := w.run("exec", "--cluster", "live", "--task", id, "--container", "web", "--command", command)
		if out != want.out || status(err) != want.status {
			t.Errorf("%s: %q, %v; want %q and status %d", command, out, err, want.out, want.status)
		}
	}
	t.Run("forward", func(t *testing.T) { w.testForward(t, "--cluster", "live", "--task", id, "--container", "web") })
	t.Run("forward to a port that is not published", func(t *testing.T) {
		w.testForward(t, "--cluster", "live", "--task", id, "--container", "side", "--remote", "9090")
	})
	t.Run("terminal", func(t *testing.T) { w.testTerminal(t, "--cluster", "live", "--task", id, "--container", "web") })
	t.Run("without a shell", w.testNoShell)
	t.Run("copy", func(t *testing.T) { w.copyInto(t, id) })
}

// testNoShell enters a container whose image has one program, and no shell.
func (w *engineWorld) testNoShell(t *testing.T) {
	image := w.push("bare", busyboxOf(t, ""))
	c := types.ContainerDefinition{Name: sdk.String("bare"), Image: &image, EntryPoint: []string{"busybox"}, Command: []string{"sleep", "1000"}, StopTimeout: sdk.Int32(2)}
	arn := w.runTask(w.family(nil, c))
	w.waitFor("the exec agent", func() bool {
		agents := w.task(arn).Containers[0].ManagedAgents
		return len(agents) == 1 && *agents[0].LastStatus == "RUNNING"
	})
	client := aws.New(w.options())
	defer client.Close()
	var tasks []aws.Task
	w.must(client.Tasks(t.Context(), "live", "", func(rows []aws.Task) { tasks = append(tasks, rows...) }))
	at := slices.IndexFunc(tasks, func(k aws.Task) bool { return k.ARN == arn })
	_, err := client.OpenShell(t.Context(), tasks[at], "bare", "", 80, 24)
	if !errors.Is(err, aws.ErrNoShell) || !strings.Contains(fmt.Sprint(errors.Unwrap(err)), `exec: "ash": executable file not found in $PATH`) {
		t.Errorf("%v, because of %v", err, errors.Unwrap(err))
	}
}

// TestKilledSandboxesAreSwept kills a sandbox that has containers, and starts
// the next one.
func TestKilledSandboxesAreSwept(t *testing.T) {
	engine := liveEngine(t)
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), self, "-test.run=^TestOwnContainersUntilKilled$", "-test.v")
	c.Env = append(os.Environ(), ownerDir+"="+dir)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.Contains(lines.Text(), ownsNow) {
		t.Log(lines.Text())
	}
	if got := labeled(t.Context(), t, engine, dir); len(got) != 4 { // two containers, the one of their network, its image
		t.Errorf("the owner has %v", got)
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); !errors.As(err, new(*exec.ExitError)) {
		t.Errorf("the owner ended with %v", err)
	}
	next, err := cli.StartSandbox(context.Background(), sandbox.Config{Empty: true, RunDir: t.TempDir() + "/run"}, "docker", docker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := next.Close(); err != nil {
			t.Error(err)
		}
	}()
	w := &engineWorld{tb: t}
	w.waitFor("the sweep", func() bool {
		left, err := os.ReadDir(dir + "/run")
		w.must(err)
		locked := slices.ContainsFunc(left, func(e os.DirEntry) bool { return strings.HasSuffix(e.Name(), ".lock") })
		return !locked && len(labeled(t.Context(), t, engine, dir)) == 0
	})
	pulled, err := engine.Labeled(t.Context(), "gantry.test=TestOwnContainersUntilKilled") // pulled, so its label is the test's
	w.must(err)
	for _, image := range pulled.Images {
		_, err := engine.RemoveImage(t.Context(), image.ID, docker.ImageRemoval{Force: true})
		w.must(err)
	}
}

const (
	ownerDir = "GANTRY_TEST_OWNER_DIR"
	ownsNow  = "owns its containers now"
)

// TestOwnContainersUntilKilled is the sandbox that TestKilledSandboxesAreSwept
// kills, and no test by itself.
func TestOwnContainersUntilKilled(t *testing.T) {
	dir := os.Getenv(ownerDir)
	if dir == "" {
		t.Skip("it is a part of another test")
	}
	w := newEngineWorldIn(t, dir+"/run")
	w.until(w.runTask(w.family(nil, w.busyboxWith("web", ""), w.busyboxWith("side", ""))), "RUNNING")
	if _, err := os.Stdout.WriteString(ownsNow + "\n"); err != nil {
		t.Fatal(err)
	}
	<-t.Context().Done() // never: the owner is killed
}

func (w *engineWorld) copyInto(t *testing.T, id string) {
	here := t.TempDir() + "/file"
	content := bytes.Repeat([]byte("0123456789abcdef"), 4096)
	if err := os.WriteFile(here, content, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"cp", here, "live/" + id + "/web:/copied"}, {"cp", "live/" + id + "/web:/copied", here + ".back"}} {
		if _, said, err := w.run(args...); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, said)
		}
	}
	back, err := os.ReadFile(here + ".back")
	if err != nil || !bytes.Equal(back, content) {
		t.Errorf("%d bytes came back, %v", len(back), err)
	}
}
