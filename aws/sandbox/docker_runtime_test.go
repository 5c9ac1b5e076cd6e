package sandbox

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func part(name string, command ...string) ContainerSpec {
	return ContainerSpec{Name: name, Image: "127.0.0.1:1/app:1", Command: command, StopTimeout: time.Minute}
}

// until waits for a condition, at most 20 seconds.
func (s *story) until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 20 s: %s; heard: %s", what, s.all())
		}
	}
}

func TestChoiceOfRuntime(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*fakeEngine, *probe)
		want   string
	}{
		"no engine":           {func(e *fakeEngine, _ *probe) { e.absent = true }, "none runtime: no Docker engine answers"},
		"it does not come by": {func(*fakeEngine, *probe) {}, "none runtime: the Docker engine cannot reach the sandbox's registry at 127.0.0.1:1"},
		"it comes by":         {func(e *fakeEngine, p *probe) { e.pulling = reachesBy(p) }, "docker runtime"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, p := newFakeEngine(), newProbe()
			test.change(e, p)
			r := newContainers(t, e)
			r.meet(ownRegistry{host: "127.0.0.1:1", newLogin: func() RegistryLogin { return RegistryLogin{} }, probe: p})
			if got := r.Choice(); got.String() != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
			s := &story{}
			r.Start(oneTaskOf(part("app")), s) // by whichever it is
			s.until(t, "the task runs", s.has("app runs"))
			if n := len(e.did()); (n > 0) != r.Choice().Docker {
				t.Errorf("the engine did %d things", n)
			}
		})
	}
}

func oneTaskOf(c ...ContainerSpec) TaskSpec {
	return TaskSpec{ID: hexID(32), Cluster: "shop", Family: "web", Containers: c}
}

func TestUndecidedRuntimeEnds(t *testing.T) {
	r := newContainers(t, newFakeEngine())
	s := &story{}
	task := oneTaskOf(part("app"))
	r.Start(task, s)
	if !r.Supervises(task) || r.Supervises(oneTaskOf(ContainerSpec{Image: demoImage + ":1"})) {
		t.Error("it supervises what will be containers, and nothing else")
	}
	r.Stop(task.ID)
	s.until(t, "the end", s.has("app failed: "))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if got := r.Choice(); got.Docker {
		t.Errorf("closed as %v", got)
	}
}

func TestContainersStartAndStopInOrder(t *testing.T) {
	e := newFakeEngine()
	r := ready(newContainers(t, e))
	db, web, setup := part("db"), part("web"), part("setup", "exit", "0")
	db.Health = &HealthCheck{Command: []string{"CMD", "true"}}
	web.DependsOn = []Dependency{{"db", types.ContainerConditionHealthy}, {"setup", types.ContainerConditionSuccess}}
	task, s := oneTaskOf(web, db, setup), &story{}
	r.Start(task, s)
	s.until(t, "db runs", s.has("db runs"))
	if e.find("web") != "" {
		t.Error("web was made before db is healthy")
	}
	id := e.find("db")
	e.mu.Lock()
	e.made[id].well = "healthy"
	e.mu.Unlock()
	e.healthy <- id
	s.until(t, "web runs", s.has("web runs"))
	s.until(t, "health", s.has("db is HEALTHY"))
	r.Stop(task.ID)
	s.until(t, "the end", s.has("db exited"))
	did := slices.DeleteFunc(e.did(), func(s string) bool { return !strings.HasPrefix(s, "stop") })
	if want := []string{"stop web", "stop db"}; !slices.Equal(did, want) {
		t.Errorf("%q, want %q", did, want)
	}
	if !s.has("setup exited with 0")() || !s.has("web exited with 143")() {
		t.Error(s.all())
	}
}

func TestDependenciesThatFail(t *testing.T) {
	for name, test := range map[string]struct {
		on        ContainerSpec
		condition types.ContainerCondition
		want      string
	}{
		"exit code": {part("on", "exit", "3"), types.ContainerConditionSuccess, "app failed: CannotStartContainerError: dependency graph: failed to resolve container ordering dependency [on] for target [app] as dependency did not exit successfully."},
		"gone":      {part("on", "exit", "0"), types.ContainerConditionHealthy, "app failed: CannotStartContainerError: dependency graph: failed to resolve the container ordering dependency [on] for target [app]"},
		"too late":  {part("on"), types.ContainerConditionComplete, "app failed: CannotStartContainerError: dependency graph: container ordering dependency [on] for target [app] has timed out."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := ready(newContainers(t, newFakeEngine()))
			app, s := part("app"), &story{}
			test.on.StartTimeout = 50 * time.Millisecond
			app.DependsOn = []Dependency{{"on", test.condition}}
			r.Start(oneTaskOf(app, test.on), s)
			s.until(t, "the failure", s.has(test.want))
		})
	}
}

func TestTaskThatCannotStartLeavesNothing(t *testing.T) {
	e := newFakeEngine()
	e.refuses = "bad"
	r := ready(newContainers(t, e))
	bad, s := part("bad"), &story{}
	bad.Image = "127.0.0.1:1/bad:1"
	r.Start(oneTaskOf(part("good"), bad), s)
	s.until(t, "the failure", s.has("bad failed: CannotCreateContainerError: no space left on device"))
	s.until(t, "the removal", func() bool { return e.find("good") == "" })
	if s.has("good exited")() {
		t.Error("the failure of the whole says it all: ", s.all())
	}
}

