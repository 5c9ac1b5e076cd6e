package ui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/internal/diagnose"
	"gantry/ui/pane"
	"gantry/ui/text"
)

const (
	// overlap is how far a search goes back before what is here already: the lines
	// of several streams arrive in any order.
	overlap = 10 * time.Second
	// findAgain is when to look again where the tasks log to: a deployment may have
	// begun.
	findAgain = time.Minute
	// mostNames is how many streams one search takes by name (FilterLogEvents API
	// reference).
	mostNames = 100
)

// serviceLogs is the key of a service that opens the logs of all its tasks.
func serviceLogs(c logReader) func(h pane.Host, rows []aws.Service) tea.Cmd {
	return func(h pane.Host, rows []aws.Service) tea.Cmd {
		s, w := rows[0], newWatch()
		openCloudLog(h, "log "+s.Name, w, serviceFeedOf(c, w, s))
		return nil
	}
}

// serviceFeedOf is the log of all tasks of a service.
func serviceFeedOf(c logReader, w *watch, s aws.Service) text.Feed {
	f := &serviceFeed{client: c, watch: w, service: s, members: map[string]bool{}}
	return text.Feed{
		Key: s.ARN, Follow: f.follow, Older: f.older, Head: f.head,
		Empty: "the tasks of " + s.Name + " have written nothing to stdout and stderr yet, or their lines have expired",
	}
}

// serviceFeed follows the streams of all tasks of a service.
type serviceFeed struct {
	client  logReader
	watch   *watch
	service aws.Service

	mu      sync.Mutex // older lines are read while newer ones are followed
	sources []logSource
	found   time.Time       // when sources were
	members map[string]bool // whether a task is one of the service's
}

// logSource is one search: the streams of one container, of all tasks.
type logSource struct {
	search     aws.LogSearch
	containers bool // there are several: they are named
}

// find looks for where the tasks log to. Tasks that have stopped count: that is
// when their logs are needed most.
func (f *serviceFeed) find(ctx context.Context) ([]logSource, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.sources) > 0 && time.Since(f.found) < findAgain {
		return f.sources, nil
	}
	sources, err := f.lookFor(ctx)
	if err != nil && (len(f.sources) == 0 || ctx.Err() != nil) {
		return nil, err
	}
	if err == nil {
		f.sources = sources
	}
	f.found = time.Now()
	return f.sources, nil
}

// lookFor asks for the tasks and what their definitions say.
func (f *serviceFeed) lookFor(ctx context.Context) ([]logSource, error) {
	tasks, err := f.tasks(ctx)
	if err != nil {
		return nil, err
	}
	if len(tasks) == 0 {
		return nil, &diagnose.Error{
			What: "read the logs of " + f.service.Name, Cause: "no task of it runs, and none has stopped within the last hour: nothing says which streams are its own",
			Do: "scale it up with s; the logs of older tasks are in CloudWatch, by group and task",
		}
	}
	var streams []aws.LogStream
	var none error
	for _, t := range tasks {
		for _, k := range t.Containers {
			s, err := f.client.LogStream(ctx, t, k.Name)
			switch {
			case errors.Is(err, aws.ErrNoLog) || errors.Is(err, aws.ErrNoStream):
				none = cmp.Or(none, err)
			case err != nil:
				return nil, err
			default:
				streams = append(streams, s)
			}
		}
	}
	if len(streams) == 0 {
		return nil, none
	}
	return searches(streams), nil
}

// tasks are the service's, which are members from then on.
func (f *serviceFeed) tasks(ctx context.Context) ([]aws.Task, error) {
	var tasks []aws.Task
	err := f.client.Tasks(ctx, f.service.ClusterARN, f.service.Name, func(page []aws.Task) { tasks = append(tasks, page...) })
	for i := range tasks {
		f.members[tasks[i].ID] = true
	}
	return tasks, err
}

// searches puts streams together that one search finds.
func searches(streams []aws.LogStream) []logSource {
	var found []logSource
	containers := map[string]bool{}
	for _, s := range streams {
		containers[s.Container] = true
		i := slices.IndexFunc(found, func(l logSource) bool {
			q := l.search
			return q.Region == s.Region && q.Group == s.Group && q.Prefix == s.Prefix && (s.Prefix != "" || len(q.Names) < mostNames)
		})
		if i < 0 {
			i = len(found)
			found = append(found, logSource{search: aws.LogSearch{Region: s.Region, Group: s.Group, Prefix: s.Prefix}})
		}
		if s.Prefix == "" {
			found[i].search.Names = append(found[i].search.Names, s.Name)
		}
	}
	for i := range found {
		found[i].containers = len(containers) > 1
	}
	return found
}

// head tells where the lines are from.
func (f *serviceFeed) head(ctx context.Context) (string, error) {
	sources, err := f.find(ctx)
	if err != nil {
		return "", nil //nolint:nilerr // following tells it
	}
	q := sources[0].search
	place := logPlace(q.Group, streamsText(q), q.Region)
	place += " · " + plural(f.tasksKnown(), "task")
	if more := len(sources) - 1; more > 0 {
		place += fmt.Sprintf(" · and %d more", more)
	}
	return place, nil
}

func streamsText(q aws.LogSearch) string {
	if q.Prefix == "" {
		return plural(len(q.Names), "stream")
	}
	return q.Prefix + "…"
}

