package ui_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"gantry/aws"
	"gantry/aws/sandbox"
	"gantry/docker"
	"gantry/ui"
	"gantry/ui/uitest"
)

// liveRegistry is a real engine, and the sandbox with its registry.
func liveRegistry(t *testing.T) (engine *docker.Client, client *aws.Client, host string) {
	t.Helper()
	engine = liveEngine(t)
	server, err := sandbox.Start(t.Context(), sandbox.Config{Runtime: sandbox.None(), RunDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	client = aws.New(aws.Options{Endpoint: server.URL(), AccessKeyID: server.AccessKeyID(), SecretAccessKey: server.SecretAccessKey(), Region: server.Region()})
	t.Cleanup(client.Close)
	return engine, client, strings.TrimPrefix(server.URL(), "http://")
}

// buildLayer builds an image of one small layer.
func buildLayer(t *testing.T, engine *docker.Client, name, text string) {
	t.Helper()
	dir := buildFolder(t, map[string]string{"Dockerfile": "FROM scratch\nLABEL gantry.test=push\nCOPY a /a\n", "a": strings.Repeat(text, 10_000)})
	if _, err := engine.Build(t.Context(), docker.BuildOptions{Dir: dir, Tags: []string{name}}, func(docker.BuildProgress) {}); err != nil {
		t.Fatal(err)
	}
}

// TestPushAndPullOnARealEngine pushes to a repository that the push creates,
// sees the image there, deletes it here, pulls it by its digest, and deletes
// the repository.
func TestPushAndPullOnARealEngine(t *testing.T) {
	engine, client, host := liveRegistry(t)
	const local = "gantry-pushtest:1"
	removeImages(t, engine, "pushtest") // here and by its name in the registry
	buildLayer(t, engine, local, "a")
	uri := host + "/team/pushtest"

	f := ui.New(ui.Options{AWS: client, Docker: engine, Sandbox: "none runtime"})
	t.Cleanup(f.Close)
	s := uitest.Run(t, f, 140, 40)
	s.Wait("shop")
	s.Type("1")
	s.Wait("gantry-pushtest:1")
	s.Type("/pushtest\r")
	s.Wait("Images 1/")
	s.Type("p")
	s.Wait("it will be created")
	s.Type("team/pushtest\r")
	s.Wait("✓ pushed team/pushtest:1 in")
	s.Wait(uri + "@sha256:")

	var digest string
	err := client.RepositoryImages(t.Context(), aws.Repository{Name: "team/pushtest", URI: uri}, func(rows []aws.RepositoryImage) { digest = rows[0].Digest })
	if err != nil || !strings.Contains(strings.ReplaceAll(s.Text(), " ", ""), digest[:20]) {
		t.Errorf("the screen does not tell the digest %s: %v", digest, err)
	}

	s.Type("3")
	s.Wait("▸ team/pushtest")
	s.Type("\r")
	s.Wait("Images of team/pushtest 1")
	s.Wait("▸ 1")
	for _, ref := range []string{local, uri + ":1"} {
		if _, err := engine.RemoveImage(t.Context(), ref, docker.ImageRemoval{Force: true}); err != nil {
			t.Fatal(err)
		}
	}
	s.Type("p\r")
	s.Wait("✓ pulled team/pushtest:1 in")
	facts, err := engine.ImageFacts(t.Context(), uri+":1")
	if err != nil || len(facts.Digests) != 1 || facts.Digests[0] != uri+"@"+digest {
		t.Errorf("pulled %+v, %v", facts, err)
	}

	s.Type("\x1d3D")
	s.Wait("1 image in team/pushtest")
	s.Type("team/pushtest\r")
	s.Wait("deleted team/pushtest")
	s.Wait("No repositories in this account")
}

// What the real engine and registry refuse is told with the fix that gantry
// offers.
func TestPushIsRefusedByARealEngine(t *testing.T) {
	engine, client, host := liveRegistry(t)
	if _, err := client.CreateRepository(t.Context(), aws.NewRepository{Name: "team/fixed", Immutable: true}); err != nil {
		t.Fatal(err)
	}
	const local = "gantry-pushfixed:1"
	removeImages(t, engine, "pushfixed")
	removeImages(t, engine, "team/fixed")
	buildLayer(t, engine, local, "b")
	first, err := engine.ImageFacts(t.Context(), local)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { // it loses its names to the second
		_, _ = engine.RemoveImage(t.Context(), first.ID, docker.ImageRemoval{Force: true})
	}()
	f := ui.New(ui.Options{AWS: client, Docker: engine, Sandbox: "none runtime"})
	t.Cleanup(f.Close)
	s := uitest.Run(t, f, 140, 40)
	s.Wait("shop")
	s.Type("1")
	s.Wait("gantry-pushfixed:1")
	s.Type("/gantry-pushfixed\r")
	s.Wait("Images 1/")
	push := func() {
		s.Type("p")
		s.Wait("docker push")
		s.Type("team/fixed")
		s.Wait("Tags of team/fixed are immutable")
		s.Type("\r")
	}
	push()
	s.Wait("✓ pushed team/fixed:1 in")
	buildLayer(t, engine, local, "c")
	s.Type("x1")
	s.Gone("pushed team/fixed:1 in")
	push()
	s.Wait("t push under another tag")
	s.Shot("push-immutable")
	s.Type("t\t2\r")
	s.Wait("✓ pushed team/fixed:2 in")

	// The repository goes while its images are here.
	r := aws.Repository{Name: "team/fixed", URI: host + "/team/fixed"}
	err = client.Repositories(t.Context(), func(rows []aws.Repository) { r = rows[0] })
	if err == nil {
		err = client.DeleteRepository(t.Context(), r, aws.RepositoryRemoval{Force: true})
	}
	if err != nil {
		t.Fatal(err)
	}
	s.Type("r")
	s.Wait("c create repository team/fixed and push")
	s.Shot("push-missing")
	s.Type("c")
	s.Wait("✓ pushed team/fixed:2 in")
}

// removeImages removes what the test has built and tagged.
func removeImages(t *testing.T, c *docker.Client, name string) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		images, err := c.Images(ctx, docker.TopImages)
		if err != nil {
			t.Error(err)
		}
		for _, i := range images {
			if strings.HasSuffix(i.Repository, name) {
				_, _ = c.RemoveImage(ctx, i.Reference(), docker.ImageRemoval{Force: true})
			}
		}
	})
}
