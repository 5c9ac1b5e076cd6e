//go:build unix

package sandbox_test

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"
	"github.com/coder/websocket"

	"gantry/aws"
	"gantry/aws/sandbox"
)

const notEnabled = "The execute command failed because execute command was not enabled when the task was run or the execute command agent isn’t running. Wait and try again or run a new task with execute command enabled and try again."

func checkAPIError(t *testing.T, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || message != "" && api.ErrorMessage() != message {
		t.Errorf("got %v, want %s: %s", err, code, message)
	}
}

func TestExecuteCommandAnswersAsECS(t *testing.T) {
	t.Parallel()
	w := newExecWorld(t)
	task := w.run(nil, container("web"))
	out, err := w.ecs.ExecuteCommand(t.Context(), &ecs.ExecuteCommandInput{
		Cluster: sdk.String("shop_eu"), Task: sdk.String(task.ID), Command: sdk.String("/bin/sh"), Interactive: true,
	})
	w.must(err)
	id := sdk.ToString(out.Session.SessionId)
	stream := "ws" + strings.TrimPrefix(w.server.URL(), "http") + "/v1/data-channel/" + id + "?role=publish_subscribe"
	if *out.ClusterArn != task.ClusterARN || *out.TaskArn != task.ARN || *out.ContainerName != "web" || !out.Interactive ||
		!strings.Contains(*out.ContainerArn, ":container/shop_eu/"+task.ID+"/") ||
		!strings.HasPrefix(id, "ecs-execute-command-") || *out.Session.StreamUrl != stream || len(*out.Session.TokenValue) < 32 {
		t.Errorf("got %+v", out)
	}
}

func TestExecuteCommandRefusals(t *testing.T) {
	t.Parallel()
	w := newExecWorld(t)
	sidecar := container("log")
	sidecar.PortMappings = nil
	task := w.run(nil, container("web"), sidecar)
	off := w.run(func(_ *ecs.RegisterTaskDefinitionInput, in *ecs.RunTaskInput) { in.EnableExecuteCommand = false }, container("web"))
	valid := ecs.ExecuteCommandInput{
		Cluster: sdk.String("shop_eu"), Task: &task.ARN, Container: sdk.String("web"), Command: sdk.String("sh"), Interactive: true,
	}
	for name, tt := range map[string]struct {
		change        func(*ecs.ExecuteCommandInput)
		code, message string
	}{
		"not interactive": {func(in *ecs.ExecuteCommandInput) { in.Interactive = false }, "InvalidParameterException", "Interactive is the only mode supported currently."},
		"no cluster":      {func(in *ecs.ExecuteCommandInput) { in.Cluster = sdk.String("nope") }, "ClusterNotFoundException", "Cluster not found."},
		"no task":         {func(in *ecs.ExecuteCommandInput) { in.Task = sdk.String(strings.Repeat("0", 32)) }, "InvalidParameterException", "The referenced task was not found."},
		"no container":    {func(in *ecs.ExecuteCommandInput) { in.Container = sdk.String("db") }, "InvalidParameterException", `The container "db" was not found in the task.`},
		"two containers":  {func(in *ecs.ExecuteCommandInput) { in.Container = nil }, "InvalidParameterException", "The task has more than one container. Specify the name of one of them: web, log."},
		"blank command":   {func(in *ecs.ExecuteCommandInput) { in.Command = sdk.String(" ") }, "InvalidParameterException", "Command can not be blank."},
		"exec is off":     {func(in *ecs.ExecuteCommandInput) { in.Task = &off.ARN }, "InvalidParameterException", notEnabled},
	} {
		t.Run(name, func(t *testing.T) {
			in := valid
			tt.change(&in)
			_, err := w.ecs.ExecuteCommand(t.Context(), &in)
			checkAPIError(t, err, tt.code, tt.message)
		})
	}
	w.must(w.client.StopTask(t.Context(), task, "test"))
	w.until("the task stops", func() bool { return w.describe(task.ARN).LastStatus == "STOPPED" })
	_, err := w.ecs.ExecuteCommand(t.Context(), &valid)
	checkAPIError(t, err, "InvalidParameterException", notEnabled)
}

