// Package wire is the part of the ECS Exec data channel that both ends share:
// the binary frame, the JSON payloads, the encryption, and Link, an ordered
// and lossless stream of payloads that outlives the websockets under it.
//
// AWS publishes the protocol only as source: aws/session-manager-plugin
// src/message and aws/amazon-ssm-agent agent/session/contracts. This package
// was written from a description of those, not from their text.
package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// MessageType says who speaks in a frame and what about.
type MessageType string

// The message types that reach a client or an agent over a data channel.
const (
	InputStreamData  MessageType = "input_stream_data"  // client to agent
	OutputStreamData MessageType = "output_stream_data" // agent to client
	Acknowledge      MessageType = "acknowledge"        // both ways
	ChannelClosed    MessageType = "channel_closed"     // service to both
	StartPublication MessageType = "start_publication"  // service: the peer is there
	PausePublication MessageType = "pause_publication"  // service: the peer is away
)

// PayloadType says what the payload of a stream data frame is.
type PayloadType uint32

// The payload types, as numbered by the agent's agent/session/contracts.
const (
	Output               PayloadType = 1
	Error                PayloadType = 2
	Size                 PayloadType = 3
	Parameter            PayloadType = 4
	HandshakeRequest     PayloadType = 5
	HandshakeResponse    PayloadType = 6
	HandshakeComplete    PayloadType = 7
	EncChallengeRequest  PayloadType = 8
	EncChallengeResponse PayloadType = 9
	Flag                 PayloadType = 10
	StdErr               PayloadType = 11
	ExitCode             PayloadType = 12
)

// Bits of Frame.Flags. Acknowledgements carry both, as AWS's own ends do.
const (
	FlagSyn uint64 = 1
	FlagFin uint64 = 2
)

// Sizes in bytes.
const (
	// MaxPayload is how much stream data both of AWS's ends put in one frame.
	MaxPayload = 1024
	// MaxFrame is the largest frame this package reads; a handshake with a
	// long custom message stays far below it.
	MaxFrame = 1 << 20

	headerLength = 116 // everything before the payload's length
	frameLength  = headerLength + 4
)

// Where each field starts. The fields before the payload's length have a
// fixed place; the payload itself starts behind whatever header length the
// frame states.
const (
	offType        = 4
	offSchema      = 36
	offCreated     = 40
	offSequence    = 48
	offFlags       = 56
	offID          = 64
	offDigest      = 80
	offPayloadType = 112
)

// Frame is one message of the data channel.
type Frame struct {
	Type        MessageType
	Created     time.Time // to the millisecond; zero means now when appended
	Sequence    int64     // from 0 in each direction; 0 on everything that is not stream data
	Flags       uint64
	ID          uuid.UUID
	PayloadType PayloadType
	Payload     []byte
}

// Append adds the frame in wire format to dst and returns the longer slice.
// The type must be at most 32 bytes, as all of this package's are, and the
// payload must fit into MaxFrame.
func (f *Frame) Append(dst []byte) []byte {
	created := f.Created
	if created.IsZero() {
		created = time.Now()
	}
	start := len(dst)
	dst = append(dst, make([]byte, frameLength)...)
	h := dst[start:]
	binary.BigEndian.PutUint32(h, headerLength)
	n := copy(h[offType:offSchema], f.Type)
	for i := offType + n; i < offSchema; i++ {
		h[i] = ' '
	}
	binary.BigEndian.PutUint32(h[offSchema:], 1)
	binary.BigEndian.PutUint64(h[offCreated:], uint64(created.UnixMilli()))
	binary.BigEndian.PutUint64(h[offSequence:], uint64(f.Sequence)) //nolint:gosec // the same bits on the wire
	binary.BigEndian.PutUint64(h[offFlags:], f.Flags)
	copy(h[offID:], f.ID[8:])
	copy(h[offID+8:], f.ID[:8])
	digest := sha256.Sum256(f.Payload)
	copy(h[offDigest:], digest[:])
	binary.BigEndian.PutUint32(h[offPayloadType:], uint32(f.PayloadType))
	binary.BigEndian.PutUint32(h[headerLength:], uint32(len(f.Payload))) //nolint:gosec // below MaxFrame
	return append(dst, f.Payload...)
}

// What makes a frame unreadable; Unmarshal wraps these.
var (
	ErrShort  = errors.New("frame is shorter than its header")
	ErrLong   = errors.New("frame is too long")
	ErrHeader = errors.New("frame states an impossible header length")
	ErrDigest = errors.New("payload does not match its digest")
)

// Unmarshal reads one frame. Its payload aliases data, so nothing is
// allocated whatever data claims about itself.
func Unmarshal(data []byte) (Frame, error) {
	if len(data) < frameLength {
		return Frame{}, fmt.Errorf("%d bytes: %w", len(data), ErrShort)
	}
	if len(data) > MaxFrame {
		return Frame{}, fmt.Errorf("%d bytes: %w", len(data), ErrLong)
	}
	header := int64(binary.BigEndian.Uint32(data))
	if header < headerLength || header+4 > int64(len(data)) {
		return Frame{}, fmt.Errorf("%d of %d bytes: %w", header, len(data), ErrHeader)
	}
	f := Frame{
		Type:        messageType(data[offType:offSchema]),
		Created:     time.UnixMilli(int64(binary.BigEndian.Uint64(data[offCreated:]))), //nolint:gosec // the same bits on the wire
		Sequence:    int64(binary.BigEndian.Uint64(data[offSequence:])),                //nolint:gosec // the same bits on the wire
		Flags:       binary.BigEndian.Uint64(data[offFlags:]),
		PayloadType: PayloadType(binary.BigEndian.Uint32(data[offPayloadType:])),
		Payload:     data[header+4:],
	}
	copy(f.ID[:8], data[offID+8:offDigest])
	copy(f.ID[8:], data[offID:offID+8])
	if f.checked() {
		if digest := sha256.Sum256(f.Payload); !bytes.Equal(digest[:], data[offDigest:offPayloadType]) {
			return Frame{}, fmt.Errorf("%s %d: %w", f.Type, f.Sequence, ErrDigest)
		}
	}
	return f, nil
}

// checked says whether the digest is looked at. The service's start and pause
// notices do not keep to it (the plugin exempts them, too), and an empty
// payload needs none.
func (f *Frame) checked() bool {
	return len(f.Payload) > 0 && f.Type != StartPublication && f.Type != PausePublication
}

// messageType reads the padded field. Known types cost no allocation.
func messageType(field []byte) MessageType {
	name := bytes.Trim(field, " \x00")
	for _, t := range [...]MessageType{InputStreamData, OutputStreamData, Acknowledge, ChannelClosed, StartPublication, PausePublication} {
		if string(name) == string(t) {
			return t
		}
	}
	return MessageType(name)
}
