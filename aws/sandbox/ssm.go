package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"gantry/aws/sandbox/agent"
	"gantry/aws/sandbox/wire"
)

// ssmBackend is Session Manager as far as ECS Exec needs it: sessions that
// forward a port of a container, and the upkeep of all sessions.
type ssmBackend struct{ exec *execBackend }

func (s ssmBackend) operations() []wire.Operation {
	return []wire.Operation{wire.Op(s.StartSession), wire.Op(s.ResumeSession), wire.Op(s.TerminateSession)}
}

// sessionPrefix begins the ids of sessions: SSM takes the caller's name.
const sessionPrefix = "sandbox"

// StartSession opens a session that forwards a port. Shells are opened by
// ecs:ExecuteCommand alone.
func (s ssmBackend) StartSession(ctx context.Context, in *ssm.StartSessionInput) (*ssm.StartSessionOutput, error) {
	if aws.ToString(in.Target) == "" {
		return nil, validation("1 validation error detected: Value null at 'target' failed to satisfy constraint: Member must not be null")
	}
	to, err := parseForward(aws.ToString(in.DocumentName), in.Parameters)
	if err != nil {
		return nil, err
	}
	reach, forbidden := to.resolve(ctx)
	opened, err := s.openForward(*in.Target, to, reach)
	if err != nil {
		return nil, err
	}
	if forbidden != nil {
		if err := s.exec.agents.End(opened.id, forbidden.Error()); err != nil {
			return nil, fmt.Errorf("end the session: %w", err)
		}
	}
	return &ssm.StartSessionOutput{
		SessionId: aws.String(opened.id), StreamUrl: aws.String(opened.url), TokenValue: aws.String(opened.token),
	}, nil
}

func (s ssmBackend) openForward(name string, to forward, reach []net.IP) (openedSession, error) {
	x := s.exec
	x.ecs.lock()
	defer x.ecs.unlock()
	target, connected := x.ecs.ssmTarget(name)
	if !connected || x.faults.notConnects() {
		return openedSession{}, &types.TargetNotConnected{Message: aws.String(printableTarget(name) + " is not connected.")}
	}
	return x.open(target, agent.Open{
		Kind: agent.Port, Prefix: sessionPrefix, Parameters: to.parameters,
		Dial: func(ctx context.Context) (net.Conn, error) { return to.dial(ctx, target, reach) },
	})
}

// printableTarget keeps what a request named readable in an answer.
func printableTarget(name string) string {
	if q := quote(name); q != `"`+name+`"` {
		return q
	}
	return name
}

// ResumeSession gives a session's client a new token for its stream, an empty
// one if the session is over.
func (s ssmBackend) ResumeSession(_ context.Context, in *ssm.ResumeSessionInput) (*ssm.ResumeSessionOutput, error) {
	id, err := s.known(in.SessionId)
	if err != nil {
		return nil, err
	}
	token, err := s.exec.agents.Resume(id)
	if err != nil && !errors.Is(err, agent.ErrNoSession) {
		return nil, err
	}
	return &ssm.ResumeSessionOutput{
		SessionId: aws.String(id), TokenValue: aws.String(token),
		StreamUrl: aws.String(s.exec.stream + agent.StreamPath + id + "?role=publish_subscribe"),
	}, nil
}

// TerminateSession ends a session and its program. One that is over is no
// error.
func (s ssmBackend) TerminateSession(_ context.Context, in *ssm.TerminateSessionInput) (*ssm.TerminateSessionOutput, error) {
	id, err := s.known(in.SessionId)
	if err != nil {
		return nil, err
	}
	if err := s.exec.agents.Terminate(id); err != nil && !errors.Is(err, agent.ErrNoSession) {
		return nil, err
	}
	return &ssm.TerminateSessionOutput{SessionId: aws.String(id)}, nil
}

func (s ssmBackend) known(id *string) (string, error) {
	if aws.ToString(id) == "" {
		return "", validation("1 validation error detected: Value null at 'sessionId' failed to satisfy constraint: Member must not be null")
	}
	if !s.exec.knows(*id) {
		return "", &types.DoesNotExistException{Message: aws.String(fmt.Sprintf("Session %s does not exist.", quote(*id)))}
	}
	return *id, nil
}

func invalidParameters(format string, args ...any) error {
	return &types.InvalidParameters{Message: aws.String(fmt.Sprintf(format, args...))}
}

func unknownDocument(name string) error {
	if name == "" {
		return &wire.Error{
			Code: "UnknownOperationException", Status: http.StatusBadRequest,
			Message: "gantry's sandbox does not emulate ssm:StartSession without a document; open a shell with ecs:ExecuteCommand.",
		}
	}
	return &types.InvalidDocument{Message: aws.String(fmt.Sprintf("Document with name %s does not exist.", quote(name)))}
}
