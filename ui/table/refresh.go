package table

import (
	"context"
	"math/rand/v2"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
)

const (
	// longest is the most that repeated failures put off the next try.
	longest = 5 * time.Minute
	// gap is the least time between two looks at rows, however fast the user
	// scrolls through rows that are due.
	gap = time.Second
)

// refresh is what keeps the rows fresh.
type refresh[T any] struct {
	members   pane.Load[[]string] // which rows there are
	newcomers pane.Load[[]T]      // those not seen before
	fresh     pane.Load[[]T]      // the content of those on screen

	membership beat
	content    beat
	described  map[string]time.Time // by ID; for the others, when the list came
	wanted     []string             // the IDs that fresh was asked for
	began      time.Time            // when it was
	acting     time.Time            // until then everything counts as moving
	hurried    time.Time            // what was fetched before is due at once
	asked      bool                 // the user has asked for the load under way
	alarm      alarm
}

func (r *refresh[T]) reset() {
	r.membership, r.content = beat{}, beat{}
	r.described, r.wanted = nil, nil
	r.acting, r.hurried, r.asked = time.Time{}, time.Time{}, false
	r.alarm.clear()
}

// hurry makes everything due.
func (r *refresh[T]) hurry() {
	r.membership, r.content = beat{at: r.membership.at}, beat{at: r.content.at}
	r.hurried = time.Now()
}

// beat is the rhythm of one kind of request.
type beat struct {
	at    time.Time // of the last success
	last  time.Time // of the last answer
	err   error     // of the last answer
	fails int       // in a row
	slack float64   // 0…0.1, drawn anew with each answer, keeps many tables from asking in step
}

// answered notes how a request ended.
func (b *beat) answered(err error) {
	b.last, b.err, b.slack = time.Now(), err, rand.Float64()/10
	if err != nil {
		b.fails++
		return
	}
	b.at, b.fails = b.last, 0
}

// after is when a pace allows the next request: later with every failure.
func (b *beat) after(pace time.Duration) time.Time {
	if b.last.IsZero() {
		return b.last
	}
	for range b.fails {
		if pace *= 2; pace >= longest {
			pace = longest
			break
		}
	}
	return b.last.Add(b.stretch(pace))
}

func (b *beat) stretch(pace time.Duration) time.Duration {
	return pace + time.Duration(b.slack*float64(pace))
}

// keepFresh asks for what is due and sets the alarm for what is due next. An
// unfocused terminal asks for nothing. A folded pane is loaded once, because
// other panes follow its selection, and then asks for nothing more.
func (t *Table[T]) keepFresh() tea.Cmd {
	if t.away || t.folded() && t.list.Whole() || t.source.List == nil || t.host == nil {
		t.refresh.alarm.clear()
		return nil
	}
	now := time.Now()
	var cmds []tea.Cmd
	var next time.Time
	sooner := func(due time.Time) {
		if next.IsZero() || due.Before(next) {
			next = due
		}
	}
	if !t.lookingForMembers() {
		if due := t.membersDue(); due.After(now) {
			sooner(due)
		} else {
			cmds = append(cmds, t.loadMembers())
		}
	}
	if ids, due := t.rowsDue(now); len(ids) > 0 {
		cmds = append(cmds, t.describe(ids))
	} else if !due.IsZero() {
		sooner(due)
	}
	if next.IsZero() {
		t.refresh.alarm.clear()
		return tea.Batch(cmds...)
	}
	return tea.Batch(append(cmds, t.refresh.alarm.set(next))...)
}

// lookingForMembers says that an answer about which rows there are is under
// way.
func (t *Table[T]) lookingForMembers() bool {
	return t.list.Busy() || t.refresh.members.Busy() || t.refresh.newcomers.Busy()
}

// incremental says that membership and content are refreshed apart.
func (t *Table[T]) incremental() bool { return t.source.IDs != nil && t.source.Describe != nil }

