package ui

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/internal/diagnose"
	"gantry/ui/pane"
	"gantry/ui/text"
)

// logReader reads the logs of tasks.
type logReader interface {
	LogStream(ctx context.Context, t aws.Task, container string) (aws.LogStream, error)
	LastLog(ctx context.Context, s aws.LogStream, before time.Time, most int) (aws.LogPage, error)
	NextLog(ctx context.Context, s aws.LogStream, token string, since time.Time) (aws.LogPage, error)
	SearchLog(ctx context.Context, q aws.LogSearch, page func([]aws.LogEvent)) error
	SearchLastLog(ctx context.Context, q aws.LogSearch, before time.Time, most int, keep func(stream string) bool) (aws.LogPage, error)
	Tasks(ctx context.Context, cluster, service string, page func([]aws.Task)) error
	DescribeTasks(ctx context.Context, cluster string, ids []string) ([]aws.Task, error)
}

// How often a log is looked at: it costs a call each time. CloudWatch tells
// nothing by itself, but for a live tail that is paid by the minute.
const (
	logSoon = 2 * time.Second
	logLate = 10 * time.Second
)

// lateLines is how long after its end a container's last lines may come.
const lateLines = 30 * time.Second

// cloudLog is the log of tasks as a tab that stays while the selection moves.
// It looks for more only while it is seen.
type cloudLog struct {
	*text.Log
	name  string
	watch *watch
}

// Title stays the same while lines come, so that a log that is opened again
// takes the place of the one before.
func (l *cloudLog) Title() string { return l.name }

// Watched says whether the log is seen.
func (l *cloudLog) Watched(seen bool) { l.watch.set(seen) }

func openCloudLog(h pane.Host, name string, w *watch, feed text.Feed) {
	h.Open(&cloudLog{Log: text.NewLog(name, feed, text.LogOptions{Closable: true}), name: name, watch: w})
}

// watch holds a log up while nobody sees it.
type watch struct {
	seen atomic.Bool
	poke chan struct{}
}

func newWatch() *watch { return &watch{poke: make(chan struct{}, 1)} }

func (w *watch) set(seen bool) {
	w.seen.Store(seen)
	select {
	case w.poke <- struct{}{}:
	default:
	}
}

// wait lets the pause pass and then waits until the log is seen. It tells
// whether the context has lasted.
func (w *watch) wait(ctx context.Context, p time.Duration) bool {
	if !pause(ctx, p) {
		return false
	}
	for !w.seen.Load() {
		select {
		case <-w.poke:
		case <-ctx.Done():
			return false
		}
	}
	return ctx.Err() == nil
}

// pace is how long to wait before the next look: longer while nothing comes.
type pace struct{ next time.Duration }

func (p *pace) quiet() time.Duration {
	now := cmp.Or(p.next, logSoon)
	p.next = min(now*3/2, logLate)
	return now
}

func (p *pace) lively() { p.next = 0 }

// taskLogs is the key of a task that opens its log.
func taskLogs(c logReader) func(h pane.Host, rows []aws.Task) tea.Cmd {
	return func(h pane.Host, rows []aws.Task) tea.Cmd {
		t := rows[0]
		open := func(container string) {
			w := newWatch()
			openCloudLog(h, "log "+taskName(t)+"/"+container, w, taskFeed(c, w, t, container))
		}
		var names []string
		for _, k := range t.Containers {
			names = append(names, k.Name)
		}
		switch len(names) {
		case 0:
			h.Say(pane.Notice{Err: &diagnose.Error{What: "read the log of " + taskName(t), Cause: "no containers are known of this task", Do: "refresh with ctrl+r"}})
			return nil
		case 1:
			open(names[0])
			return nil
		}
		h.Ask(pane.Dialog{
			Title:  "Log of " + taskName(t),
			Fields: []pane.Field{containerField(names)},
			Check:  chosen,
			Do:     func(values []string) tea.Cmd { open(values[0]); return nil },
		})
		return nil
	}
}

// taskFeed is the log of one container of a task.
func taskFeed(c logReader, w *watch, t aws.Task, container string) text.Feed {
	f := &streamFeed{client: c, watch: w, task: t, container: container}
	return text.Feed{
		Key: t.ARN + " " + container, Follow: f.follow, Older: f.older, Head: f.head,
		Empty: container + " in " + taskName(t) + " has written nothing to stdout and stderr yet, or its lines have expired",
	}
}

// streamFeed follows one stream.
type streamFeed struct {
	client    logReader
	watch     *watch
	task      aws.Task // as it was when the log was opened
	container string
}

func (f *streamFeed) where(ctx context.Context) (aws.LogStream, error) {
	return f.client.LogStream(ctx, f.task, f.container)
}

