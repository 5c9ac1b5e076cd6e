package docker

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"gantry/internal/diagnose"
)

// transfers keeps what a push or a pull reported.
type transfers struct {
	mu  sync.Mutex
	all []TransferProgress
}

func (r *transfers) take(p TransferProgress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, p)
}

func (r *transfers) last() TransferProgress {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.all) == 0 {
		return TransferProgress{}
	}
	return r.all[len(r.all)-1]
}

var someDigest = "sha256:" + strings.Repeat("7e", 32)

// What engine 20.10 says of a push, the digest repeated in aux.
var pushTranscript = `{"status":"The push refers to repository [127.0.0.1:5000/bb]"}
{"status":"Preparing","progressDetail":{},"id":"bda21a526cab"}
{"status":"Preparing","progressDetail":{},"id":"1f9f6f3b47a6"}
{"status":"Preparing","progressDetail":{},"id":"5f70bf18a086"}
{"status":"Waiting","progressDetail":{},"id":"1f9f6f3b47a6"}
{"status":"Layer already exists","progressDetail":{},"id":"5f70bf18a086"}
{"status":"Pushing","progressDetail":{"current":33792,"total":1982256},"progress":"[>  ] 33.79kB/1.982MB","id":"bda21a526cab"}
{"status":"Pushing","progressDetail":{"current":138752,"total":3216},"id":"1f9f6f3b47a6"}
{"status":"Pushing","progressDetail":{"current":512},"id":"5f70bf18a086"}
{"status":"Pushed","progressDetail":{},"id":"bda21a526cab"}
{"status":"Mounted from other/web","progressDetail":{},"id":"1f9f6f3b47a6"}
{"status":"1: digest: ` + someDigest + ` size: 736"}
{"progressDetail":{},"aux":{"Tag":"1","Digest":"` + someDigest + `","Size":736}}
`

var pullTranscript = `{"status":"Pulling from bb","id":"1"}
{"status":"Pulling fs layer","progressDetail":{},"id":"aa"}
{"status":"Already exists","progressDetail":{},"id":"bb"}
{"status":"Downloading","progressDetail":{"current":10,"total":100},"id":"aa"}
{"status":"Download complete","progressDetail":{},"id":"aa"}
{"status":"Extracting","progressDetail":{"current":32,"total":100},"id":"aa"}
{"status":"Extracting","progressDetail":{"current":3,"units":"s"},"id":"aa"}
{"status":"Digest: ` + someDigest + `"}
{"status":"Status: Downloaded newer image for 127.0.0.1:5000/bb:1"}
`

func TestFollow(t *testing.T) {
	for _, tt := range []struct {
		name, transcript, digest, status, err string
		layers                                []LayerProgress
	}{
		{
			name: "push", transcript: pushTranscript, digest: someDigest, status: "1: digest: " + someDigest + " size: 736",
			layers: []LayerProgress{
				{"bda21a526cab", "Pushed", 1982256, 1982256, true},
				{"1f9f6f3b47a6", "Mounted from other/web", 3216, 3216, true},
				{"5f70bf18a086", "Pushing", 0, 0, true},
			},
		},
		{
			name: "pull", transcript: pullTranscript, digest: someDigest, status: "Status: Downloaded newer image for 127.0.0.1:5000/bb:1",
			layers: []LayerProgress{{"aa", "Extracting", 100, 100, false}, {"bb", "Already exists", 0, 0, true}},
		},
		{
			name: "more than all", transcript: `{"status":"Pushing","progressDetail":{"current":900,"total":100},"id":"a"}`,
			layers: []LayerProgress{{"a", "Pushing", 100, 100, false}},
		},
		{
			name: "less than nothing", transcript: `{"status":"Pushing","progressDetail":{"current":-5,"total":100},"id":"a"}`,
			layers: []LayerProgress{{"a", "Pushing", 0, 100, false}},
		},
		{
			name: "escape sequences", transcript: `{"status":"Push\u001b[31ming","id":"\u001b]0;x\u0007a"}`,
			layers: []LayerProgress{{"]0;x a", "Push [31ming", 0, 0, false}},
		},
		{
			name: "error", transcript: `{"errorDetail":{"message":"unauthorized: authentication required"},"error":"unauthorized: authentication required"}`,
			err: "unauthorized: authentication required",
		},
		{name: "Podman's error", transcript: `{"error":"denied"}`, err: "denied"},
		{name: "an aux of another kind", transcript: `{"aux":{"manifestPushedInsteadOfIndex":true}} {"aux":"text"}`},
		{name: "nothing"},
		{name: "rubbish", transcript: "<html>", err: "read the engine's answer"},
		{name: "cut off", transcript: `{"status":"Pus`, err: "unexpected EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noLeaks(t)
			d := deliver(newTransfer(), func(TransferProgress) {})
			err := follow(t.Context(), strings.NewReader(tt.transcript), d)
			d.close()
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			got := d.snapshot()
			if !reflect.DeepEqual(got.Layers, tt.layers) || got.Status != tt.status || d.state.digest != tt.digest {
				t.Errorf("got %+v, digest %q", got, d.state.digest)
			}
		})
	}
}

