package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/smithy-go"
	"go.uber.org/goleak"

	"gantry/internal/diagnose"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// answering starts a server with one handler and a client that speaks to it.
func answering(t *testing.T, o Options, handle http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	o.Endpoint, o.AccessKeyID, o.SecretAccessKey = server.URL, "AKIDTEST", "secret"
	if o.Timeout == 0 {
		o.Timeout = 200 * time.Millisecond
	}
	c := New(o)
	t.Cleanup(c.Close)
	return c
}

// failing answers every call with an error in AWS's form.
func failing(status int, code, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.Header().Set("X-Amzn-Requestid", "11111111-2222-3333-4444-555555555555")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "message": message})
	}
}

// explained asserts that err is told in the user's terms and returns it.
func explained(t *testing.T, err, kind error) *diagnose.Error {
	t.Helper()
	var d *diagnose.Error
	if !errors.As(err, &d) {
		t.Fatalf("got %T %v, want a *diagnose.Error", err, err)
	}
	if !errors.Is(err, kind) {
		t.Errorf("got %v, want its kind to be %q", err, kind)
	}
	text := err.Error()
	for _, noise := range []string{"RequestID", "request id", "operation error", "https response", "api error", "11111111-", "\x1b", "\n"} {
		if strings.Contains(text, noise) {
			t.Errorf("the message shows %q: %s", noise, text)
		}
	}
	return d
}

func TestErrorsOfTheService(t *testing.T) {
	denied := "User: arn:aws:sts::111122223333:assumed-role/ops/ann is not authorized to perform: ecs:ListClusters on resource: arn:aws:ecs:eu-west-1:111122223333:cluster/* because no identity-based policy allows the ecs:ListClusters action"
	tests := map[string]struct {
		status        int
		code, message string
		kind          error
		cause, do     string
	}{
		"denied":               {400, "AccessDeniedException", denied, ErrDenied, "no permission for ecs:ListClusters on arn:aws:ecs:eu-west-1:111122223333:cluster/*", `{"Effect":"Allow","Action":"ecs:ListClusters"`},
		"denied by a policy":   {400, "AccessDeniedException", strings.Replace(denied, "because no identity-based policy allows the ecs:ListClusters action", "", 1) + "with an explicit deny in a service control policy", ErrDenied, "denies it explicitly", "service control policy"},
		"denied without a why": {400, "AccessDeniedException", "no", ErrDenied, "no permission for ecs:ListClusters", `"Resource":"*"`},
		"expired":              {400, "ExpiredTokenException", "The security token included in the request is expired", ErrCredentials, "session token has expired", "fresh keys"},
		"unknown key":          {400, "UnrecognizedClientException", "The security token included in the request is invalid.", ErrCredentials, "does not know this access key", "gantry sandbox env"},
		"wrong secret":         {403, "InvalidSignatureException", "The request signature we calculated does not match", ErrCredentials, "secret key does not belong", "keys"},
		"clock":                {403, "InvalidSignatureException", "Signature expired: 20260101T000000Z is now earlier than", ErrCredentials, "clock", "set the clock"},
		"throttled":            {400, "ThrottlingException", "Rate exceeded", ErrThrottled, "throttling", "wait"},
		"cluster":              {400, "ClusterNotFoundException", "Cluster not found.", ErrNotFound, "no such cluster in us-east-1", "check its name"},
		"parameter":            {400, "InvalidParameterException", "Identifier is for x. Your accountId is y", ErrRefused, "Identifier is for x", ""},
		"unknown operation":    {400, "UnknownOperationException", "", ErrUnsupported, "ecs:ListClusters is not emulated by the sandbox", "real account"},
		"server":               {500, "ServerException", "Service Unavailable. Please try again later.", ErrUnreachable, "internal error", "try again"},
		"hostile text":         {400, "InvalidParameterException", "\x1b]0;pwned\x07\x1b[31mred\r\nsecond line", ErrRefused, "red second line", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := answering(t, Options{}, failing(tt.status, tt.code, tt.message))
			d := explained(t, c.Clusters(t.Context(), nil), tt.kind)
			if d.What != "list clusters" {
				t.Errorf("What = %q", d.What)
			}
			if !strings.Contains(d.Cause, tt.cause) || !strings.Contains(d.Do, tt.do) {
				t.Errorf("got cause %q, do %q; want %q and %q in them", d.Cause, d.Do, tt.cause, tt.do)
			}
		})
	}
}

