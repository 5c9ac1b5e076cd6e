package aws

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const secretToken = "AAEAAXtoken"

func TestTokenNeverPrints(t *testing.T) {
	session := ExecSession{ID: "s", Token: NewToken(secretToken)}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb, session)
		fmt.Fprintf(&out, verb, &session)
		fmt.Fprintf(&out, verb, session.Token)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "session", session, "token", session.Token)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "session", session, "token", session.Token)
	if err := json.NewEncoder(&out).Encode(session); err != nil {
		t.Fatal(err)
	}
	hex := fmt.Sprintf("%x", secretToken)
	if strings.Contains(out.String(), secretToken) || strings.Contains(out.String(), hex) {
		t.Errorf("the token shows: %s", out.String())
	}
	if session.Token.Reveal() != secretToken {
		t.Error("the token is lost")
	}
}

// execTask is a running task with one container.
func execTask() Task {
	const arn = "arn:aws:ecs:us-east-1:1:"
	return Task{
		Scope: Scope{Region: "us-east-1"}, ARN: arn + "task/shop/t1", ID: "t1", Cluster: "shop", ClusterARN: arn + "cluster/shop",
		Containers: []Container{{Name: "app", RuntimeID: "rt-1"}},
	}
}

func operation(r *http.Request) string {
	_, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return name
}

func TestExecuteCommandWaitsForTheAgent(t *testing.T) {
	calls := 0
	c := answering(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		if calls++; calls < 3 {
			failing(400, "TargetNotConnectedException", "The execute command failed due to an internal error. Try again later.")(w, r)
			return
		}
		fmt.Fprintf(w, `{"containerName":"app","session":{"sessionId":"s-1","streamUrl":"wss://x/y","tokenValue":%q}}`, secretToken)
	})
	session, err := c.ExecuteCommand(t.Context(), execTask(), "app", "/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	if session.ID != "s-1" || session.StreamURL != "wss://x/y" || session.Token.Reveal() != secretToken ||
		session.ContainerName != "app" || session.Target != "ecs:shop_t1_rt-1" || calls != 3 {
		t.Errorf("got %+v after %d calls", session, calls)
	}
}

func TestExecFailuresAreExplained(t *testing.T) {
	for name, tt := range map[string]struct {
		code, message string
		kind          error
		do            string
	}{
		"agent":     {"TargetNotConnectedException", "The execute command failed due to an internal error. Try again later.", ErrNotConnected, "ssmmessages"},
		"off":       {"InvalidParameterException", "The execute command failed because execute command was not enabled when the task was run or the execute command agent isn’t running.", ErrNotConnected, "enable exec on the service"},
		"denied":    {"AccessDeniedException", "User: arn:x is not authorized to perform: ecs:ExecuteCommand on resource: arn:y because", ErrDenied, "ecs:ExecuteCommand"},
		"no task":   {"InvalidParameterException", "The referenced task was not found.", ErrNotFound, "refresh"},
		"not there": {"ClusterNotFoundException", "Cluster not found.", ErrNotFound, "check its name"},
	} {
		t.Run(name, func(t *testing.T) {
			c := answering(t, Options{}, failing(400, tt.code, tt.message))
			_, err := c.ExecuteCommand(t.Context(), execTask(), "app", "sh")
			d := explained(t, err, tt.kind)
			if !strings.Contains(d.Do, tt.do) || d.What != "open a shell in app of task t1" {
				t.Errorf("got %q, %q", d.What, d.Do)
			}
		})
	}
}

func TestASessionIsNotOpenedTwiceAfterASilence(t *testing.T) {
	over := make(chan struct{})
	c := answering(t, Options{Timeout: 30 * time.Millisecond}, func(http.ResponseWriter, *http.Request) { <-over })
	t.Cleanup(func() { close(over) })
	_, err := c.ExecuteCommand(t.Context(), execTask(), "app", "sh")
	_ = explained(t, err, ErrUnreachable)
	if c.Calls() != 1 {
		t.Errorf("%d calls, want 1", c.Calls())
	}
}

