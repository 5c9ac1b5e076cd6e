//go:build unix

package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"gantry/aws"
	"gantry/aws/exec"
	"gantry/aws/sandbox"
	"gantry/internal/diagnose"
)

// execWorld is a sandbox whose tasks are processes, and gantry's own client of
// it.
type execWorld struct {
	t      testing.TB
	server *sandbox.Server
	client *aws.Client
	config sdk.Config
	ecs    *ecs.Client
}

func newExecWorld(t testing.TB) *execWorld {
	t.Helper()
	runtime, err := sandbox.Process(sandbox.ProcessConfig{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return newWorldOf(t, runtime)
}

// newWorldOf is a world whose tasks run as the runtime has it.
func newWorldOf(t testing.TB, runtime sandbox.Runtime) *execWorld {
	t.Helper()
	server, err := sandbox.Start(context.Background(), sandbox.Config{Empty: true, Runtime: runtime, RunDir: t.TempDir() + "/run"})
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	client := aws.New(aws.Options{
		Endpoint: server.URL(), Region: server.Region(), Unlimited: true,
		AccessKeyID: server.AccessKeyID(), SecretAccessKey: server.SecretAccessKey(),
	})
	t.Cleanup(client.Close)
	config := sdk.Config{
		Region: server.Region(), BaseEndpoint: sdk.String(server.URL()), HTTPClient: &http.Client{Transport: transport},
		Credentials:      credentials.NewStaticCredentialsProvider(server.AccessKeyID(), server.SecretAccessKey(), ""),
		RetryMaxAttempts: 1,
	}
	w := &execWorld{t: t, server: server, client: client, config: config, ecs: ecs.NewFromConfig(config)}
	_, err = w.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: sdk.String("shop_eu")})
	w.must(err)
	return w
}

func (w *execWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// container is a demo app that serves port 8080.
func container(name string) types.ContainerDefinition {
	return types.ContainerDefinition{
		Name: sdk.String(name), Image: sdk.String("gantry/demo:1"), Command: []string{"serve"}, StopTimeout: sdk.Int32(2),
		Environment:  []types.KeyValuePair{{Name: sdk.String("APP_ENV"), Value: sdk.String("test")}},
		PortMappings: []types.PortMapping{{ContainerPort: sdk.Int32(8080)}},
	}
}

// run runs one task of the containers, after a change to both requests, and
// waits until it is RUNNING with agents that are no longer PENDING.
func (w *execWorld) run(change func(*ecs.RegisterTaskDefinitionInput, *ecs.RunTaskInput), containers ...types.ContainerDefinition) aws.Task {
	w.t.Helper()
	define := &ecs.RegisterTaskDefinitionInput{
		Family: sdk.String("web"), Cpu: sdk.String("256"), Memory: sdk.String("512"), NetworkMode: types.NetworkModeAwsvpc,
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		TaskRoleArn:             sdk.String("arn:aws:iam::000000000000:role/web"),
		ContainerDefinitions:    containers,
	}
	start := &ecs.RunTaskInput{
		Cluster: sdk.String("shop_eu"), TaskDefinition: sdk.String("web"), LaunchType: types.LaunchTypeFargate, EnableExecuteCommand: true,
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}},
	}
	if change != nil {
		change(define, start)
	}
	_, err := w.ecs.RegisterTaskDefinition(w.t.Context(), define)
	w.must(err)
	out, err := w.ecs.RunTask(w.t.Context(), start)
	w.must(err)
	id := sdk.ToString(out.Tasks[0].TaskArn)
	var task aws.Task
	w.until("the task runs", func() bool {
		task = w.describe(id)
		return task.LastStatus == "RUNNING" && !strings.Contains(fmt.Sprint(w.agents(id)), "PENDING")
	})
	return task
}

func (w *execWorld) describe(id string) aws.Task {
	w.t.Helper()
	tasks, err := w.client.DescribeTasks(w.t.Context(), "shop_eu", []string{id})
	w.must(err)
	return tasks[0]
}

// agents are the status of each container's agent, with its reason.
func (w *execWorld) agents(id string) map[string]string {
	w.t.Helper()
	out, err := w.ecs.DescribeTasks(w.t.Context(), &ecs.DescribeTasksInput{Cluster: sdk.String("shop_eu"), Tasks: []string{id}})
	w.must(err)
	found := map[string]string{}
	for _, c := range out.Tasks[0].Containers {
		for _, a := range c.ManagedAgents {
			found[*c.Name] = strings.TrimSpace(*a.LastStatus + " " + sdk.ToString(a.Reason))
		}
	}
	return found
}

// until polls a condition, for half a minute at most.
func (w *execWorld) until(what string, ok func() bool) {
	w.t.Helper()
	if !poll(ok) {
		w.t.Fatalf("never: %s", what)
	}
}

func poll(ok func() bool) bool {
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			return false
		case <-tick.C:
		}
	}
	return true
}

// session is what exec.Dial needs of a session that the API opened.
func (w *execWorld) session(s aws.ExecSession) exec.Config {
	return exec.Config{
		StreamURL: s.StreamURL, Token: s.Token.Reveal(), SessionID: s.ID, Target: s.Target,
		Sign: w.client.SignWebsocket, Resume: w.client.ResumeSession, Terminate: w.client.TerminateSession, DataKey: w.client.GenerateDataKey,
		Cols: 100, Rows: 30,
	}
}

// shell opens a session with a command in a container.
func (w *execWorld) shell(task aws.Task, name, command string) *shell {
	w.t.Helper()
	opened, err := w.client.ExecuteCommand(w.t.Context(), task, name, command)
	w.must(err)
	s, err := exec.Dial(w.t.Context(), w.session(opened))
	w.must(err)
	sh := &shell{Session: s, w: w, id: opened.ID, over: make(chan struct{})}
	go sh.read()
	w.t.Cleanup(func() {
		_ = s.Close()
		<-sh.over
	})
	return sh
}

// shell is a session and what it has said.
type shell struct {
	*exec.Session
	w    *execWorld
	id   string
	over chan struct{} // closed when everything was read

	mu   sync.Mutex
	said bytes.Buffer
}

func (s *shell) read() {
	defer close(s.over)
	buf := make([]byte, 32<<10)
	for {
		n, err := s.Read(buf)
		s.mu.Lock()
		s.said.Write(buf[:n])
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (s *shell) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.String()
}

// says types a line and waits until the answer holds a text that the line
// itself does not.
func (s *shell) says(line, want string) {
	s.w.t.Helper()
	before := len(s.text())
	s.types(line + "\n")
	if !poll(func() bool { return strings.Contains(s.text()[before:], want) }) {
		s.w.t.Fatalf("%q does not say %q but %q", line, want, s.text()[before:])
	}
}

func (s *shell) types(keys string) {
	s.w.t.Helper()
	if _, err := io.WriteString(s, keys); err != nil {
		s.w.t.Fatal(err)
	}
}

// ends waits until the session has ended and returns why.
func (s *shell) ends() error {
	s.w.t.Helper()
	select {
	case <-s.over:
	case <-time.After(30 * time.Second):
		s.w.t.Fatalf("the session does not end; it said %q", s.text())
	}
	return s.Err()
}

// cause is what a diagnosed error says about its cause.
func cause(t testing.TB, err error) string {
	t.Helper()
	var d *diagnose.Error
	if !errors.As(err, &d) {
		t.Fatalf("got %v, want a diagnosis", err)
	}
	return d.Cause
}
