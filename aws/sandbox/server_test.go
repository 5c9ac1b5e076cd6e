package sandbox

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"go.uber.org/goleak"
)

// checkLeaks fails the test when a goroutine that it started outlives it.
// Register it first, so that it runs after every other cleanup.
func checkLeaks(t *testing.T) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		// net/http lingers for half a second on a connection whose request it
		// refused to read; one Find has not that much patience.
		err := goleak.Find(before)
		for range 3 {
			if err != nil {
				err = goleak.Find(before)
			}
		}
		if err != nil {
			t.Error(err)
		}
	})
}

// startServer starts an empty sandbox that the test's end closes.
func startServer(t *testing.T, change func(*Config)) *Server {
	t.Helper()
	checkLeaks(t)
	c := Config{Empty: true, RunDir: t.TempDir() + "/run"}
	if change != nil {
		change(&c)
	}
	s, err := Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// client is an SDK configuration for s whose connections end with the test.
func client(t *testing.T, s *Server) aws.Config {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return aws.Config{
		Region:           s.Region(),
		BaseEndpoint:     aws.String(s.URL()),
		Credentials:      credentials.NewStaticCredentialsProvider(s.AccessKeyID(), s.SecretAccessKey(), ""),
		HTTPClient:       &http.Client{Transport: transport},
		RetryMaxAttempts: 1,
	}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Fatalf("got %v, want the API error %s", err, code)
	}
	if api.ErrorCode() != code {
		t.Fatalf("got %s (%s), want %s", api.ErrorCode(), api.ErrorMessage(), code)
	}
}

func TestServerAnswersSTSAndECS(t *testing.T) {
	s := startServer(t, nil)
	who, err := sts.NewFromConfig(client(t, s)).GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if *who.Account != "000000000000" || *who.Arn != "arn:aws:iam::000000000000:user/sandbox" || !strings.HasPrefix(*who.UserId, "AIDA") {
		t.Errorf("identity is %s %s %s", *who.Account, *who.Arn, *who.UserId)
	}
	if _, err := ecs.NewFromConfig(client(t, s)).ListClusters(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func TestServerRefusesWhatItDoesNotEmulate(t *testing.T) {
	s := startServer(t, nil)
	_, err := ecs.NewFromConfig(client(t, s)).ListAccountSettings(t.Context(), nil)
	wantCode(t, err, "UnknownOperationException")
	if !strings.Contains(err.Error(), "ecs:ListAccountSettings") {
		t.Errorf("%v does not name the operation", err)
	}
	_, err = sts.NewFromConfig(client(t, s)).GetSessionToken(t.Context(), nil)
	wantCode(t, err, "UnknownOperationException")
}

func TestStartListensOnLoopbackOnly(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.com:0"} {
		_, err := Start(t.Context(), Config{Empty: true, Listen: address, RunDir: t.TempDir()})
		if err == nil || !strings.Contains(err.Error(), "only listens on 127.0.0.1") {
			t.Errorf("listen on %s: %v", address, err)
		}
	}
	if _, err := Start(t.Context(), Config{Empty: true, Listen: "4566", RunDir: t.TempDir()}); err == nil {
		t.Error("an address without a host was accepted")
	}
}

func TestStartTellsAPortInUse(t *testing.T) {
	s := startServer(t, nil)
	_, err := Start(t.Context(), Config{Empty: true, Listen: strings.TrimPrefix(s.URL(), "http://"), RunDir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("got %v", err)
	}
}

func TestStartUsesTheGivenKey(t *testing.T) {
	s := startServer(t, func(c *Config) { c.AccessKeyID, c.SecretAccessKey = "AKIDEXAMPLE", "it's secret" })
	if _, err := sts.NewFromConfig(client(t, s)).GetCallerIdentity(t.Context(), nil); err != nil {
		t.Error(err)
	}
	other := startServer(t, nil)
	if other.AccessKeyID() == s.AccessKeyID() || len(other.AccessKeyID()) != 20 || len(other.SecretAccessKey()) != 40 {
		t.Errorf("random key is %d and %d characters long", len(other.AccessKeyID()), len(other.SecretAccessKey()))
	}
}

func TestServerEndsWithItsContext(t *testing.T) {
	checkLeaks(t)
	ctx, cancel := context.WithCancel(t.Context())
	s, err := Start(ctx, Config{Empty: true, RunDir: t.TempDir() + "/run"})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := s.Close(); err != nil { // waits for the Close that the context began
		t.Error(err)
	}
	if conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.URL(), "http://")); err == nil {
		_ = conn.Close()
		t.Error("the port is still open")
	}
}

