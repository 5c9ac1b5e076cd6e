//go:build unix

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"gantry/docker"
)

// testLabel is on everything that a test makes in the engine, with its name.
const testLabel = "gantry.test"

// engine is a client of the real engine, and the environment in which gantry
// finds the same one. Without an engine the test is skipped, but fails where CI
// promises one.
func engine(tb testing.TB) (*docker.Client, string) {
	tb.Helper()
	c := docker.New(docker.Options{})
	tb.Cleanup(c.Close)
	e, err := c.Engine(tb.Context())
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		tb.Fatalf("no engine: %v", err)
	default:
		tb.Skipf("no engine: %v", err)
	}
	return c, "DOCKER_HOST=" + e.Host
}

// imageOf builds a labeled image from files, which goes away with the test.
func imageOf(tb testing.TB, c *docker.Client, tag string, files map[string]string) {
	tb.Helper()
	dir := folder(tb, files)
	o := docker.BuildOptions{Dir: dir, Tags: []string{tag}, Labels: map[string]string{testLabel: tb.Name()}}
	if _, err := c.Build(tb.Context(), o, func(docker.BuildProgress) {}); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { forget(c, tag) })
}

// forget removes an image, if it is there.
func forget(c *docker.Client, tag string) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, _ = c.RemoveImage(ctx, tag, docker.ImageRemoval{Force: true})
}

// folder writes files into a new folder.
func folder(tb testing.TB, files map[string]string) string {
	tb.Helper()
	dir := tb.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

// busybox is the files of an image with a shell, made from the static busybox
// of this machine.
func busybox(tb testing.TB) map[string]string {
	tb.Helper()
	shell, err := os.ReadFile("/bin/busybox")
	if err != nil {
		tb.Skip("no static busybox here: ", err)
	}
	return map[string]string{
		"busybox":    string(shell),
		"Dockerfile": "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\",\"--install\",\"-s\",\"/bin\"]\nENV PATH=/bin\nCMD [\"sh\"]\n",
	}
}

// server is a small web server as a static program: it listens where
// SERVER_ADDRESS says, on 127.0.0.1 alone if nothing does.
func server(tb testing.TB) string {
	tb.Helper()
	out := filepath.Join(tb.TempDir(), "server")
	build := exec.CommandContext(tb.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, "./docker/testdata/server")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if text, err := build.CombinedOutput(); err != nil {
		tb.Fatalf("go build: %v\n%s", err, text)
	}
	program, err := os.ReadFile(out)
	if err != nil {
		tb.Fatal(err)
	}
	return string(program)
}