func TestAgentsThatCannotRun(t *testing.T) {
	t.Parallel()
	readOnly := container("web")
	readOnly.ReadonlyRootFilesystem = sdk.Bool(true)
	volumes := readOnly
	for _, path := range []string{"/managed-agents", "/var/lib/amazon/ssm", "/var/log/amazon/ssm"} {
		volumes.MountPoints = append(volumes.MountPoints, types.MountPoint{ContainerPath: &path, SourceVolume: sdk.String("agent")})
	}
	sidecar := container("log")
	sidecar.PortMappings = nil
	for name, tt := range map[string]struct {
		containers []types.ContainerDefinition
		pid        types.PidMode
		want       map[string]string // container -> beginning and part of the reason
	}{
		"read-only root":              {[]types.ContainerDefinition{readOnly}, "", map[string]string{"web": "STOPPED readonlyRootFilesystem"}},
		"read-only root with volumes": {[]types.ContainerDefinition{volumes}, "", map[string]string{"web": "RUNNING "}},
		"shared PID namespace":        {[]types.ContainerDefinition{container("web"), sidecar}, types.PidModeTask, map[string]string{"web": "RUNNING ", "log": "STOPPED pidMode task"}},
		"two containers":              {[]types.ContainerDefinition{container("web"), sidecar}, "", map[string]string{"web": "RUNNING ", "log": "RUNNING "}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newExecWorld(t)
			task := w.run(func(d *ecs.RegisterTaskDefinitionInput, _ *ecs.RunTaskInput) {
				d.PidMode = tt.pid
				if len(tt.containers[0].MountPoints) > 0 {
					d.Volumes = []types.Volume{{Name: sdk.String("agent")}}
				}
			}, tt.containers...)
			agents := w.agents(task.ARN)
			for name, want := range tt.want {
				status, part, _ := strings.Cut(want, " ")
				if !strings.HasPrefix(agents[name], status) || !strings.Contains(agents[name], part) {
					t.Errorf("agent of %s: %q, want %q", name, agents[name], want)
				}
				_, err := w.client.ExecuteCommand(t.Context(), task, name, "sh")
				if ran := errors.Is(err, nil); ran != (status == "RUNNING") {
					t.Errorf("a session in %s: %v", name, err)
				}
			}
		})
	}
}

func TestNotConnectedForAWhile(t *testing.T) {
	t.Parallel()
	w := newExecWorld(t)
	task := w.run(nil, container("web"))
	w.server.Faults().NotConnected(2)
	w.server.Faults().ResetCalls()
	if _, err := w.client.ExecuteCommand(t.Context(), task, "web", "sh"); err != nil || w.server.Faults().Calls()["ExecuteCommand"] != 3 {
		t.Errorf("%v after %d calls", err, w.server.Faults().Calls()["ExecuteCommand"])
	}
	w.server.Faults().NotConnected(1)
	_, err := w.ecs.ExecuteCommand(t.Context(), &ecs.ExecuteCommandInput{Cluster: &task.ClusterARN, Task: &task.ARN, Command: sdk.String("sh"), Interactive: true})
	checkAPIError(t, err, "TargetNotConnectedException", "The execute command failed due to an internal error. Try again later.")
	w.server.Faults().NotConnected(1)
	w.server.Faults().Clear()
	if _, err := w.client.ExecuteCommand(t.Context(), task, "web", "sh"); err != nil {
		t.Errorf("after Clear: %v", err)
	}
}

