package sandbox

import (
	"container/heap"
	"sync"
	"time"
)

// manualClock stands still until a test advances it.
type manualClock struct {
	mu    sync.Mutex
	now   time.Time
	order int
	queue calls
}

func newManualClock() *manualClock {
	return &manualClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
}

func (c *manualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *manualClock) AfterFunc(d time.Duration, f func()) Timer {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.order++
	p := &manualCall{clock: c, at: c.now.Add(max(d, 0)), order: c.order, run: f}
	heap.Push(&c.queue, p)
	return p
}

// Advance moves time forward by d and makes every call that falls due on the
// way, in order, on the caller's goroutine.
func (c *manualClock) Advance(d time.Duration) {
	c.mu.Lock()
	end := c.now.Add(d)
	for len(c.queue) > 0 && !c.queue[0].at.After(end) {
		p := heap.Pop(&c.queue).(*manualCall)
		c.now = p.at
		c.mu.Unlock()
		p.run()
		c.mu.Lock()
	}
	c.now = end
	c.mu.Unlock()
}

type manualCall struct {
	clock *manualClock
	at    time.Time
	order int
	index int
	run   func()
}

func (p *manualCall) Stop() bool {
	p.clock.mu.Lock()
	defer p.clock.mu.Unlock()
	if p.index < 0 {
		return false
	}
	heap.Remove(&p.clock.queue, p.index)
	return true
}

// calls is a heap by due time, then by the order of their making.
type calls []*manualCall

func (q calls) Len() int { return len(q) }

func (q calls) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].order < q[j].order
	}
	return q[i].at.Before(q[j].at)
}

func (q calls) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *calls) Push(x any) {
	p := x.(*manualCall)
	p.index = len(*q)
	*q = append(*q, p)
}

func (q *calls) Pop() any {
	last := len(*q) - 1
	p := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	p.index = -1
	return p
}
