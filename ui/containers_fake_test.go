package ui_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"gantry/docker"
	"gantry/internal/diagnose"
	"gantry/ui"
)

// unused is what an engine can do besides.
type unused interface{ ui.Engine }

// fakeEngine is a Docker engine in memory. What a test does not need of the
// real one's methods is missing, and calling it is a panic.
type fakeEngine struct {
	unused
	context string

	mu         sync.Mutex
	containers []docker.Container
	listen     map[string]docker.Verdict // by name
	down       error                     // why it does not answer
	events     map[chan docker.Event]bool
	lines      map[string][]docker.LogLine // by container ID
	grown      chan struct{}               // closed when something above changes

	looked   map[string]int // times that a container was looked at, by name
	helped   []string       // containers that a helper looked at
	asked    int            // calls that list or describe
	streams  int            // Stats streams that are open
	noShell  bool
	contexts []docker.Context
	probing  chan struct{} // while it is open, Contexts takes its time
	closed   bool
}

func newFakeEngine() *fakeEngine {
	e := &fakeEngine{
		context: "default", listen: map[string]docker.Verdict{}, events: map[chan docker.Event]bool{},
		lines: map[string][]docker.LogLine{}, grown: make(chan struct{}), looked: map[string]int{},
	}
	e.add("web", "running", docker.Port{HostIP: "0.0.0.0", Host: 8080, Container: 8080, Proto: "tcp"}, docker.Port{HostIP: "::", Host: 8080, Container: 8080, Proto: "tcp"})
	e.add("api", "running", docker.Port{HostIP: "0.0.0.0", Host: 9090, Container: 80, Proto: "tcp"}, docker.Port{HostIP: "0.0.0.0", Host: 9443, Container: 443, Proto: "tcp"})
	e.add("db", "running")
	e.add("job", "exited")
	e.listen["web"], e.listen["api"] = docker.ListenLoopback, docker.ListenOK
	return e
}

func containerIDOf(name string) string { return fmt.Sprintf("%-12s", name) + "0123456789abcdef" }

func (e *fakeEngine) add(name, state string, ports ...docker.Port) {
	c := docker.Container{
		ID: containerIDOf(name), Name: name, Image: "demo/" + name + ":1", Command: "/" + name, State: state, Status: "Up 3 minutes",
		Created: then, Ports: ports, NetworkMode: "bridge", Networks: []string{"bridge"}, Labels: map[string]string{"team": "shop"},
	}
	if state == "exited" {
		c.Status, c.ExitCode = "Exited (137) 2 minutes ago", 137
	}
	e.containers = append(e.containers, c)
}

// change changes the engine and tells everybody who waits for that.
func (e *fakeEngine) change(do func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	do()
	close(e.grown)
	e.grown = make(chan struct{})
}

// say tells an event to everybody who listens.
func (e *fakeEngine) say(event docker.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for c := range e.events {
		c <- event
	}
}

// count is a number of the engine's, by a function that reads it.
func (e *fakeEngine) count(of func() int) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return of()
}

func (e *fakeEngine) find(id string) *docker.Container {
	for i := range e.containers {
		if e.containers[i].ID == id {
			return &e.containers[i]
		}
	}
	return nil
}

func (e *fakeEngine) Close() { e.change(func() { e.closed = true }) }

func (e *fakeEngine) CommandLine(c docker.Command) string {
	return docker.New(docker.Options{}).CommandLine(c)
}

func (e *fakeEngine) Engine(context.Context) (docker.Engine, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return docker.Engine{Version: "20.10", Context: e.context}, e.down
}

