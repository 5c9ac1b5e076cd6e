package aws_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"gantry/aws"
)

// BenchmarkLoad reads 1,000 services and their 5,000 tasks, both at once as the
// panes do, from a sandbox whose tasks are states only. The goals are 0.6 s on
// loopback and 3 s with 40 ms a call.
func BenchmarkLoad(b *testing.B) {
	const services, perService = 1000, 5
	w := newWorld(b)
	w.cluster("big")
	w.services("big", services, perService)
	w.running("big", services*perService)
	for _, latency := range []time.Duration{0, 40 * time.Millisecond} {
		b.Run(fmt.Sprintf("latency=%s", latency), func(b *testing.B) {
			w.server.Faults().Latency(latency)
			defer w.server.Faults().Clear()
			c := w.client(nil)
			b.ReportAllocs()
			var firstRows time.Duration
			before := c.Calls()
			for b.Loop() {
				firstRows += load(b, c, services, services*perService)
			}
			b.ReportMetric(float64(firstRows.Milliseconds())/float64(b.N), "ms-to-first-rows")
			b.ReportMetric(float64(c.Calls()-before)/float64(b.N), "calls/op")
		})
	}
}

// load reads everything once and returns how long the first rows took.
func load(b *testing.B, c *aws.Client, services, tasks int) time.Duration {
	b.Helper()
	start := time.Now()
	var first atomic.Int64
	var gotServices, gotTasks int
	both, ctx := errgroup.WithContext(context.Background())
	both.Go(func() error {
		return c.Services(ctx, "big", func(page []aws.Service) {
			first.CompareAndSwap(0, int64(time.Since(start)))
			gotServices += len(page)
		})
	})
	both.Go(func() error {
		return c.Tasks(ctx, "big", "", func(page []aws.Task) {
			first.CompareAndSwap(0, int64(time.Since(start)))
			gotTasks += len(page)
		})
	})
	if err := both.Wait(); err != nil {
		b.Fatal(err)
	}
	if gotServices != services || gotTasks != tasks {
		b.Fatalf("%d services and %d tasks, want %d and %d", gotServices, gotTasks, services, tasks)
	}
	return time.Duration(first.Load())
}
