// Package agent is the far end of the ECS Exec data channel for the sandbox:
// AWS's message gateway, which hands out stream tokens and relays websockets,
// and the Exec agent in the task, which runs a shell in a PTY or dials a
// port. AWS's own session-manager-plugin works against it.
package agent

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"gantry/aws/exec/wire"
)

// Kind is what a session does.
type Kind int

// The kinds of session.
const (
	Shell Kind = iota // ecs:ExecuteCommand
	Port              // ssm:StartSession with a port forwarding document
)

// Process is a program with a terminal. Read returns an error when the
// program and everything else on its terminal has ended.
type Process interface {
	io.ReadWriteCloser // Close ends the program and all that it started
	Resize(cols, rows int) error
	Wait() error // returns once the program has ended
}

// KMS makes a shell session encrypted, as a cluster's Exec key does.
type KMS struct {
	KeyID  string
	Target string // ecs:CLUSTER_TASKID_RUNTIMEID, part of the encryption context
	// Decrypt is kms:Decrypt by the task role.
	Decrypt func(ctx context.Context, cipher []byte, encryptionContext map[string]string) (plain []byte, err error)
	// RequireChallenge refuses clients that leave the agent's random
	// challenge out of the context, as AWS's plugin does.
	RequireChallenge bool
}

// Open is a session to be.
type Open struct {
	Kind   Kind
	Prefix string // of the session ID; empty means ecs-execute-command

	// Start begins the program of a Shell session; its error reaches the
	// client as the agent words it.
	Start func(ctx context.Context, cols, rows int) (Process, error)
	KMS   *KMS // of a Shell session; nil is plain

	// Dial reaches the forwarded address of a Port session, once for every
	// connection.
	Dial func(ctx context.Context) (net.Conn, error)
	// Parameters are those of the port forwarding document, which AWS's
	// plugin reads back: portNumber, localPortNumber and perhaps host.
	Parameters map[string]string
}

// ErrNoSession means that no session has that ID, or none any more.
var ErrNoSession = errors.New("no such session")

// Service keeps the sessions. It is an http.Handler for the stream path. The
// zero value works; Close ends it.
type Service struct {
	Retain time.Duration // how long a session waits for its client; 0 means 5 minutes
	Log    *slog.Logger  // events only; nil discards

	faults atomic.Pointer[Faults]
	wg     sync.WaitGroup

	mu       sync.Mutex
	sessions map[string]*session
	closed   bool
}

const (
	defaultRetain = 5 * time.Minute
	retainEnded   = 30 * time.Second
	// StreamPath is where Service must be mounted; the session ID follows.
	StreamPath = "/v1/data-channel/"

	tokenTimeout = 10 * time.Second // from the websocket to its token
	maxToken     = 16 << 10
)

// SetFaults makes connections fail in the given way from now on.
func (s *Service) SetFaults(f Faults) { s.faults.Store(&f) }

func (s *Service) currentFaults() Faults {
	if f := s.faults.Load(); f != nil {
		return *f
	}
	return Faults{}
}

// Open makes a session and the token for its first connection. The program
// starts when a client presents it.
func (s *Service) Open(o Open) (sessionID, streamPath, token string, err error) {
	if o.Kind == Shell && o.Start == nil || o.Kind == Port && o.Dial == nil {
		return "", "", "", errors.New("open session: nothing to run")
	}
	if o.Prefix == "" {
		o.Prefix = "ecs-execute-command"
	}
	sess := newSession(o.Prefix+"-"+strings.ToLower(rand.Text()[:17]), o, s.log())
	token = sess.issueToken()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return "", "", "", errors.New("open session: the service is closed")
	}
	if s.sessions == nil {
		s.sessions = make(map[string]*session)
	}
	s.sessions[sess.id] = sess
	sess.absent = time.AfterFunc(s.retain(), func() { s.expire(sess) })
	return sess.id, StreamPath + sess.id + "?role=publish_subscribe", token, nil
}

// Resume makes a token for a new connection of the session, also of one that
// has ended but could not tell its client yet.
func (s *Service) Resume(sessionID string) (token string, err error) {
	sess, err := s.find(sessionID)
	if err != nil {
		return "", err
	}
	return sess.issueToken(), nil
}