// membersDue is when to find out again which rows there are.
func (t *Table[T]) membersDue() time.Time {
	pace := t.spec.Pace
	acting := time.Now().Before(t.refresh.acting)
	switch {
	case !t.list.Whole():
		return t.refresh.membership.after(pace.Moving)
	case t.source.Describe == nil:
		return t.refresh.membership.after(t.paceOf(acting || t.anyMoving()))
	case acting && t.incremental():
		return t.refresh.membership.after(pace.Moving)
	}
	return t.refresh.membership.after(t.still(pace.Members))
}

// still is the pace of what does not move: slower where the keys are
// elsewhere, because nobody is about to act on it.
func (t *Table[T]) still(pace time.Duration) time.Duration {
	if t.background {
		return max(pace, t.spec.Pace.Background)
	}
	return pace
}

// rowsDue are the rows on screen that are to be looked at now or, if there are
// none, when the next one is.
func (t *Table[T]) rowsDue(now time.Time) (ids []string, next time.Time) {
	r := &t.refresh
	if t.source.Describe == nil || !t.list.Whole() || t.list.Busy() || r.fresh.Busy() {
		return nil, time.Time{}
	}
	acting := now.Before(r.acting)
	earliest := r.content.after(gap)
	if r.content.fails > 0 {
		earliest = r.content.after(t.spec.Pace.Moving)
	}
	for i := t.top; i < min(t.top+t.page(), len(t.shown.order)); i++ {
		row := t.shown.at(i)
		id := t.spec.ID(*row)
		pace := r.content.stretch(t.paceOf(acting || t.moving(row)))
		due := t.seen(id).Add(pace)
		if t.seen(id).Before(r.hurried) {
			due = time.Time{}
		}
		// One that is nearly due goes along: it fills up the batch.
		if !due.Add(-pace / 4).After(now) {
			ids = append(ids, id)
		}
		if next.IsZero() || due.Before(next) {
			next = due
		}
	}
	if len(t.shown.order) == 0 {
		return nil, time.Time{}
	}
	if earliest.After(next) {
		next = earliest
	}
	if next.After(now) {
		return nil, next
	}
	return ids, time.Time{}
}

// seen is when the content of a row was fetched.
func (t *Table[T]) seen(id string) time.Time {
	if at, ok := t.refresh.described[id]; ok {
		return at
	}
	return t.list.At
}

func (t *Table[T]) paceOf(moving bool) time.Duration {
	if moving {
		return t.spec.Pace.Moving
	}
	return t.still(t.spec.Pace.Still)
}

func (t *Table[T]) moving(row *T) bool { return t.spec.Moving != nil && t.spec.Moving(*row) }

// anyMoving says that a row on screen is on its way to another state.
func (t *Table[T]) anyMoving() bool {
	for i := t.top; i < min(t.top+t.page(), len(t.shown.order)); i++ {
		if t.moving(t.shown.at(i)) {
			return true
		}
	}
	return false
}

// membersPace is how old the list may get when nothing happens.
func (t *Table[T]) membersPace() time.Duration {
	if t.source.Describe == nil {
		return t.spec.Pace.Still
	}
	return t.spec.Pace.Members
}

// loadMembers asks which rows there are, the cheap way if there is one.
func (t *Table[T]) loadMembers() tea.Cmd {
	if !t.list.Whole() || !t.incremental() {
		return t.load()
	}
	ids := t.source.IDs
	return t.refresh.members.Start(t.source.Key, func(ctx context.Context, _ func([]string)) ([]string, error) { return ids(ctx) })
}

// load asks for everything. What it brings is newer than any look at single
// rows, so those are given up.
func (t *Table[T]) load() tea.Cmd {
	t.refresh.members.Stop()
	t.refresh.newcomers.Stop()
	t.refresh.fresh.Stop()
	return t.list.Start(t.source.Key, gather(t.source, t.spec.ID))
}

