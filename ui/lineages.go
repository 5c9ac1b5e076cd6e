package ui

import (
	"context"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/ui/lineage"
	"gantry/ui/pane"
)

// lineages is where images are, for the whole explorer: one question to AWS
// serves every tab and every column. It is asked on demand alone, and again when
// something has changed or the user says so; in between, its age is shown.
type lineages struct {
	cloud  lineageCloud  // nil: there is none
	engine lineageEngine // nil: there is none

	now   *lineage.Index
	read  *reading // the one under way, or the last
	whole *reading // what now is of, once that was whole

	local pane.Load[struct{}]
	all   pane.Load[struct{}]
	repos pane.Load[struct{}]
	one   pane.Load[struct{}] // the service that is followed
	index pane.Load[*lineage.Index]

	of    *reading // what the index under way is of
	again bool     // there is more than what that index was made of
	stale bool     // something has changed since all was read
	moved bool     // the engine's images have changed since they were read

	wanted map[string]aws.Repository // to be read, by URI
	missed map[string]bool           // URI@DIGEST that was looked for a second time
}

// lineageKnown says that there is more to tell about where images are.
type lineageKnown struct{}

func newLineages(cloud lineageCloud, engine lineageEngine) *lineages {
	return &lineages{cloud: cloud, engine: engine, now: lineage.New(lineage.World{}, clock), wanted: map[string]aws.Repository{}, missed: map[string]bool{}}
}

// Look asks for what is not known of the present state.
func (l *lineages) Look() tea.Cmd {
	if l.read == nil || l.stale && !l.all.Busy() {
		return l.Anew()
	}
	if l.moved {
		return l.readLocal()
	}
	return nil
}

// Anew reads everything again. What was known shows until then.
func (l *lineages) Anew() tea.Cmd {
	l.local.Stop()
	l.all.Stop()
	l.repos.Stop()
	l.one.Stop()
	l.stale, l.read = false, newReading()
	clear(l.wanted)
	// Whoever looks at an image says again which repositories it needs.
	return tea.Batch(l.readLocal(), l.readAll(), pane.Send(lineageKnown{}))
}

func (l *lineages) readLocal() tea.Cmd {
	l.moved = false
	if l.engine == nil {
		return nil
	}
	engine, read := l.engine, l.read
	l.local.Stop()
	return l.local.Start("local", func(ctx context.Context, _ func(struct{})) (struct{}, error) {
		read.local(ctx, engine)
		return struct{}{}, ctx.Err()
	})
}

func (l *lineages) readAll() tea.Cmd {
	if l.cloud == nil {
		return nil
	}
	cloud, read := l.cloud, l.read
	return l.all.Start("all", func(ctx context.Context, soFar func(struct{})) (struct{}, error) {
		read.all(ctx, cloud, func() { soFar(struct{}{}) })
		return struct{}{}, ctx.Err()
	})
}

// Want asks for what is in these repositories, if that was not asked before.
func (l *lineages) Want(uris []string) tea.Cmd {
	if l.read == nil || l.cloud == nil {
		return nil
	}
	known := l.now.World().Repositories
	for _, uri := range uris {
		if _, asked := l.wanted[uri]; asked {
			continue
		}
		if i := slices.IndexFunc(known, func(r aws.Repository) bool { return r.URI == uri }); i >= 0 {
			l.wanted[uri] = known[i]
		}
	}
	return l.readRepositories()
}

