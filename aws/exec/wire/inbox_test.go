package wire

import (
	"strings"
	"testing"
)

func TestInboxDrainsInOrder(t *testing.T) {
	var in inbox
	for _, n := range []int64{2, 1, 2} {
		if !in.hold(&Frame{Sequence: n, Payload: []byte{byte('0' + n)}}) {
			t.Fatalf("frame %d was refused", n)
		}
	}
	var got strings.Builder
	take := func(_ PayloadType, p []byte) bool { got.Write(p); return true }
	in.drain(take)
	if got.String() != "" {
		t.Fatalf("delivered %q before frame 0", got.String())
	}
	in.hold(&Frame{Sequence: 0, Payload: []byte("0")})
	in.drain(take)
	if got.String() != "012" || len(in.held) != 0 || in.bytes != 0 {
		t.Fatalf("delivered %q, %d held, %d bytes", got.String(), len(in.held), in.bytes)
	}
}

func TestInboxIsBounded(t *testing.T) {
	var in inbox
	if in.hold(&Frame{Sequence: maxHeldFrames}) {
		t.Error("kept a frame from far ahead")
	}
	big := make([]byte, 1<<20)
	kept := 0
	for n := int64(1); n < 100; n++ {
		if in.hold(&Frame{Sequence: n, Payload: big}) {
			kept++
		}
	}
	if in.bytes > maxHeldBytes || kept != maxHeldBytes/len(big) {
		t.Errorf("%d frames, %d bytes held", kept, in.bytes)
	}
	if !in.hold(&Frame{Sequence: 0, Payload: big}) {
		t.Error("refused the one frame that frees the others")
	}
}

func TestInboxKeepsWhatIsRefused(t *testing.T) {
	var in inbox
	in.hold(&Frame{Sequence: 0, Payload: []byte("a")})
	in.drain(func(PayloadType, []byte) bool { return false })
	var got string
	in.drain(func(_ PayloadType, p []byte) bool { got += string(p); return true })
	if got != "a" || in.next != 1 {
		t.Errorf("delivered %q, next is %d", got, in.next)
	}
}
