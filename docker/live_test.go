package docker

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"go.uber.org/goleak"
)

// testLabel is on everything that a test makes, with the test's name.
const testLabel = "gantry.test"

// live returns a client of the real engine. Without one the test is skipped,
// but fails where CI promises an engine.
func live(t testing.TB) *Client {
	t.Helper()
	c := New(Options{})
	t.Cleanup(c.Close)
	api, err := c.api(t.Context())
	if err == nil {
		_, err = api.Ping(t.Context(), client.PingOptions{})
	}
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("no engine: %v", err)
	default:
		t.Skipf("no engine: %v", err)
	}
	return c
}

// noLeaks fails the test when goroutines that it started outlive it.
func noLeaks(t *testing.T) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		goleak.VerifyNone(t, before,
			goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
			goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
	})
}

// engine is the engine's own client, for what a test sets up and looks at.
func (c *Client) engineOf(t testing.TB) *client.Client {
	t.Helper()
	api, err := c.api(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// folder writes files into a new folder.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// busybox is the name of a local image with a shell, made from the static
// busybox of this machine.
func busybox(t testing.TB, c *Client) string {
	t.Helper()
	shell, err := os.ReadFile("/bin/busybox")
	if err != nil {
		t.Skip("no static busybox here: ", err)
	}
	dir := folder(t, map[string]string{
		"busybox":    string(shell),
		"Dockerfile": "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\",\"--install\",\"-s\",\"/bin\"]\nCMD [\"sh\"]\n",
	})
	return built(t, c, BuildOptions{Dir: dir})
}

// built builds an image that goes away with the test.
func built(t testing.TB, c *Client, o BuildOptions) string {
	t.Helper()
	o = labeled(t, c, o)
	if _, err := c.Build(t.Context(), o, func(BuildProgress) {}); err != nil {
		t.Fatal(err)
	}
	return o.Tags[0]
}

// labeled gives a build the label and a name, and removes the image at the end.
func labeled(t testing.TB, c *Client, o BuildOptions) BuildOptions {
	t.Helper()
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(t.Name()))
	o.Tags = append(o.Tags, "gantry-test/"+strings.Trim(name, "-")+":"+filepath.Base(filepath.Dir(o.Dir))+"-"+filepath.Base(o.Dir))
	o.Tags[len(o.Tags)-1] = strings.ToLower(o.Tags[len(o.Tags)-1])
	o.Labels = map[string]string{testLabel: t.Name()}
	tag := o.Tags[len(o.Tags)-1]
	api := c.engineOf(t)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		image, err := api.ImageInspect(ctx, tag)
		if err != nil {
			return // it was never built
		}
		removeChildren(ctx, api, image.ID)
		_, _ = api.ImageRemove(ctx, tag, client.ImageRemoveOptions{Force: true, PruneChildren: true})
	})
	return o
}

// removeChildren removes what failed builds of the classic builder leave: an
// untagged image for each step that went well.
func removeChildren(ctx context.Context, api *client.Client, parent string) {
	all, err := api.ImageList(ctx, client.ImageListOptions{All: true})
	if err != nil {
		return
	}
	for _, image := range all.Items {
		untagged := strings.Join(image.RepoTags, "") // 20.10 writes a placeholder
		if image.ParentID == parent && (untagged == "" || untagged == "<none>:<none>") {
			removeChildren(ctx, api, image.ID)
			_, _ = api.ImageRemove(ctx, image.ID, client.ImageRemoveOptions{Force: true, PruneChildren: true})
		}
	}
}

// launched starts a container that goes away with the test.
func launched(t testing.TB, c *Client, config container.Config, host container.HostConfig) string {
	t.Helper()
	api := c.engineOf(t)
	config.Labels = map[string]string{testLabel: t.Name()}
	made, err := api.ContainerCreate(t.Context(), client.ContainerCreateOptions{Config: &config, HostConfig: &host})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		_, _ = api.ContainerRemove(ctx, made.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	})
	if _, err := api.ContainerStart(t.Context(), made.ID, client.ContainerStartOptions{}); err != nil {
		t.Fatal(err)
	}
	return made.ID
}

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatal("it never happened: " + what)
		case <-tick.C:
		}
	}
}

// program builds a static Go program from source.
func program(t testing.TB, source string) string {
	t.Helper()
	dir := folder(t, map[string]string{"main.go": source, "go.mod": "module program\n\ngo 1.24\n"})
	out := filepath.Join(dir, "program")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=mod", "GOWORK=off", "GOOS=linux")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, text)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
