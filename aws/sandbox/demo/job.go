package demo

import (
	"context"
	"fmt"
	"os/signal"
	"syscall"
	"time"
)

const (
	orderEvery = 5 * time.Second
	stepTakes  = 300 * time.Millisecond
	crashAfter = 700 * time.Millisecond
)

// work is a worker without a port: it takes an order now and then, for ever.
func (a app) work() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	fmt.Fprintln(a.out, "waiting for orders")
	tick := time.NewTicker(orderEvery)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-tick.C:
			fmt.Fprintf(a.out, "order %d done\n", n)
		case <-ctx.Done():
			fmt.Fprintln(a.out, "SIGTERM: no more orders")
			return exitOK
		}
	}
}

// batch is a short job that ends with the given status, 0 by default.
func (a app) batch(args []string) int {
	const steps = 3
	for n := range steps {
		time.Sleep(stepTakes)
		fmt.Fprintf(a.out, "step %d of %d done\n", n+1, steps)
	}
	code := status(args, exitOK)
	if code != exitOK {
		fmt.Fprintf(a.err, "job failed with status %d\n", code)
		return code
	}
	fmt.Fprintln(a.out, "job done")
	return exitOK
}

// crash ends soon, with the given status or 1.
func (a app) crash(args []string) int {
	fmt.Fprintln(a.out, "starting")
	time.Sleep(crashAfter)
	fmt.Fprintln(a.err, "fatal: the payment service does not answer")
	return status(args, 1)
}

// stubborn ignores SIGTERM, as a shell does that runs a program without exec:
// stopping it takes the whole stopTimeout and ends with status 137.
func (a app) stubborn() int {
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT)
	fmt.Fprintln(a.out, "running, and deaf to SIGTERM")
	for {
		time.Sleep(time.Hour) // an empty select would be reported as a deadlock
	}
}
