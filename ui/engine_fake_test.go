package ui_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gantry/docker"
	"gantry/internal/diagnose"
	"gantry/ui"
	"gantry/ui/pane"
	"gantry/ui/uitest"
)

// fakeImages is an engine in memory, as far as the Images pane goes: what it is
// told to build, run or remove, it notes.
type fakeImages struct {
	ui.Engine // whatever a test does not expect to be asked is nil

	mu     sync.Mutex
	rows   []docker.Image
	build  func(ctx context.Context, o docker.BuildOptions, progress func(docker.BuildProgress)) (docker.BuildResult, error)
	config docker.ImageConfig
	plan   docker.PrunePlan
	refuse error // what a removal without force says
	runErr error

	built   []docker.BuildOptions
	ran     []docker.RunOptions
	removed []string
	pruned  docker.PrunePlan
}

func fakeImage(name string, n int) docker.Image {
	repository, tag, _ := strings.Cut(name, ":")
	return docker.Image{
		ID: fmt.Sprintf("sha256:%064x", n), Repository: repository, Tag: tag, Created: then, Size: int64(n) * 1e6, Labels: map[string]string{"team": "shop"},
	}
}

func newFakeImages() *fakeImages {
	return &fakeImages{rows: []docker.Image{fakeImage("base:1", 1), fakeImage("web:1", 2)}, config: docker.ImageConfig{Platform: "linux/amd64"}}
}

func (e *fakeImages) Images(context.Context, docker.ImageScope) ([]docker.Image, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.rows), nil
}

func (e *fakeImages) Containers(context.Context) ([]docker.Container, error) {
	return []docker.Container{{ID: "c1", Name: "shop-web", ImageID: fakeImage("web:1", 2).ID, State: "running"}}, nil
}

func (e *fakeImages) ImageSizes(context.Context) (map[string]docker.ImageSize, error) {
	return map[string]docker.ImageSize{fakeImage("web:1", 2).ID: {Shared: 1_500_000, Unique: 500_000}}, nil
}

func (e *fakeImages) CommandLine(c docker.Command) string { return "docker " + strings.Join(c, " ") }

func (e *fakeImages) Build(ctx context.Context, o docker.BuildOptions, progress func(docker.BuildProgress)) (docker.BuildResult, error) {
	e.mu.Lock()
	e.built = append(e.built, o)
	e.mu.Unlock()
	result, err := e.build(ctx, o, progress)
	if err == nil {
		e.mu.Lock()
		row := fakeImage(o.Tags[0], 10+len(e.rows))
		result.ImageID = row.ID
		e.rows = append(e.rows, row)
		e.mu.Unlock()
	}
	return result, err
}

func (e *fakeImages) ImageConfig(context.Context, string) (docker.ImageConfig, error) {
	return e.config, nil
}

func (e *fakeImages) Run(_ context.Context, o docker.RunOptions) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ran = append(e.ran, o)
	return "c9", e.runErr
}

func (e *fakeImages) RunAttached(_ context.Context, o docker.RunOptions, _, _ int) (string, *docker.Session, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ran = append(e.ran, o)
	return "", nil, &diagnose.Error{What: "run " + o.Image, Cause: "this engine has no terminals"}
}

func (e *fakeImages) RemoveImage(_ context.Context, ref string, how docker.ImageRemoval) (docker.ImageRemoved, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.refuse != nil && !how.Force {
		return docker.ImageRemoved{}, e.refuse
	}
	e.removed = append(e.removed, ref)
	e.rows = slices.DeleteFunc(e.rows, func(r docker.Image) bool { return r.Reference() == ref })
	return docker.ImageRemoved{}, nil
}

func (e *fakeImages) PlanPrune(context.Context) (docker.PrunePlan, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.plan, nil
}

func (e *fakeImages) Prune(_ context.Context, plan docker.PrunePlan, report func(done, total int64)) (docker.Pruned, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	report(1, 1)
	e.pruned = plan
	e.plan = slices.DeleteFunc(slices.Clone(e.plan), func(g docker.PruneGroup) bool {
		return slices.ContainsFunc(plan, func(p docker.PruneGroup) bool { return p.Kind == g.Kind })
	})
	return docker.Pruned{Removed: 3, Bytes: 7_000_000}, errors.Join()
}

// lastBuilt, lastRan and the like are read while the program runs.
func (e *fakeImages) lastBuilt() docker.BuildOptions {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.built) == 0 {
		return docker.BuildOptions{}
	}
	return e.built[len(e.built)-1]
}

func (e *fakeImages) lastRan() docker.RunOptions {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.ran) == 0 {
		return docker.RunOptions{}
	}
	return e.ran[len(e.ran)-1]
}

func (e *fakeImages) gone() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.removed)
}

func (e *fakeImages) lastPruned() docker.PrunePlan {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.pruned
}

// showImages puts the Images pane alone on a screen, at a time that stands
// still.
func showImages(t *testing.T, e *fakeImages, w, h int) *uitest.Screen {
	t.Helper()
	t.Setenv("TZ", "UTC")
	return showImagesAs(t, e, ui.ReadWrite, w, h)
}

func showImagesAs(t *testing.T, e *fakeImages, access ui.Access, w, h int) *uitest.Screen {
	t.Helper()
	f := ui.NewFrame(access, map[int]pane.Pane{1: ui.ImagesAt(e, func() time.Time { return then })})
	t.Cleanup(f.Close)
	s := uitest.Run(t, f, w, h)
	s.Wait("Images")
	return s
}
