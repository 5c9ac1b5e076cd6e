package ui

import (
	"time"

	"gantry/aws"
	"gantry/docker"
)

// PushAt gives the pushes of the frame's images a clock of the test's.
func PushAt(f *Frame, now func() time.Time) {
	for _, s := range f.slots {
		if i, ok := s.pane.(*images); ok {
			i.pushes.now = now
		}
	}
}

// TransferDrawing draws states of a push as its pane does.
func TransferDrawing(w, h int) func(p docker.TransferProgress, now time.Time) string {
	way := &pull{image: aws.RepositoryImage{Repository: "web", Tags: []string{"1"}, URI: "host/web"}, engine: docker.New(docker.Options{})}
	t := newTransfer(way, time.Now)
	t.began = time.Now()
	t.Resize(w, h)
	return func(p docker.TransferProgress, now time.Time) string {
		t.now = func() time.Time { return now }
		t.load.Value = workState[transferState]{at: transferState{progress: p}}
		t.progressed()
		t.draw()
		return t.View()
	}
}
