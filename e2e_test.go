//go:build unix

package main

import (
	"bufio"
	"fmt"
	"image/color"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"gantry/ui/uitest"
)

// TestScaleAndReplace is the way of a newcomer: scale a service of the sandbox
// by a burst of keys, see that real processes follow, lose one, lose all.
func TestScaleAndReplace(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	g := m.open("--sandbox")
	openShop(g)
	g.Type("/web\r")
	g.Wait("Services 1/4")
	g.Wait("3/3")
	g.Type("s5\r")
	g.Wait("scaled web 3 → 5")
	g.Wait("5/5")
	waitFor(t, "five processes of web", func() bool { return len(tasksOf(t, g.PID(), "shop/web")) == 5 })
	g.Type("]")
	g.Wait("has started 2 tasks")

	t.Run("the AWS CLI says the same", func(t *testing.T) { describeByCLI(t, m) })
	t.Run("a killed process is replaced", func(t *testing.T) { killOne(t, g) })
	t.Run("no process outlives its owner", func(t *testing.T) {
		if len(containers(t, g.PID())) < 5 {
			t.Error("there were no processes to outlive it")
		}
		g.Signal(syscall.SIGKILL)
		_ = g.Ended() // by SIGKILL
		waitFor(t, "the end of every process", func() bool { return len(containers(t, g.PID())) == 0 })
		if out, err := m.command("sandbox", "env").Output(); err == nil {
			t.Errorf("gantry sandbox env finds the dead sandbox: %s", out)
		}
	})
}

// openShop goes from the start to the services of the cluster shop.
func openShop(g *uitest.Terminal) {
	g.Wait("shop")
	g.Type("G") // batch sorts first
	g.Wait("checkout")
	g.Type("\r")
}

func describeByCLI(t *testing.T, m *machine) {
	aws, err := exec.LookPath("aws")
	if err != nil && os.Getenv("CI") != "true" {
		t.Skip("the AWS CLI is not on the PATH; CI insists on it")
	}
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), aws, "ecs", "describe-services", "--cluster", "shop", "--services", "web",
		"--query", "services[0].[desiredCount,runningCount]", "--output", "text")
	c.Env = slices.Concat(m.env, m.exports())
	out, err := c.Output()
	if err != nil {
		t.Fatalf("aws ecs describe-services: %v%s", err, stderr(err))
	}
	if got := strings.Fields(string(out)); len(got) != 2 || got[0] != "5" || got[1] != "5" {
		t.Errorf("desired and running: %q", out)
	}
}

func killOne(t *testing.T, g *uitest.Terminal) {
	before := tasksOf(t, g.PID(), "shop/web")
	victim, name := 0, ""
	for victim, name = range before {
		break
	}
	if err := syscall.Kill(victim, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "a process in place of the killed one", func() bool {
		now := tasksOf(t, g.PID(), "shop/web")
		_, lives := now[victim]
		return len(now) == len(before) && !lives
	})
	id := name[strings.LastIndexByte(name, '/')+1:]
	g.Type("6/" + id[:8] + "\r")
	g.Wait("Tasks 1/")
	g.Wait("✗ stopped")
	g.Type("]]") // overview, containers, stop reason
	g.Wait("EssentialContainerExited")
	g.Wait("Essential container in task exited")
	g.Wait("137  SIGKILL")
}

func TestQuitAsksNothingWhenNothingRuns(t *testing.T) {
	t.Parallel()
	g := newMachine(t).open("--sandbox")
	g.Wait("shop")
	if !g.On(ansi.ModeAltScreenSaveCursor) {
		t.Error("not on the alternate screen")
	}
	g.Type("q")
	if err := g.Ended(); err != nil {
		t.Errorf("ended with %v", err)
	}
	if err := g.Restored(); err != nil {
		t.Errorf("the terminal is not as it was: %v", err)
	}
}

func TestSignalsRestoreTheTerminal(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			g := newMachine(t).open("--sandbox")
			g.Wait("shop")
			g.Signal(signal)
			if err := g.Ended(); err != nil {
				t.Errorf("ended with %v", err)
			}
			if err := g.Restored(); err != nil {
				t.Errorf("the terminal is not as it was: %v", err)
			}
		})
	}
}

