//go:build unix

package remote

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
)

var commands = map[string]struct {
	command, output string
	status          int
}{
	"result":      {`echo $((6*7)); exit 7`, "42\n", 7},
	"no newline":  {`printf hello`, "hello", 0},
	"nothing":     {`true`, "", 0},
	"returns":     {`printf 'a\rb\r\nc\r'`, "a\rb\r\nc\r", 0},
	"tabs":        {`printf '\ta\t\n'`, "\ta\t\n", 0},
	"binary":      {`printf '\000\001\377\200\n\r\n\033[2J\004'`, "\x00\x01\xff\x80\n\r\n\x1b[2J\x04", 0},
	"both":        {`echo out; echo err >&2; echo out`, "out\nerr\nout\n", 0},
	"no input":    {`read x && echo "got $x"; echo end`, "end\n", 0},
	"quotes":      {`echo 'it'"'"'s' "\$HOME"`, "it's $HOME\n", 0},
	"lines":       {"echo a\necho b\n\nexit 3\n", "a\nb\n", 3},
	"bytes":       {"printf '%s' 'gr\xfc\xdfe \xc2\x82 \x81\x88 日本\tend'", "gr\xfc\xdfe \xc2\x82 \x81\x88 日本\tend", 0},
	"signal":      {`kill -9 $$`, "", 137},
	"missing":     {`exec /no/such/program 2>/dev/null`, "", 127},
	"like a mark": {`echo '<2>[2:0]$g$h'`, "<2>[2:0]$g$h\n", 0},
	"long":        {"printf '%s' '" + strings.Repeat("x", 20000) + "'", strings.Repeat("x", 20000), 0},
	"syntax":      {`if 2>/dev/null`, "", 2},
}

func TestRun(t *testing.T) {
	eachShell(t, func(t *testing.T, p *machine) {
		s := p.open(t)
		for name, tt := range commands {
			t.Run(name, func(t *testing.T) {
				checkRun(t, s, tt.command, tt.output, tt.status)
			})
		}
	})
}

func checkRun(t *testing.T, s *Shell, command, output string, status int) {
	t.Helper()
	var got bytes.Buffer
	gotStatus, err := s.Run(within(t), command, &got)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(command, "if ") { // words and status are the shell's own
		got.Reset()
		status, gotStatus = 0, min(gotStatus, 0)
	}
	if got.String() != output || gotStatus != status {
		t.Errorf("%s: printed %.200q with status %d, want %.200q with %d", command, got.String(), gotStatus, output, status)
	}
}

func TestRunOverABadNetwork(t *testing.T) {
	eachShell(t, func(t *testing.T, p *machine) {
		s := p.overNetwork(t)
		checkRun(t, s, `echo $((6*7)); exit 7`, "42\n", 7)
		checkRun(t, s, `i=0; while [ $i -lt 30000 ]; do echo line $i; i=$((i+1)); done`, numbered(30000), 0)
	})
}

func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("line " + strconv.Itoa(i) + "\n")
	}
	return b.String()
}

func TestRunWithoutStty(t *testing.T) {
	p := newMachine(t, []string{"/bin/sh"})
	p.without(t, "stty")
	s := p.open(t)
	if !s.crlf {
		t.Error("the terminal is as it should be even without stty")
	}
	for name, tt := range commands {
		t.Run(name, func(t *testing.T) { checkRun(t, s, tt.command, tt.output, tt.status) })
	}
}

func TestRunWithoutCat(t *testing.T) {
	p := newMachine(t, []string{"/bin/sh"})
	p.without(t, "cat")
	s := p.open(t)
	for name, tt := range commands {
		t.Run(name, func(t *testing.T) { checkRun(t, s, tt.command, tt.output, tt.status) })
	}
}

// A job in the background must not hold the result back.
func TestRunLeavesABackgroundJob(t *testing.T) {
	s := newMachine(t, []string{"/bin/sh"}).open(t)
	checkRun(t, s, `echo started; sleep 600 & exit 4`, "started\n", 4)
}

func TestRunRefusesNUL(t *testing.T) {
	s := newMachine(t, []string{"/bin/sh"}).open(t)
	if _, err := s.Run(within(t), "echo a\x00b", &bytes.Buffer{}); err == nil {
		t.Error("ran a command with a NUL byte")
	}
}

func TestRunIsCanceled(t *testing.T) {
	s := newMachine(t, []string{"/bin/sh"}).open(t)
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	_, err := s.Run(ctx, `echo running; sleep 600`, writing(func([]byte) { cancel() }))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// writing is a writer that is a function.
type writing func(p []byte)

func (w writing) Write(p []byte) (int, error) { w(p); return len(p), nil }

func TestRunSaysWhyTheSessionEnded(t *testing.T) {
	s := newMachine(t, []string{"/bin/sh"}).open(t)
	_, err := s.Run(within(t), `kill -9 0`, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "ended") {
		t.Errorf("got %v", err)
	}
}

func TestAttachIsATerminal(t *testing.T) {
	eachShell(t, func(t *testing.T, p *machine) {
		s := p.open(t)
		keys := make(chan []byte, 1)
		var got bytes.Buffer
		asked := false
		status, err := s.Attach(within(t), `[ -t 0 ] && [ -t 1 ] && printf 'name? '; read x; echo "hello $x"; exit 5`, keys, writing(func(p []byte) {
			got.Write(p)
			if !asked && strings.Contains(got.String(), "name? ") {
				asked = true
				keys <- []byte("me\r")
			}
		}))
		if err != nil {
			t.Fatal(err)
		}
		if want := "name? me\r\nhello me\r\n"; got.String() != want || status != 5 {
			t.Errorf("got %q with status %d, want %q with 5", got.String(), status, want)
		}
	})
}

func TestOpenOnSomethingElse(t *testing.T) {
	p := newMachine(t, []string{"/bin/cat"})
	process, err := p.start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(within(t))
	cancel()
	if _, err := Open(ctx, process); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	p.shell = []string{"/bin/true"}
	if process, err = p.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(within(t), process); err == nil || !strings.Contains(err.Error(), "ended") {
		t.Errorf("got %v", err)
	}
}
