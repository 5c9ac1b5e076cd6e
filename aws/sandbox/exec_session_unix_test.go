//go:build unix

package sandbox_test

import (
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestShellSession(t *testing.T) {
	t.Setenv("GANTRY_TEST_SECRET", "of the person at the machine")
	w := newExecWorld(t)
	task := w.run(nil, container("web"))
	sh := w.shell(task, "web", "/bin/sh")

	sh.says("echo $((6*7))", "42")
	sh.says("stty size", "30 100")
	w.must(sh.Resize(77, 11))
	w.until("the size arrives", func() bool {
		sh.types("stty size\n")
		return strings.Contains(sh.text(), "11 77")
	})
	sh.says("echo [$APP_ENV,$TERM,$GANTRY_TEST_SECRET,$AWS_SECRET_ACCESS_KEY]", "[test,xterm-256color,,]")
	sh.says(`[ "$(pwd -P)" = "$(cd "$HOME" && pwd -P)" ] && echo in-$((1+1))-home`, "in-2-home")
	sh.says("echo kept >note && cat note", "\nkept")
	sh.types("sleep 1000; echo woken-$((1+1))\n")
	w.until("sleep runs", func() bool { return strings.Contains(sh.text(), "woken-$") })
	sh.types("\x03")
	sh.says("echo after-$((1+1))", "after-2")
	sh.types("exit 7\n")
	if err := sh.ends(); err != nil {
		t.Errorf("the session ended with %v", err)
	}

	again := w.shell(task, "web", `sh -c "cat note; echo \"two  words\" 'and $more'"`)
	if err := again.ends(); err != nil {
		t.Error(err)
	}
	if got := again.text(); !strings.HasSuffix(got, "kept\r\ntwo  words and $more\r\n") {
		t.Errorf("a second session said %q", got)
	}
}

func TestCommandsThatCannotStart(t *testing.T) {
	t.Parallel()
	w := newExecWorld(t)
	task := w.run(nil, container("web"))
	for command, want := range map[string]string{
		"/bin/no-such-shell": "Unable to start command: Failed to start pty: fork/exec /bin/no-such-shell: no such file or directory",
		"no-such-shell -l":   `executable file not found in $PATH`,
		`sh -c "echo`:        "Unable to start command: Failed to parse commands input: EOF found when expecting closing quote",
		"/etc":               "permission denied",
	} {
		t.Run(command, func(t *testing.T) {
			if got := cause(t, w.shell(task, "web", command).ends()); !strings.Contains(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestSessionsEndWithTheirTask(t *testing.T) {
	t.Parallel()
	w := newExecWorld(t)
	task := w.run(nil, container("web"))
	sh := w.shell(task, "web", "/bin/sh")
	sh.says("echo up-$((1+1))", "up-2")
	w.must(w.client.StopTask(t.Context(), task, "test"))
	if got := cause(t, sh.ends()); got != "The container that this session ran in has stopped." {
		t.Errorf("it ended because of %q", got)
	}
	if !strings.Contains(sh.text(), "up-2") {
		t.Error("what it had said is gone")
	}
	w.until("the task stops", func() bool { return w.describe(task.ARN).LastStatus == "STOPPED" })
}

func TestTerminateSessionEndsTheProgram(t *testing.T) {
	t.Parallel()
	w := newExecWorld(t)
	task := w.run(nil, container("web"))
	sh := w.shell(task, "web", `sh -c "echo pid-$$; trap '' HUP; while :; do sleep 0.1; date >beat; done"`)
	w.until("it runs", func() bool { return strings.Contains(sh.text(), "pid-") })
	w.must(sh.Close())
	if _, err := w.client.ResumeSession(t.Context(), sh.id); err != nil {
		t.Errorf("resume of a session that is over: %v", err)
	}
	w.until("nothing writes any more", func() bool {
		out := w.shell(task, "web", `sh -c "rm -f beat; sleep 0.4; ls"`)
		_ = out.ends()
		return !strings.Contains(out.text(), "beat")
	})
}

// TestConfinedShell tries to get out. Where namespaces are not to be had, the
// session is headed with a warning instead.
func TestConfinedShell(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	signal.Ignore(os.Interrupt) // as in the background of a script
	t.Cleanup(func() { signal.Reset(os.Interrupt) })
	w := newExecWorld(t)
	task := w.run(nil, container("web"))
	sh := w.shell(task, "web", "/bin/sh")
	sh.says("echo up-$((1+1))", "up-2")
	if strings.Contains(sh.text(), "runs on THIS machine as") {
		t.Skip("shells cannot be confined here; the session says so")
	}
	pid := strconv.Itoa(os.Getpid())
	for _, try := range []struct{ line, want string }{
		{"touch /usr/bin/x", "Read-only file system"},
		{"touch /x-$((1+1))", "Read-only file system"},
		{"touch " + outside + "/x", "No such file or directory"},
		{"echo beside-$(ls -A $HOME/.. | tr -d '\n')", "beside-web\r"},
		{"mount -o remount,rw / 2>/dev/null || echo no-$((1+1))", "no-2"},
		{"umount -l /run 2>/dev/null || echo no-$((1+2))", "no-3"},
		{"unshare -Urm mount -o remount,bind,rw / 2>/dev/null; touch /y", "Read-only file system"},
		{"kill -9 " + pid + " 2>/dev/null; echo kill-$?", "kill-1"},
		{"echo seen-$(ls -A /run /home /root /var/tmp | grep -c -v :)", "seen-3"}, // empty lines alone
		{"ls /proc | grep -c -x " + pid, "0"},
		{"echo $(grep CapEff /proc/self/status)", "CapEff: 0000000000000000"},
		{"echo $(grep CapBnd /proc/self/status)", "CapBnd: 0000000000000000"},
		{"ls /dev/[m-s]*", "/dev/null"},
		{"ls -d /dev/[sv]da /dev/mem 2>/dev/null | wc -l", "0"},
		{"tty", "/dev/pts/"},
		{"(: >/dev/tty) && echo tty-$((1+1))", "tty-2"},
		{"echo t >/tmp/t; echo temp-$(cat /tmp/t)", "temp-t"},
	} {
		sh.says(try.line, try.want)
	}
	sh.types("sleep 1000\n")
	w.until("sleep runs", func() bool { return strings.HasSuffix(sh.text(), "sleep 1000\r\n") })
	w.until("an interrupt ends it", func() bool {
		sh.types("\x03")
		return strings.HasSuffix(sh.text(), "# ")
	})
	if left, _ := filepath.Glob(outside + "/*"); len(left) > 0 {
		t.Errorf("it wrote %v outside", left)
	}
	second := w.shell(task, "web", "cat /tmp/t")
	_ = second.ends()
	if second.text() != "t\r\n" {
		t.Errorf("temporary files do not outlive a session: %q", second.text())
	}
}
