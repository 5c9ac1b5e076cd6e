package ui

import (
	"time"

	"gantry/docker"
	"gantry/ui/pane"
)

// ImagesAt is the Images pane with a clock of the test's.
func ImagesAt(c imageClient, now func() time.Time) pane.Pane {
	p := Images(c, &clients{places: newLineages(nil, c)}).(*images)
	p.builds.now = now
	return p
}

// BuildDrawing draws states of a build as its pane does.
func BuildDrawing(w, h int) func(p docker.BuildProgress, now time.Time) []string {
	g := newBuildGraph()
	g.resize(w, h)
	return func(p docker.BuildProgress, now time.Time) []string {
		g.take(buildState{progress: p})
		return g.visible(now)
	}
}