func TestSessionManagerRefusals(t *testing.T) {
	t.Parallel()
	w := newExecWorld(t)
	task := w.run(nil, container("web"))
	client := ssm.NewFromConfig(w.config)
	good := "ecs:shop_eu_" + task.ID + "_" + task.Containers[0].RuntimeID
	for _, target := range []string{"i-0123456789abcdef0", "ecs:", "ecs:shop_eu_" + task.ID, good + "0", "ecs:x_" + good[4:], strings.Replace(good, task.ID, strings.Repeat("0", 32), 1), "ecs:\x1b]0;x\a_a_b"} {
		_, err := client.StartSession(t.Context(), &ssm.StartSessionInput{Target: &target, DocumentName: sdk.String("AWS-StartPortForwardingSession")})
		checkAPIError(t, err, "TargetNotConnected", "")
		if strings.Contains(err.Error(), "\x1b") {
			t.Errorf("an escape sequence passes: %q", err.Error())
		}
	}
	if _, err := client.StartSession(t.Context(), &ssm.StartSessionInput{Target: &good, DocumentName: sdk.String("AWS-StartPortForwardingSession")}); err != nil {
		t.Error(err)
	}
	_, err := client.ResumeSession(t.Context(), &ssm.ResumeSessionInput{SessionId: sdk.String("sandbox-0")})
	checkAPIError(t, err, "DoesNotExistException", "")
	_, err = client.TerminateSession(t.Context(), &ssm.TerminateSessionInput{SessionId: sdk.String("sandbox-0")})
	checkAPIError(t, err, "DoesNotExistException", "")
}

// TestStreamsAreGuarded tries to get into a session without its token, with a
// spent one, and with a wrong signature.
func TestStreamsAreGuarded(t *testing.T) {
	t.Parallel()
	w := newExecWorld(t)
	task := w.run(nil, container("web"))
	opened, err := w.client.ExecuteCommand(t.Context(), task, "web", "/bin/sh")
	w.must(err)
	signed, err := w.client.SignWebsocket(t.Context(), opened.StreamURL)
	w.must(err)

	forged := signed.Clone()
	forged.Set("Authorization", forged.Get("Authorization")+"0")
	otherService, err := aws.New(aws.Options{Region: "us-east-1", AccessKeyID: "AKIAOTHER", SecretAccessKey: "x"}).SignWebsocket(t.Context(), opened.StreamURL)
	w.must(err)
	for name, header := range map[string]http.Header{"forged": forged, "another key": otherService, "no SigV4": {"Authorization": {"Bearer x"}}} {
		if status := w.dialStream(opened.StreamURL, header, ""); status != "HTTP 403" {
			t.Errorf("%s: %s", name, status)
		}
	}
	if status := w.dialStream(opened.StreamURL, http.Header{"Origin": {"http://evil.example"}}, opened.Token.Reveal()); status != "HTTP 403" {
		t.Errorf("foreign Origin: %s", status)
	}
	for name, token := range map[string]string{"no token": "", "wrong token": "x"} {
		if status := w.dialStream(opened.StreamURL, nil, token); status != "closed 1008" {
			t.Errorf("%s: %s", name, status)
		}
	}
	if status := w.dialStream(opened.StreamURL, signed, opened.Token.Reveal()); status != "open" {
		t.Errorf("the right token: %s", status)
	}
	if status := w.dialStream(opened.StreamURL, signed, opened.Token.Reveal()); status != "closed 1008" {
		t.Errorf("a spent token: %s", status)
	}
	if status := w.dialStream(strings.Replace(opened.StreamURL, "ecs-", "x-", 1), nil, "x"); status != "HTTP 404" {
		t.Errorf("no such session: %s", status)
	}
}

// dialStream shows a token on a stream and tells what becomes of it.
func (w *execWorld) dialStream(url string, header http.Header, token string) string {
	w.t.Helper()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	ws, resp, err := websocket.Dial(w.t.Context(), url, &websocket.DialOptions{HTTPHeader: header, HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		if resp == nil {
			return err.Error()
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		return "HTTP " + resp.Status[:3]
	}
	defer func() { _ = ws.CloseNow() }()
	w.must(ws.Write(w.t.Context(), websocket.MessageText, []byte(`{"MessageSchemaVersion":"1.0","RequestId":"r","TokenValue":"`+token+`","ClientId":"c"}`)))
	if _, _, err := ws.Read(w.t.Context()); err != nil {
		return "closed " + strconv.Itoa(int(websocket.CloseStatus(err)))
	}
	return "open"
}

// TestStatesRunNothing says so instead of pretending, where tasks are states
// only.
func TestStatesRunNothing(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, sandbox.None())
	task := w.run(nil, container("web"))
	got := cause(t, w.shell(task, "web", "/bin/sh").ends())
	if got != "Unable to start command: the sandbox's tasks are states only, nothing runs in them" {
		t.Errorf("got %q", got)
	}
}
