package pane_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
)

// reader follows a stream by hand: one batch at a time.
type reader struct {
	stream *pane.Stream[int]
	next   tea.Cmd
}

// batch is the next batch; ok is false when the stream took nothing.
func (r *reader) batch() (items []int, ok bool) {
	msg := r.next()
	items, ok, r.next = r.stream.Update(msg)
	return slices.Clone(items), ok
}

// rest is everything until the end.
func (r *reader) rest() (items []int, batches int) {
	for r.stream.Live() {
		got, _ := r.batch()
		items = append(items, got...)
		batches++
	}
	return items, batches
}

func count(to int) []int {
	n := make([]int, to)
	for i := range n {
		n[i] = i
	}
	return n
}

func TestStreamDrainsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &pane.Stream[int]{}
		release := make(chan struct{})
		r := reader{s, s.Start("k", func(_ context.Context, emit func([]int)) error {
			emit([]int{1})
			emit([]int{2, 3})
			<-release
			emit([]int{4})
			return nil
		})}
		got, _ := r.batch()
		for len(got) < 3 { // the first call may meet the source half way
			more, _ := r.batch()
			got = append(got, more...)
		}
		close(release)
		rest, _ := r.rest()
		if got = append(got, rest...); !slices.Equal(got, []int{1, 2, 3, 4}) {
			t.Errorf("got %v", got)
		}
		if s.Live() || s.Err != nil {
			t.Errorf("live %v, error %v after the end", s.Live(), s.Err)
		}
	})
}

func TestStreamSaysOnceThatThereIsNothingYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &pane.Stream[int]{}
		release := make(chan struct{})
		r := reader{s, s.Start("k", func(_ context.Context, emit func([]int)) error {
			emit(nil)
			<-release
			emit(nil)
			emit([]int{1})
			<-release
			return nil
		})}
		if got, ok := r.batch(); !ok || len(got) > 0 || !s.Live() {
			t.Errorf("at first %v, %v, live %v", got, ok, s.Live())
		}
		release <- struct{}{}
		if got, ok := r.batch(); !ok || !slices.Equal(got, []int{1}) {
			t.Errorf("then %v, %v", got, ok)
		}
		close(release)
		if rest, _ := r.rest(); len(rest) > 0 || s.Live() {
			t.Errorf("at the end %v, live %v", rest, s.Live())
		}
	})
}

func TestStreamOfAFloodIsOneBatchAFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &pane.Stream[int]{Limit: 100}
		const n = 2000
		r := reader{s, s.Start("k", func(_ context.Context, emit func([]int)) error {
			for _, i := range count(n) {
				emit([]int{i})
			}
			return nil
		})}
		start := time.Now()
		got, batches := r.rest()
		if !slices.Equal(got, count(n)) {
			t.Fatalf("%d items of %d came, or in another order", len(got), n)
		}
		frames := int(time.Since(start)/(time.Second/60)) + 2
		if batches > frames {
			t.Errorf("%d batches in %d frames", batches, frames)
		}
	})
}

// The source must not run ahead of a screen that takes nothing.
func TestStreamHoldsUpItsSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &pane.Stream[int]{Limit: 30, Weigh: func(int) int { return 10 }}
		var sent atomic.Int64
		r := reader{s, s.Start("k", func(ctx context.Context, emit func([]int)) error {
			for i := 0; ctx.Err() == nil; i++ {
				emit([]int{i})
				sent.Add(1)
			}
			return ctx.Err()
		})}
		first, _ := r.batch()
		synctest.Wait()
		if got := int(sent.Load()) - len(first); got != 3 {
			t.Errorf("%d items wait, want 3", got)
		}
		_, _ = r.batch()
		s.Stop()
		synctest.Wait()
	})
}

func TestStreamTellsWhyItEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &pane.Stream[int]{}
		broken := errors.New("connection reset")
		r := reader{s, s.Start("k", func(_ context.Context, emit func([]int)) error {
			emit([]int{1})
			return broken
		})}
		if got, _ := r.rest(); !slices.Equal(got, []int{1}) {
			t.Errorf("got %v", got)
		}
		if !errors.Is(s.Err, broken) {
			t.Errorf("error is %v", s.Err)
		}
	})
}

func TestStreamTakesNothingOfAnotherKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &pane.Stream[int]{}
		var ended atomic.Bool
		forever := func(n int) pane.Follow[int] {
			return func(ctx context.Context, emit func([]int)) error {
				emit([]int{n})
				<-ctx.Done()
				ended.Store(true)
				return ctx.Err()
			}
		}
		late := s.Start("a", forever(1))() // a batch under way
		if s.Start("a", forever(3)) != nil {
			t.Error("the same key was started twice")
		}
		r := reader{s, s.Start("b", forever(2))}
		if _, mine, _ := s.Update(late); mine {
			t.Error("took a batch of the key before")
		}
		synctest.Wait()
		if !ended.Load() {
			t.Error("the source before still runs")
		}
		if got, ok := r.batch(); !ok || !slices.Equal(got, []int{2}) {
			t.Errorf("got %v, %v", got, ok)
		}
		waiting := r.next
		s.Stop()
		if msg := waiting(); msg != nil {
			t.Errorf("a stopped stream says %T", msg)
		}
	})
}

func TestStreamStoppedBeforeItRan(t *testing.T) {
	s := &pane.Stream[int]{}
	cmd := s.Start("k", func(context.Context, func([]int)) error {
		t.Error("was followed")
		return nil
	})
	s.Stop()
	if msg := cmd(); msg != nil {
		t.Errorf("says %T", msg)
	}
}

func TestStreamOfSeveralWriters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &pane.Stream[int]{Limit: 7}
		r := reader{s, s.Start("k", func(_ context.Context, emit func([]int)) error {
			var all sync.WaitGroup
			for range 5 {
				all.Go(func() {
					for i := range 100 {
						emit([]int{i, i, i})
					}
				})
			}
			all.Wait()
			return nil
		})}
		if got, _ := r.rest(); len(got) != 1500 {
			t.Errorf("%d items came, want 1500", len(got))
		}
	})
}

func BenchmarkStream(b *testing.B) {
	s := &pane.Stream[int]{Limit: 1 << 20}
	batch := make([]int, 1000)
	r := reader{s, s.Start("k", func(_ context.Context, emit func([]int)) error {
		for range b.N {
			emit(batch)
		}
		return nil
	})}
	b.ReportAllocs()
	for s.Live() {
		_, _, r.next = s.Update(r.next())
	}
}
