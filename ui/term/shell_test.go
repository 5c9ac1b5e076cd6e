//go:build unix

package term_test

import (
	"context"
	"encoding/base64"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/creack/pty"

	"gantry/ui/pane"
	"gantry/ui/term"
	"gantry/ui/uitest"
)

// shell is a program on a PTY of this machine.
type shell struct {
	*os.File
	cmd *exec.Cmd

	mu     sync.Mutex // Setsize and Close must not meet
	closed bool
}

func runShell(name string, args ...string) func(context.Context, int, int) (term.Stream, error) {
	return func(_ context.Context, cols, rows int) (term.Stream, error) {
		cmd := exec.Command(name, args...)
		cmd.Env = append(os.Environ(), "TERM=xterm-256color", "PS1=$ ", "LC_ALL=C.UTF-8", "HISTFILE=")
		f, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: uint16(cols), Rows: uint16(rows)})
		if err != nil {
			return nil, err
		}
		return &shell{File: f, cmd: cmd}, nil
	}
}

func (s *shell) Resize(cols, rows int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return os.ErrClosed
	}
	return pty.Setsize(s.File, &pty.Winsize{Cols: uint16(cols), Rows: uint16(rows)})
}

func (s *shell) Read(p []byte) (int, error) {
	n, err := s.File.Read(p)
	if errors.Is(err, syscall.EIO) { // how Linux says that the program is gone
		err = os.ErrClosed
	}
	return n, err
}

// Err is nil: however a shell ends, that is how its user wanted it.
func (s *shell) Err() error { return nil }

func (s *shell) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	_ = s.cmd.Process.Kill()
	err := s.File.Close()
	_ = s.cmd.Wait()
	return err
}

// window shows one terminal on the whole screen, and takes ctrl+] as the frame
// does.
type window struct {
	pane   *term.Term
	prefix bool
}

func (w *window) Init() tea.Cmd { return w.pane.Init(w) }

func (w *window) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		return w, w.pane.Resize(msg.Width, msg.Height)
	case tea.KeyPressMsg:
		if msg.String() == "ctrl+]" {
			w.prefix = true
			return w, nil
		}
		if w.prefix || !w.pane.Typing() {
			w.prefix = false
			for _, c := range w.pane.Commands() {
				if c.Matches(msg) {
					return w, c.Run()
				}
			}
		}
	}
	cmd := w.pane.Update(msg)
	if w.pane.Gone() {
		w.pane.Close()
		return w, tea.Quit
	}
	return w, cmd
}

func (w *window) View() tea.View {
	v := tea.NewView(w.pane.View())
	v.AltScreen, v.Cursor, v.MouseMode, v.ReportFocus = true, w.pane.Cursor(), tea.MouseModeAllMotion, true
	return v
}

func (w *window) Open(pane.Pane)  {}
func (w *window) Ask(pane.Dialog) {}
func (w *window) Say(pane.Notice) {}
func (w *window) Show(pane.Stage) {}
func (w *window) Start(*pane.Job) {}
func (w *window) Focus(string)    {}

func runWindow(t *testing.T, cols, rows int, name string, args ...string) *uitest.Screen {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed", name)
	}
	p := term.New(term.Options{Name: name, Open: runShell(name, args...)})
	t.Cleanup(p.Close) // last: after the program that uitest ends
	return uitest.Run(t, &window{pane: p}, cols, rows)
}

func bash(t *testing.T, cols, rows int) *uitest.Screen {
	t.Helper()
	s := runWindow(t, cols, rows, "bash", "--norc", "--noprofile")
	s.Wait("$")
	return s
}

func TestBash(t *testing.T) {
	s := bash(t, 60, 12)
	s.Type("stty size\r")
	s.Wait("12 60")
	s.Resize(50, 9)
	s.Type("clear; stty size\r")
	s.Wait("9 50")
	s.Type("clear; echo $((6*7)) 'ABC!' 日本語\r")
	s.Wait("42 ABC! 日本語")
	s.Type("clear; printf '日本語日本%.0s' 1 2 3 4 5 6\r")
	s.Wait("日本語日本日本語日本日本語日本日本語日本日本語日本\n日本語日本$")
	// A child of its own: between two commands of one line, bash may lose the ^C.
	s.Type("\rclear\rsh -c 'echo rea\"\"dy; exec sleep 1000'\r")
	s.Wait("ready\n")
	s.Type("\x03")
	s.Type("echo st''opped\r")
	s.Wait("stopped")
	s.Type("exit\r")
	s.Wait("ended · x closes")
}

// Only what the user selects gets to the clipboard.
func TestClipboard(t *testing.T) {
	s := bash(t, 60, 12)
	s.Type("printf '\\e]52;c;aGVsbG8=\\a'; clear; echo some wo''rds\r")
	s.Wait("some words\n")
	if got := s.Copied(); got != "" {
		t.Errorf("a program has copied %q", got)
	}
	s.Type("\x1b[<0;6;1M\x1b[<32;10;1M\x1b[<0;10;1m")
	s.Until(func(string) bool {
		return strings.Contains(s.Copied(), base64.StdEncoding.EncodeToString([]byte("words")))
	}, "nothing was copied")
}

func TestHistoryOfBash(t *testing.T) {
	s := bash(t, 60, 12)
	s.Type("seq 1 5000\r")
	s.Wait("5000\n$")
	s.Type("\x1d/4321\r")
	s.Wait("4321\n")
	s.Wait("enter back to the shell")
	s.Type("\r")
	s.Wait("5000\n$")
	s.Type("\x1b[5;2~")
	s.Wait("scrolled back")
	s.Type("echo typ''ing\r")
	s.Wait("typing\n$")
}

func TestVi(t *testing.T) {
	if _, err := exec.LookPath("vi"); err != nil {
		t.Skip("vi is not installed")
	}
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, []byte(strings.Repeat("日本語日本 naïve\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	s := bash(t, 60, 12)
	s.Type("vi " + file + "\r")
	s.Wait("naïve\n日本語日本 naïve")
	s.Type("Ofirst line\x1b")
	s.Wait("first line\n日本語")
	s.Resize(40, 7)
	s.Type("G")
	s.Resize(50, 9)
	s.Type("gg")
	s.Wait("first line\n日本語")
	s.Type(":wq\r")
	s.Wait("$ vi")
	s.Type("clear; head -1 " + file + "; wc -l <" + file + "\r")
	s.Wait("first line\n101\n$")
}
