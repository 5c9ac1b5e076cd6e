package text

import (
	"context"
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
)

// look is how lines are made into text: what is drawn is what is searched.
type look uint8

const (
	cleaned look = iota // without what a terminal would act on
	escaped             // with all of it spelled out
)

// text is a line in this look, in scratch if it had to be made.
func (k look) text(e entry, raw []byte, scratch *[]byte) []byte {
	switch {
	case e.is(ascii), k == cleaned && !e.is(dirty):
		return raw
	case k == escaped:
		*scratch = appendEscaped((*scratch)[:0], raw)
	default:
		*scratch, _ = appendClean((*scratch)[:0], raw)
	}
	return *scratch
}

// found is the lines that match a pattern, of all lines from one number to
// another.
type found struct {
	pattern  *pattern
	look     look
	lines    []int64 // in order
	from, to int64
}

// lookedAt is how many lines are searched between two looks at the context.
const lookedAt = 1 << 12

// scan finds the lines that match. It touches nothing but the blocks.
func scan(ctx context.Context, blocks []block, from, to int64, p *pattern, k look) (*found, error) {
	f := &found{pattern: p, look: k, from: from, to: to}
	var shown, folded []byte
	each(blocks, from, to, func(n int64, e entry, raw []byte) bool {
		if p.match(k.text(e, raw, &shown), &folded) {
			f.lines = append(f.lines, n)
		}
		return n%lookedAt != 0 || ctx.Err() == nil
	})
	return f, ctx.Err()
}

// cover brings the matches up to what the ring holds now.
func (f *found) cover(r *ring) {
	first, end := r.first(), r.end
	if f.to <= first || f.from >= end { // nothing is left of what was searched
		f.lines, f.from, f.to = nil, first, first
	}
	if f.from > first {
		f.lines = slices.Concat(f.part(r, first, f.from), f.lines)
	}
	if f.to < end {
		f.lines = append(f.lines, f.part(r, f.to, end)...)
	}
	f.from, f.to = first, end
	i, _ := slices.BinarySearch(f.lines, first)
	j, _ := slices.BinarySearch(f.lines, end)
	f.lines = f.lines[i:j]
}

func (f *found) part(r *ring, from, to int64) []int64 {
	part, _ := scan(context.Background(), r.snapshot(from, to), from, to, f.pattern, f.look)
	return part.lines
}

// query is a pattern that is looked for in all lines.
type query struct {
	pattern *pattern // nil: none
	found   *found   // of this pattern, or of the one before until that is there
	load    pane.Load[*found]
}

// start looks for the pattern outside of Update. epoch tells apart
// lines that were read anew.
func (q *query) start(p *pattern, r *ring, k look, epoch int) tea.Cmd {
	q.load.Stop()
	q.pattern = p
	from, to := r.first(), r.end
	blocks := r.snapshot(from, to)
	return q.load.Start(fmt.Sprint(epoch, k, p.text), func(ctx context.Context, _ func(*found)) (*found, error) {
		return scan(ctx, blocks, from, to, p, k)
	})
}

// update takes the answer, and says so.
func (q *query) update(msg tea.Msg, r *ring) bool {
	mine, _ := q.load.Update(msg)
	if mine && q.load.Value != nil {
		q.found = q.load.Value
		q.found.cover(r)
	}
	return mine
}

// cover brings what was found up to what the ring holds.
func (q *query) cover(r *ring) {
	if q.found != nil {
		q.found.cover(r)
	}
}

// clear looks for nothing.
func (q *query) clear() {
	q.load.Clear()
	q.pattern, q.found = nil, nil
}

// ready says that what was found is of the pattern.
func (q *query) ready() bool { return q.found != nil && !q.load.Busy() && q.found.pattern == q.pattern }
