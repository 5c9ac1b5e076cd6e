package agent

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"gantry/aws/exec/wire"
)

// agentVersion is what the agent calls itself: new enough for clients to
// multiplex a port session without keep-alive (above 3.1.1511.0).
const agentVersion = "3.3.40.0"

// The agent's words for a handshake that failed, which clients show.
var (
	errHandshakeTimeout = errors.New("Handshake timed out. Please ensure that you have the latest version of the session manager plugin.") //nolint:staticcheck // as AWS's agent words it
	errNoChallenge      = errors.New("client does not support required encryption context random challenge")
	errChallenge        = errors.New("Encryption challenge does not match!") //nolint:staticcheck // as AWS's agent words it
)

// shakeHands agrees with the client on the kind of session and, with KMS, on
// a key. Input that comes meanwhile is lost, as with AWS's agent.
func (sess *session) shakeHands(ctx context.Context) error {
	began := time.Now()
	challenge := rand.Text()
	if err := sess.sendJSON(ctx, wire.HandshakeRequest, sess.handshake(challenge)); err != nil {
		return err
	}
	var answer wire.HandshakeAnswer
	if err := sess.await(ctx, &answer); err != nil {
		return err
	}
	if err := sess.accept(ctx, answer, challenge); err != nil {
		return err
	}
	if err := sess.challengeKey(ctx); err != nil {
		return err
	}
	done := wire.HandshakeDone{TimeToComplete: time.Since(began)}
	if sess.o.KMS != nil {
		done.CustomerMessage = "This session is encrypted using AWS KMS."
	}
	sess.phase.Store(started) // before the client hears that it may send
	return sess.sendJSON(ctx, wire.HandshakeComplete, done)
}

// request is an Action as the agent sends it.
type request struct {
	Type       wire.ActionType `json:"ActionType"`
	Parameters any             `json:"ActionParameters"`
}

func (sess *session) handshake(challenge string) any {
	actions := []request{{wire.ActionSessionType, sess.sessionType()}}
	if kms := sess.o.KMS; kms != nil {
		actions = append(actions, request{wire.ActionKMSEncryption, wire.KMSParameters{
			KeyID: kms.KeyID, Challenge: base64.StdEncoding.EncodeToString([]byte(challenge)),
		}})
	}
	return struct {
		AgentVersion string
		Actions      []request `json:"RequestedClientActions"`
	}{agentVersion, actions}
}

func (sess *session) sessionType() any {
	type parameters struct {
		SessionType string
		Properties  any
	}
	if sess.o.Kind == Shell {
		return parameters{"InteractiveCommands", nil}
	}
	properties := map[string]string{"type": "LocalPortForwarding"}
	maps.Copy(properties, sess.o.Parameters)
	return parameters{"Port", properties}
}

// accept looks at what the client made of the requested actions.
func (sess *session) accept(ctx context.Context, answer wire.HandshakeAnswer, challenge string) error {
	keyed := false
	for _, action := range answer.Actions {
		if action.Status != wire.ActionSucceeded {
			return fmt.Errorf("%s failed on client with status %d error: %s", action.Type, action.Status, action.Error)
		}
		if action.Type == wire.ActionKMSEncryption && sess.o.KMS != nil {
			keyed = true
			if err := sess.takeKey(ctx, action.Result, challenge); err != nil {
				return err
			}
		}
	}
	if sess.o.KMS != nil && !keyed {
		return errors.New("client did not answer for KMSEncryption")
	}
	return nil
}

func (sess *session) takeKey(ctx context.Context, result json.RawMessage, challenge string) error {
	kms := sess.o.KMS
	var key wire.KMSResult
	if err := json.Unmarshal(result, &key); err != nil {
		return fmt.Errorf("read the data key: %w", err)
	}
	if kms.RequireChallenge && !key.ChallengeAcknowledgement {
		return errNoChallenge
	}
	encryptionContext := map[string]string{wire.ContextSession: sess.id, wire.ContextTarget: kms.Target}
	if key.ChallengeAcknowledgement {
		encryptionContext[wire.ContextChallenge] = base64.StdEncoding.EncodeToString([]byte(challenge))
	}
	plain, err := kms.Decrypt(ctx, key.CipherTextKey, encryptionContext)
	if err != nil {
		return fmt.Errorf("Fetching data key failed: Unable to retrieve data key, Error when decrypting data key %w", err) //nolint:staticcheck // as AWS's agent words it
	}
	cipher, err := wire.NewAgentCipher(plain)
	if err != nil {
		return fmt.Errorf("use the data key: %w", err)
	}
	sess.cipher.Store(cipher)
	return nil
}

// challengeKey makes the client prove that it has the same key.
func (sess *session) challengeKey(ctx context.Context) error {
	cipher := sess.cipher.Load()
	if cipher == nil {
		return nil
	}
	want := make([]byte, 64)
	rand.Read(want)
	if err := sess.sendJSON(ctx, wire.EncChallengeRequest, wire.Challenge{Challenge: cipher.Seal(want)}); err != nil {
		return err
	}
	var answer wire.Challenge
	if err := sess.await(ctx, &answer); err != nil {
		return err
	}
	got, err := cipher.Open(answer.Challenge)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return errChallenge
	}
	return nil
}

func (sess *session) sendJSON(ctx context.Context, t wire.PayloadType, v any) error {
	payload, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("compose handshake: %w", err)
	}
	return sess.link.Send(ctx, t, payload)
}

func (sess *session) await(ctx context.Context, v any) error {
	select {
	case payload := <-sess.answers:
		if err := json.Unmarshal(payload, v); err != nil {
			return fmt.Errorf("read the client's answer: %w", err)
		}
		return nil
	case <-time.After(handshakeTimeout):
		return errHandshakeTimeout
	case <-ctx.Done():
		return ctx.Err()
	}
}