// readRepositories reads those that are wanted and were not yet read.
func (l *lineages) readRepositories() tea.Cmd {
	if l.repos.Busy() {
		return nil // asked again when that is done
	}
	var rows []aws.Repository
	for uri, r := range l.wanted {
		if !l.read.began(lineage.Part{Kind: lineage.RepositoryImages, Name: uri}) {
			rows = append(rows, r)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	cloud, read := l.cloud, l.read
	return l.repos.Start("repositories", func(ctx context.Context, soFar func(struct{})) (struct{}, error) {
		atOnce(len(rows), func(i int) {
			read.images(ctx, cloud, rows[i])
			soFar(struct{}{})
		})
		return struct{}{}, ctx.Err()
	})
}

// Follow reads the tasks of a service anew: it has changed, as it does in a
// rollout, and all the others need not be asked for that. A service of very many
// tasks is left to ctrl+r.
func (l *lineages) Follow(s aws.Service) tea.Cmd {
	if l.cloud == nil || l.read == nil || l.all.Busy() || l.one.Busy() || s.Desired > mostFollowed {
		return nil
	}
	cloud, read := l.cloud, l.read
	return l.one.Start("service", func(ctx context.Context, _ func(struct{})) (struct{}, error) {
		return struct{}{}, read.service(ctx, cloud, s)
	})
}

// mostFollowed is for how many tasks a service is read anew by itself: that is
// two describes, and two lists.
const mostFollowed = 200

// Update takes what was read, and notes what has changed.
func (l *lineages) Update(msg tea.Msg) (bool, tea.Cmd) {
	if mine, next := l.local.Update(msg); mine {
		if !l.local.Busy() {
			l.lookForPushed()
		}
		return true, tea.Batch(next, l.readRepositories(), l.reindex())
	}
	for _, take := range []func(tea.Msg) (bool, tea.Cmd){l.all.Update, l.repos.Update, l.one.Update} {
		if mine, next := take(msg); mine {
			return true, tea.Batch(next, l.readRepositories(), l.reindex())
		}
	}
	if mine, next := l.index.Update(msg); mine {
		return true, tea.Batch(next, l.indexed())
	}
	switch msg := msg.(type) {
	case pane.Acted:
		l.stale = l.stale || l.read != nil && concerns(msg)
	case engineChanged:
		l.moved = l.moved || l.read != nil && msg.images
	}
	return false, nil
}

// lookForPushed has repositories read again that lack an image which the engine
// has pushed, by whatever tool: once for each image.
func (l *lineages) lookForPushed() {
	for _, d := range l.read.unknown() {
		if l.missed[d] {
			continue
		}
		l.missed[d] = true
		l.read.forget(lineage.Part{Kind: lineage.RepositoryImages, Name: lineage.Parse(d).Repository})
	}
}

// concerns tells whether a change is one of where images are.
func concerns(msg pane.Acted) bool {
	return slices.ContainsFunc([]string{"task", "service", "repository", "image"}, func(kind string) bool {
		return strings.Contains(msg.What, kind)
	})
}

// reindex makes an index of what is there by now; one at a time.
func (l *lineages) reindex() tea.Cmd {
	if l.whole != nil && l.whole != l.read && l.busy() {
		return nil // until all is there, the whole one from before tells more
	}
	if l.index.Busy() {
		l.again = true
		return nil
	}
	l.again, l.of = false, l.read
	read := l.read
	return l.index.Start("index", func(context.Context, func(*lineage.Index)) (*lineage.Index, error) { return read.index(), nil })
}

func (l *lineages) busy() bool { return l.local.Busy() || l.all.Busy() || l.repos.Busy() }

// indexed takes the index, if it is still one of what was read last.
func (l *lineages) indexed() tea.Cmd {
	if l.of != l.read {
		return l.reindex()
	}
	l.now = l.index.Value
	if !l.busy() && !l.again {
		l.whole = l.read
	}
	next := pane.Send(lineageKnown{})
	if l.again {
		return tea.Batch(next, l.reindex())
	}
	return next
}

// Switch reads from another AWS from now on.
func (l *lineages) Switch(cloud lineageCloud) tea.Cmd {
	l.cloud = cloud
	return l.forget()
}

// SwitchEngine reads from another engine from now on.
func (l *lineages) SwitchEngine(engine lineageEngine) tea.Cmd {
	l.engine = engine
	return l.forget()
}

// forget drops all that is known: it is of another place.
func (l *lineages) forget() tea.Cmd {
	l.Close()
	*l = *newLineages(l.cloud, l.engine)
	return pane.Send(lineageKnown{})
}

// Close gives up on what was asked.
func (l *lineages) Close() {
	l.local.Stop()
	l.all.Stop()
	l.repos.Stop()
	l.one.Stop()
	l.index.Stop()
}

// RunningIn tells who runs this digest now. known says that the tasks of every
// cluster were read: only then does none mean that nothing runs it.
func (l *lineages) RunningIn(digest string) (uses []lineage.Use, known bool) {
	return l.now.Running(digest), l.now.RunningKnown()
}

// oldAfter is when what was read is called old.
const oldAfter = time.Minute

// age says how old what is shown is, once that matters.
func (l *lineages) age(now time.Time) string {
	at := l.now.World().Oldest()
	switch old := now.Sub(at); {
	case at.IsZero() || old < oldAfter:
		return ""
	case old < time.Hour:
		return plural(int(old/time.Minute), "minute") + " ago"
	}
	return "at " + clock(at)
}