// The texts are the engines' own for what registries answer: ECR, Docker Hub,
// others; 20.10 and the containerd store of 29.
func TestExplainTransfer(t *testing.T) {
	const ecr = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:1"
	for _, tt := range []struct {
		name, ref, text string
		kind            error
		cause, does     string
	}{
		{"expired", ecr, "denied: Your authorization token has expired. Reauthenticate and try again.", ErrUnauthorized, "has expired", "try again"},
		{"invalid", ecr, "denied: Your Authorization Token is invalid.", ErrUnauthorized, "expired", "try again"},
		{"no login", ecr, "no basic auth credentials", ErrUnauthorized, "does not take the login", "log in anew"},
		{"wrong password", "127.0.0.1:5000/bb:1", "unauthorized: authentication required", ErrUnauthorized, "127.0.0.1:5000 does not take", "log in anew"},
		{"containerd, no login", "ghcr.io/a/b:1", "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed", ErrUnauthorized, "ghcr.io does not take", "log in"},
		{"repository", ecr, "name unknown: The repository with name 'web' does not exist in the registry with id '111122223333'", ErrRepositoryMissing, "no repository web in 111122223333.dkr.ecr.eu-west-1.amazonaws.com (account 111122223333)", "create it"},
		{"repository, others", "127.0.0.1:5000/a/b:1", "name unknown: repository name not known to registry", ErrRepositoryMissing, "no repository a/b in 127.0.0.1:5000", "create it"},
		{"immutable", ecr, "tag invalid: The image tag '1' already exists in the 'web' repository and cannot be overwritten because the repository is immutable.", ErrTagImmutable, "web has an image with the tag 1 already", "new tag"},
		{"immutable, newer", ecr, "tag invalid: The image tag '1' already exists in the 'web' repository and cannot be overwritten because the tag is immutable.", ErrTagImmutable, "do not move", "new tag"},
		{"denied", ecr, "denied: User: arn:aws:sts::901444280953:assumed-role/x/i-0 is not authorized to perform: ecr:InitiateLayerUpload on resource: arn:aws:ecr:eu-west-1:901444280953:repository/web because no identity-based policy allows the ecr:InitiateLayerUpload action", ErrUnauthorized, "no permission for ecr:InitiateLayerUpload on arn:aws:ecr:eu-west-1:901444280953:repository/web", `"Action":"ecr:InitiateLayerUpload"`},
		{"denied by name", ecr, "denied: User: arn:aws:iam::1:user/a is not authorized to perform: ecr:PutImage on resource: arn:x with an explicit deny in a resource-based policy", ErrUnauthorized, "denies ecr:PutImage explicitly", "ask whoever"},
		{"denied, others", "ghcr.io/a/b:1", "denied: permission_denied: write_package", ErrUnauthorized, "ghcr.io denies it: permission_denied: write_package", "permissions"},
		{"Docker Hub", "web:1", "denied: requested access to the resource is denied", ErrUnauthorized, "Docker Hub", "docker login"},
		{"no such region", "1.dkr.ecr.eu-wst-1.amazonaws.com/web:1", `Get "https://1.dkr.ecr.eu-wst-1.amazonaws.com/v2/": dial tcp: lookup 1.dkr.ecr.eu-wst-1.amazonaws.com on 10.0.0.2:53: no such host`, ErrRegistry, "cannot resolve the name 1.dkr.ecr.eu-wst-1.amazonaws.com", "region"},
		{"nobody there", "127.0.0.1:5000/bb:1", `Get "http://127.0.0.1:5000/v2/": dial tcp 127.0.0.1:5000: connect: connection refused`, ErrRegistry, "nothing listens at 127.0.0.1:5000", "engine's own machine"},
		{"plain HTTP", "10.0.0.1:5000/bb:1", `Get "https://10.0.0.1:5000/v2/": http: server gave HTTP response to HTTPS client`, ErrRegistry, "does not trust", "insecure-registries"},
		{"certificate", "reg.local/bb:1", `Get "https://reg.local/v2/": x509: certificate signed by unknown authority`, ErrRegistry, "does not trust the registry reg.local", "certificate"},
		{"timeout", ecr, `Put "https://prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com/x": dial tcp 52.1.1.1:443: i/o timeout`, ErrRegistry, "failed: Put", "layers that arrived stay"},
		{"TLS timeout", ecr, `Get "https://x/v2/": net/http: TLS handshake timeout`, ErrRegistry, "", ""},
		{"broken registry", "r.local/a:1", "received unexpected HTTP status: 500 Internal Server Error", ErrRegistry, "internal error", "try again"},
		{"rate", ecr, "toomanyrequests: Rate exceeded", ErrRegistry, "more requests", "wait"},
		{"disk", ecr, "write /var/lib/docker/tmp/GetImageBlob1: no space left on device", ErrNoSpace, "disk of the engine or the registry is full", "prune"},
		{"image gone", ecr, "An image does not exist locally with the tag: 111122223333.dkr.ecr.eu-west-1.amazonaws.com/web", ErrImageGone, "there is no " + ecr, "build it"},
		{"tag gone", ecr, "tag does not exist: " + ecr, ErrImageGone, "on this engine", "tag the image"},
		{"manifest", ecr, "manifest for " + ecr + " not found: manifest unknown: Requested image not found", ErrNotFound, "has no image 1", "check the tag"},
		{"manifest, containerd", ecr, `failed to resolve reference "` + ecr + `": ` + ecr + ": not found", ErrNotFound, "has no image 1", ""},
		{"platform", "a.b/c:1", "no matching manifest for linux/arm64/v8 in the manifest list entries", ErrPlatform, "a.b/c:1 has no image for linux/arm64: no matching manifest", "choose a platform"},
		{"platform, containerd", "a.b/c:1", "no match for platform in manifest: not found", ErrPlatform, "", ""},
		{"platform, single", "a.b/c:1", "image with reference a.b/c:1 was found but does not match the specified platform: wanted linux/arm64, actual: linux/amd64", ErrPlatform, "actual: linux/amd64", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := fake(t, "1.41", map[string]http.HandlerFunc{
				"/v1.41/images/create": answer(http.StatusOK, fmt.Sprintf("{\"errorDetail\":{\"message\":%q}}", tt.text)),
			})
			c := e.client(t, Options{})
			_, err := c.Pull(t.Context(), tt.ref, "linux/arm64", RegistryAuth{Username: "AWS", Password: "open sesame"}, func(TransferProgress) {})
			var told *diagnose.Error
			if !errors.As(err, &told) || !errors.Is(err, tt.kind) || !strings.Contains(told.Cause, tt.cause) || !strings.Contains(told.Do, tt.does) {
				t.Errorf("got  %v\nwant %v: %q, %q", err, tt.kind, tt.cause, tt.does)
			}
			if strings.Contains(fmt.Sprintf("%v %+v", err, told), "open sesame") {
				t.Error("the error shows the password")
			}
		})
	}
}

