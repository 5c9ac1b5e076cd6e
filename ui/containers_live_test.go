package ui_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"gantry/docker"
	"gantry/ui"
	"gantry/ui/uitest"
)

// testLabel is on everything that a test makes, with the test's name.
const testLabel = "gantry.test"

// serverImage builds an image with a server that listens on 127.0.0.1 unless
// SERVER_ADDRESS says otherwise, and with what else is in files.
func serverImage(t *testing.T, c *docker.Client, name, dockerfile string, files map[string]string) {
	t.Helper()
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", filepath.Join(dir, "server"), "../docker/testdata/server")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	files["Dockerfile"] = dockerfile
	for file, text := range files {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		_, _ = c.RemoveImage(ctx, name, docker.ImageRemoval{Force: true})
	})
	if _, err := c.Build(t.Context(), docker.BuildOptions{Dir: dir, Tags: []string{name}, Labels: map[string]string{testLabel: t.Name()}}, func(docker.BuildProgress) {}); err != nil {
		t.Fatal(err)
	}
}

// runServer starts a container that goes away with the test.
func runServer(t *testing.T, c *docker.Client, image, name string, env ...string) {
	t.Helper()
	id, err := c.Run(t.Context(), docker.RunOptions{
		Image: image, Name: name, Env: env, Ports: []docker.Port{{HostIP: "127.0.0.1", Container: 8080, Proto: "tcp"}},
		Labels: map[string]string{testLabel: t.Name()},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		_ = c.RemoveContainer(ctx, id, docker.ContainerRemoval{Force: true, Volumes: true})
	})
}

// liveName is a name that no other run of the tests on this engine has.
func liveName(kind string) string { return fmt.Sprintf("gantry-ui-%d-%s", os.Getpid(), kind) }

// shows waits for text that fits a pattern.
func shows(s *uitest.Screen, pattern string) {
	fits := regexp.MustCompile(pattern)
	s.Until(fits.MatchString, "never showed "+pattern)
}

const withShell = "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\",\"--install\",\"-s\",\"/bin\"]\nCOPY server /server\nCOPY hello /hello\nENTRYPOINT [\"/server\"]\n"

// The seed's error, from seeing it to having it mended, and the other keys of
// a container, on the real engine.
func TestContainersOfTheRealEngine(t *testing.T) {
	c := liveEngine(t)
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		t.Skip("no static busybox here: ", err)
	}
	image, bare := "gantry-test/"+liveName("shell")+":1", "gantry-test/"+liveName("plain")+":1"
	serverImage(t, c, image, withShell, map[string]string{"busybox": string(busybox), "hello": "hello\n"})
	serverImage(t, c, bare, "FROM scratch\nCOPY server /server\nENTRYPOINT [\"/server\"]\n", map[string]string{})
	runServer(t, c, image, liveName("web"))

	f := ui.New(ui.Options{AWS: demoCloud(), Docker: c})
	t.Cleanup(f.Close)
	s := uitest.Run(t, f, 150, 40)
	s.Wait("batch")
	s.Type("2/" + liveName("web") + "\r")
	shows(s, `!\d+`)

	explains(s)
	followsTheLog(s)
	turnsTheTabs(s)
	entersIt(s)
	copiesOut(t, s)
	stopsAndStarts(s)
	seesItMended(t, c, bare, s)
	entersByHelper(t, c, bare, s)
}

// explains is told why curl fails.
func explains(s *uitest.Screen) {
	s.Type("w")
	s.Wait("curl: (56) Recv failure")
	s.Wait("127.0.0.1:8080")
	s.Type("x")
	s.Gone("why " + liveName("web"))
}

// followsTheLog follows the log over a restart.
func followsTheLog(s *uitest.Screen) {
	s.Type("l")
	s.Wait("listening on 127.0.0.1:8080")
	s.Wait("json-file")
	s.Type("2r")
	s.Wait("restarted " + liveName("web"))
	s.Type("\x1d")
	s.Until(func(screen string) bool { return strings.Count(screen, "listening on 127") == 2 }, "the log was not followed over the restart")
	s.Type("x")
	s.Gone("log " + liveName("web"))
}

// turnsTheTabs looks at every tab.
func turnsTheTabs(s *uitest.Screen) {
	s.Type("2]]")
	shows(s, `\d+ processes`)
	s.Type("]")
	s.Wait("the app listens on 127.0.0.1 only")
	s.Type("]")
	s.Wait("CMD")
	s.Wait("/server")
	s.Type("]")
	shows(s, `added, \d+ changed|Every file is as it is`)
	s.Type("[[[[[")
	s.Wait("started  ")
}

// entersIt has a shell.
func entersIt(s *uitest.Screen) {
	s.Type("e")
	s.Wait("/ #")
	s.Type("echo in-$((40+2)); cat /hello\r")
	s.Wait("in-42")
	s.Wait("hello")
	s.Type("exit\r")
	s.Wait("■ ended")
	s.Type("x")
	s.Gone("sh " + liveName("web"))
}

// copiesOut brings a file here.
func copiesOut(t *testing.T, s *uitest.Screen) {
	dir := t.TempDir()
	s.Type("2c\x15/hello\t\x15" + dir + "\r")
	s.Wait("1 file, 6 B")
	if text, err := os.ReadFile(filepath.Join(dir, "hello")); err != nil || string(text) != "hello\n" {
		t.Errorf("%q, %v", text, err)
	}
}

// stopsAndStarts stops the container and starts it.
func stopsAndStarts(s *uitest.Screen) {
	s.Type("s")
	s.Wait("✗ exited")
	s.Type("s")
	s.Wait("✓ running")
	shows(s, `!\d+`)
}

// seesItMended sees that another address is the cure.
func seesItMended(t *testing.T, c *docker.Client, bare string, s *uitest.Screen) {
	runServer(t, c, bare, liveName("mended"), "SERVER_ADDRESS=0.0.0.0")
	s.Type("/\x15" + liveName("mended") + "\r") // ctrl+u clears the filter before
	selected(s, liveName("mended"))
	shows(s, `✓\d+`)
	s.Type("w")
	s.Wait("reaches the app")
	s.Type("x")
	s.Gone("why gantry")
}

// selected waits until the stage tells of the container: its row may be on the
// way still, and what the screen shows before that is another's.
func selected(s *uitest.Screen, name string) { s.Wait("container   " + name) }

// entersByHelper has a shell beside a container without one.
func entersByHelper(t *testing.T, c *docker.Client, bare string, s *uitest.Screen) {
	runServer(t, c, bare, liveName("bare"))
	s.Type("2/\x15" + liveName("bare") + "\r")
	selected(s, liveName("bare"))
	shows(s, `!\d+`)
	s.Type("e")
	s.Wait(liveName("bare") + " has no shell")
	s.Type("y")
	s.Wait("/ #")
	s.Type("ls /proc/1/root\r")
	s.Wait("server")
	s.Type("exit\r")
	s.Wait("■ ended")
}
