package ui

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
	"gantry/ui/style"
)

// jobsEvery is how often the progress of jobs is drawn at most.
const jobsEvery = 100 * time.Millisecond

// progressed says that some job has moved on; looked that a drawing interval
// has passed since.
type (
	progressed struct{}
	looked     struct{}
)

// jobs is the work in the background.
type jobs struct {
	running []*pane.Job
	poke    chan struct{}
	stop    chan struct{}
	waiting bool
}

func newJobs() jobs { return jobs{poke: make(chan struct{}, 1), stop: make(chan struct{})} }

func (j *jobs) count() int { return len(j.running) }

func (j *jobs) start(job *pane.Job) tea.Cmd {
	j.running = append(j.running, job)
	run := job.Begin(j.poke)
	if j.waiting {
		return run
	}
	j.waiting = true
	return tea.Batch(run, j.wait())
}

// wait waits for progress of any job.
func (j *jobs) wait() tea.Cmd {
	poke, stop := j.poke, j.stop
	return func() tea.Msg {
		select {
		case <-poke:
			return progressed{}
		case <-stop:
			return nil
		}
	}
}

// tick lets an interval pass, in which progress gathers.
func (j *jobs) tick() tea.Cmd {
	return tea.Tick(jobsEvery, func(time.Time) tea.Msg { return looked{} })
}

func (j *jobs) remove(job *pane.Job) {
	j.running = slices.DeleteFunc(j.running, func(r *pane.Job) bool { return r == job })
}

func (j *jobs) close() {
	for _, r := range j.running {
		r.Cancel()
	}
	select {
	case <-j.stop:
	default:
		close(j.stop)
	}
}

// line is the newest job with its progress, in at most w cells.
func (j *jobs) line(w int) string {
	if len(j.running) == 0 {
		return ""
	}
	job := j.running[len(j.running)-1]
	text := style.Plain(job.Name) + " " + amount(job)
	if n := len(j.running); n > 1 {
		text = fmt.Sprintf("%d jobs · %s", n, text)
	}
	return style.Now().Busy.Render(style.Cut(text, w))
}

// amount is the progress of a job in words.
func amount(job *pane.Job) string {
	done, total := job.Progress()
	switch {
	case total > 0:
		return fmt.Sprintf("%d %%", min(100, done*100/total))
	case done > 0:
		return bytesText(done)
	}
	return "…"
}

// bytesText is a number of bytes for people: 1.5 MB.
func bytesText(n int64) string {
	for _, u := range []struct {
		size int64
		name string
	}{{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}} {
		if n >= u.size {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(u.size), u.name)
		}
	}
	return strconv.FormatInt(n, 10) + " B"
}

// bar is the progress that terminals show in their own frame.
func (j *jobs) bar() *tea.ProgressBar {
	if len(j.running) == 0 {
		return nil
	}
	done, total := j.running[len(j.running)-1].Progress()
	if total <= 0 {
		return tea.NewProgressBar(tea.ProgressBarIndeterminate, 0)
	}
	return tea.NewProgressBar(tea.ProgressBarDefault, int(min(100, done*100/total)))
}

// showJobs lists the jobs; the chosen one is canceled.
func (f *Frame) showJobs() tea.Cmd {
	running := slices.Clone(f.jobs.running)
	host{f: f}.Ask(pane.Dialog{
		Title: "Jobs",
		Body:  pane.Static("⏎ cancels the chosen job."),
		Fields: []pane.Field{{Label: "job", Strict: true, Choices: func(string) []pane.Choice {
			var cs []pane.Choice
			for i, j := range running {
				cs = append(cs, pane.Choice{Value: strconv.Itoa(i), Label: j.Name, Note: amount(j)})
			}
			return cs
		}}},
		Do: func(values []string) tea.Cmd {
			if i, err := strconv.Atoi(values[0]); err == nil {
				running[i].Cancel()
			}
			return nil
		},
	})
	return nil
}

// endNotice is what is said of a job that ended.
func endNotice(msg pane.Ended) pane.Notice {
	switch {
	case errors.Is(msg.Err, context.Canceled):
		return pane.Notice{Text: msg.Job.Name + ": canceled"}
	case msg.Err != nil:
		return pane.Notice{Err: fmt.Errorf("%s: %w", msg.Job.Name, msg.Err)}
	case msg.Job.Outcome != nil:
		return pane.Notice{Text: msg.Job.Name + ": " + msg.Job.Outcome()}
	}
	return pane.Notice{Text: msg.Job.Name + ": done"}
}