func (f *streamFeed) head(ctx context.Context) (string, error) {
	s, err := f.where(ctx)
	if err != nil {
		return "", nil //nolint:nilerr // following tells it
	}
	return logPlace(s.Group, s.Name, s.Region), nil
}

func logPlace(group, stream, region string) string {
	return strings.Join([]string{group, stream, strings.TrimSpace("CloudWatch " + region)}, " · ")
}

func (f *streamFeed) older(ctx context.Context, before time.Time, most int) ([]text.Line, error) {
	s, err := f.where(ctx)
	if err != nil {
		return nil, err
	}
	page, err := f.client.LastLog(ctx, s, before, most)
	return plainLines(wholeMoments(page)), err
}

func (f *streamFeed) follow(ctx context.Context, since text.Mark, emit func([]text.Line)) error {
	s, err := f.where(ctx)
	if err != nil {
		return err
	}
	var p pace
	token, after := "", since.At
	if since.Tail > 0 {
		page, err := f.last(ctx, s, since.Tail, &p)
		if err != nil || ctx.Err() != nil {
			return err
		}
		emit(plainLines(wholeMoments(page)))
		token = page.Next
	}
	for ctx.Err() == nil {
		page, err := f.client.NextLog(ctx, s, token, after)
		switch {
		case errors.Is(err, aws.ErrNoStream):
			if err := f.noStream(ctx, err); err != nil {
				return err
			}
		case err != nil:
			return err
		}
		emit(plainLines(page.Events))
		if len(page.Events) > 0 && page.Next != token {
			token = page.Next
			p.lively()
			continue // there may be more at once
		}
		token = cmp.Or(page.Next, token)
		if f.over(ctx, p) || !f.watch.wait(ctx, p.quiet()) {
			return nil
		}
	}
	return nil
}

// last reads the last lines, waiting for a stream that is still to come.
func (f *streamFeed) last(ctx context.Context, s aws.LogStream, most int, p *pace) (aws.LogPage, error) {
	for {
		page, err := f.client.LastLog(ctx, s, time.Time{}, most)
		if !errors.Is(err, aws.ErrNoStream) {
			return page, err
		}
		if err := f.noStream(ctx, err); err != nil {
			return page, err
		}
		if !f.watch.wait(ctx, p.quiet()) {
			return page, nil
		}
	}
}

// noStream tells why there will be no stream; nil while it may still come.
func (f *streamFeed) noStream(ctx context.Context, err error) error {
	t, known := f.present(ctx)
	if known && !t.IsStopped() {
		return nil
	}
	told := &diagnose.Error{What: "read the log of " + f.container + " in " + taskName(f.task), Err: err}
	told.Cause = "it has no log stream: the container never started, or its stream was deleted"
	if why := t.Reason(); why != "" {
		told.Cause += ". The task stopped: " + why
	}
	told.Do = "the tab Stop reason tells more"
	return told
}

// present is the task as it is now; not known when it could not be read, or is
// forgotten as ECS forgets a task an hour after its end.
func (f *streamFeed) present(ctx context.Context) (aws.Task, bool) {
	if f.task.IsStopped() {
		return f.task, true
	}
	rows, err := f.client.DescribeTasks(ctx, f.task.ClusterARN, []string{f.task.ARN})
	switch {
	case err != nil:
		return f.task, true // not told: it is taken as it was
	case len(rows) == 0 || rows[0].Failure != "":
		return f.task, false
	}
	return rows[0], true
}

// over says that nothing more can come. A task that still ran is asked about
// only once its log has been quiet for a while.
func (f *streamFeed) over(ctx context.Context, p pace) bool {
	if !f.task.IsStopped() && p.next < logLate {
		return false
	}
	t, known := f.present(ctx)
	return !known || t.IsStopped() && time.Since(t.Stopped) > lateLines
}

// wholeMoments leaves out the oldest millisecond of a page that is not the
// start: some of its events may be on the page before, which is asked for by
// time.
func wholeMoments(p aws.LogPage) []aws.LogEvent {
	if p.Start || len(p.Events) == 0 {
		return p.Events
	}
	first := p.Events[0].At
	i := slices.IndexFunc(p.Events, func(e aws.LogEvent) bool { return e.At.After(first) })
	return p.Events[max(i, 0):]
}

func plainLines(events []aws.LogEvent) []text.Line {
	lines := make([]text.Line, 0, len(events))
	for _, e := range events {
		lines = append(lines, logLines(e, "")...)
	}
	return lines
}

// logLines are the lines of an event, which has several where the driver was
// told to put them together.
func logLines(e aws.LogEvent, source string) []text.Line {
	var lines []text.Line
	for part := range strings.SplitSeq(strings.TrimRight(e.Text, "\r\n"), "\n") {
		lines = append(lines, text.Line{At: e.At, Source: source, Text: strings.TrimSuffix(part, "\r")})
	}
	return lines
}