// tasksKnown counts the tasks that the lines may be of.
func (f *serviceFeed) tasksKnown() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, mine := range f.members {
		if mine {
			n++
		}
	}
	return n
}

// older reads the last lines before a time, from all sources.
func (f *serviceFeed) older(ctx context.Context, before time.Time, most int) ([]text.Line, error) {
	events, err := f.last(ctx, before, most)
	return f.lines(events), err
}

// last are the last events before a time. Where one source has more than it
// told, the others are cut at where it begins: before that, lines are missing.
func (f *serviceFeed) last(ctx context.Context, before time.Time, most int) ([]aws.LogEvent, error) {
	sources, err := f.find(ctx)
	if err != nil {
		return nil, err
	}
	var events []aws.LogEvent
	var from time.Time
	for _, l := range sources {
		page, err := f.client.SearchLastLog(ctx, l.search, before, most, f.isMember)
		if err != nil {
			return nil, err
		}
		some := wholeMoments(page)
		if !page.Start && len(some) > 0 && some[0].At.After(from) {
			from = some[0].At
		}
		events = append(events, some...)
	}
	events = slices.DeleteFunc(events, func(e aws.LogEvent) bool { return e.At.Before(from) })
	byTime(events)
	return events, nil
}

func byTime(events []aws.LogEvent) {
	slices.SortStableFunc(events, func(a, b aws.LogEvent) int { return a.At.Compare(b.At) })
}

// follow emits the lines since mark and then what comes.
func (f *serviceFeed) follow(ctx context.Context, since text.Mark, emit func([]text.Line)) error {
	seen := map[string]time.Time{}
	newest := since.At
	take := func(events []aws.LogEvent) {
		for _, e := range events {
			seen[e.ID] = e.At
			if e.At.After(newest) {
				newest = e.At
			}
		}
		emit(f.lines(events))
	}
	from := since.At
	if since.Tail > 0 {
		events, err := f.last(ctx, time.Time{}, since.Tail)
		if err != nil {
			return err
		}
		newest = time.Now()
		take(events)
		from = newest.Add(-overlap)
	}
	for p := (pace{}); ; {
		events, err := f.search(ctx, from, seen)
		if err != nil || ctx.Err() != nil {
			return err
		}
		wait := p.quiet()
		if len(events) > 0 {
			p.lively()
			take(events)
			from = newest.Add(-overlap)
			forgetBefore(seen, from)
		}
		if !f.watch.wait(ctx, wait) {
			return nil
		}
	}
}

// forgetBefore drops what no search finds again.
func forgetBefore(seen map[string]time.Time, from time.Time) {
	for id, at := range seen {
		if at.Before(from) {
			delete(seen, id)
		}
	}
}

// search finds what was written since a time and has not been seen.
func (f *serviceFeed) search(ctx context.Context, from time.Time, seen map[string]time.Time) ([]aws.LogEvent, error) {
	sources, err := f.find(ctx)
	if err != nil {
		return nil, err
	}
	var events []aws.LogEvent
	for _, l := range sources {
		q := l.search
		q.Since = from
		err := f.client.SearchLog(ctx, q, func(page []aws.LogEvent) {
			for _, e := range page {
				if _, known := seen[e.ID]; !known {
					events = append(events, e)
				}
			}
		})
		if err != nil {
			return nil, err
		}
	}
	if err := f.meet(ctx, events); err != nil {
		return nil, err
	}
	events = slices.DeleteFunc(events, func(e aws.LogEvent) bool { return !f.isMember(e.Stream) })
	byTime(events)
	return events, nil
}

// meet asks whether tasks that are not known yet are the service's: it starts
// others as it goes.
func (f *serviceFeed) meet(ctx context.Context, events []aws.LogEvent) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var strangers []string
	for _, e := range events {
		id := streamTask(e.Stream)
		if _, known := f.members[id]; !known && !slices.Contains(strangers, id) {
			strangers = append(strangers, id)
		}
	}
	if len(strangers) == 0 {
		return nil
	}
	if _, err := f.tasks(ctx); err != nil {
		return err
	}
	for _, id := range strangers {
		if !f.members[id] {
			f.members[id] = false // of another service: not to be asked about again
		}
	}
	return nil
}

// isMember tells whether a stream is one of the service's tasks. Streams that
// are not called by tasks were asked for by name.
func (f *serviceFeed) isMember(stream string) bool {
	if !strings.Contains(stream, "/") {
		return true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.members[streamTask(stream)]
}

// streamTask is the task in PREFIX/CONTAINER/TASK.
func streamTask(stream string) string { return stream[strings.LastIndexByte(stream, '/')+1:] }

// lines puts a short task ID before each line, and the container where there
// are several.
func (f *serviceFeed) lines(events []aws.LogEvent) []text.Line {
	f.mu.Lock()
	several := len(f.sources) > 0 && f.sources[0].containers
	f.mu.Unlock()
	lines := make([]text.Line, 0, len(events))
	for _, e := range events {
		parts := strings.Split(e.Stream, "/")
		source := shortID(parts[len(parts)-1])
		if several && len(parts) > 1 {
			source += "/" + parts[len(parts)-2]
		}
		lines = append(lines, logLines(e, source)...)
	}
	return lines
}
