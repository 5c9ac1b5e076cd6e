//go:build unix

package sandbox

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

const ownerEnv = "GANTRY_TEST_OWNER"

// within20s waits for a condition, at most 20 seconds.
func within20s(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// newProcesses is a process runtime in a directory of the test's.
func newProcesses(t testing.TB) Runtime {
	t.Helper()
	dir := t.TempDir()
	rt, err := Process(ProcessConfig{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rt.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	return rt
}

func demoContainer(command ...string) ContainerSpec {
	return ContainerSpec{
		Name: "main", Image: demoImage + ":1", Command: command, StopTimeout: 10 * time.Second,
		Ports: []ContainerPort{{Port: 8080, Protocol: "tcp"}},
	}
}

func oneTask(c ...ContainerSpec) TaskSpec {
	return TaskSpec{ID: hexID(32), Cluster: "shop", Family: "web", Containers: c}
}

// gone reports whether a process has ended: a zombie that nobody reaps has.
func gone(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(state, "Z") || strings.HasPrefix(state, "X")
}

func TestProcessExitCodes(t *testing.T) {
	rt := newProcesses(t)
	for _, test := range []struct {
		command string
		want    int
		says    string
	}{
		{"batch", 0, "job done"},
		{"batch 3", 3, "job failed with status 3"},
		{"crash", 1, "fatal:"},
		{"crash 42", 42, "fatal:"},
		{"no-such-program", 127, "executable file not found in $PATH"},
	} {
		t.Run(test.command, func(t *testing.T) {
			t.Parallel()
			r := newRecorder()
			rt.Start(oneTask(demoContainer(strings.Fields(test.command)...)), r)
			if got := r.code(t); got != test.want {
				t.Errorf("exit code %d, want %d", got, test.want)
			}
			r.said(t, test.says)
		})
	}
}

func TestProcessServesAndStopsOnSIGTERM(t *testing.T) {
	rt := newProcesses(t)
	task := oneTask(demoContainer("serve"))
	r := newRecorder()
	rt.Start(task, r)
	as := r.as(t)
	if len(as.Bindings) != 1 || as.Bindings[0].ContainerPort != 8080 || as.Bindings[0].HostPort == 8080 {
		t.Fatalf("bindings %+v: want one, of 8080 to another port", as.Bindings)
	}
	url := fmt.Sprintf("http://%s:%d/", as.Bindings[0].HostIP, as.Bindings[0].HostPort)
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK || !strings.Contains(string(body), "gantry's demo app") {
		t.Errorf("answer %s %q", resp.Status, body)
	}
	r.said(t, `GET "/" 200`)
	info, err := os.Stat(as.Dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("working directory: %v, %v; want mode 0700", info, err)
	}
	rt.Stop(task.ID)
	if got := r.code(t); got != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0: the app ends well", got)
	}
	within20s(t, "the working directory is removed", func() bool {
		_, err := os.Stat(as.Dir)
		return errors.Is(err, os.ErrNotExist)
	})
}

func TestProcessIsKilledAfterStopTimeout(t *testing.T) {
	rt := newProcesses(t)
	c := demoContainer("stubborn")
	c.StopTimeout = 200 * time.Millisecond
	task := oneTask(c)
	r := newRecorder()
	rt.Start(task, r)
	r.said(t, "deaf to SIGTERM")
	rt.Stop(task.ID)
	if got := r.code(t); got != 137 {
		t.Errorf("exit code %d, want 137", got)
	}
}

func TestProcessKilledBySignal(t *testing.T) {
	rt := newProcesses(t)
	r := newRecorder()
	rt.Start(oneTask(demoContainer("work")), r)
	as := r.as(t)
	if err := syscall.Kill(as.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if got := r.code(t); got != 137 {
		t.Errorf("exit code %d, want 137", got)
	}
}

// TestProcessEnvironment looks at a process from outside, where the system
// allows it, and else at what was passed to it.
func TestProcessEnvironment(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "of-the-person-at-the-machine")
	rt := newProcesses(t)
	c := demoContainer("work")
	c.Env = []string{"A=1", "HOME=/home/of/the/person", "B=2"}
	r := newRecorder()
	rt.Start(oneTask(c), r)
	as := r.as(t)
	r.said(t, "waiting for orders")
	got := as.Env
	if raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", as.PID)); err == nil {
		got = strings.Split(strings.TrimRight(string(raw), "\x00"), "\x00")
	}
	want := []string{"HOME=" + as.Dir, "A=1", "B=2", "PATH=" + containerPath}
	if !slices.Equal(got, want) {
		t.Errorf("environment %q, want %q", got, want)
	}
}

func TestProcessPullsOnlyTheDemoImage(t *testing.T) {
	rt := newProcesses(t)
	for image, ref := range map[string]string{
		"nginx":                     "docker.io/library/nginx:latest",
		"gantry/other:1":            "docker.io/gantry/other:1",
		"localhost:5000/x":          "localhost:5000/x:latest",
		"public.ecr.aws/x@sha256:0": "public.ecr.aws/x@sha256:0",
	} {
		c := demoContainer("serve")
		c.Image = image
		r := newRecorder()
		rt.Start(oneTask(c), r)
		prefix := "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref " + ref + ": " + ref + ": not found"
		if got := r.failure(t); !strings.HasPrefix(got, prefix) {
			t.Errorf("%s: %q, want prefix %q", image, got, prefix)
		}
	}
}

func TestProcessRunsEveryContainer(t *testing.T) {
	rt := newProcesses(t)
	side := demoContainer("stubborn")
	side.Name, side.Ports, side.StopTimeout = "side", nil, 100*time.Millisecond
	task := oneTask(demoContainer("serve"), side)
	r := newRecorder()
	rt.Start(task, r)
	r.said(t, "listening on port 8080")
	r.said(t, "deaf to SIGTERM")
	rt.Stop(task.ID)
	within20s(t, "both end", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.exited) == 2
	})
	if r.exited["main"] != 0 || r.exited["side"] != 137 {
		t.Errorf("exit codes %v, want main 0 and side 137", r.exited)
	}
}

