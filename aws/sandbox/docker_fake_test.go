package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// fakeEngine is an engine in memory. Its containers run until they are stopped
// or, if their command is "exit N", not at all.
type fakeEngine struct {
	absent  bool                                          // nobody answers
	pulling func(ctx context.Context, image string) error // instead of a pull
	refuses string                                        // images that cannot be made into a container

	mu      sync.Mutex
	made    map[string]*fakeContainer
	images  map[string]bool
	log     []string // what was done, in order
	number  int
	healthy chan string
	dead    chan struct{} // closed when it is to answer no more
}

var errDead = errors.New("the engine has gone away")

// alive is nil until the engine is dead.
func (e *fakeEngine) alive() error {
	select {
	case <-e.dead:
		return errDead
	default:
		return nil
	}
}

type fakeContainer struct {
	EngineContainer
	ended chan struct{}
	code  int
	well  string
}

func newFakeEngine() *fakeEngine {
	return &fakeEngine{made: make(map[string]*fakeContainer), images: make(map[string]bool), healthy: make(chan string, 8), dead: make(chan struct{})}
}

func (e *fakeEngine) note(format string, args ...any) {
	e.log = append(e.log, fmt.Sprintf(format, args...))
}

func (e *fakeEngine) Facts(context.Context) (EngineFacts, error) {
	if e.absent {
		return EngineFacts{}, errors.New("nobody is there")
	}
	return EngineFacts{Name: "Fake 1", Architecture: "amd64", CPUs: 2}, nil
}

