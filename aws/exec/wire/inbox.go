package wire

// How much that came too early is kept. AWS's agent sends on past a gap and
// fills it one frame per 100 ms, so this must be ample; its own bound is
// 100,000 frames, the plugin's 10,000.
const (
	maxHeldFrames = 10_000
	maxHeldBytes  = 4 << 20
)

// inbox puts the frames of one direction in order. Its owner locks it.
type inbox struct {
	next  int64 // the frame to deliver next
	held  map[int64]heldFrame
	bytes int
}

type heldFrame struct {
	kind    PayloadType
	payload []byte
}

// hold keeps a copy of a frame at or after next. It reports false when there
// is no room, in which case the frame must not be acknowledged. For next
// itself there always is: without it the others would never leave.
func (in *inbox) hold(f *Frame) bool {
	if _, ok := in.held[f.Sequence]; ok {
		return true
	}
	full := f.Sequence-in.next >= maxHeldFrames || in.bytes+len(f.Payload) > maxHeldBytes
	if full && f.Sequence != in.next {
		return false
	}
	if in.held == nil {
		in.held = make(map[int64]heldFrame)
	}
	in.held[f.Sequence] = heldFrame{f.PayloadType, append([]byte(nil), f.Payload...)}
	in.bytes += len(f.Payload)
	return true
}

// drain hands the held frames that are in order to deliver until it refuses
// one.
func (in *inbox) drain(deliver func(PayloadType, []byte) bool) {
	for {
		h, ok := in.held[in.next]
		if !ok || !deliver(h.kind, h.payload) {
			return
		}
		delete(in.held, in.next)
		in.bytes -= len(h.payload)
		in.next++
	}
}