// TestProcessTakesItsDescendantsAlong uses a shell as the program, since the
// demo app starts nothing itself.
func TestProcessTakesItsDescendantsAlong(t *testing.T) {
	shell := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(shell, []byte("#!/bin/sh\nsleep 1000 & echo $!\nwait\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	rt, err := Process(ProcessConfig{Dir: t.TempDir(), Executable: shell})
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	task := oneTask(demoContainer())
	r := newRecorder()
	rt.Start(task, r)
	r.said(t, "")
	r.mu.Lock()
	descendant, err := strconv.Atoi(r.lines[0].Text)
	r.mu.Unlock()
	if err != nil || gone(descendant) {
		t.Fatalf("descendant %d: %v, gone %v", descendant, err, gone(descendant))
	}
	rt.Stop(task.ID)
	if got := r.code(t); got != 143 {
		t.Errorf("exit code %d, want 143", got)
	}
	within20s(t, "the descendant is gone", func() bool { return gone(descendant) })
}

func TestProcessThatCannotStart(t *testing.T) {
	rt, err := Process(ProcessConfig{Dir: t.TempDir(), Executable: "/does/not/exist"})
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	r := newRecorder()
	rt.Start(oneTask(demoContainer("serve")), r)
	if got := r.failure(t); !strings.HasPrefix(got, "CannotStartContainerError: ") || !strings.Contains(got, "/does/not/exist") {
		t.Errorf("failed with %q", got)
	}
}

func TestProcessLimit(t *testing.T) {
	rt, err := Process(ProcessConfig{Dir: t.TempDir(), Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	first, second := newRecorder(), newRecorder()
	rt.Start(oneTask(demoContainer("work")), first)
	rt.Start(oneTask(demoContainer("work")), second)
	if got := second.failure(t); got != aboveLimit {
		t.Errorf("failed with %q", got)
	}
	first.as(t)
}

func TestProcessStopBeforeStart(t *testing.T) {
	rt := newProcesses(t)
	task := oneTask(demoContainer("work"))
	r := newRecorder()
	rt.Start(task, r)
	rt.Stop(task.ID)
	within20s(t, "the task ends, whether it was started or not", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.exited)+len(r.failed) == 1
	})
	if len(r.failed) > 0 && r.failed[0] != "" {
		t.Errorf("failed with %q: nothing went wrong", r.failed[0])
	}
}

// ownUntilKilled runs in a process of its own: it owns two tasks, tells their
// processes and ports, and waits to be killed.
func ownUntilKilled() {
	rt, err := Process(ProcessConfig{Dir: os.Getenv(ownerEnv)})
	if err != nil {
		fmt.Println(err)
		return
	}
	t := &fatal{}
	for range 2 {
		r := newRecorder()
		rt.Start(oneTask(demoContainer("serve")), r)
		_ = json.NewEncoder(os.Stdout).Encode(r.as(t))
	}
	select {}
}

// fatal is a testing.TB outside of a test.
type fatal struct{ testing.TB }

func (*fatal) Helper() {}

func (*fatal) Fatalf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

func TestProcessesEndWithTheirKilledOwner(t *testing.T) {
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	owner := exec.Command(self)
	owner.Env = []string{ownerEnv + "=" + dir}
	out, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var children []RunningContainer
	for len(children) < 2 && lines.Scan() {
		var c RunningContainer
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatalf("the owner said %q: %v", lines.Text(), err)
		}
		children = append(children, c)
	}
	if len(children) != 2 {
		t.Fatalf("the owner started %d tasks, want 2", len(children))
	}
	for _, c := range children {
		if !answers(c) {
			t.Fatalf("task %d does not answer while its owner lives", c.PID)
		}
	}
	if err := owner.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = owner.Wait()
	for _, c := range children {
		within20s(t, fmt.Sprintf("process %d is gone", c.PID), func() bool { return gone(c.PID) && !answers(c) })
	}
	// What the killed owner left on disk goes with the next start.
	rt, err := Process(ProcessConfig{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := rt.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func answers(c RunningContainer) bool {
	conn, err := net.DialTimeout("tcp", fmt.Sprintf("%s:%d", c.Bindings[0].HostIP, c.Bindings[0].HostPort), time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// containerOf is how a container of a task in "shop" runs.
func containerOf(t testing.TB, b *ecsBackend, task, name string) RunningContainer {
	t.Helper()
	b.lock()
	defer b.unlock()
	_, c, err := b.findContainer("shop", task, name)
	if err != nil {
		t.Fatal(err)
	}
	return c.as
}

// logOf is what a container of a task in "shop" has said.
func logOf(t testing.TB, b *ecsBackend, task, name string) []LogLine {
	t.Helper()
	b.lock()
	defer b.unlock()
	_, c, err := b.findContainer("shop", task, name)
	if err != nil {
		t.Fatal(err)
	}
	b.logs.mu.Lock()
	defer b.logs.mu.Unlock()
	var lines []LogLine
	for _, e := range c.stream.events {
		lines = append(lines, LogLine{At: time.UnixMilli(e.at), Text: e.text})
	}
	return lines
}

// TestKilledTaskIsReplaced is the demo of the README: kill a process of web,
// and ECS tells why and starts another.
func TestKilledTaskIsReplaced(t *testing.T) {
	rt := newProcesses(t)
	b := newECS(region, account, wallClock{}, rt, nil)
	b.pace = pace{healthy: 2 * time.Second} // crash takes 0.7 s
	t.Cleanup(func() { _ = b.Close() })
	if err := b.seedDemo(context.Background()); err != nil {
		t.Fatal(err)
	}
	within20s(t, "web has 3 running tasks", func() bool { return describeService(t, b, "shop", "web").RunningCount == 3 })
	tasks := listTasks(t, b, &ecs.ListTasksInput{Cluster: aws.String("shop"), ServiceName: aws.String("web")})
	victim := containerOf(t, b, tasks[0], "web")
	var log []LogLine
	within20s(t, "web has said something", func() bool {
		log = logOf(t, b, tasks[0], "")
		return len(log) > 0
	})
	if log[0].Text != "listening on port 8080" {
		t.Errorf("its log %+v", log)
	}
	if err := syscall.Kill(victim.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	within20s(t, "the killed task is STOPPED", func() bool { return *describeTask(t, b, "shop", tasks[0]).LastStatus == "STOPPED" })
	stopped := describeTask(t, b, "shop", tasks[0])
	if stopped.StopCode != types.TaskStopCodeEssentialContainerExited || *stopped.StoppedReason != "Essential container in task exited" || *stopped.Containers[0].ExitCode != 137 {
		t.Errorf("stopped with %s, %q, exit code %d", stopped.StopCode, *stopped.StoppedReason, *stopped.Containers[0].ExitCode)
	}
	within20s(t, "web has 3 running tasks again", func() bool { return describeService(t, b, "shop", "web").RunningCount == 3 })
	if now := listTasks(t, b, &ecs.ListTasksInput{Cluster: aws.String("shop"), ServiceName: aws.String("web")}); slices.Contains(now, tasks[0]) {
		t.Error("the killed task is still listed as one that should run")
	}
	for family, want := range map[string]int32{"report": 0, "import": 3} {
		var done types.Task
		within20s(t, family+" is done", func() bool {
			arns := listTasks(t, b, &ecs.ListTasksInput{Cluster: aws.String("batch"), Family: aws.String(family), DesiredStatus: types.DesiredStatusStopped})
			if len(arns) == 0 {
				return false
			}
			done = describeTask(t, b, "batch", arns[0])
			return *done.LastStatus == "STOPPED"
		})
		if got := *done.Containers[0].ExitCode; got != want {
			t.Errorf("%s: exit code %d, want %d", family, got, want)
		}
	}
	within20s(t, "checkout is known to crash", func() bool {
		return slices.ContainsFunc(messages(describeService(t, b, "shop", "checkout")), func(m string) bool {
			return strings.HasPrefix(m, "is unable to consistently start tasks successfully.")
		})
	})
}
