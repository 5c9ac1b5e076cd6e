package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

func sample() Frame {
	return Frame{
		Type:        InputStreamData,
		Created:     time.UnixMilli(1_700_000_000_123),
		Sequence:    7,
		ID:          uuid.MustParse("00112233-4455-6677-8899-aabbccddeeff"),
		PayloadType: Output,
		Payload:     []byte("ls\r"),
	}
}

// The layout is a fact of AWS's ends, so it is checked byte by byte and not
// only against our own reader.
func TestFrameLayout(t *testing.T) {
	f := sample()
	b := f.Append(nil)
	if len(b) != 120+3 {
		t.Fatalf("frame of %d bytes", len(b))
	}
	for _, c := range []struct {
		field     string
		got, want any
	}{
		{"header length", binary.BigEndian.Uint32(b), uint32(116)},
		{"type", string(b[4:36]), "input_stream_data" + strings.Repeat(" ", 15)},
		{"schema", binary.BigEndian.Uint32(b[36:]), uint32(1)},
		{"created", binary.BigEndian.Uint64(b[40:]), uint64(1_700_000_000_123)},
		{"sequence", binary.BigEndian.Uint64(b[48:]), uint64(7)},
		{"flags", binary.BigEndian.Uint64(b[56:]), uint64(0)},
		{"id, halves swapped", string(b[64:80]), "\x88\x99\xaa\xbb\xcc\xdd\xee\xff\x00\x11\x22\x33\x44\x55\x66\x77"},
		{"payload type", binary.BigEndian.Uint32(b[112:]), uint32(1)},
		{"payload length", binary.BigEndian.Uint32(b[116:]), uint32(3)},
		{"payload", string(b[120:]), "ls\r"},
	} {
		if c.got != c.want {
			t.Errorf("%s is %v, want %v", c.field, c.got, c.want)
		}
	}
}

func TestUnmarshalReadsWhatAppendWrote(t *testing.T) {
	want := sample()
	got, err := Unmarshal(want.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	if got.Type != want.Type || !got.Created.Equal(want.Created) || got.Sequence != want.Sequence ||
		got.ID != want.ID || got.PayloadType != want.PayloadType || !bytes.Equal(got.Payload, want.Payload) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestUnmarshalFollowsTheHeaderLength(t *testing.T) {
	f := sample()
	b := f.Append(nil)
	longer := append([]byte(nil), b[:116]...)
	longer = append(longer, "four"...) // a field that a later version may add
	longer = append(longer, b[116:]...)
	binary.BigEndian.PutUint32(longer, 120)
	got, err := Unmarshal(longer)
	if err != nil {
		t.Fatal(err)
	}
	if string(got.Payload) != "ls\r" {
		t.Errorf("payload is %q", got.Payload)
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	f := sample()
	good := f.Append(nil)
	change := func(at int, to byte) []byte {
		b := append([]byte(nil), good...)
		b[at] = to
		return b
	}
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"nothing":            {nil, ErrShort},
		"half a header":      {good[:60], ErrShort},
		"more than allowed":  {make([]byte, MaxFrame+1), ErrLong},
		"header beyond end":  {change(3, 200), ErrHeader},
		"header too short":   {change(3, 100), ErrHeader},
		"huge header length": {change(0, 255), ErrHeader},
		"changed payload":    {change(120, 'x'), ErrDigest},
		"changed digest":     {change(80, 0), ErrDigest},
	} {
		if _, err := Unmarshal(c.data); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestUnmarshalTakesNoticesWithoutDigest(t *testing.T) {
	f := sample()
	f.Type = PausePublication
	b := f.Append(nil)
	b[80] ^= 1
	if _, err := Unmarshal(b); err != nil {
		t.Errorf("pause notice: %v", err)
	}
}

func TestAckIsTheJSONThatBothEndsRead(t *testing.T) {
	id := uuid.New()
	var a Ack
	if err := json.Unmarshal(appendAck(nil, OutputStreamData, id, 42), &a); err != nil {
		t.Fatal(err)
	}
	if want := (Ack{OutputStreamData, id.String(), 42, true}); a != want {
		t.Errorf("got %+v, want %+v", a, want)
	}
}

func FuzzUnmarshal(f *testing.F) {
	s := sample()
	good := s.Append(nil)
	f.Add(good)
	f.Add([]byte{})
	f.Add(good[:119])
	f.Add(bytes.Repeat([]byte{0xff}, 200))
	f.Add(append([]byte{0, 0, 0, 116}, make([]byte, 116)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		frame, err := Unmarshal(data)
		if err != nil {
			return
		}
		if len(frame.Payload) > len(data) || len(frame.Type) > 32 {
			t.Fatalf("%d bytes became a payload of %d and a type of %d", len(data), len(frame.Payload), len(frame.Type))
		}
		again, err := Unmarshal(frame.Append(nil))
		if err != nil {
			t.Fatalf("a frame that was read cannot be written: %v", err)
		}
		if again.Sequence != frame.Sequence || again.ID != frame.ID || !bytes.Equal(again.Payload, frame.Payload) {
			t.Fatalf("%+v became %+v", frame, again)
		}
	})
}
