//go:build unix

package cli_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/term"

	"gantry/aws/sandbox"
)

func TestCommandLine(t *testing.T) {
	w := newWorld(t)
	id := w.web[0].ID
	t.Run("exec", func(t *testing.T) { w.testExec(t, id) })
	t.Run("refusals", w.testRefusals)
	t.Run("names", func(t *testing.T) { w.testNames(t, id) })
	t.Run("copy", func(t *testing.T) { w.testCopy(t, id) })
	t.Run("forward", func(t *testing.T) { w.testForward(t, "--cluster", "shop", "--task", id) })
	t.Run("terminal", func(t *testing.T) { w.testTerminal(t, "--cluster", "shop", "--task", id) })
	w.Faults().Connections(sandbox.ConnectionFaults{DropEvery: 7})
	t.Run("exec on a bad network", func(t *testing.T) { w.testExec(t, id) })
	t.Run("copy on a bad network", func(t *testing.T) { w.testCopy(t, id) })
	w.Faults().Connections(sandbox.ConnectionFaults{CutAfter: 1000})
	t.Run("copy on a connection that breaks", func(t *testing.T) { w.testCopy(t, id) })
	w.Faults().Connections(sandbox.ConnectionFaults{})
	w.Faults().RequireKMS(true)
	t.Run("exec with encryption", func(t *testing.T) { w.testExec(t, id) })
	w.Faults().RequireKMS(false)
	w.Faults().NotConnected(2)
	t.Run("exec before the agent is connected", func(t *testing.T) { w.testExec(t, id) })
}

func (w *world) testExec(t *testing.T, id string) {
	for command, want := range map[string]struct {
		out    string
		status int
	}{
		`echo $((6*7)); exit 7`: {"42\n", 7},
		`printf 'a\r\nb'`:       {"a\r\nb", 0},
		`echo "$APP_ENV" >&2`:   {"production\n", 0},
		"false":                 {"", 1},
	} {
		out, _, err := w.run("exec", "--cluster", "shop", "--task", id, "--command", command)
		if out != want.out || status(err) != want.status {
			t.Errorf("%s: %q, %v; want %q and status %d", command, out, err, want.out, want.status)
		}
	}
}

func (w *world) testRefusals(t *testing.T) {
	id := w.web[0].ID
	for name, tt := range map[string]struct {
		args  []string
		what  string
		cause string
	}{
		"no task":        {[]string{"exec", "--cluster", "shop"}, "no task is named", ""},
		"no cluster":     {[]string{"exec", "--task", id}, "no cluster is named", ""},
		"other cluster":  {[]string{"exec", "--cluster", "nowhere", "--task", id, "--command", "true"}, "", "no such cluster"},
		"other task":     {[]string{"exec", "--cluster", "shop", "--task", "zzz", "--command", "true"}, "find task zzz in shop", "no task has an ID that begins so"},
		"ambiguous":      {[]string{"exec", "--cluster", "shop", "--task", "web/", "--command", "true"}, "find task web/ in shop", "web/" + id[:12]},
		"container":      {[]string{"exec", "--cluster", "shop", "--task", id, "--container", "x", "--command", "true"}, "choose a container", "none of the name x"},
		"no terminal":    {[]string{"exec", "--cluster", "shop", "--task", id}, "open a shell", "not a terminal"},
		"read-only":      {[]string{"exec", "--read-only", "--cluster", "shop", "--task", id, "--command", "true"}, "", "read-only"},
		"read-only copy": {[]string{"cp", "--read-only", "exec_unix_test.go", "shop/" + id + ":x"}, "", "read-only"},
		"exec is off":    {[]string{"exec", "--cluster", "shop", "--task", w.worker[0].ID, "--command", "true"}, "open a shell in worker", "ECS Exec was off"},
		"both local":     {[]string{"cp", "a", "b"}, "cannot tell what to copy where", ""},
		"both remote":    {[]string{"cp", "a/b:c", "d/e:f"}, "cannot tell what to copy where", ""},
		"no file":        {[]string{"cp", "shop/" + id + ":missing", t.TempDir()}, "", "no such file"},
		"no port":        {[]string{"forward", "--cluster", "shop", "--task", id}, "no port", ""},
		"no local port":  {[]string{"forward", "--cluster", "shop", "--task", id, "--remote", "80", "--local", "70000"}, "no port", ""},
	} {
		out, _, err := w.run(tt.args...)
		d := told(t, err)
		if out != "" || status(err) != 1 || !strings.Contains(d.What, tt.what) || !strings.Contains(d.Cause, tt.cause) {
			t.Errorf("%s: printed %q; %v", name, out, err)
		}
	}
}

func (w *world) testNames(t *testing.T, id string) {
	for _, args := range [][]string{
		{"--cluster", "shop", "--task", id[:10]},
		{"--cluster", w.web[0].ClusterARN, "--task", "web/" + id[:8], "--container", "web"},
		{"--task", w.web[0].ARN},
	} {
		out, _, err := w.run(append([]string{"exec", "--command", "echo here"}, args...)...)
		if out != "here\n" || err != nil {
			t.Errorf("%v: %q, %v", args, out, err)
		}
	}
}