func TestPullsAreSharedAndCanBeLeft(t *testing.T) {
	e := newFakeEngine()
	let := make(chan struct{})
	begun := make(chan struct{}, 8)
	e.pulling = func(ctx context.Context, image string) error {
		if strings.Contains(image, "gantry-probe") {
			return nil
		}
		begun <- struct{}{}
		select {
		case <-let:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	r := ready(newContainers(t, e))
	stories := make([]*story, 3)
	tasks := make([]TaskSpec, 3)
	for i := range stories {
		stories[i], tasks[i] = &story{}, oneTaskOf(part("app"))
		r.Start(tasks[i], stories[i])
	}
	<-begun
	r.Stop(tasks[0].ID)
	stories[0].until(t, "the end before the start", stories[0].has("app failed: "))
	close(let)
	for _, s := range stories[1:] {
		s.until(t, "it runs", s.has("app runs"))
	}
	if stories[0].all() != "app failed: " {
		t.Error(stories[0].all())
	}
	if n := len(begun) + 1; n > 2 { // a task that came after the first fetching asks again
		t.Errorf("pulled %d times", n)
	}
}

func TestCloseDoesNotWaitForTheDeaf(t *testing.T) {
	r := ready(newContainers(t, newFakeEngine()))
	s := &story{}
	r.Start(oneTaskOf(part("app", "deaf")), s)
	s.until(t, "it runs", s.has("app runs"))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if !s.has("app exited with 137")() {
		t.Error(s.all())
	}
}

// An engine that goes away takes its containers out of sight, and keeps nobody
// from quitting.
func TestCloseWithoutTheEngine(t *testing.T) {
	e := newFakeEngine()
	r := ready(newContainers(t, e))
	s := &story{}
	r.Start(oneTaskOf(part("app"), part("side")), s)
	s.until(t, "it runs", s.has("side runs"))
	close(e.dead)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if !s.has("app exited with 137")() {
		t.Error(s.all())
	}
}

func TestTooManyTasks(t *testing.T) {
	r := newContainers(t, newFakeEngine()) // nothing is decided, so they all wait
	for range usualLimit {
		r.Start(oneTaskOf(part("app")), &story{})
	}
	s := &story{}
	r.Start(oneTaskOf(part("app")), s)
	if s.all() != "app failed: "+aboveLimit {
		t.Error(s.all())
	}
}

func TestRefusedTasksNeverReachTheEngine(t *testing.T) {
	e := newFakeEngine()
	r := ready(newContainers(t, e))
	for want, change := range map[string]func(*TaskSpec){
		"app failed: CannotCreateContainerError: the sandbox runs no task that reaches into this machine: it refuses privileged": func(s *TaskSpec) { s.Forbidden = []string{"privileged"} },
		"app failed: ResourceInitializationError: the sandbox does not emulate secrets":                                          func(s *TaskSpec) { s.Lacking = []string{"secrets"} },
	} {
		task, s := oneTaskOf(part("app")), &story{}
		change(&task)
		r.Start(task, s)
		s.until(t, "the refusal", s.has(want))
	}
	if len(e.did()) > 0 {
		t.Error("the engine did ", e.did())
	}
}

func TestEnterSaysWhatAWSsAgentSays(t *testing.T) {
	r := ready(newContainers(t, newFakeEngine()))
	_, err := r.Exec(t.Context(), RunningContainer{Handle: "1"}, []string{"zsh"})
	if err == nil || err.Error() != "Failed to start pty: no such program" {
		t.Error(err)
	}
	if _, err := r.Exec(t.Context(), RunningContainer{}, []string{"sh"}); !errors.Is(err, errStatesOnly) {
		t.Error(err)
	}
}

func TestSweepJudgesByTheLock(t *testing.T) {
	machine, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() + "/run"
	alive, err := newOwner(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = alive.release() }()
	killed, other := filepath.Join(dir, "docker-killed.lock"), filepath.Join(dir, "diary")
	for _, path := range []string{killed, other} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	labels := func(owner, lock string) map[string]string {
		return map[string]string{ownerLabel: owner, lockLabel: lock}
	}
	for name, test := range map[string]struct {
		labels map[string]string
		left   bool
	}{
		"of one that lives":        {alive.marks, false},
		"of one that was killed":   {labels("killed", machine+":"+killed), true},
		"of one before a reboot":   {labels("old", machine+":"+filepath.Join(dir, "docker-old.lock")), true},
		"of another machine":       {labels("killed", "another:"+killed), false},
		"with a relative path":     {labels("killed", machine+":docker-killed.lock"), false},
		"with somebody's own file": {labels("diary", machine+":"+other), false},
		"with another's lock":      {labels("mine", machine+":"+killed), false},
		"without a lock":           {labels("killed", ""), false},
	} {
		path, ours := lockOf(EngineThing{Labels: test.labels}, machine)
		if got := ours && dead(path); got != test.left {
			t.Errorf("a container %s is left: %v, want %v", name, got, test.left)
		}
	}
}