// Terminate ends the session's program and tells its client.
func (s *Service) Terminate(sessionID string) error {
	sess, err := s.find(sessionID)
	if err != nil {
		return err
	}
	sess.terminate()
	return nil
}

// End is Terminate with a reason, which the client is told as the text of
// channel_closed.
func (s *Service) End(sessionID, reason string) error {
	sess, err := s.find(sessionID)
	if err != nil {
		return err
	}
	sess.reason.Store(&reason)
	sess.terminate()
	return nil
}

// Sessions is how many there are, ended ones that still have to tell their
// client included.
func (s *Service) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

// Close ends every session and returns when nothing of them is left.
func (s *Service) Close() error {
	s.mu.Lock()
	s.closed = true
	sessions := s.sessions
	s.sessions = nil
	s.mu.Unlock()
	for _, sess := range sessions {
		sess.absent.Stop()
		sess.destroy()
	}
	s.wg.Wait()
	return nil
}

func (s *Service) find(id string) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sess, ok := s.sessions[id]; ok {
		return sess, nil
	}
	return nil, fmt.Errorf("session %q: %w", id, ErrNoSession)
}

func (s *Service) retain() time.Duration {
	if s.Retain > 0 {
		return s.Retain
	}
	return defaultRetain
}

// expire forgets a session whose client has stayed away.
func (s *Service) expire(sess *session) {
	s.mu.Lock()
	delete(s.sessions, sess.id)
	s.mu.Unlock()
	sess.destroy()
}

func (s *Service) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

// ServeHTTP takes a client's websocket and serves its session until that or
// the connection ends.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sess, err := s.find(strings.TrimPrefix(r.URL.Path, StreamPath))
	if err != nil {
		http.Error(w, "no such session", http.StatusNotFound)
		return
	}
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has answered
	}
	if err := admit(r.Context(), ws, sess); err != nil {
		s.log().Info("stream refused", "session", sess.id, "error", err)
		ws.Close(websocket.StatusPolicyViolation, "token refused")
		return
	}
	s.serve(sess, ws) // a connection outlives the request's context
}

// admit reads the first message and checks its token, which is then spent.
func admit(ctx context.Context, ws *websocket.Conn, sess *session) error {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	ws.SetReadLimit(maxToken)
	kind, message, err := ws.Read(ctx)
	if err != nil {
		return fmt.Errorf("read the token: %w", err)
	}
	var open wire.OpenDataChannel
	if kind != websocket.MessageText || json.Unmarshal(message, &open) != nil {
		return errors.New("the first message is not OpenDataChannel")
	}
	if !sess.spendToken(open.TokenValue) {
		return errors.New("the token is not valid")
	}
	return nil
}

// serve runs the session's link over ws. The session waits for its client's
// return for a while after each connection.
func (s *Service) serve(sess *session, ws *websocket.Conn) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		_ = ws.CloseNow()
		return
	}
	s.wg.Add(1)
	s.mu.Unlock()
	defer s.wg.Done()

	sess.begin(&s.wg)
	sess.absent.Stop()
	err := sess.carry(newFaultyConn(wire.WebSocket(ws), s.currentFaults()))
	s.log().Debug("connection ended", "session", sess.id, "error", err)
	if sess.connected() {
		return // replaced by a newer connection
	}
	sess.absent.Reset(s.patience(sess))
	if s.isClosed() {
		sess.absent.Stop()
	}
}

// patience is how long a session waits for its client; one that is over has
// little to wait for.
func (s *Service) patience(sess *session) time.Duration {
	if sess.over.Load() {
		return min(s.retain(), retainEnded)
	}
	return s.retain()
}

func (s *Service) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func (sess *session) issueToken() string {
	secret := make([]byte, 48)
	rand.Read(secret)
	token := base64.RawURLEncoding.EncodeToString(secret)
	sess.mu.Lock()
	defer sess.mu.Unlock()
	sess.token = token
	return token
}

// spendToken reports whether token is the session's current one, which no
// longer works afterwards.
func (sess *session) spendToken(token string) bool {
	sess.mu.Lock()
	defer sess.mu.Unlock()
	if sess.token == "" || subtle.ConstantTimeCompare([]byte(sess.token), []byte(token)) != 1 {
		return false
	}
	sess.token = ""
	return true
}
