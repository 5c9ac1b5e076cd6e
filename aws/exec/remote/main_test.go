//go:build unix

package remote

import (
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gantry/aws/exec"
	"gantry/aws/sandbox/agent"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// deadline bounds every test; nothing in them takes as long.
const deadline = 60 * time.Second

// shells are the programs that tests take over, by the way they are started.
var shells = map[string][]string{
	"sh":      {"/bin/sh"},
	"bash":    {"/bin/bash"},
	"busybox": {"/bin/busybox", "sh"},
}

// eachShell runs a test in every shell that this machine has.
func eachShell(t *testing.T, test func(t *testing.T, machine *machine)) {
	t.Helper()
	for name, argv := range shells {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := os.Stat(argv[0]); err != nil {
				t.Skipf("no %s here: %v", argv[0], err)
			}
			p := newMachine(t, argv)
			if name == "busybox" {
				p.only(t, busyboxTools...)
			}
			test(t, p)
		})
	}
}

// machine is a container for a test: a directory, a PATH and a shell.
type machine struct {
	dir   string
	path  string
	shell []string
}

func newMachine(t *testing.T, shell []string) *machine {
	return &machine{dir: t.TempDir(), path: os.Getenv("PATH"), shell: shell}
}

// busyboxTools are all that this package can make use of.
var busyboxTools = append([]string{"sh"}, wanted...)

// only leaves nothing in the PATH but these tools, all of them busybox's, which
// finds its own tools even without a PATH where it was built so.
func (p *machine) only(t *testing.T, tools ...string) {
	t.Helper()
	const busybox = "/bin/busybox"
	if _, err := os.Stat(busybox); err != nil {
		t.Skipf("no %s here: %v", busybox, err)
	}
	p.path = t.TempDir()
	for _, tool := range tools {
		if err := os.Symlink(busybox, filepath.Join(p.path, tool)); err != nil {
			t.Fatal(err)
		}
	}
}

// without is every tool of this machine but these.
func (p *machine) without(t *testing.T, tools ...string) {
	t.Helper()
	missing := "|" + strings.Join(tools, "|") + "|"
	dir := t.TempDir()
	for _, tool := range append([]string{"sh", "sleep", "cat"}, wanted...) {
		if strings.Contains(missing, "|"+tool+"|") {
			continue
		}
		for _, bin := range filepath.SplitList(os.Getenv("PATH")) {
			if os.Symlink(filepath.Join(bin, tool), filepath.Join(dir, tool)) == nil {
				if _, err := os.Stat(filepath.Join(dir, tool)); err == nil {
					break
				}
				os.Remove(filepath.Join(dir, tool))
			}
		}
	}
	p.path = dir
}

// start starts the shell with a terminal.
func (p *machine) start(ctx context.Context) (agent.Process, error) {
	return agent.StartPTY(ctx, p.dir, []string{"PATH=" + p.path, "HOME=" + p.dir}, p.shell)
}

// open takes over a shell without a network in between.
func (p *machine) open(t *testing.T) *Shell {
	t.Helper()
	process, err := p.start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return takeOver(t, process)
}

func takeOver(t *testing.T, stream io.ReadWriteCloser) *Shell {
	t.Helper()
	s, err := Open(within(t), stream)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
	})
	return s
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	t.Cleanup(cancel)
	return ctx
}

// overNetwork takes over a shell at the far end of a data channel that loses
// every seventh frame.
func (p *machine) overNetwork(t *testing.T) *Shell {
	t.Helper()
	service := new(agent.Service)
	service.SetFaults(agent.Faults{DropEvery: 7})
	server := httptest.NewServer(service)
	t.Cleanup(func() {
		service.Close()
		server.Close()
	})
	id, path, token, err := service.Open(agent.Open{
		Start: func(ctx context.Context, _, _ int) (agent.Process, error) { return p.start(ctx) },
	})
	if err != nil {
		t.Fatal(err)
	}
	session, err := exec.Dial(within(t), exec.Config{
		StreamURL: "ws" + strings.TrimPrefix(server.URL, "http") + path, Token: token, SessionID: id,
		Resume:    func(_ context.Context, id string) (string, error) { return service.Resume(id) },
		Terminate: func(_ context.Context, id string) error { return service.Terminate(id) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return takeOver(t, session)
}
