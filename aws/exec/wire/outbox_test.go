package wire

import (
	"testing"
	"time"
)

var epoch = time.UnixMilli(1_700_000_000_000)

// at is a moment of the tests' clock.
func at(ms int) time.Time { return epoch.Add(time.Duration(ms) * time.Millisecond) }

func filled(n, window int) *outbox {
	o := newOutbox(InputStreamData, window)
	for range n {
		o.add(Output, []byte("x"), at(0))
	}
	return o
}

func sequences(t *testing.T, frames [][]byte) []int64 {
	t.Helper()
	var out []int64
	for _, b := range frames {
		f, err := Unmarshal(b)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f.Sequence)
	}
	return out
}

func expect(t *testing.T, what string, got []int64, want ...int64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%s: %v, want %v", what, got, want)
		}
	}
}

func TestOutboxResendsEveryOverdueFrame(t *testing.T) {
	o := filled(4, 8)
	expect(t, "first", sequences(t, o.takeFresh(nil, 10, at(0))), 0, 1, 2, 3)
	o.acknowledge(1, at(5)) // a round trip of 5 ms: due after 20
	expect(t, "early", sequences(t, o.takeOverdue(nil, 10, at(15))))
	expect(t, "late", sequences(t, o.takeOverdue(nil, 10, at(25))), 0, 2, 3)
	expect(t, "again at once", sequences(t, o.takeOverdue(nil, 10, at(30))))
	expect(t, "again in time", sequences(t, o.takeOverdue(nil, 10, at(45))), 0, 2, 3)
}

func TestOutboxGetsPatientWithASilentPeer(t *testing.T) {
	o := filled(1, 8)
	o.takeFresh(nil, 10, at(0))
	sent := 0
	for ms := range 60_000 {
		sent += len(o.takeOverdue(nil, 10, at(ms)))
	}
	if sent < 55 || sent > 65 {
		t.Errorf("resent %d times in a minute", sent)
	}
}

func TestOutboxIgnoresUnknownAcknowledgements(t *testing.T) {
	o := filled(3, 4)
	o.takeFresh(nil, 2, at(0)) // frame 2 was never sent
	for _, seq := range []int64{-1, 2, 3, 1 << 60} {
		o.acknowledge(seq, at(1))
	}
	if o.base != 0 || o.empty() {
		t.Fatal("an acknowledgement of nothing was taken")
	}
	o.acknowledge(0, at(1))
	o.acknowledge(0, at(1))
	if o.base != 1 {
		t.Fatalf("base is %d, want 1", o.base)
	}
}

func TestOutboxWindow(t *testing.T) {
	o := filled(4, 4)
	if !o.full() {
		t.Fatal("four frames do not fill a window of four")
	}
	o.takeFresh(nil, 10, at(0))
	o.acknowledge(2, at(1))
	if !o.full() {
		t.Fatal("a gap at the front frees nothing")
	}
	o.acknowledge(0, at(1))
	if o.full() || o.base != 1 {
		t.Fatalf("base is %d", o.base)
	}
}

func TestOutboxSendsAllAgainOnANewConnection(t *testing.T) {
	o := filled(3, 8)
	o.takeFresh(nil, 10, at(0))
	o.acknowledge(1, at(1))
	o.rewind()
	expect(t, "after a reconnect", sequences(t, o.takeFresh(nil, 10, at(2))), 0, 2)
}

func TestOutboxStartsSmall(t *testing.T) {
	o := filled(100, 256)
	first := sequences(t, o.takeFresh(nil, 1000, at(0)))
	if len(first) != firstBurst {
		t.Fatalf("%d frames before the first acknowledgement", len(first))
	}
	o.acknowledge(0, at(1))
	if next := o.takeFresh(nil, 1000, at(1)); len(next) != 2 {
		t.Fatalf("an acknowledgement allowed %d frames, not 2", len(next))
	}
}

// A resent frame's acknowledgement may answer either sending, so it must not
// shorten the timeout.
func TestOutboxMeasuresFramesSentOnce(t *testing.T) {
	o := filled(2, 8)
	o.takeFresh(nil, 10, at(0))
	o.takeOverdue(nil, 10, at(250))
	o.acknowledge(0, at(251))
	if o.rto != firstRTO {
		t.Errorf("timeout became %s", o.rto)
	}
}

func TestOutboxTimeoutStaysInBounds(t *testing.T) {
	o := newOutbox(InputStreamData, 8)
	for _, rtt := range []time.Duration{0, time.Microsecond, 3 * time.Second, time.Hour, time.Millisecond} {
		for range 50 {
			o.sample(rtt)
			if o.rto < minRTO || o.rto > maxRTO {
				t.Fatalf("timeout %s after a round trip of %s", o.rto, rtt)
			}
		}
	}
}

func TestOnlyTheAgentsFirstFrameCarriesSyn(t *testing.T) {
	for _, c := range []struct {
		kind MessageType
		want []uint64
	}{{OutputStreamData, []uint64{1, 0}}, {InputStreamData, []uint64{0, 0}}} {
		o := newOutbox(c.kind, 4)
		o.add(Output, nil, at(0))
		o.add(Output, nil, at(0))
		for i, b := range o.takeFresh(nil, 2, at(0)) {
			if f, err := Unmarshal(b); err != nil || f.Flags != c.want[i] {
				t.Errorf("%s %d: flags %d, %v", c.kind, i, f.Flags, err)
			}
		}
	}
}
