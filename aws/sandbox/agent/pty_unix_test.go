//go:build unix

package agent

import (
	"bytes"
	"context"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// start runs a shell command in a PTY.
func start(ctx context.Context, t *testing.T, env []string, command string) Process {
	t.Helper()
	p, err := StartPTY(ctx, t.TempDir(), env, []string{"/bin/sh", "-c", command})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// output reads until text has come or the terminal is gone.
func output(p Process, text string) string {
	var got bytes.Buffer
	buf := make([]byte, 4096)
	for text == "" || !strings.Contains(got.String(), text) {
		n, err := p.Read(buf)
		got.Write(buf[:n])
		if err != nil {
			break
		}
	}
	return got.String()
}

func TestPTYHasOnlyItsEnvironment(t *testing.T) {
	t.Setenv("OURS", "leaked")
	p := start(t.Context(), t, []string{"PATH=/usr/bin:/bin", "THEIRS=here"}, "env")
	got := output(p, "")
	for _, want := range []string{"THEIRS=here", "TERM=xterm-256color", "LANG=C.UTF-8"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
	if strings.Contains(got, "leaked") {
		t.Errorf("our environment is in %q", got)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("exit: %v", err)
	}
}

func TestPTYResize(t *testing.T) {
	p := start(t.Context(), t, nil, "read x; stty size")
	if err := p.Resize(111, 37); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
	if got := output(p, "37 111"); !strings.Contains(got, "37 111") {
		t.Errorf("stty says %q", got)
	}
}

func TestPTYWithoutItsProgram(t *testing.T) {
	for _, argv := range [][]string{{"no-such-shell"}, {"/no/such/shell"}, {"./here"}, nil} {
		p, err := StartPTY(t.Context(), t.TempDir(), []string{"PATH=/usr/bin:/bin"}, argv)
		if err == nil {
			p.Close()
			t.Errorf("started %q", argv)
		}
	}
	_, err := StartPTY(t.Context(), t.TempDir(), []string{"PATH=/empty"}, []string{"sh"})
	if want := `Failed to start pty: exec: "sh": executable file not found in $PATH`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// However a session ends, what it started ends with it: a job in a process
// group of its own that ignores SIGHUP too.
func TestPTYEndsWhole(t *testing.T) {
	for name, end := range map[string]func(Process, context.CancelFunc){
		"closed":   func(p Process, _ context.CancelFunc) { p.Close() },
		"canceled": func(_ Process, cancel context.CancelFunc) { cancel() },
		"exited":   func(p Process, _ context.CancelFunc) { _, _ = p.Write([]byte("\n")) },
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := os.Stat("/proc/self/stat"); err != nil {
				t.Skip("jobs in other process groups are found through /proc")
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			p := start(ctx, t, []string{"PATH=/usr/bin:/bin"}, `set -m; (trap '' HUP; exec sleep 1000) & echo "pid=$!."; read x`)
			got := output(p, ".\r\n")
			_, after, _ := strings.Cut(got, "pid=")
			digits, _, _ := strings.Cut(after, ".")
			pid, err := strconv.Atoi(digits)
			if err != nil {
				t.Fatalf("no process in %q", got)
			}
			end(p, cancel)
			_ = p.Wait()
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for deadline := time.After(patience); alive(pid); {
				select {
				case <-tick.C:
				case <-deadline:
					t.Fatal("the job is still there")
				}
			}
		})
	}
}

// alive does not count a zombie: whoever adopted it has yet to reap it.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}
