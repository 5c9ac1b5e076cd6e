package sandbox

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"

	"gantry/aws/sandbox/wire"
)

// Faults make the API misbehave while it runs, and count its calls. The zero
// settings are no fault at all. Operations are named without their service:
// "DescribeTasks". All methods are safe for concurrent use.
type Faults struct {
	caller string // ARN in the wording of a denial

	mu            sync.Mutex
	latency       time.Duration
	latencyOf     map[string]time.Duration
	every         int // every how manyth call is throttled; 0 for none
	sinceLast     int // calls since the last throttled one
	denied        map[string]bool
	silent        bool
	expired       bool
	loginsExpired bool // of the registry
	exec          execFaults
	calls         map[string]int
}

func newFaults(caller string) *Faults {
	return &Faults{
		caller:    caller,
		latencyOf: map[string]time.Duration{},
		denied:    map[string]bool{},
		calls:     map[string]int{},
	}
}

// Latency makes every call take d longer; 0 ends it.
func (f *Faults) Latency(d time.Duration) { f.set(func() { f.latency = d }) }

// LatencyOf makes calls of one operation take d longer, in place of Latency;
// 0 gives the operation back to Latency.
func (f *Faults) LatencyOf(operation string, d time.Duration) {
	f.set(func() {
		f.latencyOf[operation] = d
		if d == 0 {
			delete(f.latencyOf, operation)
		}
	})
}

// ThrottleEvery answers every nth call from now on with ThrottlingException;
// 0 ends it.
func (f *Faults) ThrottleEvery(n int) { f.set(func() { f.every, f.sinceLast = n, 0 }) }

// Deny answers calls of these operations with AccessDeniedException.
func (f *Faults) Deny(operations ...string) {
	f.set(func() {
		for _, operation := range operations {
			f.denied[operation] = true
		}
	})
}

// Allow takes Deny back.
func (f *Faults) Allow(operations ...string) {
	f.set(func() {
		for _, operation := range operations {
			delete(f.denied, operation)
		}
	})
}

// Silent holds every call that comes while it is on, without an answer, until
// its client leaves.
func (f *Faults) Silent(on bool) { f.set(func() { f.silent = on }) }

// ExpireToken answers every call with ExpiredTokenException while it is on, as
// if the credentials had been temporary and their time were up.
func (f *Faults) ExpireToken(on bool) { f.set(func() { f.expired = on }) }

// Clear ends every fault. The counts stay.
func (f *Faults) Clear() {
	f.set(func() {
		f.latency, f.every, f.silent, f.expired = 0, 0, false, false
		f.loginsExpired = false
		clear(f.latencyOf)
		clear(f.denied)
		f.exec = execFaults{}
	})
}

// Calls tells how often each operation was called, faults included.
func (f *Faults) Calls() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.calls)
}

// ResetCalls counts from zero again.
func (f *Faults) ResetCalls() { f.set(func() { clear(f.calls) }) }

func (f *Faults) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// before is what a call meets ahead of its backend.
func (f *Faults) before(ctx context.Context, c wire.Call) error {
	silent, latency, fault := f.meet(c)
	if silent {
		<-ctx.Done()
		return ctx.Err()
	}
	if err := wait(ctx, latency); err != nil {
		return err
	}
	return fault
}

// meet counts a call and settles its fate.
func (f *Faults) meet(c wire.Call) (silent bool, latency time.Duration, fault error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[c.Operation]++
	latency = f.latency
	if own, ok := f.latencyOf[c.Operation]; ok {
		latency = own
	}
	return f.silent, latency, f.fault(c)
}

func (f *Faults) fault(c wire.Call) error {
	switch {
	case f.expired:
		return &wire.Error{
			Code: "ExpiredTokenException", Status: http.StatusForbidden,
			Message: "The security token included in the request is expired",
		}
	case f.denied[c.Operation]:
		action := c.Service + ":" + c.Operation
		return &wire.Error{
			Code: "AccessDeniedException", Status: http.StatusBadRequest,
			Message: fmt.Sprintf("User: %s is not authorized to perform: %s on resource: * because no identity-based policy allows the %s action", f.caller, action, action),
		}
	case f.throttles():
		return &wire.Error{Code: "ThrottlingException", Status: http.StatusBadRequest, Message: "Rate exceeded"}
	default:
		return nil
	}
}

func (f *Faults) throttles() bool {
	if f.every <= 0 {
		return false
	}
	f.sinceLast++
	if f.sinceLast < f.every {
		return false
	}
	f.sinceLast = 0
	return true
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