func TestAnswersThatAreNotFromAWS(t *testing.T) {
	tests := map[string]struct {
		status int
		body   string
		kind   error
		cause  string
	}{
		"gateway page":   {502, "<html><h1>Bad Gateway</h1></html>", ErrUnreachable, "HTTP 502"},
		"forbidden page": {403, "<html>Blocked by ACME firewall</html>", ErrDenied, "HTTP 403"},
		"xml":            {501, "<?xml version='1.0'?><Error/>", ErrUnsupported, "HTTP 501"},
		"login page":     {200, "<html>Sign in to the guest network</html>", ErrUnreachable, "not in AWS's form"},
		"proxy login":    {407, "", ErrUnreachable, "the proxy wants a login"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := answering(t, Options{}, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.body)
			})
			d := explained(t, c.Clusters(t.Context(), nil), tt.kind)
			if !strings.Contains(d.Cause, tt.cause) {
				t.Errorf("cause %q, want %q in it", d.Cause, tt.cause)
			}
		})
	}
}

func TestThrottlingIsRetried(t *testing.T) {
	calls := 0
	c := answering(t, Options{Timeout: time.Second}, func(w http.ResponseWriter, r *http.Request) {
		if calls++; calls < 4 {
			failing(400, "ThrottlingException", "Rate exceeded")(w, r)
			return
		}
		fmt.Fprint(w, `{"clusterArns":[]}`)
	})
	if err := c.Clusters(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if calls != 4 || c.Calls() != 4 {
		t.Errorf("server saw %d calls, client counted %d; want 4", calls, c.Calls())
	}
}

func TestNothingListens(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	address := server.URL
	server.Close()
	c := New(Options{Endpoint: address, AccessKeyID: "a", SecretAccessKey: "b"})
	defer c.Close()
	d := explained(t, c.Clusters(t.Context(), nil), ErrUnreachable)
	if d.Cause != "nothing listens at "+address || !strings.Contains(d.Do, "gantry sandbox") {
		t.Errorf("got %v", d)
	}
	if c.Calls() != 1 {
		t.Errorf("%d calls, want one: a refused connection is not retried", c.Calls())
	}
}

func TestSilentEndpointEnds(t *testing.T) {
	for name, begin := range map[string]func(http.ResponseWriter){
		"no answer": func(http.ResponseWriter) {},
		"half an answer": func(w http.ResponseWriter) {
			fmt.Fprint(w, `{"clusterArns":[`)
			w.(http.Flusher).Flush()
		},
	} {
		t.Run(name, func(t *testing.T) {
			over := make(chan struct{})
			c := answering(t, Options{Timeout: 30 * time.Millisecond}, func(w http.ResponseWriter, _ *http.Request) {
				begin(w)
				<-over
			})
			t.Cleanup(func() { close(over) })
			d := explained(t, c.Clusters(t.Context(), nil), ErrUnreachable)
			if !strings.Contains(d.Cause, "did not answer within 30ms") || !strings.Contains(d.Cause, "http://127.0.0.1:") {
				t.Errorf("cause %q", d.Cause)
			}
		})
	}
}

func TestCancelPassesUnchanged(t *testing.T) {
	over := make(chan struct{})
	entered := make(chan struct{}, 8)
	c := answering(t, Options{Timeout: time.Minute}, func(http.ResponseWriter, *http.Request) {
		entered <- struct{}{}
		<-over
	})
	t.Cleanup(func() { close(over) })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Clusters(ctx, nil) }()
	<-entered
	cancel()
	err := <-done
	var d *diagnose.Error
	if !errors.Is(err, context.Canceled) || errors.As(err, &d) {
		t.Errorf("got %v", err)
	}
}

func TestOtherNetworkFailures(t *testing.T) {
	tlsServer := httptest.NewTLSServer(http.NotFoundHandler())
	tlsServer.Config.ErrorLog = log.New(io.Discard, "", 0)
	defer tlsServer.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	for name, tt := range map[string]struct {
		endpoint string
		kind     error
		cause    string
	}{
		"untrusted certificate": {tlsServer.URL, ErrUnreachable, "is not trusted here"},
		"plain where TLS is":    {strings.Replace(plain.URL, "http:", "https:", 1), ErrUnreachable, "does not speak TLS"},
		"unknown host":          {"http://nowhere.invalid", ErrUnreachable, "the name nowhere.invalid cannot be resolved"},
		"no URL":                {"127.0.0.1:4566", ErrConfiguration, "is not a URL"},
	} {
		t.Run(name, func(t *testing.T) {
			c := New(Options{Endpoint: tt.endpoint, AccessKeyID: "a", SecretAccessKey: "b", Timeout: 500 * time.Millisecond})
			defer c.Close()
			d := explained(t, c.Clusters(t.Context(), nil), tt.kind)
			if !strings.Contains(d.Cause, tt.cause) {
				t.Errorf("cause %q, want %q in it", d.Cause, tt.cause)
			}
		})
	}
}

