package ui_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gantry/docker"
	"gantry/internal/diagnose"
	"gantry/ui"
	"gantry/ui/uitest"
)

// dock starts the explorer over a fake engine, with the keys in Containers.
func dock(t *testing.T, e *fakeEngine, w, h int, change ...func(*ui.Options)) *uitest.Screen {
	t.Helper()
	t.Setenv("TZ", "UTC")
	t.Setenv("DOCKER_HOST", "")
	o := ui.Options{AWS: demoCloud(), Docker: e}
	for _, c := range change {
		c(&o)
	}
	f := ui.New(o)
	t.Cleanup(f.Close)
	s := uitest.Run(t, f, w, h)
	s.Wait("docker " + e.context)
	s.Type("2")
	return s
}

func TestContainerScreens(t *testing.T) {
	for _, screen := range []struct {
		name string
		keys []string
		wait []string
	}{
		{"containers", []string{"/web\r"}, []string{"!8080"}},
		{"containers zoomed", []string{"z"}, []string{"!8080"}},
		{"overview of one that has ended", []string{"/job\r"}, []string{"137  "}},
		{"log", []string{"/web\r", "]", "l"}, []string{"!8080", "two", "165MB"}},
		{"stats", []string{"/web\r", "]]"}, []string{"!8080", "12 processes"}},
		{"listens", []string{"/web\r", "]]]"}, []string{"!8080", "curl: (56)"}},
		{"top", []string{"/web\r", "]]]]"}, []string{"!8080", "java -jar"}},
		{"files changed", []string{"/web\r", "]]]]]"}, []string{"!8080", "/etc/new"}},
		{"why", []string{"/web\r", "w"}, []string{"!8080", "curl: (56)"}},
		{"no shell", []string{"/web\r", "e"}, []string{"!8080", "docker run"}},
		{"copy out", []string{"/web\r", "c"}, []string{"!8080", "docker cp"}},
		{"docker commands", []string{"/web\r", "Y"}, []string{"!8080", "Copy a docker"}},
		{"engines", []string{"\x0f"}, []string{"permission denied"}},
	} {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s %dx%d", screen.name, size.w, size.h), func(t *testing.T) {
				e := newFakeEngine()
				e.contexts = someContexts()
				e.write("web", "one")
				e.write("web", "two")
				s := dock(t, e, size.w, size.h, func(o *ui.Options) {
					o.OpenDocker = func(docker.Options) ui.Engine { return newFakeEngine() }
				})
				s.Wait("▸ api")
				for i, keys := range screen.keys {
					s.Type(keys)
					s.Wait(screen.wait[i])
				}
				s.Settle()
				s.Golden()
			})
		}
	}
}

func someContexts() []docker.Context {
	return []docker.Context{
		{Name: "colima", Host: "unix:///home/u/.colima/docker.sock", Source: "socket found", State: docker.StateRefused, Hint: "colima start"},
		{Name: "default", Host: "unix:///var/run/docker.sock", Source: "default socket", Current: true, State: docker.StateLive, Version: "20.10"},
		{Name: "other", Host: "ssh://build@host", Source: "context", State: docker.StateLive, Version: "28.2"},
		{Name: "root", Host: "unix:///run/root.sock", Source: "context", State: docker.StatePermission, Hint: "sudo usermod -aG docker $USER"},
	}
}

func TestNoEngineScreens(t *testing.T) {
	for _, size := range sizes {
		t.Run(fmt.Sprintf("%dx%d", size.w, size.h), func(t *testing.T) {
			e := newFakeEngine()
			e.down = &diagnose.Error{
				What: "list containers", Cause: "you may not open /var/run/docker.sock: it belongs to root and the group docker",
				Do: "sudo usermod -aG docker $USER, then log in again", Err: docker.ErrPermission,
			}
			f := ui.New(ui.Options{AWS: demoCloud(), Docker: e})
			t.Cleanup(f.Close)
			s := uitest.Run(t, f, size.w, size.h)
			s.Wait("docker does not answer")
			s.Wait("shop") // ECS goes on
			s.Type("2")
			s.Wait("usermod")
			s.Settle()
			s.Golden()
		})
	}
}

