package docker

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

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

// screen collects what a session shows.
type screen struct {
	s    *Session
	text chan string
	seen string
}

func watch(t *testing.T, s *Session) *screen {
	t.Helper()
	w := &screen{s: s, text: make(chan string, 1024)}
	go func() {
		defer close(w.text)
		buffer := make([]byte, 4096)
		for {
			n, err := s.Read(buffer)
			w.text <- string(buffer[:n])
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = s.Close()
		for range w.text {
		}
	})
	return w
}

// until reads on until a text is shown, or "" for the end.
func (w *screen) until(t *testing.T, text string) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for text == "" || !strings.Contains(w.seen, text) {
		select {
		case more, open := <-w.text:
			w.seen += more
			if !open && text == "" {
				return
			}
			if !open {
				t.Fatalf("it ended without %q: %q", text, w.seen)
			}
		case <-deadline:
			t.Fatalf("%q was never shown: %q", text, w.seen)
		}
	}
}

func (w *screen) types(t *testing.T, keys string) {
	t.Helper()
	if _, err := io.WriteString(w.s, keys); err != nil {
		t.Fatal(err)
	}
}

func testAttached(t *testing.T, c *Client, image string) {
	o := RunOptions{Image: image, Command: []string{"sh", "-c", "stty size; read x; echo got $x; exit 5"}, RemoveOnExit: true, Labels: map[string]string{testLabel: t.Name()}}
	id, s, err := c.RunAttached(t.Context(), o, 91, 33)
	if err != nil {
		t.Fatal(err)
	}
	removedAfter(t, c, id)
	w := watch(t, s)
	w.types(t, "日本\n")
	w.until(t, "got 日本")
	w.until(t, "")
	if code, err := s.ExitCode(); code != 5 || err != nil {
		t.Errorf("exit code %d, %v", code, err)
	}
	if s.Err() != nil {
		t.Error(s.Err())
	}
	eventually(t, "it removes itself", func() bool {
		_, err := c.InspectContainer(t.Context(), id)
		return errors.Is(err, ErrNotFound)
	})
	o.Command = []string{"no-such-command"}
	_, _, err = c.RunAttached(t.Context(), o, 80, 24)
	told(t, err, ErrBadCommand, "no-such-command")
}

func testExec(t *testing.T, c *Client, image string) {
	ctx := t.Context()
	id := ran(t, c, RunOptions{Image: image, Command: []string{"sleep", "300"}})
	s, err := c.Exec(ctx, id, DefaultShells, 101, 41)
	if err != nil {
		t.Fatal(err)
	}
	w := watch(t, s)
	w.types(t, "stty size; echo $TERM\n")
	w.until(t, "41 101")
	w.until(t, "xterm-256color")
	if err := s.Resize(120, 50); err != nil {
		t.Error(err)
	}
	w.types(t, "stty size\n")
	w.until(t, "50 120")
	w.types(t, "exit 7\n")
	w.until(t, "")
	if code, err := s.ExitCode(); code != 7 || err != nil {
		t.Errorf("exit code %d, %v", code, err)
	}
	if err := s.Resize(80, 24); err != nil || s.Err() != nil {
		t.Errorf("after the end: %v, %v", err, s.Err())
	}

	// A closed session leaves no shell behind.
	s, err = c.Exec(ctx, id, []string{"sh"}, 80, 24)
	if err != nil {
		t.Fatal(err)
	}
	w = watch(t, s)
	w.types(t, "echo rea''dy; sleep 200\n")
	w.until(t, "ready")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	w.until(t, "")
	if s.Err() != nil {
		t.Error(s.Err())
	}
	eventually(t, "only sleep 300 is left", func() bool {
		top, err := c.Top(ctx, id)
		return err == nil && len(top.Rows) == 1
	})
	_, err = c.Exec(ctx, id, []string{"zsh", "fish"}, 80, 24)
	told(t, err, ErrNoShell, "zsh, fish", "helper container")
}

