package ui_test

import (
	"os"
	"path/filepath"
	"testing"

	"gantry/aws"
	"gantry/docker"
	"gantry/ui"
	"gantry/ui/uitest"
)

// An image is built upon one that is in ECR alone, by b and by a ship, with no
// login in the user's docker configuration.
func TestBuildUponAnImageOfECR(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	engine, client, host := liveRegistry(t)
	base, made := host+"/team/basetest:1", "gantry-basetest:1"
	removeImages(t, engine, "basetest")
	if _, err := client.CreateRepository(t.Context(), aws.NewRepository{Name: "team/basetest"}); err != nil {
		t.Fatal(err)
	}
	buildLayer(t, engine, base, "base")
	login, err := client.RegistryLogin(t.Context(), aws.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	auth := docker.RegistryAuth{Username: login.Username, Password: login.Password}
	if _, err := engine.Push(t.Context(), base, auth, func(docker.TransferProgress) {}); err != nil {
		t.Fatal(err)
	}
	if _, err := engine.RemoveImage(t.Context(), base, docker.ImageRemoval{Force: true}); err != nil {
		t.Fatal(err)
	}
	dir := inFolder(t, map[string]string{"Dockerfile": "FROM " + base + "\nLABEL gantry.test=push\nCOPY b /b\nENTRYPOINT [\"/b\"]\n", "b": "one"})

	f := ui.New(ui.Options{AWS: client, Docker: engine, Sandbox: "none runtime"})
	t.Cleanup(f.Close)
	s := uitest.Run(t, f, 120, 40)
	s.Wait("shop")
	s.Wait("Repositories 1")
	s.Type("1b")
	s.Wait("which folder?")
	s.Type("\r")
	s.Wait("docker build --tag")
	s.Type("\x15" + made + "\r")
	s.Wait("✓ built " + made)

	if err := os.WriteFile(filepath.Join(dir, "b"), []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Type("1B\r")
	s.Wait("Ship " + dir)
	s.Type("\x15" + made + "\r")
	s.Wait("to which service?")
	s.Type("new\x1b[B\r")
	s.Wait("New service in shop: what runs?")
	s.Type("\r")
	s.Wait("where, and as whom?")
	s.Type("\r")
	s.Wait("Nothing is done yet. ⏎")
	s.Type("\r")
	s.Wait("✓ shop/gantry-basetest runs gantry-basetest:1")
}
