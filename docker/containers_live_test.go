package docker

import (
	"context"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// ran starts a container that goes away with the test.
func ran(t *testing.T, c *Client, o RunOptions) string {
	t.Helper()
	o.Labels = map[string]string{testLabel: t.Name()}
	id, err := c.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	removedAfter(t, c, id)
	return id
}

func removedAfter(t *testing.T, c *Client, id string) {
	t.Helper()
	api := c.engineOf(t)
	t.Cleanup(func() { discard(context.WithoutCancel(t.Context()), api, id) })
}

// listed is a container as the list has it.
func listed(t *testing.T, c *Client, id string) Container {
	t.Helper()
	rows, err := c.Containers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(rows, func(r Container) bool { return r.ID == id })
	if i < 0 {
		t.Fatalf("container %s is not in the list", short(id))
	}
	return rows[i]
}

func inspected(t *testing.T, c *Client, id string) Container {
	t.Helper()
	rows, err := c.Describe(t.Context(), []string{id, strings.Repeat("0", 64)})
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	return rows[0]
}

func TestLiveEngine(t *testing.T) {
	noLeaks(t)
	c := live(t)
	e, err := c.Engine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if e.Version == "" || e.API == "" || e.Negotiated == "" || e.OS == "" || e.Arch == "" || !e.Local || e.Host == "" || e.Source == "" || e.CPUs == 0 {
		t.Errorf("%+v", e)
	}
	rows, err := c.Contexts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(rows, func(r Context) bool { return r.Current })
	if i < 0 || rows[i].State != StateLive || rows[i].Version != e.Version {
		t.Errorf("contexts: %+v", rows)
	}
}

// The life of a container, on one image.
func TestLiveContainers(t *testing.T) {
	noLeaks(t)
	c := live(t)
	image := busybox(t, c)
	t.Run("life", func(t *testing.T) { testLife(t, c, image) })
	t.Run("run", func(t *testing.T) { testRun(t, c, image) })
	t.Run("refusals", func(t *testing.T) { testRefusals(t, c, image) })
	t.Run("attached", func(t *testing.T) { testAttached(t, c, image) })
	t.Run("exec", func(t *testing.T) { testExec(t, c, image) })
	t.Run("attach", func(t *testing.T) { testAttach(t, c, image) })
	t.Run("helper", func(t *testing.T) { testHelper(t, c, image) })
	t.Run("copy", func(t *testing.T) { testCopy(t, c, image) })
	t.Run("events", func(t *testing.T) { testEvents(t, c, image) })
	t.Run("images", func(t *testing.T) { testImages(t, c, image) })
	t.Run("prune", func(t *testing.T) { testPrune(t, c, image) })
}

func testLife(t *testing.T, c *Client, image string) {
	ctx := t.Context()
	id := ran(t, c, RunOptions{
		Image: image, Name: "gantry-test-life", Command: []string{"sh", "-c", "trap 'exit 143' TERM; echo hi > /made; sleep 300 & wait"},
		Env: []string{"TOKEN=abc", "PLAIN=x"}, Ports: []Port{{HostIP: "127.0.0.1", Container: 80, Proto: "tcp"}},
	})
	row := listed(t, c, id)
	if row.Name != "gantry-test-life" || row.State != "running" || !row.Running() || row.Image != image || row.NetworkMode == "" ||
		len(row.Ports) != 1 || row.Ports[0].Host == 0 || row.Ports[0].Container != 80 || row.Ports[0].HostIP != "127.0.0.1" {
		t.Errorf("%+v", row)
	}
	top, err := c.Top(ctx, id)
	if err != nil || len(top.Rows) == 0 || !slices.Contains(top.Titles, "CMD") {
		t.Errorf("top: %+v, %v", top, err)
	}
	eventually(t, "the file is made", func() bool {
		changes, err := c.Changes(ctx, id)
		return err == nil && slices.Contains(changes, Change{Kind: Added, Path: "/made"})
	})
	tree, err := c.InspectContainer(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(flat(tree), "\n")
	if strings.Contains(text, "TOKEN=abc") || !strings.Contains(text, "PLAIN=x") || !strings.Contains(text, "TOKEN=") {
		t.Error("the environment is not masked as it should be")
	}

	for _, step := range []struct {
		name, state string
		act         func() error
	}{
		{"pause", "paused", func() error { return c.Pause(ctx, id) }},
		{"unpause", "running", func() error { return c.Unpause(ctx, id) }},
		{"rename", "running", func() error { return c.Rename(ctx, id, "gantry-test-renamed") }},
		{"kill", "exited", func() error { return c.Kill(ctx, id, "KILL") }},
		{"start", "running", func() error { return c.Start(ctx, id) }},
		{"restart", "running", func() error { return c.Restart(ctx, id) }},
		{"stop", "exited", func() error { return c.Stop(ctx, id) }},
	} {
		if err := step.act(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		eventually(t, step.name, func() bool { return listed(t, c, id).State == step.state })
	}
	row, seen := listed(t, c, id), inspected(t, c, id)
	if row.Name != "gantry-test-renamed" || row.ExitCode != 143 || !row.Exited() || seen.ExitCode != 143 {
		t.Errorf("after the stop: %+v", row)
	}
	if d := seen.Detail; d == nil || d.Started.IsZero() || !d.Finished.After(d.Started) || d.OOMKilled || d.TTY || d.RestartPolicy != "no" {
		t.Errorf("detail: %+v", seen.Detail)
	}
	_, err = c.Exec(ctx, id, DefaultShells, 80, 24)
	told(t, err, ErrConflict, "start it first")
	_, err = c.Attach(ctx, id, 80, 24)
	told(t, err, ErrConflict, "start it first")
	if err := c.RemoveContainer(ctx, id, ContainerRemoval{}); err != nil {
		t.Fatal(err)
	}
	told(t, c.Start(ctx, id), ErrNotFound)
}

func testRun(t *testing.T, c *Client, image string) {
	t.Setenv("GANTRY_OWN", "from here")
	dir := folder(t, map[string]string{"file": "content"})
	id := ran(t, c, RunOptions{
		Image: image, Entrypoint: []string{"sh", "-c"}, Command: []string{`cat /data/file; echo "$GANTRY_OWN $A"; exit 7`},
		Env: []string{"GANTRY_OWN", "A=b c", "GANTRY_NOT_SET"}, Volumes: []string{dir + ":/data:ro"}, Platform: platform(t, c),
	})
	eventually(t, "it ends", func() bool { return listed(t, c, id).Exited() })
	row := listed(t, c, id)
	if row.ExitCode != 7 || len(row.Mounts) != 1 || row.Mounts[0] != (Mount{Type: "bind", Source: dir, Destination: "/data", ReadOnly: true}) {
		t.Errorf("%+v", row)
	}
	out, err := c.engineOf(t).ContainerLogs(t.Context(), id, client.ContainerLogsOptions{ShowStdout: true})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	text, _ := io.ReadAll(out)
	if !strings.Contains(string(text), "content") || !strings.Contains(string(text), "from here b c") {
		t.Errorf("it wrote %q", text)
	}
}

// platform is the engine's own.
func platform(t *testing.T, c *Client) string {
	t.Helper()
	e, err := c.Engine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return e.OS + "/" + e.Arch
}

func testRefusals(t *testing.T, c *Client, image string) {
	ctx := t.Context()
	ran(t, c, RunOptions{Image: image, Name: "gantry-test-taken", Command: []string{"sleep", "300"}})
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	busy := l.Addr().(*net.TCPAddr).Port
	for name, test := range map[string]struct {
		run  RunOptions
		kind error
		says string
	}{
		"name": {RunOptions{Image: image, Name: "gantry-test-taken"}, ErrNameTaken, `"gantry-test-taken"`},
		"port": {
			RunOptions{Image: image, Command: []string{"sleep", "300"}, Ports: []Port{{HostIP: "127.0.0.1", Host: busy, Container: 80, Proto: "tcp"}}},
			ErrPortTaken, "port " + strconv.Itoa(busy),
		},
		"image":    {RunOptions{Image: "gantry-test/nowhere:1"}, ErrImageGone, "build or pull"},
		"command":  {RunOptions{Image: image, Command: []string{"no-such-command"}}, ErrBadCommand, "no-such-command"},
		"bad name": {RunOptions{Image: image, Name: "a b"}, ErrInvalid, "no name for a container"},
		"platform": {RunOptions{Image: image, Platform: "linux"}, ErrInvalid, "linux/amd64"},
		"volume":   {RunOptions{Image: image, Volumes: []string{"/a:/b:nonsense"}}, ErrInvalid, "nonsense"},
		"mount":    {RunOptions{Image: image, Volumes: []string{"relative:relative"}}, ErrInvalid, "absolute"},
	} {
		t.Run(name, func(t *testing.T) {
			o := test.run
			o.Labels = map[string]string{testLabel: t.Name()}
			id, err := c.Run(ctx, o)
			if err == nil {
				removedAfter(t, c, id)
			}
			told(t, err, test.kind, test.says, "run ")
			rows, err := c.Containers(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if slices.ContainsFunc(rows, func(r Container) bool { return r.Labels[testLabel] == t.Name() }) {
				t.Error("a container that could not be started was left behind")
			}
		})
	}
	told(t, c.Rename(ctx, "gantry-test-taken", "ä"), ErrInvalid, "letters")
	told(t, c.RemoveContainer(ctx, "gantry-test-taken", ContainerRemoval{}), ErrConflict)
	told(t, c.Kill(ctx, "gantry-test-taken", "NOSIGNAL"), ErrInvalid)
}

// cleanupContext outlives the test for what it still has to remove.
func cleanupContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), discardTimeout)
	t.Cleanup(cancel)
	return ctx
}

// The first rows of a client that has just been made, with 100 containers.
func BenchmarkLiveFirstRows(b *testing.B) {
	c := live(b)
	image, api := busybox(b, c), c.engineOf(b)
	for range 100 {
		made, err := api.ContainerCreate(b.Context(), client.ContainerCreateOptions{
			Config: &container.Config{Image: image, Labels: map[string]string{testLabel: b.Name()}},
		})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { discard(context.WithoutCancel(b.Context()), api, made.ID) })
	}
	for b.Loop() {
		fresh := New(Options{})
		rows, err := fresh.Containers(b.Context())
		if err != nil || len(rows) < 100 {
			b.Fatal(len(rows), err)
		}
		fresh.Close()
	}
}
