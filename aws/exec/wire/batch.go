package wire

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// write sends what there is: acknowledgements, new frames, and while any
// frame is unacknowledged, the overdue ones.
func (l *Link) write(ctx context.Context, c Conn) error {
	tick := time.NewTimer(resendTick)
	defer tick.Stop()
	var b batch
	for {
		now := time.Now()
		waiting, late := l.fill(&b, now)
		if late {
			return ErrUnacknowledged
		}
		for _, frame := range b.frames {
			if err := c.Write(frame); err != nil {
				return fmt.Errorf("write to the data channel: %w", err)
			}
		}
		if len(b.frames) > 0 {
			continue
		}
		var resend <-chan time.Time
		if waiting {
			tick.Reset(resendTick)
			resend = tick.C
		}
		select {
		case <-l.wake:
		case <-resend:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// batch is what the writer sends in one go. Its memory is reused.
type batch struct {
	frames  [][]byte
	acks    []pendingAck
	payload []byte
	scanned time.Time // when overdue frames were last looked for
}

// fill collects the next batch. It reports whether frames wait for their
// acknowledgement, and whether one has for too long.
func (l *Link) fill(b *batch, now time.Time) (waiting, late bool) {
	b.frames = b.frames[:0]
	b.takeAcks(l, now)
	l.mu.Lock()
	defer l.mu.Unlock()
	b.frames = l.out.takeFresh(b.frames, batchFrames, now)
	if now.Sub(b.scanned) >= resendTick {
		b.scanned = now
		b.frames = l.out.takeOverdue(b.frames, batchFrames, now)
	}
	if l.last != nil && !l.told && len(b.frames) == 0 {
		l.told = true
		b.frames = appendCopy(b.frames, l.last)
	}
	oldest := l.out.oldest()
	return !l.out.empty(), !oldest.IsZero() && now.Sub(oldest) > l.o.AckWithin
}

// takeAcks puts pending acknowledgements in front of the data: the peer's
// window waits for them.
func (b *batch) takeAcks(l *Link, now time.Time) {
	l.mu.Lock()
	n := min(len(l.acks), batchFrames)
	b.acks = append(b.acks[:0], l.acks[:n]...)
	l.acks = l.acks[:copy(l.acks, l.acks[n:])]
	l.mu.Unlock()
	for _, a := range b.acks {
		b.addAck(a, now)
	}
}

func (b *batch) addAck(a pendingAck, now time.Time) {
	b.payload = appendAck(b.payload[:0], a.kind, a.id, a.seq)
	f := Frame{Type: Acknowledge, Created: now, Flags: FlagSyn | FlagFin, ID: uuid.New(), Payload: b.payload}
	b.frames = appendCopy(b.frames, nil)
	last := &b.frames[len(b.frames)-1]
	*last = f.Append((*last)[:0])
}