func TestSandboxPrintsExportsAndEndsOnSIGTERM(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.command("sandbox", "--runtime", "none")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Process.Kill() }()
	lines := bufio.NewReader(out)
	var exports strings.Builder
	for range 5 {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("after %q: %v", exports.String(), err)
		}
		exports.WriteString(line)
	}
	printed, found := environment(t, exports.String()), m.exports()
	if strings.Join(printed, "\n") != strings.Join(found, "\n") {
		t.Error("gantry sandbox env prints other exports than gantry sandbox")
	}
	g := (&machine{t, m.program, slices.Concat(m.env, printed)}).open("--cluster", "shop")
	g.Wait("checkout")
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(lines)
	if err != nil || len(rest) > 0 {
		t.Errorf("after the exports: %q, %v", rest, err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestBadCommandLines(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for _, c := range []struct {
		args string
		says []string
	}{
		{"--nope", []string{"--nope"}},
		{"nope", []string{"nope"}},
		{"--service web", []string{"--service needs --cluster", "gantry --cluster NAME --service web"}},
		{"--sandbox --runtime nope", []string{`no runtime "nope"`, "choose docker, process or none"}},
		{"sandbox --runtime nope", []string{`no runtime "nope"`, "choose docker, process or none"}},
		{"sandbox --listen 0.0.0.0:0", []string{"only listens on 127.0.0.1"}},
		{"sandbox --listen here", []string{"127.0.0.1:4566"}},
		{"sandbox env", []string{"no sandbox is running", "gantry --sandbox"}},
		{"--sandbox --debug /nowhere/log", []string{"open the debug log /nowhere/log"}},
		{"sandbox --runtime docker --docker-context nowhere", []string{"run the sandbox's tasks as containers", "no Docker engine answers", "--runtime auto"}},
		{"--sandbox --runtime none", []string{"terminal"}}, // there is none
	} {
		t.Run(c.args, func(t *testing.T) {
			out, err := m.command(strings.Fields(c.args)...).CombinedOutput()
			if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 1 { //nolint:errorlint // as Run returns it
				t.Errorf("ended with %v", err)
			}
			for _, want := range c.says {
				if !strings.Contains(string(out), want) {
					t.Errorf("does not say %q:\n%s", want, out)
				}
			}
			for _, raw := range []string{"panic", "goroutine ", "operation error", "\x1b["} {
				if strings.Contains(string(out), raw) {
					t.Errorf("says %q:\n%s", raw, out)
				}
			}
		})
	}
}

// The log of --debug is there to be sent to others.
func TestDebugLogHoldsTypesOnly(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	log := filepath.Join(t.TempDir(), "debug.log")
	g := m.open("--sandbox", "--runtime", "none", "--debug", log)
	openShop(g)
	g.Type("/web\rs5\r")
	g.Wait("5/5")
	key := m.exports()
	g.Type("q")
	if err := g.Ended(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(log)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("has mode %o", info.Mode().Perm())
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "tea.KeyPressMsg") {
		t.Errorf("does not tell of keys:\n%.2000s", text)
	}
	for what, never := range map[string]string{
		"the secret key": valueOf(t, key, "AWS_SECRET_ACCESS_KEY"),
		"the key's id":   valueOf(t, key, "AWS_ACCESS_KEY_ID"),
		"a cluster":      "shop", "a service": "checkout", "another": `web`, "a password": "not-a-real-password",
	} {
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, never) {
				t.Errorf("holds %s: %s", what, line)
				break
			}
		}
	}
}

func TestColours(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env  string
		want string // the richest colours that are drawn
	}{
		{"COLORTERM=truecolor", "color.RGBA"},
		{"NO_COLOR=1", ""},
		{"TERM=xterm", "ansi.BasicColor"},
	} {
		t.Run(c.env, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, "COLORTERM=", c.env)
			g := m.open("--sandbox", "--runtime", "none")
			openShop(g)
			kinds := map[string]int{}
			for style, cells := range g.Styles() {
				for _, drawn := range []color.Color{style.Fg, style.Bg} {
					if drawn != nil {
						kinds[fmt.Sprintf("%T", drawn)] += cells
					}
				}
			}
			if c.want != "" && kinds[c.want] == 0 {
				t.Errorf("drew %v, want %s", kinds, c.want)
			}
			delete(kinds, c.want)
			if len(kinds) > 0 {
				t.Errorf("drew %v too", kinds)
			}
		})
	}
}

// TestGoRun is the README's first command.
func TestGoRun(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := exec.CommandContext(t.Context(), "go", "run", ".", "--sandbox")
	c.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+valueOf(t, m.env, "XDG_RUNTIME_DIR"), "TMPDIR="+t.TempDir())
	g := uitest.Exec(t, c, 120, 40)
	openShop(g)
	g.Type("q")
	if err := g.Ended(); err != nil {
		t.Errorf("ended with %v", err)
	}
	if err := g.Restored(); err != nil {
		t.Errorf("the terminal is not as it was: %v", err)
	}
	waitFor(t, "the end of every process", func() bool { return len(containers(t, g.PID())) == 0 })
}
