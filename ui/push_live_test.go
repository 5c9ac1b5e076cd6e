package ui_test

import (
	"strings"
	"testing"

	"gantry/aws"
	"gantry/aws/sandbox"
	"gantry/docker"
	"gantry/ui"
	"gantry/ui/uitest"
)

// TestPushAndPullOnARealEngine pushes to a repository that the push creates,
// sees the image there, deletes it here, pulls it by its digest, and deletes
// the repository.
func TestPushAndPullOnARealEngine(t *testing.T) {
	engine := liveEngine(t)
	server, err := sandbox.Start(t.Context(), sandbox.Config{Runtime: sandbox.None(), RunDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	client := aws.New(aws.Options{Endpoint: server.URL(), AccessKeyID: server.AccessKeyID(), SecretAccessKey: server.SecretAccessKey(), Region: server.Region()})
	t.Cleanup(client.Close)

	const local = "gantry-pushtest:1"
	dir := buildFolder(t, map[string]string{"Dockerfile": "FROM scratch\nLABEL gantry.test=push\nCOPY a /a\n", "a": strings.Repeat("a layer\n", 10_000)})
	if _, err := engine.Build(t.Context(), docker.BuildOptions{Dir: dir, Tags: []string{local}}, func(docker.BuildProgress) {}); err != nil {
		t.Fatal(err)
	}
	uri := strings.TrimPrefix(server.URL(), "http://") + "/team/pushtest"
	remove := func(refs ...string) {
		for _, ref := range refs {
			_, _ = engine.RemoveImage(t.Context(), ref, docker.ImageRemoval{Force: true})
		}
	}
	defer remove(local, uri+":1")

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
	err = client.RepositoryImages(t.Context(), aws.Repository{Name: "team/pushtest", URI: uri}, func(rows []aws.RepositoryImage) { digest = rows[0].Digest })
	if err != nil || !strings.Contains(strings.ReplaceAll(s.Text(), " ", ""), digest[:20]) {
		t.Errorf("the screen does not tell the digest %s: %v", digest, err)
	}

	s.Type("3")
	s.Wait("▸ team/pushtest")
	s.Type("\r")
	s.Wait("Images of team/pushtest 1")
	s.Wait("▸ 1")
	remove(local, uri+":1")
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
