package sandbox

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"
)

// ownRegistry is the sandbox's registry, as the docker runtime needs it.
type ownRegistry struct {
	host     string // "127.0.0.1:4566", as image names have it
	newLogin func() RegistryLogin
	probe    *probe
}

// login is what an engine shows to pull an image: nothing to the registries of
// others.
func (o ownRegistry) login(image string) RegistryLogin {
	if !o.has(image) {
		return RegistryLogin{}
	}
	return o.newLogin()
}

// has reports whether an image's name is one of this registry.
func (o ownRegistry) has(image string) bool { return strings.HasPrefix(image, o.host+"/") }

// probe finds out whether an engine reaches the registry: it is asked to pull
// an image that cannot exist, and the request for it either comes or not. An
// engine on another machine, or in a virtual one, has a loopback of its own.
type probe struct {
	repository string
	reached    chan struct{}
	once       sync.Once
}

func newProbe() *probe {
	return &probe{repository: "gantry-probe-" + newName(), reached: make(chan struct{})}
}

// pattern is where the probe's image would be in the registry.
func (p *probe) pattern() string { return "/v2/" + p.repository + "/" }

// ServeHTTP notes that an engine came by.
func (p *probe) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	p.once.Do(func() { close(p.reached) })
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte(`{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}`))
}

// How long an engine may take to answer, and to ask our registry for an image.
const (
	answerTimeout = 3 * time.Second
	reachTimeout  = 5 * time.Second
)

// meet tells the runtime the registry of the sandbox that serves now, and lets
// it find out in the background whether an engine can run what is in it.
func (r *Containers) meet(registry ownRegistry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.met {
		return
	}
	r.met = true
	r.registry = registry
	r.wait.Go(func() {
		r.decide(r.examine())
		if r.choice.Docker {
			r.sweep()
		}
	})
}

// examine tries the engine.
func (r *Containers) examine() Choice {
	choice := Choice{Name: r.demoName}
	ctx, cancel := context.WithTimeout(r.working, answerTimeout)
	defer cancel()
	facts, err := r.engine.Facts(ctx)
	if err != nil {
		r.log.Info("tasks do not run in containers", "error", err)
		choice.Why = "no Docker engine answers"
		return choice
	}
	r.facts = facts
	choice.Engine = facts.Name
	if !r.reaches() {
		choice.Why = "the Docker engine cannot reach the sandbox's registry at " + r.registry.host
		return choice
	}
	choice.Docker, choice.Name = true, "docker"
	return choice
}

// reaches lets the engine pull what does not exist, and looks whether it asked.
func (r *Containers) reaches() bool {
	ctx, cancel := context.WithTimeout(r.working, reachTimeout)
	defer cancel()
	p := r.registry.probe
	image := r.registry.host + "/" + p.repository + ":none"
	tried := make(chan struct{})
	r.wait.Go(func() {
		defer close(tried)
		if _, err := r.engine.Pull(ctx, image, "", r.registry.login(image)); err != nil {
			r.log.Debug("tried the engine", "error", err)
		}
	})
	select {
	case <-p.reached:
		return true
	case <-tried:
	}
	select {
	case <-p.reached: // the request has come before the engine answered
		return true
	default:
		return false
	}
}
