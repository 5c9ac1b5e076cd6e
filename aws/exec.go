package aws

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"gantry/internal/diagnose"
	"gantry/internal/secret"
)

// Token opens the data channel of one session, and is as good as a password to
// it. It prints as a mask in every format; Reveal is the one way to its text.
type Token struct{ text string }

// NewToken wraps a token's text.
func NewToken(text string) Token { return Token{text: text} }

// Reveal is the text, for the first frame of the channel and nothing else.
func (t Token) Reveal() string { return t.text }

// IsZero reports whether there is no token: the session is over.
func (t Token) IsZero() bool { return t.text == "" }

func (t Token) String() string { return secret.Masked }

// Format keeps the text out of every fmt verb, %#v and %+v included.
func (t Token) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(secret.Masked)) }

// LogValue keeps the text out of structured logs.
func (t Token) LogValue() slog.Value { return slog.StringValue(secret.Masked) }

// MarshalText keeps the text out of JSON and YAML.
func (t Token) MarshalText() ([]byte, error) { return []byte(secret.Masked), nil }

// ExecSession is a session that the service has opened; the data channel at
// StreamURL is still to be connected, within a minute.
type ExecSession struct {
	ID            string
	StreamURL     string // wss://…
	Token         Token
	ContainerName string
	Target        string // ecs:CLUSTER_TASKID_RUNTIMEID, which KMS and SSM want
}

// ExecuteCommand starts command in a container of the task, with a terminal.
// Just after a task has started its agent may not be connected yet: that is
// tried again for a few seconds.
func (c *Client) ExecuteCommand(ctx context.Context, task Task, container, command string) (ExecSession, error) {
	what := fmt.Sprintf("open a shell in %s of task %s", container, task.ID)
	s, err := c.mutable(ctx, what, task.Scope)
	if err != nil {
		return ExecSession{}, err
	}
	out, err := s.ecs.ExecuteCommand(ctx, &ecs.ExecuteCommandInput{
		Cluster: sdk.String(task.ClusterARN), Task: sdk.String(task.ARN),
		Container: sdk.String(container), Command: sdk.String(command), Interactive: true,
	}, func(o *ecs.Options) { o.Retryer = untilConnected(o.Retryer) })
	if err != nil {
		return ExecSession{}, c.explain(what, err)
	}
	if out.Session == nil {
		return ExecSession{}, noSession(what)
	}
	return ExecSession{
		ID:            sdk.ToString(out.Session.SessionId),
		StreamURL:     sdk.ToString(out.Session.StreamUrl),
		Token:         NewToken(sdk.ToString(out.Session.TokenValue)),
		ContainerName: sdk.ToString(out.ContainerName),
		Target:        task.target(sdk.ToString(out.ContainerName)),
	}, nil
}

// StartPortForward opens a session that reaches a port: of the container
// itself, or of host as the container sees it when host is not "". The agent
// refuses the metadata, time and DNS addresses of the VPC.
func (c *Client) StartPortForward(ctx context.Context, task Task, container, host string, port int) (ExecSession, error) {
	what := fmt.Sprintf("forward port %d of task %s", port, task.ID)
	s, err := c.mutable(ctx, what, task.Scope)
	if err != nil {
		return ExecSession{}, err
	}
	target := task.target(container)
	if target == "" {
		return ExecSession{}, &diagnose.Error{
			What: what, Cause: "container " + container + " does not run", Do: "choose a running container", Err: ErrNotConnected,
		}
	}
	out, err := s.ssm.StartSession(ctx, forwarding(target, host, port),
		func(o *ssm.Options) { o.Retryer = untilConnected(o.Retryer) })
	if err != nil {
		return ExecSession{}, c.explain(what, err)
	}
	return ExecSession{
		ID:            sdk.ToString(out.SessionId),
		StreamURL:     sdk.ToString(out.StreamUrl),
		Token:         NewToken(sdk.ToString(out.TokenValue)),
		ContainerName: container,
		Target:        target,
	}, nil
}

// forwarding is the request for one of AWS's two port forwarding documents. The
// local port is theirs to know only for the official plugin, which prints it.
func forwarding(target, host string, port int) *ssm.StartSessionInput {
	number := strconv.Itoa(port)
	in := &ssm.StartSessionInput{
		Target:       sdk.String(target),
		DocumentName: sdk.String("AWS-StartPortForwardingSession"),
		Parameters:   map[string][]string{"portNumber": {number}, "localPortNumber": {number}},
	}
	if host != "" {
		in.DocumentName = sdk.String("AWS-StartPortForwardingSessionToRemoteHost")
		in.Parameters["host"] = []string{host}
	}
	return in
}

