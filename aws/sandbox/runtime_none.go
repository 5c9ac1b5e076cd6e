package sandbox

import "sync"

// exitTerminated is what a shell reports for a process that SIGTERM ended.
const exitTerminated = 128 + 15

// states is the runtime that runs nothing.
type states struct {
	mu     sync.Mutex
	closed bool
	tasks  map[string]func() // ends the task's containers
}

func newStates() *states { return &states{tasks: make(map[string]func())} }

func (s *states) Start(task TaskSpec, sink Sink) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.tasks[task.ID] = func() {
		for _, c := range task.Containers {
			sink.Exited(c.Name, exitTerminated, "")
		}
	}
	s.mu.Unlock()
	sink.Pending()
	for _, c := range task.Containers {
		sink.Running(c.Name, RunningContainer{Env: c.Env})
	}
}

func (s *states) Stop(taskID string) {
	s.mu.Lock()
	end := s.tasks[taskID]
	delete(s.tasks, taskID)
	s.mu.Unlock()
	if end != nil {
		end()
	}
}

func (s *states) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	clear(s.tasks)
	return nil
}
