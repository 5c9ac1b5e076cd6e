package wire

import (
	"time"

	"github.com/google/uuid"
)

// How long an unacknowledged frame is waited for. AWS's ends tick every
// 100 ms and resend only their oldest frame; with every seventh frame lost
// that takes 37 s for 1 MiB, resending all overdue ones from 20 ms up 0.3 s.
const (
	firstRTO = 200 * time.Millisecond
	minRTO   = 20 * time.Millisecond
	maxRTO   = time.Second
	// clockGrain keeps the timeout above the round trip on a link so even
	// that its variation is nothing.
	clockGrain = 10 * time.Millisecond
)

// firstBurst is how many frames a connection carries before the first
// acknowledgement; each one then allows another. Without it a connection that
// breaks early every time would carry the same full window again and again.
const firstBurst = 32

// outbox holds the frames one end has sent until the peer acknowledges them,
// at most window at a time. It is a plain value machine: its owner locks it
// and tells it the time.
type outbox struct {
	slots  []slot // frame n lies in slots[n%window]
	base   int64  // oldest unacknowledged
	fresh  int64  // oldest not yet sent on this connection
	next   int64  // number of the next frame
	burst  int64  // how many may be on their way on this connection
	kind   MessageType
	srtt   time.Duration // smoothed round trip, 0 before the first sample
	rttvar time.Duration
	rto    time.Duration
}

type slot struct {
	frame    []byte    // whole frame, its memory reused
	first    time.Time // when this connection first carried it
	sent     time.Time
	attempts int // times sent on this connection
	acked    bool
}

func newOutbox(kind MessageType, window int) *outbox {
	return &outbox{slots: make([]slot, window), kind: kind, rto: firstRTO, burst: firstBurst}
}

func (o *outbox) full() bool  { return o.next-o.base >= int64(len(o.slots)) }
func (o *outbox) empty() bool { return o.next == o.base }

func (o *outbox) slot(seq int64) *slot { return &o.slots[seq%int64(len(o.slots))] }

// add gives the payload the next number. The outbox must not be full.
func (o *outbox) add(t PayloadType, payload []byte, now time.Time) {
	f := Frame{Type: o.kind, Created: now, Sequence: o.next, ID: uuid.New(), PayloadType: t, Payload: payload}
	if o.kind == OutputStreamData && o.next == 0 {
		f.Flags = FlagSyn
	}
	s := o.slot(o.next)
	*s = slot{frame: f.Append(s.frame[:0])}
	o.next++
}

// acknowledge forgets frame seq. A number that is not awaited (acknowledged
// before, or never sent) changes nothing.
func (o *outbox) acknowledge(seq int64, now time.Time) {
	if seq < o.base || seq >= o.next {
		return
	}
	s := o.slot(seq)
	if s.acked || s.first.IsZero() {
		return
	}
	s.acked = true
	o.burst = min(o.burst+1, int64(len(o.slots)))
	if s.attempts == 1 { // of a frame sent twice nobody knows which one is meant
		o.sample(now.Sub(s.sent))
	}
	for o.base < o.next && o.slot(o.base).acked {
		o.base++
	}
	o.fresh = max(o.fresh, o.base)
}

// sample takes a measured round trip into the timeout, as RFC 6298 does.
func (o *outbox) sample(rtt time.Duration) {
	if o.srtt == 0 {
		o.srtt, o.rttvar = rtt, rtt/2
	} else {
		o.rttvar += ((o.srtt - rtt).Abs() - o.rttvar) / 4
		o.srtt += (rtt - o.srtt) / 8
	}
	o.rto = min(max(o.srtt+max(clockGrain, 4*o.rttvar), minRTO), maxRTO)
}

// rewind makes every unacknowledged frame due again: a new connection knows
// nothing of what the old one carried.
func (o *outbox) rewind() {
	o.fresh = o.base
	o.burst = firstBurst
	for n := o.base; n < o.next; n++ {
		s := o.slot(n)
		s.attempts, s.first = 0, time.Time{}
	}
}

// sendable says whether a frame may go out that has not on this connection.
func (o *outbox) sendable() bool { return o.fresh < o.next && o.fresh-o.base < o.burst }

// takeFresh copies up to limit frames that this connection has not carried
// yet behind dst.
func (o *outbox) takeFresh(dst [][]byte, limit int, now time.Time) [][]byte {
	for ; o.sendable() && limit > 0; o.fresh++ {
		if s := o.slot(o.fresh); !s.acked {
			dst = take(dst, s, now)
			limit--
		}
	}
	return dst
}

// takeOverdue copies up to limit frames whose acknowledgement is late behind
// dst. After the first few attempts each is waited for twice as long every
// time, up to maxRTO.
func (o *outbox) takeOverdue(dst [][]byte, limit int, now time.Time) [][]byte {
	for n := o.base; n < o.fresh && limit > 0; n++ {
		s := o.slot(n)
		if !s.acked && now.Sub(s.sent) >= o.patience(s.attempts) {
			dst = take(dst, s, now)
			limit--
		}
	}
	return dst
}

// patience is how long a frame sent so many times is waited for. The timeout
// follows the round trip, so the first few resends answer losses; only a peer
// that stays silent is left in peace.
func (o *outbox) patience(attempts int) time.Duration {
	const eager = 4
	return min(o.rto<<min(max(attempts-eager, 0), 6), maxRTO)
}

// take copies the frame, because its slot may be acknowledged and filled
// anew while it is being written; the copies reuse what dst held before.
func take(dst [][]byte, s *slot, now time.Time) [][]byte {
	s.attempts++
	s.sent = now
	if s.first.IsZero() {
		s.first = now
	}
	return appendCopy(dst, s.frame)
}

// oldest is when this connection first carried the oldest unacknowledged
// frame, zero if there is none.
func (o *outbox) oldest() time.Time {
	if o.base == o.fresh {
		return time.Time{}
	}
	return o.slot(o.base).first
}

func appendCopy(dst [][]byte, frame []byte) [][]byte {
	if len(dst) < cap(dst) {
		dst = dst[:len(dst)+1]
	} else {
		dst = append(dst, nil)
	}
	dst[len(dst)-1] = append(dst[len(dst)-1][:0], frame...)
	return dst
}
