package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

type answer struct {
	status int
	body   string
	header http.Header
}

func request(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func send(t *testing.T, r *http.Request) answer {
	t.Helper()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, string(body), resp.Header}
}

// listClusters is an unsigned call of ECS.
func listClusters(t *testing.T, s *Server, body string) *http.Request {
	t.Helper()
	r := request(t, http.MethodPost, s.URL()+"/", body)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.ListClusters")
	return r
}

// whoAmI is an unsigned call of STS.
func whoAmI(t *testing.T, s *Server) *http.Request {
	t.Helper()
	r := request(t, http.MethodPost, s.URL()+"/", whoAmIForm)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

const whoAmIForm = "Action=GetCallerIdentity&Version=2011-06-15"

// signature is how a request is signed; each test spoils one part.
type signature struct {
	id, secret, service, region, body string
	at                                time.Time
}

func (s *Server) signature(service, body string) signature {
	return signature{s.AccessKeyID(), s.SecretAccessKey(), service, s.Region(), body, time.Now()}
}

func sign(t *testing.T, r *http.Request, by signature) {
	t.Helper()
	sum := sha256.Sum256([]byte(by.body))
	key := aws.Credentials{AccessKeyID: by.id, SecretAccessKey: by.secret}
	if err := v4.NewSigner().SignHTTP(t.Context(), key, r, hex.EncodeToString(sum[:]), by.service, by.region, by.at); err != nil {
		t.Fatal(err)
	}
}

func TestGuardOnSignature(t *testing.T) {
	s := startServer(t, nil)
	for _, c := range []struct {
		name  string
		spoil func(by *signature)   // before signing
		after func(r *http.Request) // after signing
		code  string                // empty: let in
		says  string
	}{
		{name: "well signed"},
		{name: "wrong key id", spoil: func(by *signature) { by.id = "AKIAIOSFODNN7EXAMPLE" }, code: "UnrecognizedClientException", says: "security token included in the request is invalid"},
		{name: "wrong secret", spoil: func(by *signature) { by.secret += "x" }, code: "InvalidSignatureException", says: "does not match the signature you provided"},
		{name: "another region", spoil: func(by *signature) { by.region = "eu-west-1" }, code: "InvalidSignatureException", says: "valid region"},
		{name: "another service", spoil: func(by *signature) { by.service = "sts" }, code: "InvalidSignatureException", says: "correct service: 'ecs'"},
		{name: "replayed late", spoil: func(by *signature) { by.at = by.at.Add(-6 * time.Minute) }, code: "InvalidSignatureException", says: "Signature expired: "},
		{name: "from another day", spoil: func(by *signature) { by.at = by.at.AddDate(0, 0, -1) }, code: "InvalidSignatureException", says: "Signature expired: "},
		{name: "from the future", spoil: func(by *signature) { by.at = by.at.Add(6 * time.Minute) }, code: "InvalidSignatureException", says: "Signature not yet current: "},
		{name: "signed over another body", spoil: func(by *signature) { by.body = `{"maxResults":1}` }, code: "InvalidSignatureException", says: "does not match"},
		{name: "unsigned", after: func(r *http.Request) { r.Header.Del("Authorization") }, code: "MissingAuthenticationTokenException"},
		{name: "basic authentication", after: func(r *http.Request) { r.SetBasicAuth("a", "b") }, code: "IncompleteSignatureException"},
		{name: "two signatures", after: func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }, code: "IncompleteSignatureException"},
		{name: "no signature part", after: replaceAuthorization(", Signature=", ", Other="), code: "IncompleteSignatureException", says: "requires 'Signature'"},
		{name: "short credential", after: replaceAuthorization("/aws4_request", ""), code: "IncompleteSignatureException", says: "slash-delimited"},
		{name: "altered signature", after: replaceAuthorization("Signature=", "Signature=0"), code: "InvalidSignatureException"},
		{name: "no date", after: func(r *http.Request) { r.Header.Del("X-Amz-Date") }, code: "IncompleteSignatureException", says: "X-Amz-Date"},
		{name: "odd date", after: func(r *http.Request) { r.Header.Set("X-Amz-Date", "yesterday") }, code: "IncompleteSignatureException", says: "ISO-8601"},
		{name: "date moved on", after: func(r *http.Request) { r.Header.Set("X-Amz-Date", time.Now().UTC().Add(time.Minute).Format(amzTime)) }, code: "InvalidSignatureException"},
		{name: "date of another day", after: func(r *http.Request) { r.Header.Set("X-Amz-Date", "20200101T000000Z") }, code: "InvalidSignatureException", says: "Date in Credential scope"},
		{name: "another operation", after: func(r *http.Request) {
			r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.DeleteCluster")
		}, code: "InvalidSignatureException"},
		{name: "header added", after: func(r *http.Request) { r.Header.Set("X-Amz-Other", "1") }, code: "InvalidSignatureException", says: "not signed: x-amz-other"},
		{name: "host not signed", after: replaceAuthorization("host;", ""), code: "InvalidSignatureException", says: "'Host'"},
		{name: "target not signed", after: replaceAuthorization(";x-amz-target", ""), code: "InvalidSignatureException", says: "not signed: x-amz-target"},
		{name: "another path", after: func(r *http.Request) { r.URL.Path = "/other" }, code: "InvalidSignatureException"},
		{name: "a query added", after: func(r *http.Request) { r.URL.RawQuery = "a=b" }, code: "InvalidSignatureException"},
		{name: "presigned", after: func(r *http.Request) { r.URL.RawQuery = "X-Amz-Signature=0" }, code: "IncompleteSignatureException", says: "presigned"},
		{name: "another body's hash claimed", after: func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD") }, code: "InvalidSignatureException"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := listClusters(t, s, "{}")
			by := s.signature("ecs", "{}")
			if c.spoil != nil {
				c.spoil(&by)
			}
			sign(t, r, by)
			if c.after != nil {
				c.after(r)
			}
			checkAnswer(t, send(t, r), c.code, c.says)
		})
	}
}