// bare is an environment with no AWS configuration but the given files.
func bare(t *testing.T, configuration, credentials string) {
	t.Helper()
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
			os.Unsetenv(name)
		}
	}
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	for name, text := range map[string]string{"AWS_CONFIG_FILE": configuration, "AWS_SHARED_CREDENTIALS_FILE": credentials} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv(name, path)
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

func TestConfigurationFailures(t *testing.T) {
	const sso = "[profile prod]\nregion=eu-central-1\nsso_session=corp\nsso_account_id=111122223333\nsso_role_name=ops\n" +
		"[sso-session corp]\nsso_region=eu-central-1\nsso_start_url=https://corp.example/start\n"
	for name, tt := range map[string]struct {
		config  string
		options Options
		kind    error
		cause   string
		do      string
	}{
		"no region":       {"", Options{}, ErrConfiguration, "no region is configured", "--region"},
		"no credentials":  {"[default]\nregion=eu-central-1\n", Options{}, ErrCredentials, "there are no AWS credentials", "aws configure"},
		"unknown profile": {sso, Options{Profile: "prid"}, ErrConfiguration, `there is no profile "prid"`, "use one of: backup, prod"},
		"SSO ended":       {sso, Options{Profile: "prod"}, ErrCredentials, "the SSO session has ended", "aws sso login --profile prod"},
	} {
		t.Run(name, func(t *testing.T) {
			bare(t, tt.config, "[backup]\naws_access_key_id=x\n")
			c := New(tt.options)
			defer c.Close()
			d := explained(t, c.Clusters(t.Context(), nil), tt.kind)
			if !strings.Contains(d.Cause, tt.cause) || !strings.Contains(d.Do, tt.do) {
				t.Errorf("got cause %q, do %q", d.Cause, d.Do)
			}
		})
	}
}

// What credential providers report, as the SDK wraps it.
func TestCredentialFailures(t *testing.T) {
	sso := func(cause error) error {
		return fmt.Errorf("get identity: get credentials: failed to refresh cached credentials, %w",
			&smithy.OperationError{ServiceID: "SSO", OperationName: "GetRoleCredentials", Err: cause})
	}
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "portal.sso.eu-central-1.amazonaws.com", IsNotFound: true}}
	for name, tt := range map[string]struct {
		err       error
		kind      error
		cause, do string
	}{
		"SSO token":   {fmt.Errorf("x: %w", &ssocreds.InvalidTokenError{}), ErrCredentials, "the SSO session has ended", "aws sso login --profile prod"},
		"SSO answer":  {sso(&smithy.GenericAPIError{Code: "UnauthorizedException", Message: "Session token not found or invalid"}), ErrCredentials, "the SSO session has ended", "aws sso login"},
		"SSO role":    {sso(&smithy.GenericAPIError{Code: "ForbiddenException", Message: "No access"}), ErrDenied, "no permission", ""},
		"SSO offline": {sso(dial), ErrUnreachable, "portal.sso.eu-central-1.amazonaws.com cannot be resolved", "network"},
		"aws login":   {errors.New("get identity: load login token: token file not found, please reauthenticate"), ErrCredentials, "the login session has ended", "aws login --profile prod"},
		"process":     {errors.New("get credentials: error in credential_process: exit status 1"), ErrCredentials, "credential_process failed", "by hand"},
		"MFA":         {errors.New("assume role with MFA enabled, but TokenProvider is not set"), ErrCredentials, "MFA", "session keys"},
		"other":       {errors.New("get credentials: something odd"), ErrCredentials, "something odd", "get-caller-identity"},
	} {
		t.Run(name, func(t *testing.T) {
			d := explained(t, New(Options{Profile: "prod"}).explain("list clusters", tt.err), tt.kind)
			if !strings.Contains(d.Cause, tt.cause) || !strings.Contains(d.Do, tt.do) {
				t.Errorf("got cause %q, do %q", d.Cause, d.Do)
			}
		})
	}
}

