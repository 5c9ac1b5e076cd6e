//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gantry/ui/uitest"
)

// patience is how long a test waits for what must happen. A passing test never
// waits it out.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	status := m.Run()
	if dir := built.dir; dir != "" {
		_ = os.RemoveAll(dir)
	}
	os.Exit(status)
}

// built is the program as its users get it, made when first needed.
var built struct {
	once sync.Once
	dir  string
	err  error
}

// build returns the path of the program, stripped and static as a release is.
func build(tb testing.TB) string {
	tb.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "gantry-e2e-"); built.err != nil {
			return
		}
		built.err = compile(filepath.Join(built.dir, "gantry"), ".")
	})
	if built.err != nil {
		tb.Fatal(built.err)
	}
	return filepath.Join(built.dir, "gantry")
}

// releaseFlags are those of `make build`. Without grpcnotrace, gRPC brings
// html/template along, which finds methods by name: then the linker has to keep
// every exported method of every type, and the program is 16 MB larger. No
// service that gantry calls needs HTTP/2 but BuildKit's, which has its own.
func releaseFlags() ([]string, error) {
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		return nil, err
	}
	flags := []string{"-tags=grpcnotrace,nethttpomithttp2", "-trimpath", "-ldflags=-s -w"}
	_, list, _ := strings.Cut(strings.ReplaceAll(string(makefile), "\\\n", " "), "SLOW := ")
	list, _, _ = strings.Cut(list, "\n")
	for name := range strings.FieldsSeq(list) {
		flags = append(flags, "-gcflags="+name+"=-l")
	}
	return flags, nil
}

// compile builds a package as `make build` does.
func compile(output, pkg string) error {
	flags, err := releaseFlags()
	if err != nil {
		return err
	}
	c := exec.Command("go", slices.Concat([]string{"build", "-o", output}, flags, []string{pkg})...)
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// machine is the surroundings of a user whom no other test knows.
type machine struct {
	tb      testing.TB
	program string
	env     []string
}

func newMachine(tb testing.TB, env ...string) *machine {
	tb.Helper()
	home := tb.TempDir()
	own := []string{
		"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "TERM=xterm-256color", "COLORTERM=truecolor",
		"HOME=" + home, "AWS_EC2_METADATA_DISABLED=true", "DOCKER_HOST=unix://" + filepath.Join(home, "no-engine.sock"),
	}
	for _, name := range []string{"TMPDIR", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME"} {
		dir := filepath.Join(home, strings.ToLower(name))
		if err := os.Mkdir(dir, 0o700); err != nil {
			tb.Fatal(err)
		}
		own = append(own, name+"="+dir)
	}
	return &machine{tb, build(tb), append(own, env...)}
}

// command is gantry with these arguments, without a terminal.
func (m *machine) command(args ...string) *exec.Cmd {
	c := exec.CommandContext(m.tb.Context(), m.program, args...)
	c.Env = m.env
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // without the terminal of whoever runs the tests too
	return c
}

// open runs gantry on a terminal of 120 by 40 cells.
func (m *machine) open(args ...string) *uitest.Terminal {
	m.tb.Helper()
	t := uitest.Exec(m.tb, m.command(args...), 120, 40)
	m.tb.Cleanup(func() {
		t.Close()
		waitFor(m.tb, "the end of every process of gantry's", func() bool { return len(containers(m.tb, t.PID())) == 0 })
	})
	return t
}

// exports is what `gantry sandbox env` prints, as an environment.
func (m *machine) exports() []string {
	m.tb.Helper()
	out, err := m.command("sandbox", "env").Output()
	if err != nil {
		m.tb.Fatalf("gantry sandbox env: %v%s", err, stderr(err))
	}
	return environment(m.tb, string(out))
}

// environment evaluates lines of exports as a shell would. The sandbox's
// values need no quotes.
func environment(tb testing.TB, exports string) []string {
	tb.Helper()
	var env []string
	for line := range strings.Lines(exports) {
		assignment, ok := strings.CutPrefix(strings.TrimSpace(line), "export ")
		if !ok || strings.ContainsAny(assignment, `'"\$`) {
			tb.Fatalf("not a plain export: %q", line)
		}
		env = append(env, assignment)
	}
	return env
}

// valueOf is the value of a variable in an environment.
func valueOf(tb testing.TB, env []string, name string) string {
	tb.Helper()
	for _, assignment := range env {
		if value, ok := strings.CutPrefix(assignment, name+"="); ok && value != "" {
			return value
		}
	}
	tb.Fatalf("no %s in the environment", name)
	return ""
}

func stderr(err error) string {
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return "\n" + string(exit.Stderr)
	}
	return ""
}

// containers are the processes that a sandbox runs as containers, by their ids,
// with the names that their command lines give ("shop/web/1f2e…"). They keep
// the session of the gantry that started them, even when it is dead.
func containers(tb testing.TB, session int) map[int]string {
	tb.Helper()
	out, err := exec.Command("ps", "-A", "-o", "pid=", "-o", "args=").Output()
	if err != nil {
		tb.Fatalf("ps (Debian: apt install procps): %v", err)
	}
	found := map[int]string{}
	for line := range bytes.Lines(out) {
		id, args, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		_, name, ok := strings.Cut(args, "gantry-demo:")
		if !ok {
			continue
		}
		pid, err := strconv.Atoi(id)
		if err != nil {
			tb.Fatalf("ps said %q: %v", line, err)
		}
		if sid, err := unix.Getsid(pid); err == nil && sid == session {
			found[pid], _, _ = strings.Cut(name, " ")
		}
	}
	return found
}

// tasksOf are the containers of one service, "shop/web".
func tasksOf(tb testing.TB, session int, service string) map[int]string {
	tb.Helper()
	found := containers(tb, session)
	for pid, name := range found {
		if !strings.HasPrefix(name, service+"/") {
			delete(found, pid)
		}
	}
	return found
}

// waitFor waits until ok holds.
func waitFor(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			tb.Fatalf("waited %s in vain for %s", patience, what)
		}
		time.Sleep(50 * time.Millisecond) // the pace of polling, not a wait
	}
}
