package docker

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestMissingSocket(t *testing.T) {
	settings(t, `{}`, nil)
	c := New(Options{Host: "unix:///nowhere/docker.sock"})
	_, err := c.Engine(t.Context())
	told(t, err, ErrNoEngine, "/nowhere/docker.sock does not exist", "--host")
}

func TestDeadSocketOffersTheLiveOnes(t *testing.T) {
	home := settings(t, `{}`, nil)
	var config net.ListenConfig
	live := filepath.Join(home, ".colima", "default", "docker.sock")
	if err := os.MkdirAll(filepath.Dir(live), 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := config.Listen(t.Context(), "unix", live)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := New(Options{Host: "unix://" + filepath.Join(home, "gone.sock")})
	_, err = c.Containers(t.Context())
	told(t, err, ErrNoEngine, "does not exist", "export DOCKER_HOST=unix://"+live, "Colima")
	if c.at().path() == live {
		t.Error("another engine was taken unasked")
	}
}

func TestRefusingSocket(t *testing.T) {
	settings(t, `{}`, nil)
	path := filepath.Join(t.TempDir(), "docker.sock")
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	_, err = New(Options{Host: "unix://" + path}).Containers(t.Context())
	told(t, err, ErrStopped, "does not run")
}

func TestSocketWithoutPermission(t *testing.T) {
	if os.Getuid() == 0 {
		// Root may open everything, so the rule is asked directly: the test of
		// the whole way runs for everybody else.
		f := failure{err: os.ErrPermission}
		if broken(f.err) {
			t.Error("a permission is not a broken connection")
		}
		t.Skip("root may open every socket")
	}
	settings(t, `{}`, nil)
	path := filepath.Join(t.TempDir(), "docker.sock")
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	_, err = New(Options{Host: "unix://" + path}).Containers(t.Context())
	told(t, err, ErrPermission, "may not open")
}

func TestUnknownHost(t *testing.T) {
	settings(t, `{}`, nil)
	_, err := New(Options{Host: "tcp://no-such-host.invalid:2375"}).Containers(t.Context())
	if errors.Is(err, ErrNoEngine) {
		told(t, err, ErrNoEngine, "no such host")
		return
	}
	told(t, err, ErrStopped, "no-such-host.invalid")
}

func TestTLSMismatch(t *testing.T) {
	settings(t, `{}`, nil)
	encrypted := httptest.NewTLSServer(http.NotFoundHandler())
	defer encrypted.Close()
	host := strings.Replace(encrypted.URL, "https", "tcp", 1)
	_, err := New(Options{Host: host}).Containers(t.Context())
	told(t, err, ErrTLS, "wants TLS", "DOCKER_TLS_VERIFY")

	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	t.Setenv("DOCKER_TLS", "1")
	dir := t.TempDir()
	t.Setenv("DOCKER_CERT_PATH", dir)
	write(t, filepath.Join(dir, "ca.pem"), certificate(encrypted))
	_, err = New(Options{Host: strings.Replace(plain.URL, "http", "tcp", 1)}).Containers(t.Context())
	told(t, err, ErrTLS, "does not speak TLS", "unset")
}

func TestSSHFailure(t *testing.T) {
	settings(t, `{}`, nil)
	bin := t.TempDir()
	t.Setenv("PATH", bin+":/usr/bin:/bin")
	for text, says := range map[string]string{
		"me@far: Permission denied (publickey).":  "ssh-add",
		"Host key verification failed.":           "accept it once",
		"bash: docker: command not found":         "no docker command on me@far",
		"ssh: connect to host far port 22: nope.": "ssh to me@far failed: ssh: connect to host far port 22: nope.",
	} {
		// As a real one it ends some time after the request is written.
		script := "#!/bin/sh\nread request\necho '" + text + "' >&2\nexit 255\n"
		if err := os.WriteFile(filepath.Join(bin, "ssh"), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
		c := New(Options{Host: "ssh://me@far"})
		_, err := c.Containers(t.Context())
		told(t, err, ErrSSH, says)
		c.Close()
	}
}

func TestEngineAnswers(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for name, test := range map[string]struct {
		status int
		body   string
		kind   error
		says   []string
	}{
		"port taken by a container": {
			500, `{"message":"driver failed programming external connectivity on endpoint web (1f): Bind for 0.0.0.0:8080 failed: port is already allocated"}`,
			ErrPortTaken,
			[]string{"port 8080 is published by another container", "another port"},
		},
		"port taken by a program": {
			500, `{"message":"driver failed programming external connectivity on endpoint web (1f): Error starting userland proxy: listen tcp4 0.0.0.0:8080: bind: address already in use"}`,
			ErrPortTaken,
			[]string{"port 8080 is taken by another program"},
		},
		"port taken, engine 28": {
			500, `{"message":"failed to set up container networking: driver failed programming external connectivity on endpoint web: failed to bind host port 127.0.0.1:8080/tcp: address already in use"}`,
			ErrPortTaken,
			[]string{"port 8080"},
		},
		"name taken": {
			409, `{"message":"Conflict. The container name \"/web\" is already in use by container \"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\". You have to remove (or rename) that container to be able to reuse that name."}`,
			ErrNameTaken,
			[]string{`has the name "web" (0123456789ab)`, "choose another name"},
		},
		"image gone": {404, `{"message":"No such image: web:latest"}`, ErrImageGone, []string{"not on this engine", "build or pull"}},
		"wrong platform": {
			404, `{"message":"image with reference web was found but does not match the specified platform: wanted linux/arm64, actual: linux/amd64"}`,
			ErrImageGone,
			[]string{"wanted linux/arm64, actual: linux/amd64"},
		},
		"no such command": {
			400, `{"message":"OCI runtime create failed: container_linux.go:380: starting container process caused: exec: \"sj\": executable file not found in $PATH: unknown"}`,
			ErrBadCommand,
			[]string{`exec: "sj": executable file not found in $PATH`},
		},
		"no such command, newer": {
			400, `{"message":"failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: \"sj\": executable file not found in $PATH: unknown"}`,
			ErrBadCommand,
			[]string{`exec: "sj": executable file not found in $PATH`},
		},
		"no command":  {400, `{"message":"No command specified"}`, ErrBadCommand, []string{"names no command"}},
		"not running": {409, `{"message":"Container 12 is not running"}`, ErrConflict, []string{"start it first"}},
		"gone":        {404, `{"message":"No such container: 12"}`, ErrNotFound, []string{"No such container"}},
		"in use": {
			409, `{"message":"conflict: unable to delete 12 (must be forced) - image is being used by stopped container 34"}`,
			ErrConflict,
			[]string{"by force"},
		},
		"too new": {
			400, `{"message":"client version 1.56 is too new. Maximum supported API version is 1.41"}`, ErrVersion, []string{"DOCKER_API_VERSION"},
		},
		"too old": {
			400, `{"message":"client version 1.25 is too old. Minimum supported API version is 1.44, please upgrade your client to a newer version"}`,
			ErrVersion,
			[]string{"update gantry"},
		},
		"not there": {501, `{"message":"not implemented"}`, ErrUnsupported, nil},
		"invalid":   {400, `{"message":"invalid mount config"}`, ErrInvalid, []string{"invalid mount config"}},
		"rubbish":   {500, "\x1b]0;evil\x07<html>\n", nil, nil},
		"long":      {500, `{"message":"` + long + `"}`, nil, []string{"…"}},
		"a registry's certificate": {
			500, `{"message":"Get \"https://registry.example/v2/\": x509: certificate signed by unknown authority"}`, nil, []string{"registry.example"},
		},
		"empty answer": {500, ``, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			e := fake(t, "1.41", map[string]http.HandlerFunc{"/v1.41/containers/web/start": answer(test.status, test.body)})
			err := e.client(t, Options{}).Start(t.Context(), "web")
			told(t, err, test.kind, append(test.says, "start web")...)
			if test.kind == nil && (errors.Is(err, ErrTLS) || errors.Is(err, ErrStopped)) {
				t.Errorf("what the engine said was taken for a failure on the way: %v", err)
			}
			if len(err.Error()) > 1000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
		})
	}
}

func TestListThatIsNoJSON(t *testing.T) {
	e := fake(t, "1.41", map[string]http.HandlerFunc{"/v1.41/containers/json": answer(200, `{"rubbish`)})
	_, err := e.client(t, Options{}).Containers(t.Context())
	told(t, err, nil, "list containers")
}

func TestCanceledCallsAreNotExplained(t *testing.T) {
	e := fake(t, "1.41", map[string]http.HandlerFunc{
		"/v1.41/containers/json": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.client(t, Options{}).Containers(ctx); !errors.Is(err, context.Canceled) || isTold(err) {
		t.Errorf("got %v", err)
	}
}

func TestReadOnlySendsNothing(t *testing.T) {
	var requests atomic.Int64
	e := fake(t, "1.41", map[string]http.HandlerFunc{"/": func(http.ResponseWriter, *http.Request) { requests.Add(1) }})
	c := e.client(t, Options{ReadOnly: true})
	ctx := t.Context()
	report := func(int64, int64) {}
	for name, call := range map[string]func() error{
		"start":   func() error { return c.Start(ctx, "x") },
		"stop":    func() error { return c.Stop(ctx, "x") },
		"restart": func() error { return c.Restart(ctx, "x") },
		"pause":   func() error { return c.Pause(ctx, "x") },
		"unpause": func() error { return c.Unpause(ctx, "x") },
		"kill":    func() error { return c.Kill(ctx, "x", "") },
		"rename":  func() error { return c.Rename(ctx, "x", "yy") },
		"remove":  func() error { return c.RemoveContainer(ctx, "x", ContainerRemoval{}) },
		"rmi":     func() error { _, err := c.RemoveImage(ctx, "x", ImageRemoval{}); return err },
		"tag":     func() error { return c.Tag(ctx, "x", "y") },
		"run":     func() error { _, err := c.Run(ctx, RunOptions{Image: "x"}); return err },
		"run -it": func() error { _, _, err := c.RunAttached(ctx, RunOptions{Image: "x"}, 80, 24); return err },
		"exec":    func() error { _, err := c.Exec(ctx, "x", DefaultShells, 80, 24); return err },
		"attach":  func() error { _, err := c.Attach(ctx, "x", 80, 24); return err },
		"helper":  func() error { _, err := c.ExecHelper(ctx, "x", "y", 80, 24); return err },
		"prune":   func() error { _, err := c.Prune(ctx, PrunePlan{}, report); return err },
	} {
		if err := call(); !errors.Is(err, ErrReadOnly) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestStuckEngine(t *testing.T) {
	noLeaks(t)
	released := make(chan struct{})
	stuck := func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-released:
		}
	}
	e := fake(t, "1.41", map[string]http.HandlerFunc{"/v1.41/": stuck})
	defer close(released)
	c := e.client(t, Options{Timeout: 50 * time.Millisecond})
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"engine":     func() error { _, err := c.Engine(ctx); return err },
		"containers": func() error { _, err := c.Containers(ctx); return err },
		"images":     func() error { _, err := c.Images(ctx, AllImages); return err },
		"describe":   func() error { _, err := c.Describe(ctx, []string{"a", "b"}); return err },
		"history":    func() error { _, err := c.History(ctx, "a"); return err },
		"document":   func() error { _, err := c.InspectContainer(ctx, "a"); return err },
	} {
		t.Run(name, func(t *testing.T) { told(t, call(), ErrStopped, "no answer from unix://"+e.path, "docker info") })
	}
}

func TestAttachToOneThatHasEnded(t *testing.T) {
	for status, kind := range map[int]error{404: ErrNotFound, 409: ErrConflict, 500: ErrInvalid} {
		e := fake(t, "1.41", map[string]http.HandlerFunc{
			"/v1.41/containers/web/exec":   answer(201, `{"Id":"e"}`),
			"/v1.41/exec/e/start":          answer(status, `{"message":"whatever"}`),
			"/v1.41/containers/web/json":   answer(200, `{"Id":"web","State":{"Status":"running"}}`),
			"/v1.41/containers/web/attach": answer(status, `{"message":"whatever"}`),
		})
		c := e.client(t, Options{})
		_, err := c.Exec(t.Context(), "web", DefaultShells, 80, 24)
		told(t, err, kind, "open a shell in web")
		_, err = c.Attach(t.Context(), "web", 80, 24)
		told(t, err, kind, "attach to web")
	}
}

func TestWrongAPIVersionOfTheEnvironment(t *testing.T) {
	e := fake(t, "1.41", map[string]http.HandlerFunc{
		"/": answer(400, `{"message":"client version 1.99 is too new. Maximum supported API version is 1.41"}`),
	})
	for version, says := range map[string]string{"1.99": "unset DOCKER_API_VERSION", "nonsense": "DOCKER_API_VERSION"} {
		c := e.client(t, Options{})
		t.Setenv("DOCKER_API_VERSION", version)
		_, err := c.Containers(t.Context())
		told(t, err, ErrVersion, says)
	}
}