func (t *Table[T]) describe(ids []string) tea.Cmd {
	t.refresh.wanted, t.refresh.began = ids, time.Now()
	return t.refresh.fresh.Start(t.source.Key, t.describing(ids))
}

func (t *Table[T]) describing(ids []string) pane.Get[[]T] {
	describe := t.source.Describe
	return func(ctx context.Context, _ func([]T)) ([]T, error) { return describe(ctx, ids) }
}

// answered takes an answer if it is one of the table's.
func (t *Table[T]) answered(msg tea.Msg) tea.Cmd {
	r := &t.refresh
	if mine, more := t.list.Update(msg); mine {
		return tea.Batch(more, t.listed(), t.settle())
	}
	if mine, more := r.members.Update(msg); mine {
		return tea.Batch(more, t.membersKnown(), t.settle())
	}
	if mine, more := r.newcomers.Update(msg); mine {
		return tea.Batch(more, t.newcomersKnown(), t.settle())
	}
	if mine, more := r.fresh.Update(msg); mine {
		return tea.Batch(more, t.rowsKnown(), t.settle())
	}
	return nil
}

// listed takes the list, or the part of the first one that is there so far.
func (t *Table[T]) listed() tea.Cmd {
	if t.list.Busy() {
		if t.list.Whole() || len(t.list.Value) < len(t.all) {
			return nil // a retry has not yet reached what the last try had
		}
		return t.replace(t.list.Value)
	}
	t.refresh.asked = false
	t.refresh.membership.answered(t.list.Err)
	if t.list.Err != nil {
		return nil
	}
	t.refresh.content.answered(nil)
	t.refresh.described = map[string]time.Time{}
	return t.replace(t.list.Value)
}

func (t *Table[T]) membersKnown() tea.Cmd {
	r := &t.refresh
	if r.members.Err != nil {
		r.membership.answered(r.members.Err)
		return nil
	}
	newcomers, cmd := t.keepMembers(r.members.Value)
	if len(newcomers) == 0 {
		r.membership.answered(nil)
		return cmd
	}
	return tea.Batch(cmd, r.newcomers.Start(t.source.Key, t.describing(newcomers)))
}

func (t *Table[T]) newcomersKnown() tea.Cmd {
	r := &t.refresh
	r.membership.answered(r.newcomers.Err)
	if r.newcomers.Err != nil {
		return nil
	}
	t.note(r.newcomers.Value)
	return t.replace(append(t.all[:len(t.all):len(t.all)], t.unknown(r.newcomers.Value)...))
}

func (t *Table[T]) rowsKnown() tea.Cmd {
	r := &t.refresh
	r.content.answered(r.fresh.Err)
	if r.fresh.Err != nil {
		return nil
	}
	if !r.began.Before(r.hurried) {
		for _, id := range r.wanted {
			r.described[id] = r.fresh.At // also what was left out: asking again at once would not help
		}
	}
	return t.merge(r.fresh.Value)
}

// note remembers when these rows were fetched.
func (t *Table[T]) note(rows []T) {
	now := time.Now()
	for i := range rows {
		t.refresh.described[t.spec.ID(rows[i])] = now
	}
}

// unknown are the rows that are not there yet, each once.
func (t *Table[T]) unknown(rows []T) []T {
	known := make(map[string]bool, len(t.all))
	for i := range t.all {
		known[t.spec.ID(t.all[i])] = true
	}
	var fresh []T
	for _, row := range rows {
		if id := t.spec.ID(row); !known[id] {
			known[id] = true
			fresh = append(fresh, row)
		}
	}
	return fresh
}

// woken does what an alarm of this table was set for.
func (t *Table[T]) woken(msg wake) tea.Cmd {
	switch {
	case t.refresh.alarm.rings(msg):
		return t.settle()
	case t.said.rest.rings(msg):
		return tea.Batch(t.say(), t.settle())
	}
	return nil
}
