package exec

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"gantry/aws/exec/wire"
	"gantry/internal/diagnose"
)

// settle is how long after the agent's first acknowledgement a handshake
// would have begun: the agent asks for one as its first act.
const settle = 100 * time.Millisecond

// awaitAgent returns when input will reach the program: after the first
// output or the handshake. A program that prints nothing gives no sign; then,
// after some silence, a terminal size is sent as a probe. An agent that
// acknowledges it is there, and one that is still before its handshake throws
// away nothing but the probe.
func (s *Session) awaitAgent() error {
	silence := s.cfg.timing.silence
	if s.cfg.Handshake == HandshakeExpected {
		silence = s.cfg.timing.handshake
	}
	select {
	case <-s.awake:
		return nil
	case <-s.handshaking:
		return s.awaitHandshake()
	case <-time.After(silence):
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
	if s.cfg.Handshake == HandshakeExpected {
		return handshakeTimeout(silence)
	}
	return s.probe()
}

func (s *Session) probe() error {
	s.mu.Lock()
	size := s.size
	s.mu.Unlock()
	if size == (wire.TerminalSize{}) {
		size = wire.TerminalSize{Cols: 80, Rows: 24}
	}
	if err := s.sendSize(size); err != nil {
		return err
	}
	acknowledged := make(chan error, 1)
	s.wg.Go(func() { acknowledged <- s.link.Flush(s.ctx) })
	select {
	case <-s.awake:
		return nil
	case <-s.handshaking:
		return s.awaitHandshake()
	case err := <-acknowledged:
		if err != nil {
			return context.Cause(s.ctx)
		}
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
	select {
	case <-s.awake:
	case <-s.handshaking:
		return s.awaitHandshake()
	case <-time.After(settle):
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
	return nil
}

func (s *Session) awaitHandshake() error {
	select {
	case <-s.awake:
		return nil
	case <-time.After(s.cfg.timing.handshake):
		return handshakeTimeout(s.cfg.timing.handshake)
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
}

func handshakeTimeout(d time.Duration) error {
	return &diagnose.Error{
		What:  "open the session with the agent in the container",
		Cause: fmt.Sprintf("its handshake did not come through within %s", d),
		Do:    "check that the task still runs and its Exec agent is RUNNING, then open a new session",
	}
}

// deliver takes the agent's payloads in order. It blocks while Read is far
// behind, which slows the agent down.
func (s *Session) deliver(t wire.PayloadType, payload []byte) bool {
	if c := s.encryption(); c != nil && wire.Encrypted(t) {
		plain, err := c.Open(payload)
		if err != nil {
			s.fail(&diagnose.Error{
				What: "read the encrypted session", Cause: "a message from the agent cannot be decrypted",
				Do: "open a new session", Err: err,
			})
			return true
		}
		payload = plain
	}
	switch t {
	case wire.Output, wire.StdErr:
		s.listening()
		s.output.push(payload)
	case wire.HandshakeRequest:
		s.beginHandshake(payload)
	case wire.EncChallengeRequest:
		s.answerChallenge(payload)
	case wire.HandshakeComplete:
		s.completeHandshake(payload)
	case wire.Flag:
		if f, err := wire.ParseFlag(payload); err == nil {
			s.onFlag(f)
		}
	}
	return true
}

func (s *Session) listening() { s.wakeOnce.Do(func() { close(s.awake) }) }

func (s *Session) fail(err error) { s.cancel(err) }

// beginHandshake answers off the reading goroutine, since KMS takes its time.
func (s *Session) beginHandshake(payload []byte) {
	var request wire.Handshake
	if err := json.Unmarshal(payload, &request); err != nil {
		s.fail(badHandshake(err))
		return
	}
	again := true
	s.shakeOnce.Do(func() {
		again = false
		close(s.handshaking)
	})
	if again {
		return
	}
	s.update(func(st *Status) { st.AgentVersion = sanitise(request.AgentVersion) })
	s.wg.Go(func() {
		if err := s.answerHandshake(request); err != nil && s.ctx.Err() == nil {
			s.fail(badHandshake(err))
		}
	})
}

func badHandshake(err error) error {
	return &diagnose.Error{
		What:  "open the session with the agent in the container",
		Cause: "its handshake makes no sense: " + sanitise(err.Error()),
		Do:    "check the version of the Exec agent",
		Err:   err,
	}
}

func (s *Session) answerHandshake(request wire.Handshake) error {
	answer := wire.HandshakeAnswer{ClientVersion: wire.ClientVersion, Actions: []wire.ProcessedAction{}}
	var cipher *wire.Cipher
	for _, action := range request.Actions {
		done := wire.ProcessedAction{Type: action.Type, Status: wire.ActionSucceeded}
		var err error
		switch action.Type {
		case wire.ActionSessionType:
			err = s.checkSessionType(action.Parameters)
		case wire.ActionKMSEncryption:
			cipher, done.Result, err = s.agreeOnKey(action.Parameters)
		default:
			done.Status = wire.ActionUnsupported
			done.Error = fmt.Sprintf("Unsupported action %s", action.Type)
		}
		if err != nil {
			done.Status = wire.ActionFailed
			done.Error = fmt.Sprintf("Failed to process action %s: %s", action.Type, err)
		}
		if done.Error != "" {
			answer.Errors = append(answer.Errors, done.Error)
		}
		answer.Actions = append(answer.Actions, done)
	}
	s.mu.Lock()
	s.cipher = cipher
	s.mu.Unlock()
	payload, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("answer the handshake: %w", err)
	}
	if err := s.send(wire.HandshakeResponse, payload); err != nil {
		return err
	}
	return s.awaitRefusal()
}

// awaitRefusal lets the service close a session that has no key, and ends it
// here if that does not happen.
func (s *Session) awaitRefusal() error {
	s.mu.Lock()
	err := s.keyErr
	s.mu.Unlock()
	if err == nil {
		return nil
	}
	select {
	case <-time.After(s.cfg.timing.refusal):
		s.fail(err)
	case <-s.ctx.Done():
	}
	return nil
}

// The session types by the plugin of AWS's agent that serves them.
var (
	shellTypes = []string{"InteractiveCommands", "NonInteractiveCommands", "Standard_Stream"}
	portTypes  = []string{"Port"}
)

// checkSessionType refuses a session of another kind than was asked for.
func (s *Session) checkSessionType(parameters json.RawMessage) error {
	var p wire.SessionTypeParameters
	if err := json.Unmarshal(parameters, &p); err != nil {
		return fmt.Errorf("read the session type: %w", err)
	}
	if !slices.Contains(s.types, p.SessionType) {
		return fmt.Errorf("unexpected session type %q", p.SessionType)
	}
	return nil
}

// agreeOnKey has KMS make the session's data key. When that fails the agent
// is told, which ends the session; the reason is kept for Err.
func (s *Session) agreeOnKey(parameters json.RawMessage) (*wire.Cipher, json.RawMessage, error) {
	var p wire.KMSParameters
	if err := json.Unmarshal(parameters, &p); err != nil {
		return nil, nil, fmt.Errorf("read the KMS parameters: %w", err)
	}
	cipher, result, err := s.makeKey(p)
	if err != nil {
		s.mu.Lock()
		s.keyErr = &diagnose.Error{
			What:  "agree on encryption with the agent",
			Cause: "no data key for " + sanitise(p.KeyID) + ": " + sanitise(err.Error()),
			Do:    "allow kms:GenerateDataKey on the cluster's Exec key",
			Err:   err,
		}
		s.mu.Unlock()
	}
	return cipher, result, err
}

func (s *Session) makeKey(p wire.KMSParameters) (*wire.Cipher, json.RawMessage, error) {
	if s.cfg.DataKey == nil {
		return nil, nil, errors.New("this client cannot use KMS")
	}
	encryptionContext := map[string]string{
		wire.ContextSession: s.cfg.SessionID,
		wire.ContextTarget:  s.cfg.Target,
	}
	if p.Challenge != "" {
		encryptionContext[wire.ContextChallenge] = p.Challenge
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.cfg.timing.dataKey)
	defer cancel()
	plain, sealed, err := s.cfg.DataKey(ctx, p.KeyID, encryptionContext)
	if err != nil {
		return nil, nil, err
	}
	cipher, err := wire.NewClientCipher(plain)
	if err != nil {
		return nil, nil, err
	}
	clear(plain)
	result, err := json.Marshal(wire.KMSResult{
		CipherTextKey:            sealed,
		ChallengeAcknowledgement: p.Challenge != "",
	})
	return cipher, result, err
}

// answerChallenge proves that both ends hold the same key: decrypt with one
// half, encrypt with the other.
func (s *Session) answerChallenge(payload []byte) {
	var challenge wire.Challenge
	err := json.Unmarshal(payload, &challenge)
	cipher := s.encryption()
	if err == nil && cipher == nil {
		err = errors.New("a challenge before a key")
	}
	var plain []byte
	if err == nil {
		plain, err = cipher.Open(challenge.Challenge)
	}
	if err == nil {
		payload, err = json.Marshal(wire.Challenge{Challenge: cipher.Seal(plain)})
	}
	if err != nil {
		s.fail(badHandshake(err))
		return
	}
	s.wg.Go(func() { _ = s.send(wire.EncChallengeResponse, payload) }) // fails with the session only
}

func (s *Session) completeHandshake(payload []byte) {
	var done wire.HandshakeDone
	if err := json.Unmarshal(payload, &done); err != nil {
		s.log.Debug("handshake completed without a readable message")
	}
	encrypted := s.encryption() != nil
	s.update(func(st *Status) {
		st.Encrypted = encrypted
		st.Message = sanitise(done.CustomerMessage)
	})
	s.listening()
}
