package exec

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"gantry/aws/exec/wire"
	"gantry/internal/diagnose"
)

const (
	connectTimeout   = 20 * time.Second
	resumeTimeout    = 10 * time.Second // one call of Resume
	terminateTimeout = 5 * time.Second  // whoever closes a pane waits for it
	maxBackOff       = 5 * time.Second
	// steady is how long a connection must have stood for the first attempt
	// after its loss to come at once.
	steady = time.Second
)

// connect opens a websocket to the stream and presents the token.
func (s *Session) connect(ctx context.Context, token string) (wire.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	ws, resp, err := websocket.Dial(ctx, s.cfg.StreamURL, &websocket.DialOptions{HTTPHeader: s.sign(ctx)}) //nolint:bodyclose // the websocket library closes it
	if err != nil {
		return nil, dialError(resp, err)
	}
	open, err := json.Marshal(wire.OpenDataChannel{
		MessageSchemaVersion: "1.0",
		RequestID:            uuid.NewString(),
		TokenValue:           token,
		ClientID:             s.clientID,
		ClientVersion:        wire.ClientVersion,
	})
	if err == nil {
		err = ws.Write(ctx, websocket.MessageText, open)
	}
	if err != nil {
		_ = ws.CloseNow()
		return nil, fmt.Errorf("present the token: %w", err)
	}
	return wire.WebSocket(ws), nil
}

// sign goes unsigned where it cannot sign: the token alone has always been
// enough for the service, which only tells signed requests apart.
func (s *Session) sign(ctx context.Context) http.Header {
	if s.cfg.Sign == nil || strings.Contains(s.cfg.StreamURL, "X-Amz-") {
		return nil
	}
	header, err := s.cfg.Sign(ctx, s.cfg.StreamURL)
	if err != nil {
		s.log.Warn("data channel request left unsigned", "error", err)
		return nil
	}
	return header
}

// httpError is an answer other than 101.
type httpError struct {
	status int
	text   string // sanitised
}

func (e *httpError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("HTTP %d %s %s", e.status, http.StatusText(e.status), e.text))
}

// dialError keeps the URL out of the message, since its query may be a
// signature.
func dialError(resp *http.Response, err error) error {
	if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1024))
		return &httpError{resp.StatusCode, sanitise(string(text))}
	}
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// firstConnect tries again where the network failed before the service saw
// the token; an answer of the service is final.
func (s *Session) firstConnect(ctx context.Context) (wire.Conn, error) {
	const attempts = 3
	for n := 1; ; n++ {
		conn, err := s.connect(ctx, s.cfg.Token)
		if err == nil {
			return conn, nil
		}
		var answer *httpError
		if n == attempts || errors.As(err, &answer) || ctx.Err() != nil || !s.pause(ctx, n) {
			return nil, &diagnose.Error{
				What:  "connect to the session's data channel",
				Cause: sanitise(err.Error()),
				Do:    "check the network path to the ssmmessages endpoint (proxy, VPC endpoint), then open a new session",
				Err:   err,
			}
		}
	}
}

// pause waits before attempt n+1 and reports whether to go on.
func (s *Session) pause(ctx context.Context, n int) bool {
	d := min(s.cfg.timing.backOff<<min(n-1, 10), maxBackOff)
	t := time.NewTimer(d/2 + rand.N(d/2+1)) //nolint:gosec // jitter, not a secret
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// outage counts the attempts to come back since the connection last carried
// anything.
type outage struct {
	began    time.Time
	attempts int
}

func newOutage(stood time.Duration) outage {
	o := outage{began: time.Now()}
	if stood < steady {
		o.attempts = 1
	}
	return o
}

// reconnect resumes the session after lost. It returns a *diagnose.Error when
// that is not possible, and the context's error when that ended.
func (s *Session) reconnect(o *outage, lost error) (wire.Conn, error) {
	if s.cfg.Resume == nil {
		return nil, lostError(lost, "this session cannot be resumed", nil)
	}
	for {
		if o.attempts > 0 && !s.pause(s.ctx, o.attempts) {
			return nil, s.ctx.Err()
		}
		if time.Since(o.began) > s.cfg.timing.resumeFor {
			return nil, lostError(lost, fmt.Sprintf("it could not be resumed for %s", s.cfg.timing.resumeFor), lost)
		}
		o.attempts++
		s.update(func(st *Status) { st.State, st.Attempt = Resuming, o.attempts })
		conn, err := s.resume()
		var final *diagnose.Error
		switch {
		case err == nil:
			return conn, nil
		case errors.As(err, &final):
			return nil, err
		case s.ctx.Err() != nil:
			return nil, s.ctx.Err()
		}
		s.log.Info("resuming the session failed", "attempt", o.attempts, "error", sanitise(err.Error()))
		lost = err
	}
}

// resume makes one attempt. Only a *diagnose.Error is final.
func (s *Session) resume() (wire.Conn, error) {
	ctx, cancel := context.WithTimeout(s.ctx, resumeTimeout)
	defer cancel()
	token, err := s.cfg.Resume(ctx, s.cfg.SessionID)
	if refusal(err) {
		return nil, &diagnose.Error{
			What:  "resume the session after its connection was lost",
			Cause: sanitise(err.Error()),
			Do:    "open a new session; allow ssm:ResumeSession to survive a lost connection",
			Err:   err,
		}
	}
	if err != nil {
		return nil, fmt.Errorf("ask for a new token: %w", err)
	}
	if token == "" {
		return nil, &diagnose.Error{
			What:  "resume the session after its connection was lost",
			Cause: "the session is over: its task stopped, or nothing was typed for 20 minutes",
			Do:    "open a new session",
		}
	}
	return s.connect(s.ctx, token)
}

func lostError(lost error, why string, err error) error {
	return &diagnose.Error{
		What:  "the connection to the session was lost",
		Cause: sanitise(lost.Error()) + "; " + why,
		Do:    "open a new session",
		Err:   errors.Join(lost, err),
	}
}

// refusals are the error codes after which asking again is pointless.
var refusals = []string{
	"AccessDenied", "DoesNotExist", "NotAuthorized", "UnrecognizedClient",
	"ExpiredToken", "InvalidClientTokenId", "InvalidSignature", "ValidationException",
}

func refusal(err error) bool {
	var coded interface{ ErrorCode() string }
	if !errors.As(err, &coded) {
		return false
	}
	for _, code := range refusals {
		if strings.Contains(coded.ErrorCode(), code) {
			return true
		}
	}
	return false
}
