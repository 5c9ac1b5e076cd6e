package table

import (
	"context"
	"slices"
	"sync"

	"gantry/ui/pane"
)

// gather makes one growing value of a source's pages.
func gather[T any](src Source[T], id func(T) string) pane.Get[[]T] {
	return func(ctx context.Context, soFar func([]T)) ([]T, error) {
		g := gathering[T]{id: id, rows: []T{}, where: map[string]int{}}
		err := src.List(ctx, func(page []T) { g.add(page, soFar) })
		return g.rows, err
	}
}

// gathering collects pages, each row once.
type gathering[T any] struct {
	id func(T) string

	mu    sync.Mutex // pages come from any goroutine
	rows  []T
	where map[string]int
}

// add appends a page and passes on what there is so far. That is never written
// to again, because the event loop reads it.
func (g *gathering[T]) add(page []T, soFar func([]T)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	owned := false
	for _, row := range page {
		id := g.id(row)
		i, again := g.where[id]
		if !again {
			g.where[id] = len(g.rows)
			g.rows = append(g.rows, row)
			continue
		}
		if !owned {
			g.rows, owned = slices.Clone(g.rows), true
		}
		g.rows[i] = row
	}
	soFar(g.rows[:len(g.rows):len(g.rows)])
}
