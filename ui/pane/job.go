package pane

import (
	"context"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"
)

// Job is work in the background that the user can watch and cancel. The frame
// starts it, draws its progress and says how it ended.
type Job struct {
	// Name says what is done: "forward web/7f3a :8080".
	Name string
	// Run does it. report may be called as often as the work likes: it never
	// blocks. A total of 0 means that the end is not known.
	Run func(ctx context.Context, report func(done, total int64)) error
	// Outcome says what came of it, once it has ended well; "done" when nil.
	Outcome func() string

	started     time.Time
	done, total atomic.Int64
	poke        chan struct{}
	cancel      context.CancelFunc
	ended       atomic.Bool
}

// Ended says that a job is over.
type Ended struct {
	Job *Job
	Err error
}

// Begin starts the job; poke is poked when its progress changed. The command
// says Ended.
func (j *Job) Begin(poke chan struct{}) tea.Cmd {
	ctx, cancel := context.WithCancel(context.Background())
	j.cancel, j.poke, j.started = cancel, poke, time.Now()
	return func() tea.Msg {
		defer cancel()
		err := j.Run(ctx, j.report)
		j.ended.Store(true)
		return Ended{Job: j, Err: err}
	}
}

func (j *Job) report(done, total int64) {
	if j.ended.Load() {
		return
	}
	j.done.Store(done)
	j.total.Store(total)
	select {
	case j.poke <- struct{}{}:
	default:
	}
}

// Progress is how far the job is, in the units of its report.
func (j *Job) Progress() (done, total int64) { return j.done.Load(), j.total.Load() }

// Started is when the job began.
func (j *Job) Started() time.Time { return j.started }

// Cancel asks the job to end. It still says Ended.
func (j *Job) Cancel() {
	if j.cancel != nil {
		j.cancel()
	}
}