func checkAnswer(t *testing.T, got answer, code, says string) {
	t.Helper()
	if code == "" {
		if got.status != http.StatusOK {
			t.Errorf("refused with %d: %s", got.status, got.body)
		}
		return
	}
	if got.status != http.StatusForbidden {
		t.Errorf("status %d, want 403: %s", got.status, got.body)
	}
	if got.header.Get("X-Amzn-Errortype") != code || !strings.Contains(got.body, code) {
		t.Errorf("got %s, want %s: %s", got.header.Get("X-Amzn-Errortype"), code, got.body)
	}
	if !strings.Contains(got.body, says) {
		t.Errorf("%s does not say %q", got.body, says)
	}
}

func replaceAuthorization(old, now string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, now, 1))
	}
}

func TestGuardNamesQueryErrorsAsQueryServicesDo(t *testing.T) {
	s := startServer(t, nil)
	for code, spoil := range map[string]func(*signature){
		"InvalidClientTokenId":  func(by *signature) { by.id = "AKIAIOSFODNN7EXAMPLE" },
		"SignatureDoesNotMatch": func(by *signature) { by.secret = "x" },
	} {
		r := whoAmI(t, s)
		by := s.signature("sts", whoAmIForm)
		spoil(&by)
		sign(t, r, by)
		got := send(t, r)
		checkAnswer(t, got, code, "<Type>Sender</Type>")
	}
	r := whoAmI(t, s)
	checkAnswer(t, send(t, r), "MissingAuthenticationToken", "<ErrorResponse>")
}

// Only a signed request may reach the API, so a signature that would do must
// not help against the other guards.
func TestGuardOnHost(t *testing.T) {
	s := startServer(t, nil)
	port := s.URL()[strings.LastIndex(s.URL(), ":"):]
	for host, status := range map[string]int{
		"127.0.0.1" + port:              http.StatusOK,
		"localhost" + port:              http.StatusOK,
		"LocalHost" + port:              http.StatusOK,
		"[::1]" + port:                  http.StatusOK,
		"127.0.0.1":                     http.StatusMisdirectedRequest,
		"localhost:1":                   http.StatusMisdirectedRequest,
		"evil.example" + port:           http.StatusMisdirectedRequest,
		"127.0.0.1.evil.example" + port: http.StatusMisdirectedRequest,
		"localhost.evil.example" + port: http.StatusMisdirectedRequest,
		"127.0.0.2" + port:              http.StatusMisdirectedRequest,
		"0.0.0.0" + port:                http.StatusMisdirectedRequest,
	} {
		t.Run(host, func(t *testing.T) {
			r := listClusters(t, s, "{}")
			r.Host = host
			sign(t, r, s.signature("ecs", "{}"))
			if got := send(t, r); got.status != status {
				t.Errorf("status %d, want %d: %s", got.status, status, got.body)
			}
		})
	}
}