func testAttach(t *testing.T, c *Client, image string) {
	ctx := t.Context()
	with := launched(t, c, container.Config{Image: image, Tty: true, OpenStdin: true, Cmd: []string{"sh"}}, container.HostConfig{})
	s, err := c.Attach(ctx, with, 77, 22)
	if err != nil {
		t.Fatal(err)
	}
	w := watch(t, s)
	w.types(t, "stty size\n")
	w.until(t, "22 77")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if state := listed(t, c, with).State; state != "running" {
		t.Errorf("closing the session left it %s", state)
	}
	if _, err := s.ExitCode(); !errors.Is(err, ErrNoExitCode) {
		t.Errorf("exit code of one that runs: %v", err)
	}

	without := launched(t, c, container.Config{
		Image: image, OpenStdin: true, Cmd: []string{"sh", "-c", "while read x; do echo out $x; echo err $x >&2; [ $x = end ] && exit 3; done"},
	}, container.HostConfig{})
	s, err = c.Attach(ctx, without, 80, 24)
	if err != nil {
		t.Fatal(err)
	}
	w = watch(t, s)
	w.types(t, "one\n")
	w.until(t, "out one\r\n")
	w.until(t, "err one\r\n")
	w.types(t, "end\n")
	w.until(t, "")
	if code, err := s.ExitCode(); code != 3 || err != nil {
		t.Errorf("exit code %d, %v", code, err)
	}
}

