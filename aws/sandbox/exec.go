package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"gantry/aws/sandbox/agent"
	"gantry/aws/sandbox/wire"
)

// Terminal is a program with a terminal, in a container.
type Terminal = agent.Process

// Executor is a Runtime whose containers can be entered.
type Executor interface {
	// Exec starts a command in a container that runs, with a terminal and only
	// the container's environment. It ends with ctx. The error goes to the
	// user behind "Unable to start command: ".
	Exec(ctx context.Context, in RunningContainer, command []string) (Terminal, error)
}

var errStatesOnly = errors.New("the sandbox's tasks are states only, nothing runs in them")

// execBackend is what ECS Exec needs besides ECS's state: the sessions of SSM,
// and the agents at their far ends.
type execBackend struct {
	ecs    *ecsBackend
	kms    *kmsBackend
	faults *Faults
	agents *agent.Service
	stream string // where data channels are: "ws://127.0.0.1:4566"

	mu       sync.Mutex
	sessions map[string]string // id -> ARN of the container, kept when a session is over
}

// newExec makes the Exec side of an ECS whose endpoint is at url.
func newExec(state *ecsBackend, keys *kmsBackend, faults *Faults, url string, log *slog.Logger) *execBackend {
	x := &execBackend{
		ecs: state, kms: keys, faults: faults,
		agents:   &agent.Service{Log: log},
		stream:   "ws" + strings.TrimPrefix(url, "http"),
		sessions: make(map[string]string),
	}
	state.containerEnded = x.endSessions
	return x
}

func (x *execBackend) operations() []wire.Operation {
	return []wire.Operation{wire.Op(x.ExecuteCommand)}
}

// Close ends every session and waits until nothing of them is left.
func (x *execBackend) Close() error { return x.agents.Close() }

// ExecuteCommand opens a session in which a command runs with a terminal. The
// command starts when the client connects to the session's stream.
func (x *execBackend) ExecuteCommand(_ context.Context, in *ecs.ExecuteCommandInput) (*ecs.ExecuteCommandOutput, error) {
	if err := checkExecute(in); err != nil {
		return nil, err
	}
	x.ecs.lock()
	defer x.ecs.unlock()
	target, err := x.ecs.execTarget(aws.ToString(in.Cluster), *in.Task, aws.ToString(in.Container))
	if err != nil {
		return nil, err
	}
	if x.faults.notConnects() {
		return nil, &types.TargetNotConnectedException{Message: aws.String("The execute command failed due to an internal error. Try again later.")}
	}
	command := *in.Command
	opened, err := x.open(target, agent.Open{
		Kind:  agent.Shell,
		KMS:   x.encryption(target),
		Start: func(ctx context.Context, _, _ int) (agent.Process, error) { return x.start(ctx, target, command) },
	})
	if err != nil {
		return nil, err
	}
	return &ecs.ExecuteCommandOutput{
		ClusterArn:    aws.String(target.ClusterARN),
		TaskArn:       aws.String(target.TaskARN),
		ContainerArn:  aws.String(target.ContainerARN),
		ContainerName: aws.String(target.Container),
		Interactive:   true,
		Session: &types.Session{
			SessionId: aws.String(opened.id), StreamUrl: aws.String(opened.url), TokenValue: aws.String(opened.token),
		},
	}, nil
}

func checkExecute(in *ecs.ExecuteCommandInput) error {
	switch {
	case aws.ToString(in.Task) == "":
		return invalidParameter("Task can not be blank.")
	case strings.TrimSpace(aws.ToString(in.Command)) == "":
		return invalidParameter("Command can not be blank.")
	case !in.Interactive:
		return invalidParameter("Interactive is the only mode supported currently.")
	}
	return nil
}

// start starts a session's command. The words of a command line are AWS's
// agent's to split, not a shell's.
func (x *execBackend) start(ctx context.Context, target execTarget, line string) (agent.Process, error) {
	command, err := splitWords(line)
	if err != nil {
		return nil, fmt.Errorf("Failed to parse commands input: %w", err) // as AWS's agent words it
	}
	executor, ok := x.ecs.runtime.(Executor)
	if !ok {
		return nil, errStatesOnly
	}
	return executor.Exec(ctx, target.RunningContainer, command)
}

// encryption is the cluster's key for its sessions, nil if it has none.
func (x *execBackend) encryption(target execTarget) *agent.KMS {
	key := target.KMSKey
	if key == "" && x.faults.requiresKMS() {
		key = keyAlias
	}
	if key == "" {
		return nil
	}
	return &agent.KMS{KeyID: key, Target: target.ssmTarget(), Decrypt: x.kms.decryptForTask(x.faults)}
}

// openedSession is what a client needs to connect.
type openedSession struct{ id, url, token string }

// open opens a session. It is called under the lock of ECS, so that the end of
// the container cannot come between the look at it and the session.
func (x *execBackend) open(target execTarget, o agent.Open) (openedSession, error) {
	id, path, token, err := x.agents.Open(o)
	if err != nil {
		return openedSession{}, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.sessions[id] = target.ContainerARN
	return openedSession{id: id, url: x.stream + path, token: token}, nil
}

// endSessions ends what still runs in a container that has ended.
func (x *execBackend) endSessions(containerARN string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for id, arn := range x.sessions {
		if arn == containerARN {
			_ = x.agents.End(id, "The container that this session ran in has stopped.") // it may be over
		}
	}
}

// knows reports whether there ever was a session of that id.
func (x *execBackend) knows(id string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	_, known := x.sessions[id]
	return known
}
