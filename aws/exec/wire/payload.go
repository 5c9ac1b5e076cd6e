package wire

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// ClientVersion is what gantry calls itself towards an agent, which compares
// it with the versions of AWS's plugin: from 1.1.70 it multiplexes a port
// session, above 1.2.331.0 it does so without keep-alive.
const ClientVersion = "1.3.0.0"

// OpenDataChannel is the first message on every websocket, as text. An agent
// sends ClientInstanceID instead of a version.
type OpenDataChannel struct {
	MessageSchemaVersion string `json:"MessageSchemaVersion"`
	RequestID            string `json:"RequestId"`
	TokenValue           string `json:"TokenValue"`
	ClientID             string `json:"ClientId"`
	ClientInstanceID     string `json:"ClientInstanceId,omitempty"`
	ClientVersion        string `json:"ClientVersion,omitempty"`
}

// Ack is the payload of an acknowledge frame.
type Ack struct {
	Type         MessageType `json:"AcknowledgedMessageType"`
	ID           string      `json:"AcknowledgedMessageId"`
	Sequence     int64       `json:"AcknowledgedMessageSequenceNumber"`
	IsSequential bool        `json:"IsSequentialMessage"`
}

// appendAck writes an Ack by hand: there is one for every frame received, and
// its two strings need no escaping.
func appendAck(dst []byte, t MessageType, id uuid.UUID, seq int64) []byte {
	dst = append(dst, `{"AcknowledgedMessageType":"`...)
	dst = append(dst, t...)
	dst = append(dst, `","AcknowledgedMessageId":"`...)
	dst = append(dst, id.String()...)
	dst = append(dst, `","AcknowledgedMessageSequenceNumber":`...)
	dst = strconv.AppendInt(dst, seq, 10)
	return append(dst, `,"IsSequentialMessage":true}`...)
}

// Closed is the payload of a channel_closed frame, and the error with which
// Link.Run ends on receiving one.
type Closed struct {
	MessageType   MessageType `json:"MessageType"`
	MessageID     string      `json:"MessageId"`
	DestinationID string      `json:"DestinationId"`
	SessionID     string      `json:"SessionId"`
	SchemaVersion int         `json:"SchemaVersion"`
	CreatedDate   string      `json:"CreatedDate"`
	Output        string      `json:"Output"` // why, when it is not a plain end
}

// Error is the service's own word for why the channel closed, unsanitised.
func (c *Closed) Error() string {
	if c.Output == "" {
		return "channel closed"
	}
	return "channel closed: " + c.Output
}

// TerminalSize is the payload of a Size frame.
type TerminalSize struct {
	Cols uint32 `json:"cols"`
	Rows uint32 `json:"rows"`
}

// FlagValue is the payload of a Flag frame, four bytes on the wire.
type FlagValue uint32

// The flags of port sessions.
const (
	DisconnectToPort   FlagValue = 1 // client to agent, sessions without multiplexing only
	TerminateSession   FlagValue = 2 // client to agent
	ConnectToPortError FlagValue = 3 // agent to client: nothing answers at the port
)

// Bytes is the flag as a payload.
func (f FlagValue) Bytes() []byte { return binary.BigEndian.AppendUint32(nil, uint32(f)) }

// ParseFlag reads the payload of a Flag frame.
func ParseFlag(payload []byte) (FlagValue, error) {
	if len(payload) != 4 {
		return 0, fmt.Errorf("flag of %d bytes", len(payload))
	}
	return FlagValue(binary.BigEndian.Uint32(payload)), nil
}

// ActionType names what an agent asks for in its handshake.
type ActionType string

// The actions that exist.
const (
	ActionSessionType   ActionType = "SessionType"
	ActionKMSEncryption ActionType = "KMSEncryption"
)

// ActionStatus is the client's answer to an action.
type ActionStatus int

// The answers that exist.
const (
	ActionSucceeded   ActionStatus = 1
	ActionFailed      ActionStatus = 2
	ActionUnsupported ActionStatus = 3
)

// Handshake is the payload of a HandshakeRequest frame.
type Handshake struct {
	AgentVersion string   `json:"AgentVersion"`
	Actions      []Action `json:"RequestedClientActions"`
}

// Action is one thing an agent asks for.
type Action struct {
	Type       ActionType      `json:"ActionType"`
	Parameters json.RawMessage `json:"ActionParameters"`
}

// SessionTypeParameters belong to ActionSessionType.
type SessionTypeParameters struct {
	SessionType string          `json:"SessionType"`
	Properties  json.RawMessage `json:"Properties"`
}

// KMSParameters belong to ActionKMSEncryption. Agents before 3.3 send no
// challenge.
type KMSParameters struct {
	KeyID     string `json:"KMSKeyId"`
	Challenge string `json:"Challenge,omitempty"`
}

// HandshakeAnswer is the payload of a HandshakeResponse frame.
type HandshakeAnswer struct {
	ClientVersion string            `json:"ClientVersion"`
	Actions       []ProcessedAction `json:"ProcessedClientActions"`
	Errors        []string          `json:"Errors"`
}

// ProcessedAction is the answer to one Action.
type ProcessedAction struct {
	Type   ActionType      `json:"ActionType"`
	Status ActionStatus    `json:"ActionStatus"`
	Result json.RawMessage `json:"ActionResult"`
	Error  string          `json:"Error"`
}

// KMSResult is the result of a successful ActionKMSEncryption.
type KMSResult struct {
	CipherTextKey            []byte `json:"KMSCipherTextKey"`
	CipherTextHash           []byte `json:"KMSCipherTextHash"`
	ChallengeAcknowledgement bool   `json:"ChallengeAcknowledgement"`
}

// Challenge is the payload of both EncChallenge frames: random bytes,
// encrypted by the sender, by which an agent proves that both hold the key.
type Challenge struct {
	Challenge []byte `json:"Challenge"`
}

// HandshakeDone is the payload of a HandshakeComplete frame.
type HandshakeDone struct {
	TimeToComplete  time.Duration `json:"HandshakeTimeToComplete"` // nanoseconds
	CustomerMessage string        `json:"CustomerMessage"`
}
