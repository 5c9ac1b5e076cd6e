package table

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
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
	loading    time.Time            // when the load under way, or the last one, began
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

// keepFresh asks for what is due and sets the alarm for what is due next. An
// unfocused terminal asks for nothing. A folded pane is loaded once, because
// other panes follow its selection, and again when it is told of a change,
// because its title counts.
func (t *body[T]) keepFresh() tea.Cmd {
	if t.away || t.source.List == nil || t.host == nil {
		t.refresh.alarm.clear()
		return nil
	}
	if t.folded() && t.list.Whole() {
		t.refresh.alarm.clear()
		if t.refresh.loading.Before(t.refresh.hurried) && !t.list.Busy() {
			return t.load()
		}
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
func (t *body[T]) lookingForMembers() bool {
	return t.list.Busy() || t.refresh.members.Busy() || t.refresh.newcomers.Busy()
}

// incremental says that membership and content are refreshed apart.
func (t *body[T]) incremental() bool { return t.source.IDs != nil && t.source.Describe != nil }

// loadMembers asks which rows there are, the cheap way if there is one.
func (t *body[T]) loadMembers() tea.Cmd {
	if !t.list.Whole() || !t.incremental() {
		return t.load()
	}
	ids := t.source.IDs
	return t.refresh.members.Start(t.source.Key, func(ctx context.Context, _ func([]string)) ([]string, error) { return ids(ctx) })
}

// load asks for everything. What it brings is newer than any look at single
// rows, so those are given up.
func (t *body[T]) load() tea.Cmd {
	t.refresh.members.Stop()
	t.refresh.newcomers.Stop()
	t.refresh.fresh.Stop()
	if !t.list.Busy() {
		t.refresh.loading = time.Now()
	}
	return t.list.Start(t.source.Key, gather(t.source, t.spec.ID))
}

func (t *body[T]) describe(ids []string) tea.Cmd {
	t.refresh.wanted, t.refresh.began = ids, time.Now()
	return t.refresh.fresh.Start(t.source.Key, t.describing(ids))
}

func (t *body[T]) describing(ids []string) pane.Get[[]T] {
	describe := t.source.Describe
	return func(ctx context.Context, _ func([]T)) ([]T, error) { return describe(ctx, ids) }
}

// answered takes an answer if it is one of the table's.
func (t *body[T]) answered(msg tea.Msg) tea.Cmd {
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
func (t *body[T]) listed() tea.Cmd {
	if t.list.Busy() {
		if t.list.Whole() || len(t.list.Value) < len(t.all) {
			return nil // a retry has not yet reached what the last try had
		}
		return t.replace(t.list.Value)
	}
	asked := t.refresh.asked
	t.refresh.asked = false
	t.refresh.membership.answered(t.list.Err)
	if t.list.Err != nil {
		if asked && t.list.Whole() { // otherwise the pane itself shows it
			t.host.Say(pane.Notice{Err: t.list.Err})
		}
		return nil
	}
	t.refresh.content.answered(nil)
	t.refresh.described = map[string]time.Time{}
	if t.refresh.loading.Before(t.refresh.hurried) {
		t.refresh.hurry() // something has changed while it was read
	}
	return t.replace(t.list.Value)
}

func (t *body[T]) membersKnown() tea.Cmd {
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

func (t *body[T]) newcomersKnown() tea.Cmd {
	r := &t.refresh
	r.membership.answered(r.newcomers.Err)
	if r.newcomers.Err != nil {
		return nil
	}
	t.note(r.newcomers.Value)
	return t.replace(append(t.all[:len(t.all):len(t.all)], t.unknown(r.newcomers.Value)...))
}

func (t *body[T]) rowsKnown() tea.Cmd {
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
func (t *body[T]) note(rows []T) {
	now := time.Now()
	for i := range rows {
		t.refresh.described[t.spec.ID(rows[i])] = now
	}
}

// unknown are the rows that are not there yet, each once.
func (t *body[T]) unknown(rows []T) []T {
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
func (t *body[T]) woken(msg wake) tea.Cmd {
	switch {
	case t.refresh.alarm.rings(msg):
		return t.settle()
	case t.said.rest.rings(msg):
		return tea.Batch(t.say(), t.settle())
	}
	return nil
}
