// Package exec is gantry's own client of ECS Exec: a shell or a forwarded
// port in a running container, over the data channel that ecs:ExecuteCommand
// and ssm:StartSession open. It needs neither the AWS CLI nor the
// session-manager-plugin, owns no terminal, no signal and no global, and
// learns what it needs of AWS's APIs through the functions in Config.
package exec

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"gantry/aws/exec/wire"
)

// Expect says whether the agent will open the session with a handshake. It
// does for port sessions and wherever the cluster has a KMS key for Exec; for
// a plain shell it does not (amazon-ssm-agent singlecommand.RequireHandshake).
// Input that reaches an agent during a handshake is acknowledged and thrown
// away, so it matters when to start sending.
type Expect int

// What is known about the handshake.
const (
	HandshakeUnknown  Expect = iota // send after the first output, a handshake, or a while of silence
	HandshakeExpected               // send after the handshake only
	HandshakeNone                   // as unknown; a handshake that comes all the same is answered
)

// Config is one session as the API opened it, and the API calls it may need.
type Config struct {
	StreamURL string // wss://…, from the session that the API returned
	Token     string // single use; never logged
	SessionID string
	Target    string // ecs:CLUSTER_TASKID_RUNTIMEID, for the KMS encryption context
	Handshake Expect

	// Sign returns the headers that sign a GET of the stream URL for the
	// service ssmmessages. Nil leaves the request unsigned, as older plugins
	// do; so does an URL that is signed already.
	Sign func(ctx context.Context, url string) (http.Header, error)

	// Resume is ssm:ResumeSession. An empty token means the session is over.
	// An error whose ErrorCode() is a refusal (AccessDenied…, DoesNotExist…,
	// expired credentials) ends the session, any other is tried again. Nil
	// ends the session when its connection is lost.
	Resume func(ctx context.Context, sessionID string) (token string, err error)

	// Terminate is ssm:TerminateSession. Its failure is tolerated: many roles
	// lack it, and then the shell runs on until ECS's idle timeout.
	Terminate func(ctx context.Context, sessionID string) error

	// DataKey is kms:GenerateDataKey of 64 bytes. Nil fails the sessions that
	// need it.
	DataKey func(ctx context.Context, keyID string, encryptionContext map[string]string) (plain, cipher []byte, err error)

	Cols, Rows int          // the terminal at the start; zero leaves the agent's default
	Log        *slog.Logger // events only, never content or tokens; nil discards

	timing timing
}

// timing is what tests shorten. A zero field means its default.
type timing struct {
	silence    time.Duration // until input is sent without a sign of the agent
	handshake  time.Duration // until an expected handshake must be through
	dataKey    time.Duration // until DataKey must have answered
	refusal    time.Duration // until the service must have closed a session without a key
	pingAfter  time.Duration
	pongWithin time.Duration
	backOff    time.Duration // before the second attempt to resume; doubles
	resumeFor  time.Duration // until attempts to resume are given up
	linger     time.Duration // how long a half-closed connection may be silent
}

func (t timing) withDefaults() timing {
	for _, d := range []struct {
		value *time.Duration
		def   time.Duration
	}{
		{&t.silence, 1500 * time.Millisecond},
		{&t.handshake, 45 * time.Second}, // the agent itself gives up after 2 × 15 s
		{&t.dataKey, 12 * time.Second},   // the agent waits 15 s
		{&t.refusal, 3 * time.Second},
		{&t.pingAfter, 15 * time.Second},
		{&t.pongWithin, 10 * time.Second},
		{&t.backOff, 200 * time.Millisecond},
		{&t.resumeFor, 5 * time.Minute},
		{&t.linger, 10 * time.Second},
	} {
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	return t
}

// Dial opens the data channel and returns as soon as the websocket stands;
// the agent may start listening later, and Write waits for that. ctx bounds
// the dialing alone. The error is a *diagnose.Error.
func Dial(ctx context.Context, c Config) (*Session, error) {
	return dial(ctx, c, shellTypes, func(wire.FlagValue) {})
}
