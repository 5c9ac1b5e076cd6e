package aws

import (
	"context"
	"errors"
	"slices"
	"sync"

	"gantry/internal/diagnose"
)

// nextPage reads the page of a list at token, the first one if it is nil. It
// returns the page's ids and the token of the page after it, nil at the end.
type nextPage func(ctx context.Context, token *string) (ids []string, after *string, err error)

// each reads every page and visits its ids, each id once: a task that stops
// while its cluster is being listed is named by the running and by the stopped
// list. It ends when visit fails.
func (next nextPage) each(ctx context.Context, visit func(ids []string) error) error {
	seen := map[string]bool{}
	return eachPage(func(token *string) (*string, error) {
		ids, after, err := next(ctx, token)
		if err != nil {
			return nil, err
		}
		return after, visit(fresh(ids, seen))
	})
}

// eachPage reads a list to its end: read gets the token of a page, nil for the
// first, and returns the token of the page after it.
func eachPage(read func(token *string) (after *string, err error)) error {
	var token *string
	for {
		after, err := read(token)
		switch {
		case err != nil:
			return err
		case after == nil || *after == "":
			return nil
		case token != nil && *after == *token:
			return errSamePage
		}
		token = after
	}
}

// errSamePage ends a list whose server answers the same token for ever.
var errSamePage = errors.New("the list names the same next page again")

// all reads the whole list.
func (next nextPage) all(ctx context.Context) ([]string, error) {
	var all []string
	err := next.each(ctx, func(ids []string) error {
		all = append(all, ids...)
		return nil
	})
	return all, err
}

// listing reads a list page by page and describes what it names while the next
// page is still being read.
type listing[T any] struct {
	next nextPage
	// size is how many ids one describe takes.
	size int
	// describe returns one row per id in the order of the ids. Ids that could
	// not be described are rows as well; err is set when the whole call failed.
	describe func(ctx context.Context, ids []string) (rows []T, err error)
}

// batch is one describe: what it asks, and once done is closed what came back.
type batch[T any] struct {
	ids  []string
	last bool // of its page
	done chan struct{}
	rows []T
	err  error
}

// run calls page with the rows of each page of the list, in the order of the
// list, from the calling goroutine. It returns the error of the first list call
// that failed, else the denial that met every describe, and has ended every
// goroutine of its own by then. An empty list calls nothing.
func (l listing[T]) run(ctx context.Context, page func([]T)) error {
	ctx, cancel := context.WithCancel(ctx)
	var crew sync.WaitGroup
	defer crew.Wait()
	defer cancel()

	work := make(chan *batch[T])
	order := make(chan *batch[T], 4*workers)
	var listErr error
	crew.Go(func() {
		defer close(order)
		defer close(work)
		listErr = l.read(ctx, &crew, work, order)
	})

	var rows []T
	var verdict verdict
	for b := range order {
		select {
		case <-b.done:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		verdict.add(b.err)
		rows = append(rows, b.rows...)
		if b.last {
			page(rows)
			rows = nil
		}
	}
	if listErr != nil {
		return listErr
	}
	return verdict.err()
}

// read lists every page and hands its batches to the workers, of which it
// starts one per batch until there are enough.
func (l listing[T]) read(ctx context.Context, crew *sync.WaitGroup, work, order chan *batch[T]) error {
	started := 0
	return l.next.each(ctx, func(ids []string) error {
		for _, b := range split[T](ids, l.size) {
			if started < workers {
				started++
				crew.Go(func() { l.work(ctx, work) })
			}
			if !hand(ctx, order, b) || !hand(ctx, work, b) {
				return ctx.Err()
			}
		}
		return nil
	})
}

func (l listing[T]) work(ctx context.Context, work <-chan *batch[T]) {
	for b := range work {
		b.rows, b.err = l.describe(ctx, b.ids)
		close(b.done)
	}
}

// hand sends a batch unless the context ends first.
func hand[T any](ctx context.Context, to chan<- *batch[T], b *batch[T]) bool {
	select {
	case to <- b:
		return true
	case <-ctx.Done():
		return false
	}
}

// fresh drops the ids that an earlier page had.
func fresh(ids []string, seen map[string]bool) []string {
	kept := ids[:0]
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			kept = append(kept, id)
		}
	}
	return kept
}

// split cuts a page into describes.
func split[T any](ids []string, size int) []*batch[T] {
	batches := make([]*batch[T], 0, (len(ids)+size-1)/size)
	for start := 0; start < len(ids); start += size {
		end := min(start+size, len(ids))
		batches = append(batches, &batch[T]{ids: ids[start:end:end], last: end == len(ids), done: make(chan struct{})})
	}
	return batches
}

// verdict gathers how the describes of one list went.
type verdict struct {
	first  error
	failed int
	all    int
}

func (v *verdict) add(err error) {
	v.all++
	if err == nil {
		return
	}
	v.failed++
	if v.first == nil {
		v.first = err
	}
}

// err is the first failure when every describe failed: then it is the list
// that cannot be shown, and not a part of it.
func (v *verdict) err() error {
	if v.all > 0 && v.failed == v.all {
		return v.first
	}
	return nil
}

// these describes ids that are known already, in their order.
func (l listing[T]) these(ctx context.Context, ids []string) ([]T, error) {
	l.next = func(context.Context, *string) ([]string, *string, error) { return slices.Clone(ids), nil, nil }
	rows := make([]T, 0, len(ids))
	err := l.run(ctx, func(page []T) { rows = append(rows, page...) })
	return rows, err
}

// arrange puts the rows of a describe into the order of the ids it was asked
// for. The answer's own order is not promised by AWS; ids that it leaves out
// become rows made by missing, with AWS's reason where it gave one. Within one
// describe the last part of an ARN is unique, so names do as well as ARNs.
func arrange[T any](ids []string, rows []T, arn func(*T) string, reasons map[string]string, missing func(id, why string) T) []T {
	at := make(map[string]int, len(rows))
	for i := range rows {
		at[nameOf(arn(&rows[i]))] = i
	}
	out := make([]T, len(ids))
	for i, id := range ids {
		if k, ok := at[nameOf(id)]; ok {
			out[i] = rows[k]
			continue
		}
		why, ok := reasons[nameOf(id)]
		if !ok {
			why = "MISSING"
		}
		out[i] = missing(id, why)
	}
	return out
}

// unread makes a row of each id of a describe that failed as a whole.
func unread[T any](ids []string, err error, missing func(id, why string) T) []T {
	why := briefly(err)
	rows := make([]T, len(ids))
	for i, id := range ids {
		rows[i] = missing(id, why)
	}
	return rows
}

// briefly is the cause of a failure, short enough for a cell of a table.
func briefly(err error) string {
	var d *diagnose.Error
	if errors.As(err, &d) && d.Cause != "" {
		return d.Cause
	}
	return err.Error()
}