// ResumeSession returns a new token for the data channel of a session whose
// connection was lost; an empty one says that the session is over. Wrap it with
// NewToken wherever it is kept.
func (c *Client) ResumeSession(ctx context.Context, id string) (token string, err error) {
	const what = "resume the session"
	s, err := c.connect(ctx)
	if err != nil {
		return "", c.explain(what, err)
	}
	out, err := s.ssm.ResumeSession(ctx, &ssm.ResumeSessionInput{SessionId: sdk.String(id)})
	if err != nil {
		return "", c.explain(what, err)
	}
	return sdk.ToString(out.TokenValue), nil
}

// TerminateSession ends a session for good. Callers often lack the permission;
// the session then ends by itself, at the latest after 20 idle minutes.
func (c *Client) TerminateSession(ctx context.Context, id string) error {
	const what = "end the session"
	s, err := c.connect(ctx)
	if err != nil {
		return c.explain(what, err)
	}
	_, err = s.ssm.TerminateSession(ctx, &ssm.TerminateSessionInput{SessionId: sdk.String(id)})
	return c.explain(what, err)
}

// dataKeySize is what the protocol takes: 32 bytes for each direction.
const dataKeySize = 64

// GenerateDataKey makes the key of an encrypted session: plain for this side,
// cipher for the agent, bound to the encryption context.
func (c *Client) GenerateDataKey(ctx context.Context, keyID string, context map[string]string) (plain, cipher []byte, err error) {
	const what = "make the session's encryption key"
	s, err := c.connect(ctx)
	if err != nil {
		return nil, nil, c.explain(what, err)
	}
	out, err := s.kms.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{
		KeyId: sdk.String(keyID), NumberOfBytes: sdk.Int32(dataKeySize), EncryptionContext: context,
	})
	if err != nil {
		return nil, nil, c.explain(what, err)
	}
	return out.Plaintext, out.CiphertextBlob, nil
}

// emptyPayload is the SHA-256 of nothing, in hex.
const emptyPayload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// SignWebsocket returns the headers to open a data channel with: SigV4 for the
// service ssmmessages. A URL that is signed already (X-Amz-… in its query)
// needs none.
func (c *Client) SignWebsocket(ctx context.Context, stream string) (http.Header, error) {
	const what = "sign the data channel's request"
	at, err := url.Parse(stream)
	if err != nil || at.Host == "" {
		return nil, &diagnose.Error{What: what, Cause: "the service gave no usable address for it", Err: ErrRefused}
	}
	for key := range at.Query() {
		if strings.HasPrefix(strings.ToLower(key), "x-amz-") {
			return http.Header{}, nil
		}
	}
	s, err := c.connect(ctx)
	if err != nil {
		return nil, c.explain(what, err)
	}
	keys, err := s.cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, c.explain(what, err)
	}
	request := &http.Request{Method: http.MethodGet, URL: at, Host: at.Host, Header: http.Header{}}
	err = v4.NewSigner().SignHTTP(ctx, keys, request, emptyPayload, "ssmmessages", s.cfg.Region, time.Now())
	return request.Header, c.explain(what, err)
}

// untilConnected retries while the agent in the container is not connected,
// for some seven seconds with the usual backoff. It does not retry after a
// silence: the session may have been opened, and nobody would end that one.
func untilConnected(r sdk.Retryer) sdk.Retryer {
	r = retry.AddWithErrorCodes(r, "TargetNotConnectedException", "TargetNotConnected")
	return heard{retry.AddWithMaxAttempts(r, 7)}
}

// heard is a retryer for calls that are not to be made twice.
type heard struct{ sdk.Retryer }

func (h heard) IsErrorRetryable(err error) bool {
	var s *silence
	return !errors.As(err, &s) && h.Retryer.IsErrorRetryable(err)
}

func noSession(what string) error {
	return &diagnose.Error{What: what, Cause: "the service opened no session", Do: "try again", Err: ErrNotConnected}
}

// target is the name that SSM knows a container by, "" if it does not run.
func (t *Task) target(container string) string {
	k := t.Container(container)
	if k == nil || k.RuntimeID == "" {
		return ""
	}
	return fmt.Sprintf("ecs:%s_%s_%s", t.Cluster, t.ID, k.RuntimeID)
}
