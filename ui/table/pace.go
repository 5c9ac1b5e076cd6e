package table

import (
	"math/rand/v2"
	"time"
)

const (
	// longest is the most that repeated failures put off the next try.
	longest = 5 * time.Minute
	// gap is the least time between two looks at rows, however fast the user
	// scrolls through rows that are due.
	gap = time.Second
)

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
	b.last, b.err = time.Now(), err
	b.slack = rand.Float64() / 10 //nolint:gosec // spreads load, guards nothing
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

// membersDue is when to find out again which rows there are.
func (t *body[T]) membersDue() time.Time {
	pace := t.spec.Pace
	acting := time.Now().Before(t.refresh.acting)
	switch {
	case !t.list.Whole():
		return t.refresh.membership.after(pace.Moving)
	case t.source.Describe == nil && (acting || t.anyMoving()):
		return t.refresh.membership.after(pace.Moving)
	case t.source.Describe == nil:
		return t.refresh.membership.after(t.still(pace.Still))
	case acting && t.incremental():
		return t.refresh.membership.after(pace.Moving)
	}
	return t.refresh.membership.after(t.still(pace.Members))
}

// still is the pace of what does not move: slower where the keys are
// elsewhere, because nobody is about to act on it.
func (t *body[T]) still(pace time.Duration) time.Duration {
	if t.background {
		return max(pace, t.spec.Pace.Background)
	}
	return pace
}

// rowsDue are the rows on screen that are to be looked at now or, if there are
// none, when the next one is.
func (t *body[T]) rowsDue(now time.Time) (ids []string, next time.Time) {
	r := &t.refresh
	if t.source.Describe == nil || !t.list.Whole() || t.list.Busy() || r.fresh.Busy() {
		return nil, time.Time{}
	}
	earliest := r.content.after(gap)
	if r.content.fails > 0 {
		earliest = r.content.after(t.spec.Pace.Moving)
	}
	from, to := t.window()
	for i := from; i < to; i++ {
		row := t.shown.at(i)
		id := t.spec.ID(*row)
		pace := r.content.stretch(t.rowPace(row, now))
		due := t.seen(id).Add(pace)
		if t.seen(id).Before(r.hurried) {
			due = r.hurried
		}
		// One that is nearly due goes along: it fills up the batch.
		if !due.Add(-pace / 4).After(now) {
			ids = append(ids, id)
		}
		if next.IsZero() || due.Before(next) {
			next = due
		}
	}
	if next.IsZero() {
		return nil, next
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
func (t *body[T]) seen(id string) time.Time {
	if at, ok := t.refresh.described[id]; ok {
		return at
	}
	return t.list.At
}

// rowPace is how often a row is looked at.
func (t *body[T]) rowPace(row *T, now time.Time) time.Duration {
	if now.Before(t.refresh.acting) || t.moving(row) {
		return t.spec.Pace.Moving
	}
	return t.still(t.spec.Pace.Still)
}

func (t *body[T]) moving(row *T) bool { return t.spec.Moving != nil && t.spec.Moving(*row) }

// anyMoving says that a row on screen is on its way to another state.
func (t *body[T]) anyMoving() bool {
	from, to := t.window()
	for i := from; i < to; i++ {
		if t.moving(t.shown.at(i)) {
			return true
		}
	}
	return false
}

// membersPace is how old the list may get when nothing happens.
func (t *body[T]) membersPace() time.Duration {
	if t.source.Describe == nil {
		return t.spec.Pace.Still
	}
	return t.spec.Pace.Members
}
