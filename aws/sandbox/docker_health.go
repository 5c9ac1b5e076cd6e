package sandbox

import (
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// watches tells containers that their health may have changed. It listens to
// the engine from the first container with a check on.
type watches struct {
	mu        sync.Mutex
	listening bool
	looks     map[string]chan struct{} // by the engine's id; each holds one
	done      sync.WaitGroup
}

// watch returns a channel that says when to look at a container's health, from
// now on until forget.
func (w *watches) watch(r *Containers, id string) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.looks == nil {
		w.looks = make(map[string]chan struct{})
	}
	look := make(chan struct{}, 1)
	look <- struct{}{} // it may have changed before anybody listened
	w.looks[id] = look
	if !w.listening {
		w.listening = true
		w.done.Go(func() { r.engine.WatchHealth(r.ctx, w.changed) })
	}
	return look
}

func (w *watches) forget(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.looks, id)
}

func (w *watches) changed(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for at, look := range w.looks {
		if id != "" && id != at {
			continue
		}
		select {
		case look <- struct{}{}:
		default:
		}
	}
}

// wait returns when nobody listens any more, which ctx brings about.
func (w *watches) wait() { w.done.Wait() }

// healthOf is ECS's word for the engine's.
func healthOf(engine string) types.HealthStatus {
	switch engine {
	case "healthy":
		return types.HealthStatusHealthy
	case "unhealthy":
		return types.HealthStatusUnhealthy
	}
	return types.HealthStatusUnknown
}