func TestGuardOnOrigin(t *testing.T) {
	s := startServer(t, nil)
	port := s.URL()[strings.LastIndex(s.URL(), ":"):]
	for origin, status := range map[string]int{
		s.URL():                          http.StatusOK,
		"http://localhost" + port:        http.StatusOK,
		"null":                           http.StatusForbidden,
		"http://evil.example":            http.StatusForbidden,
		"https://127.0.0.1" + port:       http.StatusForbidden,
		"http://127.0.0.1:1":             http.StatusForbidden,
		"http://127.0.0.1" + port + ".x": http.StatusForbidden,
	} {
		t.Run(origin, func(t *testing.T) {
			r := listClusters(t, s, "{}")
			sign(t, r, s.signature("ecs", "{}"))
			r.Header.Set("Origin", origin)
			if got := send(t, r); got.status != status {
				t.Errorf("status %d, want %d: %s", got.status, status, got.body)
			}
		})
	}
}

func TestGuardOnBodySize(t *testing.T) {
	s := startServer(t, nil)
	body := strings.Repeat(" ", 1<<20) + "{}"
	r := listClusters(t, s, body)
	sign(t, r, s.signature("ecs", body))
	if got := send(t, r); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d, want 413", got.status)
	}
	r = listClusters(t, s, body)
	r.ContentLength = -1 // chunked: the size is not told in advance
	sign(t, r, s.signature("ecs", body))
	if got := send(t, r); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("chunked: status %d, want 413", got.status)
	}
}

func TestGuardTakesWhatOtherClientsSign(t *testing.T) {
	s := startServer(t, nil)
	t.Run("chunked body", func(t *testing.T) {
		r := listClusters(t, s, "{}")
		r.ContentLength = -1
		sign(t, r, s.signature("ecs", "{}"))
		checkAnswer(t, send(t, r), "", "")
	})
	t.Run("payload hash header", func(t *testing.T) {
		sum := sha256.Sum256([]byte("{}"))
		r := listClusters(t, s, "{}")
		r.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
		sign(t, r, s.signature("ecs", "{}"))
		checkAnswer(t, send(t, r), "", "")
	})
	t.Run("content type not signed", func(t *testing.T) {
		r := whoAmI(t, s)
		r.Header.Del("Content-Type")
		sign(t, r, s.signature("sts", whoAmIForm))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		checkAnswer(t, send(t, r), "", "")
	})
	t.Run("left-over session token", func(t *testing.T) {
		r := listClusters(t, s, "{}")
		r.Header.Set("X-Amz-Security-Token", "from another account")
		sign(t, r, s.signature("ecs", "{}"))
		checkAnswer(t, send(t, r), "", "")
	})
}

// BenchmarkGuard is what verifying a signature adds to a call.
func BenchmarkGuard(b *testing.B) {
	const body = "{}"
	g := newGuard("127.0.0.1:4566", accessKey{"AKIAIOSFODNN7EXAMPLE", "secret"})
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:4566/", nil)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.ListClusters")
	r.ContentLength = int64(len(body))
	sum := sha256.Sum256([]byte(body))
	key := aws.Credentials{AccessKeyID: g.key.id, SecretAccessKey: g.key.secret}
	at := time.Now()
	g.now = func() time.Time { return at }
	if err := v4.NewSigner().SignHTTP(b.Context(), key, r, hex.EncodeToString(sum[:]), "ecs", region, at); err != nil {
		b.Fatal(err)
	}
	passed := 0
	guarded := g.local(g.signed(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { passed++ })))
	calls := 0
	b.ReportAllocs()
	for b.Loop() {
		r.Body = io.NopCloser(strings.NewReader(body))
		guarded.ServeHTTP(httptest.NewRecorder(), r)
		calls++
	}
	if passed != calls {
		b.Fatalf("%d of %d calls passed", passed, calls)
	}
}
