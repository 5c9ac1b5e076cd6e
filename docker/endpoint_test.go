package docker

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// settings gives the test a home and a configuration of its own.
func settings(t testing.TB, config string, contexts map[string]string) string {
	t.Helper()
	home := t.TempDir()
	dir := filepath.Join(home, ".docker")
	for _, name := range []string{
		"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_API_VERSION", "XDG_RUNTIME_DIR",
	} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", home)
	write(t, filepath.Join(dir, "config.json"), config)
	for name, host := range contexts {
		sum := sha256.Sum256([]byte(name))
		meta := `{"Name":"` + name + `","Metadata":{"Description":"about ` + name + `"},"Endpoints":{"docker":{"Host":"` + host + `","SkipTLSVerify":false}}}`
		write(t, filepath.Join(dir, "contexts", "meta", hex.EncodeToString(sum[:]), "meta.json"), meta)
	}
	return home
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestResolveOrder(t *testing.T) {
	contexts := map[string]string{
		"flagged": "unix:///flagged.sock", "named": "unix:///named.sock", "current": "unix:///current.sock", "far": "ssh://me@far",
	}
	const current = `{"currentContext":"current"}`
	for name, test := range map[string]struct {
		options         Options
		config          string
		env             map[string]string
		host, rule, ctx string
	}{
		"nothing": {
			config: `{}`, host: "unix:///var/run/docker.sock", rule: sourceDefault, ctx: "default",
		},
		"current context": {config: current, host: "unix:///current.sock", rule: sourceCurrentContext, ctx: "current"},
		"DOCKER_CONTEXT over the current one": {
			config: current, env: map[string]string{"DOCKER_CONTEXT": "named"}, host: "unix:///named.sock", rule: sourceContextEnv, ctx: "named",
		},
		"DOCKER_HOST over both": {
			config: current, env: map[string]string{"DOCKER_CONTEXT": "named", "DOCKER_HOST": "tcp://10.0.0.1"},
			host: "tcp://10.0.0.1:2375", rule: sourceHostEnv, ctx: "default",
		},
		"--docker-context over all": {
			options: Options{Context: "flagged"}, config: current, env: map[string]string{"DOCKER_HOST": "tcp://10.0.0.1"},
			host: "unix:///flagged.sock", rule: sourceContextFlag, ctx: "flagged",
		},
		"host over all": {
			options: Options{Host: "unix:///mine.sock"}, config: current, env: map[string]string{"DOCKER_HOST": "tcp://10.0.0.1"},
			host: "unix:///mine.sock", rule: sourceHostFlag, ctx: "default",
		},
		"the default context by name follows DOCKER_HOST": {
			options: Options{Context: "default"}, config: current, env: map[string]string{"DOCKER_HOST": "unix:///env.sock"},
			host: "unix:///env.sock", rule: sourceHostEnv, ctx: "default",
		},
		"ssh": {options: Options{Context: "far"}, config: `{}`, host: "ssh://me@far", rule: sourceContextFlag, ctx: "far"},
		"a configuration that is no JSON": {
			config: `{"currentContext":`, host: "unix:///var/run/docker.sock", rule: sourceDefault, ctx: "default",
		},
	} {
		t.Run(name, func(t *testing.T) {
			settings(t, test.config, contexts)
			for key, value := range test.env {
				t.Setenv(key, value)
			}
			got, err := resolve(test.options)
			if err != nil {
				t.Fatal(err)
			}
			if got.Host != test.host || got.source != test.rule || got.context != test.ctx {
				t.Errorf("%s by %q in context %q", got.Host, got.source, got.context)
			}
			if _, err := got.options(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestResolveHonoursTheConfigurationDirectory(t *testing.T) {
	settings(t, `{}`, nil)
	other := t.TempDir()
	t.Setenv("DOCKER_CONFIG", other)
	write(t, filepath.Join(other, "config.json"), `{"currentContext":"gone"}`)
	if _, err := resolve(Options{}); err == nil || !strings.Contains(err.Error(), "not found") {
		t.Errorf("got %v", err)
	}
}

func TestResolveTLS(t *testing.T) {
	home := settings(t, `{}`, nil)
	t.Setenv("DOCKER_HOST", "tcp://engine.example")
	t.Setenv("DOCKER_TLS_VERIFY", "1")
	if _, err := resolve(Options{}); err == nil {
		t.Fatal("TLS without an authority was taken")
	}
	certificates := filepath.Join(home, "certs")
	t.Setenv("DOCKER_CERT_PATH", certificates)
	write(t, filepath.Join(certificates, "ca.pem"), "authority")
	at, err := resolve(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if at.Host != "tcp://engine.example:2375" || at.TLSData == nil || string(at.TLSData.CA) != "authority" || at.SkipTLSVerify {
		t.Errorf("%+v", at)
	}
	if _, err := at.options(); err == nil {
		t.Error("an authority that is no certificate was taken")
	}
}

func TestWrongEndpointsAreExplained(t *testing.T) {
	for name, test := range map[string]struct {
		options Options
		config  string
		env     map[string]string
		kind    error
		says    []string
	}{
		"unknown context": {Options{Context: "nope"}, `{}`, nil, ErrContext, []string{`no docker context "nope"`, "docker context ls"}},
		"unknown current context": {
			Options{}, `{"currentContext":"old"}`, nil, ErrContext, []string{`no docker context "old"`, "docker context use default"},
		},
		"unknown context in the environment": {
			Options{}, `{}`, map[string]string{"DOCKER_CONTEXT": "x"}, ErrContext, []string{"unset DOCKER_CONTEXT"},
		},
		"garbage host":    {Options{}, `{}`, map[string]string{"DOCKER_HOST": "what://\x1b[31mever"}, ErrContext, []string{"DOCKER_HOST", "unix:///path"}},
		"half an address": {Options{Host: "tcp://a:b:c"}, `{}`, nil, ErrContext, []string{"--host", "tcp://host:port"}},
		"TLS without files": {
			Options{},
			`{}`,
			map[string]string{"DOCKER_HOST": "tcp://a", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/nowhere"},
			ErrTLS,
			[]string{"missing", "DOCKER_CERT_PATH"},
		},
		"context and host": {Options{Context: "a", Host: "b"}, `{}`, nil, nil, []string{"both"}},
	} {
		t.Run(name, func(t *testing.T) {
			settings(t, test.config, nil)
			for key, value := range test.env {
				t.Setenv(key, value)
			}
			_, err := New(test.options).Containers(t.Context())
			told(t, err, test.kind, test.says...)
		})
	}
}

// told checks that an error is explained, of a kind, and says some things.
func told(t *testing.T, err, kind error, says ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if kind != nil && !errors.Is(err, kind) {
		t.Errorf("not %q: %v", kind, err)
	}
	for _, part := range says {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	if strings.ContainsAny(err.Error(), "\x1b\n") {
		t.Errorf("control characters in %q", err)
	}
	if !isTold(err) {
		t.Errorf("not a *diagnose.Error: %T", err)
	}
}
