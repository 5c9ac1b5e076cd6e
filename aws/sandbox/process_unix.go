//go:build unix

package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
)

// processes is the runtime that runs every container as a child process.
type processes struct {
	executable string
	dir        string // holds a directory per task
	limit      int
	lock       *os.File
	log        *slog.Logger
	starts     chan struct{}
	// Children hold ownerRead; it closes for them when ownerWrite does, which
	// happens at the latest when this process ends.
	ownerRead, ownerWrite *os.File

	closing chan struct{} // closed by Close

	confines func() bool // whether shells can be confined; tried once

	mu     sync.Mutex
	closed bool
	tasks  map[string]*processTask
	wait   sync.WaitGroup
}

// Process is the runtime whose containers are real child processes of the demo
// app: image gantry/demo, any tag. Every other image fails to be pulled.
func Process(c ProcessConfig) (Runtime, error) {
	if c.Executable == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find this program, which tasks run: %w", err)
		}
		c.Executable = self
	}
	dir, lock, err := makeTaskDir(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("make the directory of the tasks: %w", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make the pipe that tasks end with: %w", err), lock.Close(), os.RemoveAll(dir))
	}
	p := &processes{
		executable: c.Executable, dir: dir, limit: cmp.Or(c.Limit, usualLimit), lock: lock, log: discardLog(c.Log),
		starts:    make(chan struct{}, startsAtOnce),
		ownerRead: r, ownerWrite: w,
		closing: make(chan struct{}),
		tasks:   make(map[string]*processTask),
	}
	p.confines = sync.OnceValue(p.canConfine)
	return p, nil
}

func (p *processes) Start(spec TaskSpec, sink Sink) {
	if !p.admit(spec, sink) {
		sink.Failed(spec.Containers[0].Name, aboveLimit)
	}
}

// admit starts a task unless too many run already. After Close it does nothing.
func (p *processes) admit(spec TaskSpec, sink Sink) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return true
	}
	if len(p.tasks) >= p.limit {
		return false
	}
	t := &processTask{
		owner: p, spec: spec, sink: sink,
		dir:  filepath.Join(p.dir, spec.ID),
		stop: make(chan struct{}),
	}
	p.tasks[spec.ID] = t
	p.wait.Go(func() {
		t.run()
		p.mu.Lock()
		delete(p.tasks, spec.ID)
		p.mu.Unlock()
	})
	return true
}

func (p *processes) Stop(taskID string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := p.tasks[taskID]; t != nil {
		t.askToStop()
	}
}

// Close ends every task and removes their directories.
func (p *processes) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	close(p.closing)
	for _, t := range p.tasks {
		t.askToStop()
	}
	p.mu.Unlock()
	p.wait.Wait()
	return errors.Join(p.ownerWrite.Close(), p.ownerRead.Close(), os.RemoveAll(p.dir), p.lock.Close())
}
