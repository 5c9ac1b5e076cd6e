//go:build unix

package main

import (
	"os"
	"testing"

	"gantry/docker"
)

// What runs the tasks is on the screen, and why; the demo world runs in any case.
func TestScreenSaysWhatRunsTheTasks(t *testing.T) {
	t.Parallel()
	t.Run("no engine", func(t *testing.T) {
		t.Parallel()
		g := newMachine(t).open("--sandbox")
		g.Wait("process runtime: no Docker engine answers")
		openShop(g)
		g.Wait("3/3")
	})
	t.Run("an engine", func(t *testing.T) {
		t.Parallel()
		engine := docker.New(docker.Options{})
		defer engine.Close()
		if _, err := engine.Engine(t.Context()); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
		g := newMachine(t, hostEngine()).open("--sandbox")
		g.Wait("docker runtime")
		openShop(g)
		g.Wait("3/3")
		waitFor(t, "the demo's tasks as processes", func() bool { return len(tasksOf(t, g.PID(), "shop/web")) == 3 })
	})
}

// hostEngine gives a machine the engine of this one.
func hostEngine() string { return "DOCKER_HOST=" + os.Getenv("DOCKER_HOST") }
