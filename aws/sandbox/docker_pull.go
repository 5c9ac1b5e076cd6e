package sandbox

import (
	"context"
	"sync"
)

// pulls fetches images. Tasks that want the same one at the same moment share
// the fetching, as a large service would else ask for it a hundred times; the
// next task asks again, since a tag may have moved.
type pulls struct {
	mu      sync.Mutex
	running map[imageKey]*pullResult
	// brought are images of the sandbox's registry that were not on the engine
	// before: once that registry has ended, nobody can use their names.
	brought map[string]bool
}

type imageKey struct{ image, platform string }

type pullResult struct {
	done   chan struct{}
	digest string
	err    error
}

// pull fetches an image, or waits for somebody else's fetching of it.
func (r *Containers) pull(ctx context.Context, key imageKey) (digest string, err error) {
	p := &r.pulls
	p.mu.Lock()
	shared := p.running[key]
	if shared == nil {
		shared = &pullResult{done: make(chan struct{})}
		if p.running == nil {
			p.running = make(map[imageKey]*pullResult)
		}
		p.running[key] = shared
		// It goes on for the others when the task that began it is stopped.
		r.wait.Go(func() { r.fetch(key, shared) })
	}
	p.mu.Unlock()
	select {
	case <-shared.done:
		return shared.digest, shared.err
	case <-ctx.Done():
		return "", errStopped
	}
}

func (r *Containers) fetch(key imageKey, into *pullResult) {
	isNew := r.registry.has(key.image) && !r.engine.HasImage(r.working, key.image)
	into.digest, into.err = r.engine.Pull(r.working, key.image, key.platform, r.registry.login(key.image))
	r.pulls.mu.Lock()
	delete(r.pulls.running, key)
	if isNew && into.err == nil {
		if r.pulls.brought == nil {
			r.pulls.brought = make(map[string]bool)
		}
		r.pulls.brought[key.image] = true
	}
	r.pulls.mu.Unlock()
	close(into.done)
}

// forgetImages removes what only the tasks have brought to the engine.
func (r *Containers) forgetImages() {
	ctx, cancel := context.WithTimeout(r.ctx, cleaning)
	defer cancel()
	r.pulls.mu.Lock()
	defer r.pulls.mu.Unlock()
	for image := range r.pulls.brought {
		if err := r.engine.RemoveImage(ctx, image); err != nil {
			r.log.Info("an image stays on the engine", "image", image, "error", err)
		}
	}
}

// pinned is an image as it was when it was pulled: its tag may move before the
// container is made.
func pinned(image, digest string) string {
	if digest == "" {
		return image
	}
	return imageName(image) + "@" + digest
}