// A container that does not listen yet is looked at until it does, and then
// left alone.
func TestListeningIsLookedAtUntilItListens(t *testing.T) {
	e := newFakeEngine()
	e.listen["api"] = docker.ListenNotYet
	s := dock(t, e, 120, 40)
	s.Wait("…9090+1")
	e.change(func() { e.listen["api"] = docker.ListenOK })
	s.Wait("✓9090+1")
	n := e.count(func() int { return e.looked["api"] })
	e.change(func() { e.listen["api"] = docker.ListenOther })
	s.Type("r")
	s.Wait("≠9090+1")
	s.Type("s")
	s.Wait("○ exited")
	s.Wait(" 9090+1")
	e.change(func() { e.listen["api"] = docker.ListenLoopback })
	s.Type("s")
	s.Wait("!9090+1")
	if e.count(func() int { return e.looked["api"] }) <= n {
		t.Error("it was not looked at after its start")
	}
}

func TestIdleContainersAreLeftAlone(t *testing.T) {
	e := newFakeEngine()
	for i := range 100 {
		name := fmt.Sprintf("idle%02d", i)
		e.add(name, "running", docker.Port{HostIP: "0.0.0.0", Host: 10000 + i, Container: 80, Proto: "tcp"})
		e.listen[name] = docker.ListenOK
	}
	s := dock(t, e, 120, 40)
	s.Until(func(string) bool { return e.count(func() int { return len(e.looked) }) == 102 }, "not all were looked at")
	s.Settle()
	written, asked := s.Written(), e.count(func() int { return e.asked })
	looked := e.count(func() int {
		n := 0
		for _, k := range e.looked {
			n += k
		}
		return n
	})
	s.Settle() // three tenths of a second without a change
	if now := s.Written(); now != written {
		t.Errorf("%d bytes were written while nothing happened", now-written)
	}
	if now := e.count(func() int { return e.asked }); now != asked {
		t.Errorf("%d calls while nothing happened", now-asked)
	}
	if now := e.count(func() int {
		n := 0
		for _, k := range e.looked {
			n += k
		}
		return n
	}); now != looked || looked > 104 {
		t.Errorf("%d looks, then %d", looked, now)
	}
}

func TestHelperIsAskedFirst(t *testing.T) {
	e := newFakeEngine()
	e.listen["web"] = docker.ListenUnknown
	s := dock(t, e, 120, 40)
	s.Type("/web\r")
	s.Wait("?8080")
	s.Type("w")
	s.Wait("Look into web by a helper container?")
	s.Type("n")
	s.Gone("Look into")
	if e.count(func() int { return len(e.helped) }) != 0 {
		t.Fatal("a helper was started unasked")
	}
	s.Type("wy")
	s.Wait("curl: (56)")
	s.Wait("!8080") // the list knows too
}

func TestHelperIsNotOfferedInReadOnly(t *testing.T) {
	e := newFakeEngine()
	e.listen["web"] = docker.ListenUnknown
	s := dock(t, e, 120, 40, func(o *ui.Options) { o.Access = ui.ReadOnly })
	s.Type("/web\r")
	s.Wait("?8080")
	s.Type("w")
	s.Wait("why web")
	s.Wait("cannot be seen from here")
}

func TestShellByHelper(t *testing.T) {
	e := newFakeEngine()
	s := dock(t, e, 120, 40)
	s.Type("/web\r")
	s.Wait("Containers 1/4")
	s.Type("e")
	s.Wait("web has no shell")
	s.Type("y")
	s.Until(func(string) bool { return e.count(func() int { return len(e.helped) }) == 1 }, "no helper was started")
	s.Wait("this engine has none")
}

