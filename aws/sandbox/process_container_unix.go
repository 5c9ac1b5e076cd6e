//go:build unix

package sandbox

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"gantry/aws/sandbox/demo"
)

const (
	// containerPath is the PATH that container engines give.
	containerPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	// longestLine is where a longer line of output is cut into several, as
	// container engines do.
	longestLine = 16 << 10
)

// processContainer is one container that runs.
type processContainer struct {
	spec     ContainerSpec
	command  *exec.Cmd
	bindings []PortBinding
	exited   chan struct{} // closed when status is known and all output was passed on
	status   int
}

// start starts a container in a directory of its own.
func (t *processTask) start(spec ContainerSpec) (*processContainer, error) {
	dir := filepath.Join(t.dir, spec.Name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the working directory: %w", err)
	}
	ports, files, err := listenFor(spec.Ports)
	// The child has its own copies by the time this returns.
	defer closeAll(files)
	if err != nil {
		return nil, err
	}
	mapped := make([]int32, len(ports))
	for i, p := range ports {
		mapped[i] = p.ContainerPort
	}
	name := t.spec.Cluster + "/" + t.spec.Family + "/" + t.spec.ID
	c := &processContainer{spec: spec, bindings: ports, exited: make(chan struct{})}
	c.command = &exec.Cmd{
		Path:        t.owner.executable,
		Args:        append([]string{demo.Image}, demo.Args(name, mapped, slices.Concat(spec.EntryPoint, spec.Command))...),
		Env:         containerEnv(spec.Env, dir),
		Dir:         dir,
		ExtraFiles:  append([]*os.File{t.owner.ownerRead}, files...),
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	out, outChild, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe for the output: %w", err)
	}
	defer outChild.Close()
	errOut, errChild, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a pipe for the output: %w", err), out.Close())
	}
	defer errChild.Close()
	c.command.Stdout, c.command.Stderr = outChild, errChild
	if err := c.command.Start(); err != nil {
		return nil, errors.Join(err, out.Close(), errOut.Close())
	}
	go c.follow(t.sink, out, errOut)
	return c, nil
}

// listenFor opens a free loopback port for each TCP port of a container. The
// container inherits the listener, so that it can serve "port 8080" whatever
// the real port, and no other process can take that in between.
func listenFor(ports []ContainerPort) (bindings []PortBinding, files []*os.File, err error) {
	for _, p := range ports {
		if p.Protocol != "tcp" {
			continue
		}
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return nil, files, fmt.Errorf("open a port for %d: %w", p.Port, err)
		}
		file, err := l.(*net.TCPListener).File()
		port := l.Addr().(*net.TCPAddr).Port
		if err := errors.Join(err, l.Close()); err != nil {
			return nil, files, fmt.Errorf("pass on the port for %d: %w", p.Port, err)
		}
		files = append(files, file)
		bindings = append(bindings, PortBinding{
			ContainerPort: p.Port, HostPort: int32(port), HostIP: "127.0.0.1", Protocol: p.Protocol, //nolint:gosec // a port has 16 bits
		})
	}
	return bindings, files, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

// containerEnv is the environment of a container: what its definition says, a
// PATH unless it says that too, and its own directory as HOME in any case, so
// that no program writes into the home of the person at the machine.
func containerEnv(defined []string, home string) []string {
	env := []string{"HOME=" + home}
	path := false
	for _, e := range defined {
		name, _, _ := strings.Cut(e, "=")
		path = path || name == "PATH"
		if name != "HOME" {
			env = append(env, e)
		}
	}
	if !path {
		env = append(env, "PATH="+containerPath)
	}
	return env
}

func (c *processContainer) running() RunningContainer {
	return RunningContainer{PID: c.command.Process.Pid, Dir: c.command.Dir, Env: c.command.Env, Bindings: c.bindings}
}

// follow passes the output on and waits for the end.
func (c *processContainer) follow(sink Sink, out, errOut *os.File) {
	defer close(c.exited)
	var wait sync.WaitGroup
	wait.Go(func() { passLines(sink, c.spec.Name, "stdout", out) })
	wait.Go(func() { passLines(sink, c.spec.Name, "stderr", errOut) })
	_ = c.command.Wait() // the state says the same, and more
	c.status = exitStatus(c.command.ProcessState)
	// With its first process a container is gone as a whole. The group's id
	// cannot be another's as long as one of its processes lives.
	_ = syscall.Kill(-c.command.Process.Pid, syscall.SIGKILL)
	end := time.Now().Add(lastWords)
	_, _ = out.SetReadDeadline(end), errOut.SetReadDeadline(end)
	wait.Wait()
}

// exitStatus is what a shell would say: 128+n after signal n.
func exitStatus(state *os.ProcessState) int {
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return state.ExitCode()
}

// passLines reads lines until the end of the output.
func passLines(sink Sink, container, stream string, from *os.File) {
	defer from.Close()
	lines := bufio.NewReaderSize(from, longestLine)
	for {
		line, err := lines.ReadSlice('\n')
		if len(line) > 0 {
			text := strings.TrimRight(string(line), "\r\n")
			sink.Log(container, LogLine{At: time.Now(), Stream: stream, Text: text})
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

// supervise returns the exit status. When the task is to stop, it asks with
// SIGTERM and, after the stop timeout, ends the container with SIGKILL.
func (c *processContainer) supervise(t *processTask) int {
	select {
	case <-c.exited:
		return c.status
	case <-t.stop:
	}
	// Like an engine: the first process is asked, and all are killed.
	_ = c.command.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	timer := time.NewTimer(c.spec.StopTimeout)
	defer timer.Stop()
	closing := t.owner.closing
	for {
		select {
		case <-c.exited:
			return c.status
		case <-closing:
			closing = nil
			timer.Reset(min(c.spec.StopTimeout, closingGrace))
		case <-timer.C:
			c.signal(syscall.SIGKILL)
			<-c.exited
			return c.status
		}
	}
}

// signal signals every process of the container.
func (c *processContainer) signal(s syscall.Signal) {
	_ = syscall.Kill(-c.command.Process.Pid, s) // it may have ended by itself
}
