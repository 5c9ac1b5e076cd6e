package sandbox

import (
	"cmp"
	"slices"
	"strings"
)

// listed is anything that stands in a list: its number gives it its place for
// as long as it lives, so a page is right even when items before it vanish.
type listed interface{ place() uint64 }

// inOrder sorts by place.
func inOrder[T listed](all []T) []T {
	slices.SortFunc(all, func(x, y T) int { return cmp.Compare(x.place(), y.place()) })
	return all
}

// ranked gives the items of a list that is not in the order of making a place
// in the order it has.
type ranked[T any] struct {
	rank uint64
	item T
}

func (r ranked[T]) place() uint64 { return r.rank }

// rank numbers items in the order they stand, from 1.
func rank[T any](items []T) []ranked[T] {
	out := make([]ranked[T], len(items))
	for i, item := range items {
		out[i] = ranked[T]{uint64(i) + 1, item}
	}
	return out
}

// query is one list request: what is asked, and which part of the answer.
type query struct {
	name     string // operation and filters; a token is valid for the same ones only
	fallback int32  // page size if none is asked for
	limit    int32  // largest page size
	asked    *int32
	token    *string
}

// pager cuts the lists of one backend into pages.
type pager struct {
	seal
	// refuse makes the backend's own error of a bad page size or token.
	refuse func(format string, args ...any) error
}

func newPager(refuse func(format string, args ...any) error) pager {
	return pager{seal: newSeal(), refuse: refuse}
}

// page returns the items of one page of all, which stand in order, and the
// token of the next one (nil at the end).
func page[T listed](p pager, q query, all []T) ([]T, *string, error) {
	size := q.fallback
	if q.asked != nil {
		size = *q.asked
	}
	if size < 1 || size > q.limit {
		return nil, nil, p.refuse("maxResults must be between 1 and %d.", q.limit)
	}
	if q.token != nil && *q.token != "" {
		after, ok := p.open(q.name, *q.token)
		if !ok {
			return nil, nil, p.refuse("Invalid token.")
		}
		for len(all) > 0 && all[0].place() <= after {
			all = all[1:]
		}
	}
	if len(all) <= int(size) {
		return all, nil, nil
	}
	all = all[:size]
	next := p.close(q.name, all[size-1].place())
	return all, &next, nil
}

// question names a query: the operation and every filter.
func question(parts ...string) string { return strings.Join(parts, "\x00") }