func (e *fakeEngine) Events(ctx context.Context, emit func(docker.Event)) error {
	c := make(chan docker.Event, 100)
	e.change(func() { e.events[c] = true })
	defer e.change(func() { delete(e.events, c) })
	emit(docker.Event{Kind: docker.EngineEvent, Action: docker.Resync})
	for {
		select {
		case event := <-c:
			emit(event)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (e *fakeEngine) Contexts(ctx context.Context) ([]docker.Context, error) {
	if e.probing != nil {
		select {
		case <-e.probing:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.contexts), nil
}

func (e *fakeEngine) Images(context.Context, docker.ImageScope) ([]docker.Image, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.down != nil {
		return nil, e.down
	}
	return []docker.Image{{ID: "sha256:1", Repository: "demo/web", Tag: "1", Created: then, Size: 1 << 20}}, nil
}

func (e *fakeEngine) Containers(context.Context) ([]docker.Container, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked++
	if e.down != nil {
		return nil, e.down
	}
	return slices.Clone(e.containers), nil
}

func (e *fakeEngine) Describe(_ context.Context, ids []string) ([]docker.Container, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked++
	var rows []docker.Container
	for _, id := range ids {
		if c := e.find(id); c != nil {
			row := *c
			row.Detail = &docker.ContainerDetail{Started: then, Finished: then.Add(time.Minute), OOMKilled: row.State == "exited", RestartPolicy: "on-failure:3", RestartCount: 2, Platform: "linux", User: "app"}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

func (e *fakeEngine) Listening(_ context.Context, row docker.Container) (docker.Listen, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.looked[row.Name]++
	v := e.listen[row.Name]
	return e.verdict(row, v), nil
}

func (e *fakeEngine) verdict(row docker.Container, v docker.Verdict) docker.Listen {
	l := docker.Listen{Container: row.Name, Stack: docker.DetectStack(docker.StackHints{Image: "demo", Command: []string{"java", "-jar", "app.jar"}})}
	l.NeedsHelper = v == docker.ListenUnknown
	for _, p := range row.Ports {
		pl := docker.PortListen{Port: p, Verdict: v}
		if v == docker.ListenOther {
			pl.Others = []docker.Socket{{Addr: netip.MustParseAddrPort("0.0.0.0:3000"), Proto: "tcp"}}
		}
		l.Ports = append(l.Ports, pl)
	}
	return l
}

func (e *fakeEngine) ListeningByHelper(_ context.Context, row docker.Container, _ string) (docker.Listen, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.helped = append(e.helped, row.Name)
	return e.verdict(row, docker.ListenLoopback), nil
}

func (e *fakeEngine) Logs(ctx context.Context, id string, o docker.LogOptions, emit func([]docker.LogLine)) error {
	at := 0
	for {
		e.mu.Lock()
		lines, grown := e.lines[id], e.grown
		c := e.find(id)
		running := c != nil && c.Running()
		e.mu.Unlock()
		for ; at < len(lines); at++ {
			if !lines[at].At.Before(o.Since) {
				emit(lines[at : at+1])
			}
		}
		if !running || !o.Follow {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil
		}
	}
}

func (e *fakeEngine) OlderLogs(context.Context, string, docker.LogPage, func(int)) ([]docker.LogLine, error) {
	return nil, nil
}

func (e *fakeEngine) LogSource(context.Context, string) (docker.LogSource, error) {
	return docker.LogSource{Driver: "json-file", Path: "/var/lib/docker/containers/x/x-json.log", Size: 165e6, Readable: true}, nil
}

func (e *fakeEngine) LogFiles(_ context.Context, id string) ([]docker.LogFile, error) {
	if id != containerIDOf("api") {
		return nil, nil
	}
	return []docker.LogFile{{Path: "/usr/local/tomcat/logs/catalina.log", Size: 12345, Modified: then}, {Path: "/usr/local/tomcat/logs/access.log", Size: 99, Modified: then}}, nil
}

func (e *fakeEngine) TailFile(ctx context.Context, _, file string, _ docker.TailOptions, emit func([]docker.LogLine)) error {
	emit([]docker.LogLine{{Text: "first line of " + file}})
	<-ctx.Done()
	return nil
}

func (e *fakeEngine) write(name, text string) {
	e.change(func() {
		id := containerIDOf(name)
		n := len(e.lines[id])
		e.lines[id] = append(e.lines[id], docker.LogLine{At: then.Add(time.Duration(n) * time.Second), Stream: docker.Stdout, Text: text})
	})
}

func (e *fakeEngine) Stats(ctx context.Context, _ string, emit func(docker.Stat)) error {
	e.change(func() { e.streams++ })
	defer e.change(func() { e.streams-- })
	for i := range 240 {
		emit(docker.Stat{
			At: then.Add(time.Duration(i) * time.Second), Over: time.Second, CPU: float64(i%60) * 3, Cores: 2,
			Memory: uint64(i+1) << 20, MemoryLimit: 1 << 30, Received: float64(i%7) * 1e4, Sent: 500, Processes: 12,
		})
	}
	<-ctx.Done()
	return nil
}

func (e *fakeEngine) Top(context.Context, string) (docker.Processes, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked++
	return docker.Processes{Titles: []string{"UID", "PID", "CMD"}, Rows: [][]string{{"root", "17", "java -jar /app.jar"}, {"root", "170", "sh\x1b[31m"}}}, nil
}

func (e *fakeEngine) Changes(context.Context, string) ([]docker.Change, error) {
	return []docker.Change{{Kind: docker.Modified, Path: "/etc"}, {Kind: docker.Added, Path: "/etc/new"}, {Kind: docker.Deleted, Path: "/gone"}}, nil
}

func (e *fakeEngine) CopyOut(_ context.Context, _, src, dst string, report func(done, total int64)) (docker.Copied, error) {
	report(3, 6)
	if err := os.WriteFile(filepath.Join(dst, filepath.Base(src)), []byte("copied"), 0o600); err != nil {
		return docker.Copied{}, err
	}
	return docker.Copied{Files: 1, Bytes: 6, Skipped: []docker.Skipped{{Path: "a/link", Reason: "symbolic link"}}}, nil
}

func (e *fakeEngine) Exec(context.Context, string, []string, int, int) (*docker.Session, error) {
	return nil, &diagnose.Error{What: "open a shell in web", Cause: "the image has no shell", Err: docker.ErrNoShell}
}

func (e *fakeEngine) HelperImage(context.Context) (string, error) {
	if e.noShell {
		return "", &diagnose.Error{What: "find an image with a shell", Cause: "no image on this engine has one", Do: "docker pull busybox", Err: docker.ErrNoShell}
	}
	return "busybox:latest", nil
}

func (e *fakeEngine) ExecHelper(_ context.Context, _, image string, _, _ int) (*docker.Session, error) {
	e.change(func() { e.helped = append(e.helped, "shell from "+image) })
	return nil, &diagnose.Error{What: "open a helper container", Cause: "this engine has none"}
}

func (e *fakeEngine) set(name, state string) {
	e.change(func() {
		c := e.find(containerIDOf(name))
		if c.State = state; state == "exited" {
			c.Status = "Exited (0) 1 second ago"
		}
	})
}

func (e *fakeEngine) Stop(_ context.Context, id string) error {
	name := e.named(id)
	e.set(name, "exited")
	e.say(docker.Event{Kind: docker.ContainerEvent, Action: "die", ID: id, Name: name})
	return nil
}

func (e *fakeEngine) Pause(_ context.Context, id string) error {
	name := e.named(id)
	e.set(name, "paused")
	e.say(docker.Event{Kind: docker.ContainerEvent, Action: "pause", ID: id, Name: name})
	return nil
}

func (e *fakeEngine) Start(_ context.Context, id string) error {
	name := e.named(id)
	e.set(name, "running")
	e.say(docker.Event{Kind: docker.ContainerEvent, Action: "start", ID: id, Name: name})
	return nil
}

func (e *fakeEngine) named(id string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.find(id).Name
}

func (e *fakeEngine) Restart(ctx context.Context, id string) error {
	if err := e.Stop(ctx, id); err != nil {
		return err
	}
	return e.Start(ctx, id)
}