func TestPortForwardRequests(t *testing.T) {
	for name, tt := range map[string]struct{ host, document, parameters string }{
		"container": {"", "AWS-StartPortForwardingSession", "map[localPortNumber:[8080] portNumber:[8080]]"},
		"remote":    {"db.internal", "AWS-StartPortForwardingSessionToRemoteHost", "map[host:[db.internal] localPortNumber:[8080] portNumber:[8080]]"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked struct {
				Target, DocumentName string
				Parameters           map[string][]string
			}
			c := answering(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
				if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || operation(r) != "StartSession" {
					t.Errorf("%s: %v", operation(r), err)
				}
				fmt.Fprint(w, `{"SessionId":"s-2","StreamUrl":"wss://x","TokenValue":"t"}`)
			})
			session, err := c.StartPortForward(t.Context(), execTask(), "app", tt.host, 8080)
			if err != nil {
				t.Fatal(err)
			}
			if asked.Target != "ecs:shop_t1_rt-1" || asked.DocumentName != tt.document || fmt.Sprint(asked.Parameters) != tt.parameters || session.ID != "s-2" {
				t.Errorf("asked %+v, got %+v", asked, session)
			}
		})
	}
}

func TestPortForwardNeedsARunningContainer(t *testing.T) {
	c := answering(t, Options{}, func(http.ResponseWriter, *http.Request) { t.Error("a call was sent") })
	_, err := c.StartPortForward(t.Context(), execTask(), "other", "", 80)
	_ = explained(t, err, ErrNotConnected)
}

func TestSessionCalls(t *testing.T) {
	var seen []string
	c := answering(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, operation(r))
		fmt.Fprint(w, `{"SessionId":"s-1","TokenValue":"again","Plaintext":"cGxhaW4=","CiphertextBlob":"Y2lwaGVy"}`)
	})
	token, err := c.ResumeSession(t.Context(), "s-1")
	if err != nil || token != "again" {
		t.Errorf("resume: %q, %v", token, err)
	}
	if err := c.TerminateSession(t.Context(), "s-1"); err != nil {
		t.Error(err)
	}
	plain, cipher, err := c.GenerateDataKey(t.Context(), "alias/x", map[string]string{"aws:ssm:SessionId": "s-1"})
	if err != nil || string(plain) != "plain" || string(cipher) != "cipher" {
		t.Errorf("data key: %q %q %v", plain, cipher, err)
	}
	if got := strings.Join(seen, " "); got != "ResumeSession TerminateSession GenerateDataKey" {
		t.Errorf("calls %s", got)
	}
}

func TestSignWebsocket(t *testing.T) {
	c := New(Options{AccessKeyID: "AKIDTEST", SecretAccessKey: "secret", Region: "eu-west-1"})
	header, err := c.SignWebsocket(t.Context(), "wss://ssmmessages.eu-west-1.amazonaws.com/v1/data-channel/s-1?role=publish_subscribe")
	if err != nil {
		t.Fatal(err)
	}
	if auth := header.Get("Authorization"); !strings.Contains(auth, "/eu-west-1/ssmmessages/aws4_request") || !strings.Contains(auth, "SignedHeaders=host;x-amz-date") {
		t.Errorf("Authorization %q", auth)
	}
	header, err = c.SignWebsocket(t.Context(), "wss://x/y?X-Amz-Signature=1")
	if err != nil || len(header) != 0 {
		t.Errorf("a signed URL got %v, %v", header, err)
	}
	if _, err := c.SignWebsocket(t.Context(), "nonsense"); err == nil {
		t.Error("no error for a URL without a host")
	}
}

// guards against the body wrapper breaking uploads
func TestRequestsCarryTheirBody(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ MaxResults int }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.MaxResults != 100 || r.ContentLength <= 0 {
			t.Errorf("body %+v of length %d, %v", in, r.ContentLength, err)
		}
		fmt.Fprint(w, `{"serviceArns":[]}`)
	}))
	defer server.Close()
	c := New(Options{Endpoint: server.URL, AccessKeyID: "a", SecretAccessKey: "b"})
	defer c.Close()
	if err := c.Services(t.Context(), "shop", nil); err != nil {
		t.Error(err)
	}
}
