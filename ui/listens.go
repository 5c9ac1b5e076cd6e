package ui

import (
	"context"
	"reflect"
	"strconv"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/docker"
	"gantry/ui/pane"
)

const (
	// firstPause and longestPause are how long to wait before looking again at a
	// container that does not listen yet; every pause is twice the one before.
	firstPause, longestPause = time.Second, 30 * time.Second
	// startTime is how long after its start a container is looked at without
	// being selected. What has not begun to listen by then hardly ever will.
	startTime = 5 * time.Minute
	// together is how far apart looks may be due to be taken at once, so that a
	// hundred containers started by one command cost few rounds.
	together = 200 * time.Millisecond
	// looksAtOnce is how many containers are looked at at the same time. The
	// kernel takes up to 10 ms to list a namespace's sockets.
	looksAtOnce = 2
)

// listenClient tells where containers listen.
type listenClient interface {
	Listening(ctx context.Context, row docker.Container) (docker.Listen, error)
	ListeningByHelper(ctx context.Context, row docker.Container, image string) (docker.Listen, error)
}

// listens keeps what is known of where the containers listen. A container is
// looked at when it starts, with growing pauses until it listens, and from then
// on only when it is selected: containers at rest cost nothing.
type listens struct {
	client   listenClient
	round    pane.Load[[]look]
	at       time.Time // when the round under way looks
	rounds   int
	selected string

	mu    sync.Mutex // the list is read in another goroutine
	known map[string]*listening
	fresh bool // there are containers that next does not know of yet
}

// listening is what is known of one container.
type listening struct {
	row    docker.Container
	listen docker.Listen
	looked bool
	since  time.Time // when it was seen to start
	pause  time.Duration
	due    time.Time // of the next look; zero: none
}

// look is what was found.
type look struct {
	id     string
	listen docker.Listen
	err    error
}

func newListens(c listenClient) *listens {
	return &listens{client: c, known: map[string]*listening{}}
}

// note takes note of containers that have come and gone.
func (l *listens) note(rows []docker.Container) []containerRow {
	l.mu.Lock()
	defer l.mu.Unlock()
	noted := make([]containerRow, len(rows))
	kept := make(map[string]*listening, len(rows))
	for i, row := range rows {
		noted[i] = containerRow{Container: row}
		if !row.Running() || len(mappings(row)) == 0 {
			continue
		}
		k := l.known[row.ID]
		if k == nil {
			now := time.Now()
			k = &listening{since: now, due: now}
			l.fresh = true
		}
		k.row = row
		kept[row.ID] = k
	}
	l.known = kept
	return noted
}

// complete adds what is known to rows.
func (l *listens) complete(rows []containerRow) []containerRow {
	l.mu.Lock()
	defer l.mu.Unlock()
	completed := make([]containerRow, len(rows))
	for i, row := range rows {
		if k := l.known[row.ID]; k != nil {
			row.Listen, row.Looked = k.listen, k.looked
		}
		completed[i] = row
	}
	return completed
}

// started looks at a container anew, because it was started again.
func (l *listens) started(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k := l.known[id]; k != nil {
		now := time.Now()
		k.since, k.due, k.pause = now, now, 0
	}
}

// forget looks at every container anew: what has happened to them is not known.
func (l *listens) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.known)
}

// selects looks at a container that has become the selected one.
func (l *listens) selects(id string) {
	if id == l.selected {
		return
	}
	l.selected = id
	l.mu.Lock()
	defer l.mu.Unlock()
	if k := l.known[id]; k != nil && k.looked {
		k.due = time.Now()
	}
}

// news tells, once, that the list has brought containers to be looked at.
func (l *listens) news() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	fresh := l.fresh
	l.fresh = false
	return fresh
}

// next sets the time of the next round. A round that is looking already
// finishes first.
func (l *listens) next() tea.Cmd {
	at := l.earliest()
	switch {
	case l.round.Busy() && !l.at.After(time.Now()): // it looks already
		return nil
	case at.IsZero():
		l.round.Stop()
		return nil
	case l.round.Busy() && at.Equal(l.at):
		return nil
	}
	l.rounds++
	l.at = at
	l.round.Stop()
	return l.round.Start(strconv.Itoa(l.rounds), func(ctx context.Context, _ func([]look)) ([]look, error) {
		if !pause(ctx, time.Until(at)) {
			return nil, ctx.Err()
		}
		return l.lookAround(ctx), ctx.Err()
	})
}

// earliest is when the next container is due; zero when none is.
func (l *listens) earliest() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	var at time.Time
	for _, k := range l.known {
		if !k.due.IsZero() && (at.IsZero() || k.due.Before(at)) {
			at = k.due
		}
	}
	return at
}

// lookAround looks at every container that is due.
func (l *listens) lookAround(ctx context.Context) []look {
	due := l.dueBy(time.Now().Add(together))
	looks := make([]look, len(due))
	var all sync.WaitGroup
	turn := make(chan struct{}, looksAtOnce)
	for i, row := range due {
		turn <- struct{}{}
		all.Go(func() {
			defer func() { <-turn }()
			listen, err := l.client.Listening(ctx, row)
			looks[i] = look{id: row.ID, listen: listen, err: err}
		})
	}
	all.Wait()
	return looks
}

func (l *listens) dueBy(at time.Time) []docker.Container {
	l.mu.Lock()
	defer l.mu.Unlock()
	var rows []docker.Container
	for _, k := range l.known {
		if !k.due.IsZero() && !k.due.After(at) {
			rows = append(rows, k.row)
		}
	}
	return rows
}

// update takes the answer of a round: the rows that it changes.
func (l *listens) update(msg tea.Msg) (changed []containerRow, mine bool) {
	if mine, _ = l.round.Update(msg); !mine {
		return nil, false
	}
	for _, found := range l.round.Value {
		if row, ok := l.take(found); ok {
			changed = append(changed, row)
		}
	}
	return changed, true
}

// take keeps what was found and plans the next look.
func (l *listens) take(found look) (containerRow, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.known[found.id]
	if k == nil {
		return containerRow{}, false
	}
	now := time.Now()
	until := k.since.Add(startTime)
	if found.id == l.selected {
		until = now.Add(longestPause)
	}
	k.plan(found, now, until)
	if found.err != nil || k.looked && reflect.DeepEqual(k.listen, found.listen) {
		return containerRow{}, false
	}
	k.listen, k.looked = found.listen, true
	return containerRow{Container: k.row, Listen: k.listen, Looked: true}, true
}

// plan says when to look again: not before it is selected once it listens, or
// had until then to do so.
func (k *listening) plan(found look, now, until time.Time) {
	if found.err == nil && found.listen.Settled() || now.After(until) {
		k.due, k.pause = time.Time{}, 0
		return
	}
	k.pause = min(max(2*k.pause, firstPause), longestPause)
	k.due = now.Add(k.pause)
}

// tell takes what somebody else has found: the pane that explains it, or a
// helper container.
func (l *listens) tell(found listenFound) (changed []containerRow) {
	if row, ok := l.take(look{id: found.id, listen: found.listen}); ok {
		changed = append(changed, row)
	}
	return changed
}

// close lets go of the round under way.
func (l *listens) close() { l.round.Stop() }
