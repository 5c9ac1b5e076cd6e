package docker

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"
)

// EventKind says what an event is about.
type EventKind string

// The kinds of event. The engine's own are about the stream itself.
const (
	ContainerEvent EventKind = "container"
	ImageEvent     EventKind = "image"
	NetworkEvent   EventKind = "network"
	VolumeEvent    EventKind = "volume"
	EngineEvent    EventKind = "engine"
)

// The actions of an EngineEvent.
const (
	// Resync: the stream has (re)started. What happened before is not told, so
	// every list must be read again.
	Resync = "resync"
	// Lost: the stream has ended; Err says why. Resync follows when the engine
	// is back.
	Lost = "lost"
)

// Event is something that has happened in the engine.
type Event struct {
	Kind   EventKind
	Action string // start, die, tag, connect, health_status …
	ID     string
	Name   string // a container's, network's or volume's name; an image's reference
	Image  string // of a container
	Detail string // of a health_status: healthy, unhealthy
	Signal string // of a kill
	// ExitCode is that of a die; -1 for any other action.
	ExitCode int
	Time     time.Time
	Err      error // of Lost
}

// actions are those that change what a list shows. The engine is asked for
// these alone: health checks and one's own execs make three events each, which
// would refresh everything for ever.
var actions = map[EventKind][]string{
	ContainerEvent: {
		"create", "start", "restart", "stop", "pause", "unpause", "rename", "update", "kill", "die", "oom", "destroy", "remove",
		"commit", "prune", "health_status",
	},
	ImageEvent:   {"tag", "untag", "delete", "remove", "import", "load", "pull", "push", "build", "prune"},
	NetworkEvent: {"create", "connect", "disconnect", "destroy", "remove", "prune"},
	VolumeEvent:  {"create", "destroy", "remove", "prune"},
}

// How the stream is tried again, and how long events are gathered: a container
// that starts makes five within some milliseconds.
const (
	firstRetry = 250 * time.Millisecond
	lastRetry  = 5 * time.Second
	gathering  = 40 * time.Millisecond
)

// Events tells what happens in the engine until ctx ends, and returns its
// error then. It begins with Resync. When the engine goes away it says Lost
// once, tries again with growing pauses, and says Resync when it is back. Of
// events that say the same of the same thing in a burst only one is told. emit
// is called by one goroutine; while it blocks, nothing is read. An event says what
// to read again; it is no substitute for the reading.
func (c *Client) Events(ctx context.Context, emit func(Event)) error {
	wait, lost := firstRetry, false
	for {
		up, err := c.listen(ctx, emit)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if up {
			wait, lost = firstRetry, false
		}
		told := c.explain("follow the engine's events", err)
		if !lost {
			emit(Event{Kind: EngineEvent, Action: Lost, ExitCode: -1, Time: time.Now(), Err: told})
			lost = true
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
		wait = min(2*wait, lastRetry)
	}
}

// listen follows one stream to its end, and reports whether it had begun.
func (c *Client) listen(ctx context.Context, emit func(Event)) (up bool, err error) {
	api, err := c.api(ctx)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream := api.Events(ctx, client.EventsListOptions{Filters: eventFilters()})
	select {
	case err := <-stream.Err:
		return false, err
	default:
	}
	emit(Event{Kind: EngineEvent, Action: Resync, ExitCode: -1, Time: time.Now()})
	return true, gather(ctx, stream, emit)
}

// gather emits the events of a stream in bursts, without repetitions.
func gather(ctx context.Context, stream client.EventsResult, emit func(Event)) error {
	var burst []Event
	flush := func() {
		for _, e := range burst {
			emit(e)
		}
		burst = nil
	}
	timer := time.NewTimer(gathering)
	timer.Stop()
	defer timer.Stop()
	for {
		select {
		case m := <-stream.Messages:
			e, wanted := eventOf(m)
			if !wanted || slices.ContainsFunc(burst, e.repeats) {
				continue
			}
			if len(burst) == 0 {
				timer.Reset(gathering)
			}
			burst = append(burst, e)
		case <-timer.C:
			flush()
		case err := <-stream.Err:
			flush()
			return cmp.Or(err, io.EOF)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// repeats reports whether two events say the same.
func (e Event) repeats(other Event) bool {
	return e.Kind == other.Kind && e.Action == other.Action && e.ID == other.ID && e.Detail == other.Detail && e.ExitCode == other.ExitCode
}

// eventFilters ask for the events of interest.
func eventFilters() client.Filters {
	filters := client.Filters{}
	for kind, names := range actions {
		filters.Add("type", string(kind)).Add("event", names...)
	}
	return filters
}

// eventOf translates an event, and reports whether it is of interest: an engine
// may not know the filter, and actions of one kind pass for all kinds.
func eventOf(m events.Message) (Event, bool) {
	action, detail, _ := strings.Cut(string(m.Action), ": ")
	e := Event{
		Kind: EventKind(m.Type), Action: action, ID: m.Actor.ID, Name: clean(m.Actor.Attributes["name"]),
		Image: clean(m.Actor.Attributes["image"]), Signal: clean(m.Actor.Attributes["signal"]), ExitCode: -1, Time: time.Unix(0, m.TimeNano),
	}
	if action == string(events.ActionHealthStatus) {
		e.Detail = clean(detail)
	}
	if code, err := strconv.Atoi(m.Actor.Attributes["exitCode"]); err == nil && m.Action == events.ActionDie {
		e.ExitCode = code
	}
	return e, slices.Contains(actions[e.Kind], action)
}