func TestNoHelperImage(t *testing.T) {
	e := newFakeEngine()
	e.noShell = true
	s := dock(t, e, 120, 40)
	s.Type("/web\r")
	s.Wait("Containers 1/4")
	s.Type("e")
	s.Wait("docker pull busybox")
}

func TestCopyOutSaysWhatWasSkipped(t *testing.T) {
	dir := t.TempDir()
	s := dock(t, newFakeEngine(), 160, 40)
	s.Type("/web\r")
	s.Wait("Containers 1/4")
	s.Type("cetc\r")
	s.Wait("begins with /")
	s.Type("\x15/etc/hosts\t/nowhere\r")
	s.Wait("no such folder")
	s.Type("\x15" + dir + "\r")
	s.Wait("skipped 1 symbolic link")
	if text, err := os.ReadFile(filepath.Join(dir, "hosts")); err != nil || string(text) != "copied" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestLogFollowsOverARestart(t *testing.T) {
	e := newFakeEngine()
	e.write("web", "first run")
	s := dock(t, e, 120, 40)
	s.Type("/web\r")
	s.Wait("Containers 1/4")
	s.Type("l")
	s.Wait("first run")
	s.Wait("165MB and growing")
	e.write("web", "still here")
	s.Wait("still here")
	s.Type("2")
	s.Type("s")
	s.Wait("exited")
	s.Type("s")
	s.Wait("✓ running")
	e.write("web", "second run")
	s.Type("\x1d") // back to the session
	s.Wait("second run")
	if strings.Count(s.Text(), "first run") != 1 {
		t.Errorf("lines came twice:\n%s", s.Text())
	}
	s.Type("2l") // opened again, it takes the place of the first
	s.Wait("second run")
	if n := strings.Count(s.Text(), "log web"); n != 1 {
		t.Errorf("%d tabs of one log", n)
	}
}

// A log without a line says so while it is followed, and takes lines then.
func TestLogOfASilentContainer(t *testing.T) {
	e := newFakeEngine()
	s := dock(t, e, 120, 40)
	s.Type("/db\r")
	s.Wait("Containers 1/4")
	s.Type("l")
	s.Wait("db has written nothing to stdout and stderr. L shows")
	s.Wait("● following")
	e.write("db", "ready at last")
	s.Wait("ready at last")
	s.Gone("has written nothing")
}

func TestLogFilesAreOffered(t *testing.T) {
	s := dock(t, newFakeEngine(), 120, 40)
	s.Type("/api\r")
	s.Wait("Containers 1/4")
	s.Type("l")
	s.Wait("logs to 2 files too (L)")
	s.Type("L")
	s.Wait("access.log")
	s.Type("cata\r")
	s.Wait("first line of /usr/local/tomcat/logs/catalina.log")
}

func TestStatsRunWhileTheyAreSeen(t *testing.T) {
	e := newFakeEngine()
	s := dock(t, e, 120, 40)
	s.Wait("▸ api")
	s.Type("]]")
	s.Wait("12 processes")
	s.Type("]")
	s.Gone("12 processes")
	open := func(n int) func(string) bool {
		return func(string) bool { return e.count(func() int { return e.streams }) == n }
	}
	s.Until(open(0), "the stream goes on unseen")
	s.Type("[")
	s.Until(open(1), "the stream was not begun again")
	s.Type("l") // a session hides it
	s.Until(open(0), "the stream goes on behind a session")
	s.Type("2")
	s.Until(open(1), "the stream was not begun again")
	s.Type("z")
	s.Until(open(0), "the stream goes on behind a zoomed pane")
}

func TestTopIsRefreshed(t *testing.T) {
	e := newFakeEngine()
	s := dock(t, e, 120, 40)
	s.Wait("▸ api")
	s.Type("]]]]")
	s.Wait("java -jar")
	n := e.count(func() int { return e.asked })
	s.Type("0\x12")
	s.Until(func(string) bool { return e.count(func() int { return e.asked }) > n }, "ctrl+r asked for nothing")
}

func TestSwitchingTheEngine(t *testing.T) {
	first, second := newFakeEngine(), newFakeEngine()
	first.contexts = someContexts()
	first.write("web", "of the first engine")
	second.context, second.containers = "other", nil
	second.add("elsewhere", "running")
	var chosen docker.Options
	s := dock(t, first, 120, 40, func(o *ui.Options) {
		o.OpenDocker = func(d docker.Options) ui.Engine {
			chosen = d
			return second
		}
	})
	s.Type("/web\r")
	s.Wait("Containers 1/4")
	s.Type("l")
	s.Wait("of the first engine")
	s.Type("2\x0f")
	s.Wait("✓ live 28.2")
	s.Type("other\r")
	s.Wait("docker other 20.10")
	s.Wait("elsewhere")
	s.Gone("Containers 1/4")
	if chosen.Host != "ssh://build@host" && chosen.Context != "other" {
		t.Errorf("opened %+v", chosen)
	}
	first.write("web", "goes on") // the session is the first engine's
	s.Type("\x1d")
	s.Wait("goes on")
	if first.count(func() int { return len(first.events) }) != 0 {
		t.Error("the first engine is still listened to")
	}
}

// What is typed while engines are looked for counts when they are there.
func TestEnginesAreChosenWhileTheyAreLookedFor(t *testing.T) {
	e := newFakeEngine()
	e.contexts, e.probing = someContexts(), make(chan struct{})
	s := dock(t, e, 120, 40, func(o *ui.Options) {
		o.OpenDocker = func(docker.Options) ui.Engine {
			other := newFakeEngine()
			other.context = "other"
			return other
		}
	})
	s.Wait("▸ api")
	s.Type("\x0f")
	s.Wait("looking for engines")
	s.Type("oth")
	s.Wait("context  oth")
	close(e.probing)
	s.Wait("✓ live 28.2")
	s.Gone("colima")
	s.Type("\r")
	s.Wait("docker other 20.10")
}

func TestDockerCommandsFitTheState(t *testing.T) {
	e := newFakeEngine()
	s := dock(t, e, 120, 40)
	s.Type("/web\r")
	s.Wait("Containers 1/4")
	for _, step := range []struct{ keys, state, choice, copied string }{
		{"", "✓ running", "pause", "docker pause web"},
		{"p", "‖ paused", "go on", "docker unpause web"},
		{"", "‖ paused", "kill", "docker kill web"},
		{"", "‖ paused", "copy", "docker cp web:/PATH ."},
		{"", "‖ paused", "rename", "docker rename web NAME"},
		{"s", "exited", "start", "docker start web"},
	} {
		s.Type(step.keys)
		s.Wait(step.state)
		s.Type("Y")
		s.Wait("Copy a docker command")
		s.Type(step.choice + "\r")
		s.Wait("copied " + step.copied)
	}
}

// The engine stops and comes back while everything is open.
func TestEngineStopsAndComesBack(t *testing.T) {
	e := newFakeEngine()
	s := dock(t, e, 120, 40)
	s.Wait("!8080")
	e.change(func() {
		e.down = &diagnose.Error{What: "list containers", Cause: "nobody answers", Do: "systemctl start docker", Err: docker.ErrStopped}
	})
	e.say(docker.Event{Kind: docker.EngineEvent, Action: docker.Lost, Err: errors.New("EOF")})
	s.Wait("docker does not answer")
	s.Wait("web")            // what was there stays …
	s.Wait("nobody answers") // … and is said to be old
	e.change(func() { e.down, e.listen["web"] = nil, docker.ListenOK })
	e.say(docker.Event{Kind: docker.EngineEvent, Action: docker.Resync})
	s.Wait("docker default 20.10")
	s.Wait("✓8080")
	s.Gone("nobody answers")
}
