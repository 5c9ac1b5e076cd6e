package ui_test

import (
	"slices"
	"testing"
	"time"

	"gantry/docker"
	"gantry/ui"
)

func TestTransferWords(t *testing.T) {
	layer := func(done, total int64, ended bool) docker.LayerProgress {
		return docker.LayerProgress{ID: "0a1b2c3d4e5f", State: "Pushing", Done: done, Total: total, Ended: ended}
	}
	for _, c := range []struct {
		name   string
		layers []docker.LayerProgress
		took   time.Duration
		want   string
	}{
		{"nothing known", nil, 0, "0 of 0 layers"},
		{"no sizes", []docker.LayerProgress{layer(0, 0, false), layer(0, 0, true)}, 5 * time.Second, "1 of 2 layers"},
		{"too early for a rate", []docker.LayerProgress{layer(1000, 4000, false)}, 100 * time.Millisecond, "0 of 1 layer · 1.0 kB of 4.0 kB"},
		{"a rate", []docker.LayerProgress{layer(4000, 4000, true), layer(4000, 8000, false)}, 2 * time.Second, "1 of 2 layers · 8.0 kB of 12.0 kB · 4.0 kB/s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := ui.TransferWords(docker.TransferProgress{Layers: c.layers}, c.took); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestLayerLines(t *testing.T) {
	got := ui.LayerLines(docker.TransferProgress{Layers: []docker.LayerProgress{
		{ID: "aaaaaaaaaaaa", State: "Preparing"},
		{ID: "bbbbbbbbbbbb", State: "Layer already exists", Ended: true},
		{ID: "cccccccccccc", State: "Pushing\x1b[31m", Done: 5_000_000, Total: 10_000_000},
		{ID: "dddddddddddd", State: "Pushed", Done: 10_000_000, Total: 10_000_000, Ended: true},
	}}, 80)
	want := []string{
		" aaaaaaaaaaaa Preparing",
		" bbbbbbbbbbbb Layer already exists ✓",
		" cccccccccccc Pushing           ▓▓▓▓▓▓▓░░░░░░░░ 5.0 MB of 10.0 MB",
		" dddddddddddd Pushed            ▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓ 10.0 MB of 10.0 MB ✓",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