func (e *fakeEngine) Pull(ctx context.Context, image, _ string, _ RegistryLogin) (string, error) {
	if e.pulling != nil {
		if err := e.pulling(ctx, image); err != nil {
			return "", err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !strings.Contains(image, "gantry-probe") {
		e.images[image] = true
	}
	return "sha256:" + strings.Repeat("0", 64), nil
}

func (e *fakeEngine) HasImage(_ context.Context, image string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.images[image]
}

func (e *fakeEngine) Import(_ context.Context, image string, _ io.Reader, _ []string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.images[image] = true
	return nil
}

func (e *fakeEngine) Create(_ context.Context, c EngineContainer) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.refuses != "" && strings.Contains(c.Image, e.refuses) {
		return "", errors.New("no space left on device")
	}
	e.number++
	id := fmt.Sprint(e.number)
	e.made[id] = &fakeContainer{EngineContainer: c, ended: make(chan struct{})}
	e.note("create %s", c.Name)
	return id, nil
}

func (e *fakeEngine) Start(_ context.Context, id string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.made[id]
	e.note("start %s", c.Name)
	if len(c.Command) == 2 && c.Command[0] == "exit" {
		_, _ = fmt.Sscan(c.Command[1], &c.code)
		close(c.ended)
	}
	return nil
}

func (e *fakeEngine) Inspect(_ context.Context, id string) (EngineState, error) {
	if err := e.alive(); err != nil {
		return EngineState{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.made[id]
	if c == nil {
		return EngineState{}, nil
	}
	select {
	case <-c.ended:
		return EngineState{Exists: true, ExitCode: c.code}, nil
	default:
		return EngineState{Exists: true, Running: true, Health: c.well}, nil
	}
}

func (e *fakeEngine) Wait(ctx context.Context, id string) (int, error) {
	c := e.get(id)
	select {
	case <-c.ended:
		return c.code, nil
	case <-e.dead:
		return 0, errDead
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func (e *fakeEngine) get(id string) *fakeContainer {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.made[id]
}

func (e *fakeEngine) end(id string, code int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.made[id]
	select {
	case <-c.ended:
	default:
		c.code = code
		close(c.ended)
	}
}

// Stop does not end what runs "deaf": only Remove does.
func (e *fakeEngine) Stop(ctx context.Context, id string, _ time.Duration) error {
	if err := e.alive(); err != nil {
		return err
	}
	c := e.get(id)
	e.mu.Lock()
	e.note("stop %s", c.Name)
	e.mu.Unlock()
	if strings.Join(c.Command, "") == "deaf" {
		<-ctx.Done()
		return ctx.Err()
	}
	e.end(id, 143)
	return nil
}

func (e *fakeEngine) Remove(_ context.Context, id string) error {
	if err := e.alive(); err != nil {
		return err
	}
	if e.get(id) == nil {
		return nil
	}
	e.end(id, 137)
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.made, id)
	return nil
}

func (e *fakeEngine) RemoveImage(_ context.Context, image string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.images, image)
	return nil
}

func (e *fakeEngine) Logs(context.Context, string, func(LogLine)) error { return nil }

func (e *fakeEngine) Exec(context.Context, string, []string, []string) (Terminal, error) {
	return nil, errors.New("no such program")
}

func (e *fakeEngine) WatchHealth(ctx context.Context, changed func(string)) {
	for {
		select {
		case id := <-e.healthy:
			changed(id)
		case <-ctx.Done():
			return
		}
	}
}

func (e *fakeEngine) RemoveVolume(context.Context, string) error { return nil }

func (e *fakeEngine) Labeled(context.Context, string) (EngineThings, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var found EngineThings
	for id, c := range e.made {
		found.Containers = append(found.Containers, EngineThing{ID: id, Labels: c.Marks})
	}
	return found, nil
}

// find is the id of a container by its name in the definition.
func (e *fakeEngine) find(name string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, c := range e.made {
		if c.Name == name {
			return id
		}
	}
	return ""
}

func (e *fakeEngine) did() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.log...)
}

// newContainers is a docker runtime on a fake engine that reaches the registry.
func newContainers(t *testing.T, e *fakeEngine) *Containers {
	t.Helper()
	r, err := Docker(DockerConfig{Engine: e, Demo: None(), DemoName: "none", LockDir: t.TempDir() + "/run"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.alive() == nil && len(e.made)+len(e.images) > 0 {
			t.Errorf("left: %d containers, %d images", len(e.made), len(e.images))
		}
	})
	return r
}

// ready lets the runtime find its engine good.
func ready(r *Containers) *Containers {
	p := newProbe()
	p.once.Do(func() { close(p.reached) })
	r.meet(ownRegistry{host: "127.0.0.1:1", newLogin: func() RegistryLogin { return RegistryLogin{} }, probe: p})
	return r
}

// story is a Sink that tells what it heard.
type story struct {
	mu    sync.Mutex
	heard []string
}

func (s *story) tell(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, fmt.Sprintf(format, args...))
}

func (s *story) Pending()                                {}
func (s *story) Running(name string, _ RunningContainer) { s.tell("%s runs", name) }
func (s *story) Exited(name string, code int, reason string) {
	s.tell("%s exited with %d%s", name, code, reason)
}

func (s *story) Failed(name, reason string)                    { s.tell("%s failed: %s", name, reason) }
func (s *story) Health(name string, status types.HealthStatus) { s.tell("%s is %s", name, status) }
func (s *story) Log(string, LogLine)                           {}

func (s *story) has(line string) func() bool {
	return func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, h := range s.heard {
			if strings.HasPrefix(h, line) {
				return true
			}
		}
		return false
	}
}

func (s *story) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.heard, "; ")
}

// reachesBy makes the engine ask a registry for what it is to pull.
func reachesBy(p *probe) func(context.Context, string) error {
	return func(_ context.Context, image string) error {
		if !strings.Contains(image, p.repository) {
			return nil
		}
		p.ServeHTTP(discardResponse{http.Header{}}, nil)
		return errors.New("manifest unknown")
	}
}

type discardResponse struct{ header http.Header }

func (d discardResponse) Header() http.Header         { return d.header }
func (d discardResponse) Write(p []byte) (int, error) { return len(p), nil }
func (d discardResponse) WriteHeader(int)             {}
