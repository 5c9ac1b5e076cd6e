//go:build unix

package ui_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gantry/aws"
	"gantry/aws/sandbox"
	"gantry/ui"
	"gantry/ui/uitest"
)

// statesOnly is a sandbox with a real registry, whose tasks are states.
func statesOnly(t *testing.T) *aws.Client {
	t.Helper()
	server, err := sandbox.Start(t.Context(), sandbox.Config{Runtime: sandbox.None(), RunDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	client := aws.New(aws.Options{Endpoint: server.URL(), AccessKeyID: server.AccessKeyID(), SecretAccessKey: server.SecretAccessKey(), Region: server.Region()})
	t.Cleanup(client.Close)
	return client
}

// A Dockerfile becomes a service, the next build its next revision, and B
// brings the first one back: the real engine builds and pushes, the sandbox's
// registry and ECS take it.
func TestShipOnTheRealEngine(t *testing.T) {
	engine, client := liveEngine(t), statesOnly(t)
	name := fmt.Sprintf("gantry-ship-%d/hello", os.Getpid())
	removeImages(t, engine, name)
	dir := inFolder(t, map[string]string{"Dockerfile": "FROM scratch\nLABEL " + testLabel + "=ship\nCOPY page /page\nEXPOSE 8080\nENTRYPOINT [\"/page\"]\n", "page": "one"})

	f := ui.New(ui.Options{AWS: client, Docker: engine})
	t.Cleanup(f.Close)
	s := uitest.Run(t, f, 120, 40)
	s.Wait("shop")
	s.Type("1")
	s.Wait("build")
	s.Type("B\r")
	s.Wait("Ship " + dir)
	s.Type(name + ":1\r")
	s.Wait("to which service?")
	s.Type("new\x1b[B\r")
	s.Wait("New service in shop: what runs?")
	s.Type("\r")
	s.Wait("where, and as whom?")
	s.Type("\r")
	s.Wait("Nothing is done yet. ⏎")
	s.Wait(", a repository that is created")
	s.Type("\r")
	s.Wait("✓ shop/hello runs hello:1")

	if err := os.WriteFile(filepath.Join(dir, "page"), []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Type("1B\r")
	s.Wait("Ship " + dir)
	s.Type(name + ":2\r")
	s.Wait("to which service?")
	s.Type("hello\r")
	s.Wait("Nothing is done yet. ⏎")
	s.Wait("stays as in hello:1")
	s.Type("\r")
	s.Wait("✓ shop/hello runs hello:2")
	pinned(t, client, name, "2", "hello:2")

	s.Type("By")
	s.Wait("✓ shop/hello runs hello:1")
	pinned(t, client, name, "1", "hello:1")
}

// pinned checks that a revision runs exactly the image of a tag.
func pinned(t *testing.T, client *aws.Client, repository, tag, revision string) {
	t.Helper()
	d, err := client.Definition(t.Context(), revision)
	if err != nil {
		t.Fatal(err)
	}
	var found aws.Repository
	if err := client.Repositories(t.Context(), func(page []aws.Repository) {
		for _, r := range page {
			if r.Name == repository {
				found = r
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	digest := ""
	if err := client.RepositoryImages(t.Context(), found, func(page []aws.RepositoryImage) {
		for _, i := range page {
			if strings.Join(i.Tags, " ") == tag {
				digest = i.Digest
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	if want := found.URI + "@" + digest; digest == "" || d.Containers[0].Image != want {
		t.Errorf("%s runs %s, want %s", revision, d.Containers[0].Image, want)
	}
}