// The engine must be given an account even when there is none, and the user's
// own where the caller gives none.
func TestTransferAccount(t *testing.T) {
	stored := `{"auths":{"reg.local":{"auth":"` + base64.StdEncoding.EncodeToString([]byte("ann:stored")) + `"}}}`
	for _, tt := range []struct {
		name, config string
		auth         RegistryAuth
		want         string
	}{
		{"none", `{}`, RegistryAuth{}, `{}`},
		{"given", stored, RegistryAuth{Username: "AWS", Password: "tok?en"}, `{"username":"AWS","password":"tok?en","serveraddress":"reg.local"}`},
		{"stored", stored, RegistryAuth{}, `{"username":"ann","password":"stored","serveraddress":"reg.local"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sent := make(chan string, 1) // the header and the tag
			e := fake(t, "1.41", map[string]http.HandlerFunc{"/v1.41/images/reg.local/web/push": func(w http.ResponseWriter, r *http.Request) {
				sent <- r.Header.Get("X-Registry-Auth") + " " + r.URL.Query().Get("tag")
				answer(http.StatusOK, pushTranscript)(w, r)
			}})
			c := e.client(t, Options{})
			settings(t, tt.config, nil)
			var r transfers
			digest, err := c.Push(t.Context(), "reg.local/web:7", tt.auth, r.take)
			if err != nil || digest != someDigest {
				t.Fatalf("%q, %v", digest, err)
			}
			if last := r.last(); len(last.Layers) != 3 || !last.Layers[2].Ended {
				t.Errorf("last progress %+v", last)
			}
			header, tag, _ := strings.Cut(<-sent, " ")
			got, err := base64.URLEncoding.DecodeString(header)
			if err != nil || string(got) != tt.want || tag != "7" {
				t.Errorf("account %s, %v, tag %q", got, err, tag)
			}
		})
	}
}

// What needs no engine is said without one.
func TestTransferRefused(t *testing.T) {
	e := fake(t, "1.41", map[string]http.HandlerFunc{"/": func(_ http.ResponseWriter, r *http.Request) { t.Error("called " + r.URL.Path) }})
	quiet := func(TransferProgress) { t.Error("progress of nothing") }
	writable, readOnly := e.client(t, Options{}), e.client(t, Options{ReadOnly: true})
	for _, tt := range []struct {
		name string
		call func() (string, error)
		kind error
		text string
	}{
		{"push, read-only", func() (string, error) { return readOnly.Push(t.Context(), "a/b:1", RegistryAuth{}, quiet) }, ErrReadOnly, "read-only"},
		{"pull, read-only", func() (string, error) { return readOnly.Pull(t.Context(), "a/b:1", "", RegistryAuth{}, quiet) }, ErrReadOnly, "read-only"},
		{"push, no name", func() (string, error) { return writable.Push(t.Context(), "A B", RegistryAuth{}, quiet) }, nil, "no name of an image"},
		{"pull, no name", func() (string, error) { return writable.Pull(t.Context(), "A B", "", RegistryAuth{}, quiet) }, nil, "no name of an image"},
		{"push, a digest", func() (string, error) { return writable.Push(t.Context(), "a/b@"+someDigest, RegistryAuth{}, quiet) }, nil, "needs a tag"},
		{"pull, no platform", func() (string, error) { return writable.Pull(t.Context(), "a/b:1", "arm", RegistryAuth{}, quiet) }, ErrInvalid, "is no platform"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.call()
			if !isTold(err) || !strings.Contains(err.Error(), tt.text) || tt.kind != nil && !errors.Is(err, tt.kind) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// An engine that is stopped in mid-push, and one that ends it without a word.
func TestTransferBroken(t *testing.T) {
	noLeaks(t)
	begun := make(chan struct{}, 1)
	e := fake(t, "1.41", map[string]http.HandlerFunc{
		"/v1.41/images/a.b/stopped/push": func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(`{"status":"Pushing","progressDetail":{"current":5,"total":100},"id":"a"}` + "\n"))
			w.(http.Flusher).Flush()
			begun <- struct{}{}
			<-r.Context().Done()
		},
		"/v1.41/images/a.b/silent/push": answer(http.StatusOK, `{"status":"Preparing","id":"a"}`),
		"/v1.41/images/a.b/refused/push": answer(http.StatusInternalServerError,
			`{"message":"An image does not exist locally with the tag: a.b/refused"}`),
	})
	c := e.client(t, Options{})
	if _, err := c.Push(t.Context(), "a.b/silent:1", RegistryAuth{}, func(TransferProgress) {}); !isTold(err) || !strings.Contains(err.Error(), "without a digest") {
		t.Errorf("silent: %v", err)
	}
	if _, err := c.Push(t.Context(), "a.b/refused:1", RegistryAuth{}, func(TransferProgress) {}); !errors.Is(err, ErrImageGone) {
		t.Errorf("refused: %v", err)
	}
	var r transfers
	ended := make(chan error, 1)
	go func() {
		_, err := c.Push(t.Context(), "a.b/stopped:1", RegistryAuth{}, r.take)
		ended <- err
	}()
	select {
	case <-begun:
	case err := <-ended:
		t.Fatal(err)
	}
	e.stop()
	if err := <-ended; !isTold(err) || !errors.Is(err, ErrStopped) && !errors.Is(err, ErrNoEngine) {
		t.Errorf("stopped: %v", err)
	}
	if last := r.last(); len(last.Layers) != 1 || last.Layers[0].Done != 5 || last.Layers[0].Ended {
		t.Errorf("last progress %+v", last)
	}
}

// The digest of a pull is the one asked for, the one said, or the one that the
// image has afterwards.
func TestPullDigest(t *testing.T) {
	e := fake(t, "1.41", map[string]http.HandlerFunc{
		"/v1.41/images/create": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("fromImage") == "a.b/podman" {
				answer(http.StatusOK, `{"status":"Download complete","id":"a"}`)(w, r)
				return
			}
			answer(http.StatusOK, pullTranscript)(w, r)
		},
		"/v1.41/images/a.b/podman:1/json": answer(http.StatusOK, `{"Id":"sha256:1","Os":"linux","Architecture":"arm","Variant":"v7",
			"RepoDigests":["x/y@sha256:0","a.b/podman@`+someDigest+`"],"Config":{"ExposedPorts":{"80/tcp":{},"53/udp":{}}}}`),
	})
	c := e.client(t, Options{})
	other := "sha256:" + strings.Repeat("ab", 32)
	for ref, want := range map[string]string{"a.b/c:1": someDigest, "a.b/c@" + other: other, "a.b/podman:1": someDigest} {
		if got, err := c.Pull(t.Context(), ref, "", RegistryAuth{}, func(TransferProgress) {}); err != nil || got != want {
			t.Errorf("%s: %q, %v", ref, got, err)
		}
	}
	facts, err := c.ImageFacts(t.Context(), "a.b/podman:1")
	if err != nil || facts.Platform != "linux/arm/v7" || !reflect.DeepEqual(facts.Ports, []int{80}) || len(facts.Digests) != 2 || facts.ID != "sha256:1" {
		t.Errorf("%+v, %v", facts, err)
	}
}

func TestTransferCommands(t *testing.T) {
	c := New(Options{Host: "unix:///x.sock"})
	defer c.Close()
	for _, tt := range []struct {
		want    string
		command Command
	}{
		{"push r.local/a:1", PushCommand("r.local/a:1")},
		{"pull r.local/a:1", PullCommand("r.local/a:1", "")},
		{"pull --platform linux/amd64 r.local/a:1", PullCommand("r.local/a:1", "linux/amd64")},
	} {
		if got := c.CommandLine(tt.command); got != "docker --host unix:///x.sock "+tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestRegistryAuthPrintsNoSecret(t *testing.T) {
	auth := RegistryAuth{Username: "AWS", Password: "open sesame", IdentityToken: "open sesame"}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("push", "auth", auth)
	if strings.Contains(log.String(), "sesame") || !strings.Contains(log.String(), "account AWS") {
		t.Error("logged as " + log.String())
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, v := range []any{auth, &auth, struct{ Auth RegistryAuth }{auth}} {
			if got := fmt.Sprintf(format, v); strings.Contains(got, "sesame") {
				t.Errorf("%s shows it: %s", format, got)
			}
		}
	}
}
