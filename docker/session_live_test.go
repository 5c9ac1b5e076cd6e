package docker

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
)

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