func testHelper(t *testing.T, c *Client, image string) {
	ctx := t.Context()
	server := program(t, "package main\n\nimport \"time\"\n\nfunc main() { time.Sleep(time.Hour) }\n")
	bare := built(t, c, BuildOptions{Dir: folder(t, map[string]string{"server": server, "hello": "hi there", "Dockerfile": "FROM scratch\nCOPY server hello /\nCMD [\"/server\"]\n"})})
	id := ran(t, c, RunOptions{Image: bare})
	_, err := c.Exec(ctx, id, DefaultShells, 80, 24)
	told(t, err, ErrNoShell, "bash, sh, ash")

	s, err := c.ExecHelper(ctx, id, image, 88, 44)
	if err != nil {
		t.Fatal(err)
	}
	w := watch(t, s)
	w.types(t, "stty size; cat /proc/1/root/hello; echo; ps; grep CapEff /proc/self/status\n")
	w.until(t, "44 88")
	w.until(t, "hi there")
	w.until(t, "/server")
	w.until(t, "CapEff:\t0000000000080000")
	helpers := func() int {
		rows, err := c.Containers(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return len(slices.DeleteFunc(rows, func(r Container) bool { return r.Labels[HelperLabel] != id }))
	}
	if helpers() != 1 {
		t.Error("the helper does not carry its label")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	eventually(t, "the helper is removed", func() bool { return helpers() == 0 })

	if found, err := c.HelperImage(ctx); err != nil || found == bare {
		t.Errorf("helper image %q, %v", found, err)
	}
	rows, err := c.Containers(ctx)
	if err != nil || slices.ContainsFunc(rows, func(r Container) bool { _, is := r.Labels[HelperLabel]; return is }) {
		t.Errorf("a look into an image left its container behind: %v", err)
	}
}

func testCopy(t *testing.T, c *Client, image string) {
	ctx := t.Context()
	id := ran(t, c, RunOptions{Image: image, Command: []string{"sh", "-c", `
mkdir -p /d/sub /d/dev && echo one > /d/one && chmod 6711 /d/one && head -c 3000000 /dev/zero > /d/sub/big && ln -s /etc/passwd /d/link &&
ln -s ../../../../../etc /d/up && ln /d/one /d/hard && mkfifo /d/pipe && mknod /d/dev/null c 1 3; ln -s /d/one /short; touch /done; exec sleep 300`}})
	eventually(t, "the files are made", func() bool {
		_, err := c.engineOf(t).ContainerStatPath(ctx, id, client.ContainerStatPathOptions{Path: "/done"})
		return err == nil
	})
	dst := t.TempDir()
	var done int64
	copied, err := c.CopyOut(ctx, id, "/d", dst, func(n, _ int64) { done = n })
	if err != nil {
		t.Fatal(err)
	}
	if copied.Bytes != 3000004 || done != copied.Bytes || copied.Files != 2 || len(copied.Skipped) != 5 {
		t.Errorf("%+v", copied)
	}
	info, err := os.Lstat(filepath.Join(dst, "d", "sub", "big"))
	if err != nil || info.Size() != 3000000 {
		t.Errorf("big: %v, %v", info, err)
	}
	err = filepath.WalkDir(dst, func(path string, e fs.DirEntry, err error) error {
		if info, statErr := e.Info(); err == nil && statErr == nil && !e.IsDir() && !info.Mode().IsRegular() || info.Mode()&(fs.ModeSetuid|fs.ModeSetgid) != 0 {
			t.Errorf("%s came along as %s", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	// The second time it would overwrite.
	_, err = c.CopyOut(ctx, id, "/d", dst, nil)
	told(t, err, fs.ErrExist, "exists already")
	if copied, err := c.CopyOut(ctx, id, "/short", t.TempDir(), nil); err != nil || copied.Files+len(copied.Skipped) != 1 {
		t.Errorf("a link to a file: %+v, %v", copied, err)
	}
	_, err = c.CopyOut(ctx, id, "/nowhere", dst, nil)
	told(t, err, ErrNotFound, "copy /nowhere out of")
	_, err = c.CopyOut(ctx, id, "/d/one", filepath.Join(dst, "missing"), nil)
	told(t, err, fs.ErrNotExist, "directory that exists")

	canceled, cancel := context.WithCancel(ctx)
	fresh := t.TempDir()
	_, err = c.CopyOut(canceled, id, "/d/sub", fresh, func(int64, int64) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if left, err := os.ReadDir(fresh); err != nil || len(left) != 0 {
		t.Errorf("a canceled copy left %v, %v", left, err)
	}
}

func testEvents(t *testing.T, c *Client, image string) {
	got, stop := followed(t, c)
	expect(t, got, EngineEvent, Resync)
	id := ran(t, c, RunOptions{Image: image, Command: []string{"sleep", "300"}})
	s, err := c.Exec(t.Context(), id, []string{"sh"}, 80, 24)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	if err := c.Kill(t.Context(), id, ""); err != nil {
		t.Fatal(err)
	}
	if err := c.RemoveContainer(t.Context(), id, ContainerRemoval{}); err != nil && !errors.Is(err, ErrConflict) {
		t.Fatal(err)
	}
	var mine []string
	deadline := time.After(20 * time.Second)
	for !slices.Contains(mine, "destroy") {
		select {
		case e := <-got:
			if e.ID != id {
				continue
			}
			mine = append(mine, e.Action)
			if e.Action == "die" && e.ExitCode != 137 {
				t.Errorf("%+v", e)
			}
		case <-deadline:
			t.Fatalf("no destroy among %q", mine)
		}
	}
	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if want := []string{"create", "start", "kill", "die", "destroy"}; !slices.Equal(mine, want) {
		t.Errorf("got %q, want %q", mine, want)
	}
}

// cleanupContext outlives the test for what it still has to remove.
func cleanupContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), discardTimeout)
	t.Cleanup(cancel)
	return ctx
}

// An ssh command of our own leads to the engine here, through the very way that
// leads to another machine.
func TestLiveSSH(t *testing.T) {
	noLeaks(t)
	here := live(t)
	if _, err := exec.LookPath("docker"); err != nil {
		t.Skip("the far end of an ssh:// endpoint needs the docker command: ", err)
	}
	want, err := here.Engine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	bin := folder(t, map[string]string{"ssh": "#!/bin/sh\nexec docker --host " + want.Host + " system dial-stdio\n"})
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	c := New(Options{Host: "ssh://me@far"})
	defer c.Close()
	got, err := c.Engine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != want.Name || got.Local || got.Host != "ssh://me@far" {
		t.Errorf("%+v", got)
	}
	image := busybox(t, here)
	id := ran(t, here, RunOptions{Image: image, Command: []string{"sleep", "300"}})
	s, err := c.Exec(t.Context(), id, []string{"sh"}, 70, 20)
	if err != nil {
		t.Fatal(err)
	}
	w := watch(t, s)
	w.types(t, "stty size; exit 3\n")
	w.until(t, "20 70")
	w.until(t, "")
	if code, err := s.ExitCode(); code != 3 || err != nil {
		t.Errorf("exit code %d, %v", code, err)
	}
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
