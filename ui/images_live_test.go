package ui_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gantry/docker"
	"gantry/ui"
	"gantry/ui/uitest"
)

// liveEngine is the real engine. Without one the test is skipped, but fails
// where CI promises one.
func liveEngine(t *testing.T) *docker.Client {
	t.Helper()
	c := docker.New(docker.Options{})
	t.Cleanup(c.Close)
	if _, err := c.Engine(t.Context()); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no engine: %v", err)
		}
		t.Skipf("no engine: %v", err)
	}
	return c
}

// liveServer greets on port 8080 until it is asked to end.
const liveServer = `package main

import (
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	println("gantry test server listens")
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	go http.ListenAndServe(":8080", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("hello from " + os.Getenv("GREETER"))) }))
	<-end
}
`

// liveFolder is a build context with a static program in it.
func liveFolder(t *testing.T) string {
	t.Helper()
	dir := buildFolder(t, map[string]string{
		"Dockerfile":    "FROM scratch\nLABEL gantry.test=" + t.Name() + "\nCOPY server /server\nEXPOSE 8080\nENTRYPOINT [\"/server\"]\n",
		".dockerignore": "*.go\n",
		"main.go":       liveServer,
	})
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(dir, "server"), filepath.Join(dir, "main.go"))
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, text)
	}
	return dir
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// TestBuildRunStopRemoveOnTheRealEngine does by keys alone what the beginner's
// chapter does by commands.
func TestBuildRunStopRemoveOnTheRealEngine(t *testing.T) {
	c := liveEngine(t)
	dir, port := liveFolder(t), freePort(t)
	const image, name = "gantry-ui-test:1", "gantry-ui-test"
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		for _, n := range []string{name, name + "-tty"} {
			_ = c.RemoveContainer(ctx, n, docker.ContainerRemoval{Force: true})
		}
		_, _ = c.RemoveImage(ctx, image, docker.ImageRemoval{Force: true})
	})
	f := ui.New(ui.Options{AWS: demoCloud(), Docker: c})
	t.Cleanup(f.Close)
	s := uitest.Run(t, f, 140, 40)
	s.Wait("batch")

	s.Type("1b\x15" + dir + "\r")
	s.Wait("docker build --tag shop:latest")
	s.Type(image + "\r")
	s.Wait("✓ built " + image)
	s.Wait("COPY server /server")
	s.Type("1")
	s.Wait("▸ " + image)
	s.Wait("its own")

	s.Type("r")
	s.Wait("8080:8080")
	s.Type(fmt.Sprintf("%s\t127.0.0.1:%d:8080\tGREETER=gantry\r", name, port))
	s.Wait("runs: " + name)
	if got := get(t, port); got != "hello from gantry" {
		t.Errorf("the server says %q", got)
	}

	s.Type("r") // once more, on a terminal that shows what it writes
	s.Wait("Run " + image)
	s.Type(name + "-tty\t\x15\t\x15\t\t\t\x1b[B\t\x1b[B\r")
	s.Wait("gantry test server listens")
	s.Type("\x1d2/" + name + "-tty\r")
	s.Until(func(screen string) bool { return onOneLine(screen, "▸ "+name+"-tty", "✓ running") }, "the container on the terminal never ran")
	s.Type("s")
	s.Wait("Containers 0/") // it has removed itself

	s.Type("\x1b")
	s.Gone("/" + name)
	s.Type("/" + name + "\r")
	s.Until(func(screen string) bool { return onOneLine(screen, "▸ "+name, "✓ running") }, "the container never ran")
	s.Type("s")
	s.Wait("stopped " + name)
	s.Wait("exited")
	s.Type("D")
	s.Wait("Delete " + name)
	s.Type("y")
	s.Wait("deleted " + name)

	s.Type("1D")
	s.Wait("Delete " + image)
	s.Type("y")
	s.Wait("deleted " + image)
	s.Gone("▸ " + image)
	rows, err := c.Images(t.Context(), docker.TopImages)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if r.Reference() == image {
			t.Error("the image is still there")
		}
	}
}

// onOneLine says whether a line of the screen has both texts.
func onOneLine(screen, one, other string) bool {
	for line := range strings.Lines(screen) {
		if strings.Contains(line, one) && strings.Contains(line, other) {
			return true
		}
	}
	return false
}

// get asks the server until it answers.
func get(t *testing.T, port int) string {
	t.Helper()
	client := http.Client{Timeout: time.Second}
	for deadline := time.Now().Add(20 * time.Second); ; {
		answer, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d/", port))
		if err == nil {
			body, _ := io.ReadAll(answer.Body)
			_ = answer.Body.Close()
			return strings.TrimSpace(string(body))
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}
