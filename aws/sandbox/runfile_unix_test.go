//go:build unix

package sandbox

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/adrg/xdg"
)

// ownRuntimeDir gives the test a runtime directory of its own.
func ownRuntimeDir(t *testing.T) string {
	t.Helper()
	runtimeDir, cacheHome := xdg.RuntimeDir, xdg.CacheHome
	t.Cleanup(func() { xdg.RuntimeDir, xdg.CacheHome = runtimeDir, cacheHome })
	xdg.RuntimeDir, xdg.CacheHome = t.TempDir(), t.TempDir()
	return filepath.Join(xdg.RuntimeDir, "gantry")
}

func startFound(t *testing.T) *Server {
	t.Helper()
	return startServer(t, func(c *Config) { c.RunDir = "" })
}

func running(t *testing.T) []RunInfo {
	t.Helper()
	found, err := Running()
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestRunningFindsLiveSandboxesNewestFirst(t *testing.T) {
	ownRuntimeDir(t)
	if found := running(t); len(found) != 0 {
		t.Fatalf("found %v before any ran", found)
	}
	first, second := startFound(t), startFound(t)
	found := running(t)
	if len(found) != 2 || found[0].URL != second.URL() || found[1].URL != first.URL() {
		t.Fatalf("found %v, want %s and %s", found, second.URL(), first.URL())
	}
	if got := found[1]; got.AccessKeyID != first.AccessKeyID() || got.SecretAccessKey != first.SecretAccessKey() || got.PID != os.Getpid() {
		t.Error("the run file has another key or process id")
	}
	if got, want := strings.Join(found[0].Exports(), "\n"), strings.Join(second.Exports(), "\n"); got != want {
		t.Error("the run file gives other exports than the server")
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if found := running(t); len(found) != 1 || found[0].URL != first.URL() {
		t.Errorf("found %v, want %s alone", found, first.URL())
	}
}

func TestRunFilesArePrivate(t *testing.T) {
	dir := ownRuntimeDir(t)
	startFound(t)
	for path, want := range map[string]os.FileMode{dir: 0o700, onlyFile(t, dir): 0o600} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", path, got, want)
		}
	}
}

func TestRunFileGoesToTheCacheWithoutARuntimeDir(t *testing.T) {
	ownRuntimeDir(t)
	xdg.RuntimeDir = filepath.Join(xdg.RuntimeDir, "none")
	s := startFound(t)
	onlyFile(t, filepath.Join(xdg.CacheHome, "gantry", "run"))
	if found := running(t); len(found) != 1 || found[0].URL != s.URL() {
		t.Errorf("found %v", found)
	}
}

func TestRunningRemovesWhatADeadSandboxLeft(t *testing.T) {
	dir := ownRuntimeDir(t)
	s := startFound(t)
	text, err := os.ReadFile(onlyFile(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	// The process id is alive, and so is the port; the owner is not.
	stale := filepath.Join(dir, "sandbox-stale.json")
	if err := os.WriteFile(stale, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if found := running(t); len(found) != 1 || found[0].URL != s.URL() {
		t.Errorf("found %v", found)
	}
	if _, err := os.Stat(stale); !os.IsNotExist(err) {
		t.Error("the stale file is still there")
	}
}

func TestRunningDoesNotBelieveWhatOthersCouldWrite(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(dir, file string) error
		says  string
		found int
	}{
		"file open to others":      {func(_, file string) error { return os.Chmod(file, 0o644) }, "mode 0644", 0},
		"directory open to others": {func(dir, _ string) error { return os.Chmod(dir, 0o755) }, "mode 0755", 0},
		"a link": {func(dir, file string) error {
			return os.Symlink(file, filepath.Join(dir, "sandbox-link.json"))
		}, "sandbox-link.json", 1},
		"no JSON": {func(dir, _ string) error {
			return os.WriteFile(filepath.Join(dir, "sandbox-odd.json"), []byte("{"), 0o600)
		}, "sandbox-odd.json", 1},
		"a URL elsewhere": {func(dir, _ string) error {
			return os.WriteFile(filepath.Join(dir, "sandbox-odd.json"), []byte(`{"url":"http://evil.example:80"}`), 0o600)
		}, "not on this machine", 1},
	} {
		t.Run(name, func(t *testing.T) {
			dir := ownRuntimeDir(t)
			startFound(t)
			if err := c.spoil(dir, onlyFile(t, dir)); err != nil {
				t.Fatal(err)
			}
			found, err := Running()
			if len(found) != c.found || err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("found %v, %v; want %d and %q", found, err, c.found, c.says)
			}
		})
	}
}

func TestStartServesThoughItCannotBeFound(t *testing.T) {
	dir := ownRuntimeDir(t)
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // a file where the directory should be
		t.Fatal(err)
	}
	s := startFound(t)
	if got := send(t, listClusters(t, s, "{}")); got.header.Get("X-Amzn-Errortype") != "MissingAuthenticationTokenException" {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

func TestExportsSurviveAShell(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh: ", err)
	}
	info := RunInfo{URL: "http://127.0.0.1:1", AccessKeyID: "$(touch x)'; \"", SecretAccessKey: "a b\\", Region: "us-east-1"}
	script := strings.Join(info.Exports(), "\n") + "\n" + `printf '%s|%s|%s|%s' "$AWS_ENDPOINT_URL" "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" "$AWS_REGION"`
	out, err := exec.CommandContext(t.Context(), sh, "-c", script).Output()
	if want := info.URL + "|" + info.AccessKeyID + "|" + info.SecretAccessKey + "|" + info.Region; err != nil || string(out) != want {
		t.Errorf("got %s, %v; want %s", out, err, want)
	}
	if got, want := (RunInfo{URL: "http://[::1]:4566", AccessKeyID: "AKIA"}).Exports()[0], "export AWS_ENDPOINT_URL='http://[::1]:4566'"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPrintingARunInfoKeepsItsSecret(t *testing.T) {
	info := RunInfo{URL: "http://127.0.0.1:1", AccessKeyID: "AKIAX", SecretAccessKey: "hush"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, info); strings.Contains(got, "hush") {
			t.Errorf("%s shows %s", verb, got)
		}
	}
}

func onlyFile(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%s has %v, %v; want one file", dir, entries, err)
	}
	return filepath.Join(dir, entries[0].Name())
}
