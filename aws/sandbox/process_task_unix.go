//go:build unix

package sandbox

import (
	"os"
	"sync"
	"syscall"
)

// processTask is one task that runs.
type processTask struct {
	owner *processes
	spec  TaskSpec
	sink  Sink
	dir   string

	stopOnce sync.Once
	stop     chan struct{} // closed when the task is to end
}

// askToStop makes the containers end.
func (t *processTask) askToStop() { t.stopOnce.Do(func() { close(t.stop) }) }

func (t *processTask) stopping() bool {
	select {
	case <-t.stop:
		return true
	default:
		return false
	}
}

// run starts the containers and stays until the last one has ended.
func (t *processTask) run() {
	t.sink.Pending()
	for _, c := range t.spec.Containers {
		if !hasImage(c.Image) {
			t.sink.Failed(c.Name, cannotPull(c.Image))
			return
		}
	}
	started, failed, err := t.startAll()
	if err != nil || t.stopping() && len(started) == 0 {
		t.abandon(started, failed, err)
		return
	}
	var wait sync.WaitGroup
	for _, c := range started {
		t.sink.Running(c.spec.Name, c.running())
		wait.Go(func() { t.sink.Exited(c.spec.Name, c.supervise(t), "") })
	}
	wait.Wait()
	t.clean()
}

// startAll starts every container, a few tasks at a time. On an error it says
// which container it was about.
func (t *processTask) startAll() (started []*processContainer, failed string, err error) {
	t.owner.starts <- struct{}{}
	defer func() { <-t.owner.starts }()
	if t.stopping() {
		return nil, t.spec.Containers[0].Name, nil
	}
	for _, c := range startOrder(t.spec.Containers) {
		p, err := t.start(c)
		if err != nil {
			return started, c.Name, err
		}
		started = append(started, p)
	}
	return started, "", nil
}

// abandon ends what was started of a task that cannot start as a whole.
func (t *processTask) abandon(started []*processContainer, failed string, err error) {
	for _, c := range started {
		c.signal(syscall.SIGKILL)
		<-c.exited
	}
	t.clean()
	reason := ""
	if err != nil {
		reason = "CannotStartContainerError: " + err.Error()
	}
	t.sink.Failed(failed, reason)
}

// clean removes the working directories.
func (t *processTask) clean() {
	if err := os.RemoveAll(t.dir); err != nil {
		t.owner.log.Warn("remove the directory of a task", "task", t.spec.ID, "err", err)
	}
}