func (w *world) testCopy(t *testing.T, id string) {
	here, data := t.TempDir(), make([]byte, 1<<20)
	rand.Read(data)
	if err := os.WriteFile(here+"/up", data, 0o640); err != nil {
		t.Fatal(err)
	}
	there := "copied-" + filepath.Base(filepath.Dir(here))
	for _, args := range [][]string{
		{"cp", here + "/up", "shop/" + id[:12] + ":" + there},
		{"cp", "shop/web/" + id[:12] + ":" + there, here + "/down"},
		{"cp", "--read-only", "shop/" + id + "/web:" + there, here + "/again"},
		{"cp", w.web[0].ARN + ":" + there, here},
	} {
		if out, messages, err := w.run(args...); err != nil || out+messages != "" {
			t.Fatalf("%v: %q %q %v", args, out, messages, err)
		}
	}
	for _, name := range []string{"down", "again", there} {
		if got, err := os.ReadFile(here + "/" + name); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

func (w *world) testForward(t *testing.T, target ...string) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out, to := io.Pipe()
	var messages bytes.Buffer
	ended := make(chan error, 1)
	go func() {
		args := append([]string{"forward", "--remote", "8080"}, target...)
		err := w.command(&bytes.Buffer{}, to, &messages, args...).ExecuteContext(ctx)
		_ = to.CloseWithError(err)
		ended <- err
	}()
	var address string
	if _, err := fmt.Fscanln(out, &address); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: deadline}
	var visits sync.WaitGroup
	for range 8 {
		visits.Go(func() {
			answer, err := client.Get("http://" + address + "/")
			if err != nil {
				t.Error(err)
				return
			}
			defer answer.Body.Close()
			if body, err := io.ReadAll(answer.Body); err != nil || len(body) == 0 || answer.StatusCode != http.StatusOK {
				t.Errorf("%d, %d bytes, %v", answer.StatusCode, len(body), err)
			}
		})
	}
	visits.Wait()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// user is somebody at a terminal in front of gantry.
type user struct {
	t        *testing.T
	keyboard *os.File
	ended    chan error
	was      *term.State
	tty      *os.File

	mu     sync.Mutex
	screen bytes.Buffer
}

func (w *world) sit(ctx context.Context, t *testing.T, args ...string) *user {
	t.Helper()
	keyboard, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(keyboard, &pty.Winsize{Cols: 91, Rows: 17}); err != nil {
		t.Fatal(err)
	}
	was, err := term.GetState(int(tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	u := &user{t: t, keyboard: keyboard, tty: tty, was: was, ended: make(chan error, 1)}
	var reading sync.WaitGroup
	reading.Go(u.watch)
	t.Cleanup(func() {
		tty.Close()
		keyboard.Close()
		reading.Wait()
	})
	go func() { u.ended <- w.command(tty, tty, tty, args...).ExecuteContext(ctx) }()
	return u
}

func (u *user) watch() {
	buf := make([]byte, 4096)
	for {
		n, err := u.keyboard.Read(buf)
		u.mu.Lock()
		u.screen.Write(buf[:n])
		u.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (u *user) text() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.screen.String()
}

// types types a text and waits until the screen shows another behind what it
// shows now.
func (u *user) types(w *world, text, want string) {
	u.t.Helper()
	before := len(u.text())
	if _, err := u.keyboard.WriteString(text); err != nil {
		u.t.Fatal(err)
	}
	w.until(fmt.Sprintf("%q after %q", want, text), func() bool { return strings.Contains(u.text()[before:], want) })
}

// leaves waits for gantry's end and looks at the terminal.
func (u *user) leaves(want int) {
	u.t.Helper()
	if got := status(<-u.ended); got != want {
		u.t.Errorf("ended with status %d, want %d; the screen shows %q", got, want, u.text())
	}
	now, err := term.GetState(int(u.tty.Fd()))
	if err != nil || *now != *u.was {
		u.t.Errorf("the terminal is %+v, was %+v; %v", now, u.was, err)
	}
}

func (w *world) testTerminal(t *testing.T, target ...string) {
	at := append([]string{"exec"}, target...)
	t.Run("shell", func(t *testing.T) {
		u := w.sit(t.Context(), t, at...)
		u.types(w, "echo $((6*7))\r", "42")
		u.types(w, "stty size\r", "17 91")
		if err := pty.Setsize(u.keyboard, &pty.Winsize{Cols: 60, Rows: 20}); err != nil {
			t.Fatal(err)
		}
		// The kernel signals the terminal's own processes, which a test is not.
		if err := syscall.Kill(os.Getpid(), syscall.SIGWINCH); err != nil {
			t.Fatal(err)
		}
		u.types(w, "while [ \"$(stty size)\" != '20 60' ]; do sleep 0.1; done; echo si''zed\r", "sized")
		u.types(w, "exit\r", "")
		u.leaves(0)
	})
	t.Run("escapes", func(t *testing.T) {
		u := w.sit(t.Context(), t, at...)
		u.types(w, "echo rea''dy\r", "ready")
		u.types(w, "\r~?", "leave, and end the shell")
		u.types(w, "\r~.", "")
		u.leaves(0)
	})
	t.Run("interrupt", func(t *testing.T) {
		u := w.sit(t.Context(), t, at...)
		u.types(w, "echo rea''dy; sleep 600\r", "ready")
		u.types(w, "\x03", "")
		u.types(w, "echo aw''ake\r", "awake")
		u.types(w, "exit\r", "")
		u.leaves(0)
	})
	t.Run("signal", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		u := w.sit(ctx, t, at...)
		u.types(w, "echo rea''dy; sleep 600\r", "ready")
		cancel() // as SIGTERM and SIGHUP do in main
		u.leaves(1)
	})
	t.Run("command", func(t *testing.T) {
		u := w.sit(t.Context(), t, append(at, "--command", "printf 'name? '; read x; echo hello $x; stty size; exit 9")...)
		w.until("it asks", func() bool { return strings.Contains(u.text(), "name? ") })
		u.types(w, "you\r", "hello you")
		u.leaves(9)
		if !strings.HasSuffix(u.text(), "17 91\r\n") && !strings.Contains(u.text(), "17 91\r\n") {
			t.Errorf("the screen shows %q", u.text())
		}
	})
}