func TestCloseEndsHeldCalls(t *testing.T) {
	s := startServer(t, nil)
	s.Faults().Silent(true)
	answer := make(chan error)
	go func() {
		_, err := sts.NewFromConfig(client(t, s)).GetCallerIdentity(t.Context(), nil)
		answer <- err
	}()
	eventually(t, func() bool { return s.Faults().Calls()["GetCallerIdentity"] == 1 })
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-answer; err == nil {
		t.Error("a call that was cut off succeeded")
	}
}

func TestMountIsGuardedByHostAndOriginAlone(t *testing.T) {
	s := startServer(t, nil)
	s.Mount("/mounted/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(r.URL.Path))
	}))
	for name, want := range map[string]struct {
		change func(*http.Request)
		status int
	}{
		"plain":          {func(*http.Request) {}, http.StatusOK},
		"own origin":     {func(r *http.Request) { r.Header.Set("Origin", s.URL()) }, http.StatusOK},
		"foreign origin": {func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") }, http.StatusForbidden},
		"foreign host":   {func(r *http.Request) { r.Host = "evil.example" }, http.StatusMisdirectedRequest},
	} {
		t.Run(name, func(t *testing.T) {
			r := request(t, http.MethodGet, s.URL()+"/mounted/x", "")
			want.change(r)
			if got := send(t, r); got.status != want.status {
				t.Errorf("status %d, want %d: %s", got.status, want.status, got.body)
			}
		})
	}
}

func TestCloseEndsMountedHandlers(t *testing.T) {
	s := startServer(t, nil)
	entered, left := make(chan struct{}), make(chan struct{})
	s.Mount("/held", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
		}
		close(entered)
		<-r.Context().Done()
		_ = conn.Close()
		close(left)
	}))
	hungUp := make(chan struct{})
	go func() {
		defer close(hungUp)
		transport := &http.Transport{}
		if resp, err := transport.RoundTrip(request(t, http.MethodGet, s.URL()+"/held", "")); err == nil {
			_ = resp.Body.Close()
			t.Error("an answer came")
		}
	}()
	<-entered
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	select {
	case <-left:
	default:
		t.Error("Close did not wait for the handler")
	}
	<-hungUp
}

func TestStartAcceptsEveryNameOfLoopback(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "localhost:0", "[::1]:0"} {
		t.Run(address, func(t *testing.T) {
			if strings.HasPrefix(address, "[") {
				l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address)
				if err != nil {
					t.Skip("this machine has no IPv6: ", err)
				}
				_ = l.Close()
			}
			s := startServer(t, func(c *Config) { c.Listen = address })
			if _, err := sts.NewFromConfig(client(t, s)).GetCallerIdentity(t.Context(), nil); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAWSCLI(t *testing.T) {
	cli := findAWSCLI(t)
	s := startServer(t, nil)
	run := func(args ...string) (string, error) { return awsCLI(t, s, cli, args...) }
	if out, err := run("sts", "get-caller-identity", "--query", "Arn", "--output", "text"); err != nil || strings.TrimSpace(out) != userARN {
		t.Errorf("sts get-caller-identity: %v: %s", err, out)
	}
	if out, err := run("ecs", "list-clusters"); err != nil || !strings.Contains(out, "clusterArns") {
		t.Errorf("ecs list-clusters: %v: %s", err, out)
	}
	if out, err := run("ecs", "describe-services", "--cluster", "none", "--services", "web"); err == nil || !strings.Contains(out, "(ClusterNotFoundException)") {
		t.Errorf("ecs describe-services: %v: %s", err, out)
	}
	if out, err := run("ecs", "list-account-settings"); err == nil || !strings.Contains(out, "(UnknownOperationException)") {
		t.Errorf("ecs list-account-settings: %v: %s", err, out)
	}
}

// findAWSCLI is where the AWS CLI is. Without it the test is skipped, but fails
// where CI promises it.
func findAWSCLI(t *testing.T) string {
	t.Helper()
	cli, err := exec.LookPath("aws")
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatal("the AWS CLI is not on PATH: ", err)
	default:
		t.Skip("the AWS CLI is not on PATH: ", err)
	}
	return cli
}

// awsCLI runs the AWS CLI against s, set up by the lines that users are shown.
func awsCLI(t *testing.T, s *Server, cli string, args ...string) (string, error) {
	t.Helper()
	script := strings.Join(s.Exports(), "\n") + "\nexec \"$@\""
	c := exec.CommandContext(t.Context(), "/bin/sh", append([]string{"-c", script, "sh", cli}, args...)...)
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "AWS_CONFIG_FILE=/nonexistent", "AWS_SHARED_CREDENTIALS_FILE=/nonexistent"}
	out, err := c.CombinedOutput()
	return string(out), err
}

// eventually waits until the condition holds.
func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatal("the condition did not come true")
		}
	}
}
