package term

import "sync"

// maxAnswers bounds the answers that wait for a far end which asks and does
// not read. What the user types is never dropped.
const maxAnswers = 1 << 20

// outbox is what waits to be sent. Putting something in never blocks.
type outbox struct {
	mu      sync.Mutex
	waiting []byte
	stopped bool
	muted   bool
	ready   sync.Cond
}

func newOutbox() *outbox {
	o := &outbox{}
	o.ready.L = &o.mu
	return o
}

func (o *outbox) put(p []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stopped {
		return
	}
	o.waiting = append(o.waiting, p...)
	o.ready.Signal()
}

// mute drops answers: somebody else gives them now. unmute takes them again.
func (o *outbox) mute() { o.setMuted(true) }

func (o *outbox) unmute() { o.setMuted(false) }

func (o *outbox) setMuted(muted bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.muted = muted
}

// answer puts in what the terminal answers by itself.
func (o *outbox) answer(p []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.muted || o.stopped || len(o.waiting)+len(p) > maxAnswers {
		return
	}
	o.waiting = append(o.waiting, p...)
	o.ready.Signal()
}

// take waits for something to send; nil means that nothing will be sent any
// more.
func (o *outbox) take() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.waiting) == 0 && !o.stopped {
		o.ready.Wait()
	}
	if o.stopped {
		return nil
	}
	p := o.waiting
	o.waiting = nil
	return p
}

func (o *outbox) stop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stopped, o.waiting = true, nil
	o.ready.Broadcast()
}
