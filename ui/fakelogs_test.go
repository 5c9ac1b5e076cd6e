package ui_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"gantry/aws"
	"gantry/internal/diagnose"
)

// fakeLogs is CloudWatch Logs in memory: one group, in which streams are called
// as awslogs calls them.
type fakeLogs struct {
	logMu  sync.Mutex
	events []aws.LogEvent
	made   map[string]bool // streams
	noLog  error           // why there is no log at all
	looks  int             // calls that read
}

func newFakeLogs() *fakeLogs { return &fakeLogs{made: map[string]bool{}} }

func streamOf(task, container string) string { return "ecs/" + container + "/" + task }

// write adds a line; its stream is made with the first.
func (l *fakeLogs) write(stream string, at time.Time, text string) {
	l.logMu.Lock()
	defer l.logMu.Unlock()
	l.made[stream] = true
	l.events = append(l.events, aws.LogEvent{ID: fmt.Sprint(len(l.events)), At: at, Stream: stream, Text: text})
	slices.SortStableFunc(l.events, func(a, b aws.LogEvent) int { return a.At.Compare(b.At) })
}

func (l *fakeLogs) lookCount() int {
	l.logMu.Lock()
	defer l.logMu.Unlock()
	return l.looks
}

func (l *fakeLogs) LogStream(_ context.Context, t aws.Task, container string) (aws.LogStream, error) {
	if l.noLog != nil {
		return aws.LogStream{}, l.noLog
	}
	return aws.LogStream{Region: "us-east-1", Group: "/ecs/web", Name: streamOf(t.ID, container), Prefix: "ecs/" + container + "/", Task: t.ID, Container: container}, nil
}

// of are the events of one stream.
func (l *fakeLogs) of(s aws.LogStream) ([]aws.LogEvent, error) {
	l.looks++
	if !l.made[s.Name] {
		return nil, &diagnose.Error{What: "read the log", Cause: "there is no such stream", Err: aws.ErrNoStream}
	}
	return slices.DeleteFunc(slices.Clone(l.events), func(e aws.LogEvent) bool { return e.Stream != s.Name }), nil
}

func (l *fakeLogs) LastLog(_ context.Context, s aws.LogStream, before time.Time, most int) (aws.LogPage, error) {
	l.logMu.Lock()
	defer l.logMu.Unlock()
	events, err := l.of(s)
	return last(events, before, most), err
}

// last is the end of the events; the token counts what was told.
func last(events []aws.LogEvent, before time.Time, most int) aws.LogPage {
	if !before.IsZero() {
		events = slices.DeleteFunc(events, func(e aws.LogEvent) bool { return !e.At.Before(before) })
	}
	page := aws.LogPage{Next: fmt.Sprint(len(events)), Start: len(events) <= most}
	page.Events = events[max(0, len(events)-most):]
	return page
}

func (l *fakeLogs) NextLog(_ context.Context, s aws.LogStream, token string, since time.Time) (aws.LogPage, error) {
	l.logMu.Lock()
	defer l.logMu.Unlock()
	events, err := l.of(s)
	told := 0
	_, _ = fmt.Sscan(token, &told)
	page := aws.LogPage{Next: fmt.Sprint(len(events))}
	for _, e := range events[min(told, len(events)):] {
		if !e.At.Before(since) {
			page.Events = append(page.Events, e)
		}
	}
	return page, err
}

func (l *fakeLogs) found(q aws.LogSearch) []aws.LogEvent {
	l.looks++
	return slices.DeleteFunc(slices.Clone(l.events), func(e aws.LogEvent) bool {
		return e.At.Before(q.Since) || !strings.HasPrefix(e.Stream, q.Prefix) || q.Prefix == "" && !slices.Contains(q.Names, e.Stream)
	})
}

func (l *fakeLogs) SearchLog(_ context.Context, q aws.LogSearch, page func([]aws.LogEvent)) error {
	l.logMu.Lock()
	events := l.found(q)
	l.logMu.Unlock()
	page(events)
	return nil
}

func (l *fakeLogs) SearchLastLog(_ context.Context, q aws.LogSearch, before time.Time, most int, keep func(string) bool) (aws.LogPage, error) {
	l.logMu.Lock()
	events := l.found(q)
	l.logMu.Unlock()
	return last(slices.DeleteFunc(events, func(e aws.LogEvent) bool { return !keep(e.Stream) }), before, most), nil
}