func TestConfigurationIsReadAgainAfterAFailure(t *testing.T) {
	bare(t, "", "")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"clusterArns":[]}`)
	}))
	defer server.Close()
	c := New(Options{Endpoint: server.URL})
	defer c.Close()
	_ = explained(t, c.Clusters(t.Context(), nil), ErrConfiguration)
	t.Setenv("AWS_REGION", "eu-north-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDTEST")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	if err := c.Clusters(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func TestIdentityKnowsRegionAndProfileOffline(t *testing.T) {
	bare(t, "[profile prod]\nregion=eu-central-1\n", "")
	c := New(Options{Profile: "prod"})
	defer c.Close()
	id, err := c.Identity(t.Context())
	_ = explained(t, err, ErrCredentials)
	if id.Region != "eu-central-1" || id.Profile != "prod" {
		t.Errorf("got %+v", id)
	}
}

func TestKeysRenewedOnDiskAreFound(t *testing.T) {
	bare(t, "[default]\nregion=eu-central-1\n", "[default]\naws_access_key_id=AKIDOLD\naws_secret_access_key=s\n")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Authorization"), "AKIDOLD") {
			failing(400, "ExpiredTokenException", "The security token included in the request is expired")(w, r)
			return
		}
		fmt.Fprint(w, `{"clusterArns":[]}`)
	}))
	defer server.Close()
	c := New(Options{Endpoint: server.URL})
	defer c.Close()
	_ = explained(t, c.Clusters(t.Context(), nil), ErrCredentials)
	renewed := []byte("[default]\naws_access_key_id=AKIDNEW\naws_secret_access_key=s\n")
	if err := os.WriteFile(os.Getenv("AWS_SHARED_CREDENTIALS_FILE"), renewed, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Clusters(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

// On a laptop nothing answers at the metadata address; a start that waits for
// it looks stuck.
func TestSilentInstanceMetadataIsAskedOnce(t *testing.T) {
	bare(t, "", "")
	over := make(chan struct{})
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked.Add(1)
		<-over
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(over) })
	t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.URL)
	for _, o := range []struct {
		region string
		kind   error
	}{{"", ErrConfiguration}, {"eu-central-1", ErrCredentials}} {
		asked.Store(0)
		c := New(Options{Region: o.region})
		_ = explained(t, c.Clusters(t.Context(), nil), o.kind)
		c.Close()
		if n := asked.Load(); n > 2 { // the token and, without one, the value
			t.Errorf("region %q: the metadata were asked %d times", o.region, n)
		}
	}
}

func TestNewDoesNoIO(t *testing.T) {
	bare(t, "[broken", "")
	New(Options{Endpoint: "http://127.0.0.1:1"}).Close()
}

func TestReadOnlySendsNothing(t *testing.T) {
	c := answering(t, Options{ReadOnly: true}, func(http.ResponseWriter, *http.Request) { t.Error("a call was sent") })
	for name, act := range map[string]func() error{
		"scale":   func() error { return c.Scale(t.Context(), Service{Name: "web"}, 3) },
		"stop":    func() error { return c.StopTask(t.Context(), Task{ID: "1"}, "") },
		"enable":  func() error { return c.EnableExec(t.Context(), Service{Name: "web"}) },
		"exec":    func() error { _, err := c.ExecuteCommand(t.Context(), Task{ID: "1"}, "app", "sh"); return err },
		"forward": func() error { _, err := c.StartPortForward(t.Context(), Task{ID: "1"}, "app", "", 80); return err },
	} {
		t.Run(name, func(t *testing.T) { _ = explained(t, act(), ErrReadOnly) })
	}
}

func TestActionsRefuseRowsOfAnotherScope(t *testing.T) {
	c := answering(t, Options{Region: "eu-west-1"}, func(http.ResponseWriter, *http.Request) { t.Error("a call was sent") })
	for _, scope := range []Scope{{Profile: "prod", Region: "eu-west-1"}, {Region: "us-east-1"}} {
		_ = explained(t, c.Scale(t.Context(), Service{Scope: scope, Name: "web"}, 1), ErrOtherScope)
	}
}

func TestScaleRefusesBadCounts(t *testing.T) {
	c := answering(t, Options{}, func(http.ResponseWriter, *http.Request) { t.Error("a call was sent") })
	for _, n := range []int{-1, 5001} {
		if err := c.Scale(t.Context(), Service{Name: "web"}, n); err == nil {
			t.Errorf("scale to %d: no error", n)
		}
	}
}
