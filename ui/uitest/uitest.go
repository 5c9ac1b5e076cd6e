// Package uitest drives a Bubble Tea program end to end in memory: real key
// bytes go in, and what the program draws lands on a virtual terminal whose
// screen a test reads.
package uitest

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"
	"github.com/charmbracelet/x/vt"
)

// patience is how long a test waits for the screen. It is long because a run
// under -race on a busy machine is slow; a passing test never waits it out.
const patience = 20 * time.Second

// Screen is a running program and the terminal it draws on.
type Screen struct {
	tb   testing.TB
	prog *tea.Program
	keys *io.PipeWriter
	done chan error

	mu      sync.Mutex
	emu     *vt.Emulator
	written int
	copied  string // by OSC 52, as sent
}

// Write takes what the program prints.
func (s *Screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written += len(p)
	if i := strings.Index(string(p), "\x1b]52;"); i >= 0 {
		s.copied = string(p[i:])
	}
	return s.emu.Write(p)
}

// Run starts the model on a terminal of w by h cells and stops it when the
// test ends. Options come after the defaults and may replace them.
func Run(tb testing.TB, m tea.Model, w, h int, options ...tea.ProgramOption) *Screen {
	tb.Helper()
	input, keys := io.Pipe()
	s := &Screen{tb: tb, emu: vt.NewEmulator(w, h), keys: keys, done: make(chan error, 1)}
	// Without a tty, Bubble Tea counts on "\n" starting a new line.
	_, _ = s.emu.WriteString(ansi.SetModeLineFeedNewLine)
	go func() { _, _ = io.Copy(keys, s.emu) }() // the terminal's answers to queries
	s.prog = tea.NewProgram(m, append([]tea.ProgramOption{
		tea.WithInput(input),
		tea.WithOutput(s),
		tea.WithWindowSize(w, h),
		tea.WithEnvironment([]string{"TERM=xterm-256color", "COLORTERM=truecolor"}),
		tea.WithColorProfile(colorprofile.TrueColor),
		tea.WithoutSignals(),
	}, options...)...)
	go func() {
		_, err := s.prog.Run()
		s.done <- err
	}()
	tb.Cleanup(func() { s.stop(input) })
	return s
}

func (s *Screen) stop(input *io.PipeReader) {
	s.prog.Kill()
	select {
	case err := <-s.done:
		s.done <- err
	case <-time.After(patience):
		s.tb.Error("the program did not end")
	}
	_ = input.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.emu.Close()
}

// Type sends text, or bytes such as "\r" and "\x1b[A", in one burst.
func (s *Screen) Type(text string) {
	s.tb.Helper()
	if _, err := io.WriteString(s.keys, text); err != nil {
		s.tb.Fatalf("type %q: %v", text, err)
	}
}

// Click presses and releases the left button on a cell, counted from 0.
func (s *Screen) Click(x, y int) {
	s.tb.Helper()
	s.Type(fmt.Sprintf("\x1b[<0;%d;%dM\x1b[<0;%d;%dm", x+1, y+1, x+1, y+1))
}

// ClickOn clicks on the first cell of text on the screen.
func (s *Screen) ClickOn(text string) {
	s.tb.Helper()
	for y, line := range strings.Split(s.Text(), "\n") {
		if i := strings.Index(line, text); i >= 0 {
			s.Click(ansi.StringWidth(line[:i]), y)
			return
		}
	}
	s.tb.Fatalf("no %q to click on:\n%s", text, s.Text())
}

// Send gives the program a message that no key makes, such as tea.BlurMsg.
func (s *Screen) Send(msg tea.Msg) { s.prog.Send(msg) }

// Resize gives the terminal a new size.
func (s *Screen) Resize(w, h int) {
	s.mu.Lock()
	s.emu.Resize(max(w, 1), max(h, 1))
	s.mu.Unlock()
	s.prog.Send(tea.WindowSizeMsg{Width: w, Height: h})
}

// Text is the screen without colours, one line each, blanks at line ends cut.
func (s *Screen) Text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := strings.Split(s.emu.String(), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

// Written is how many bytes the program has sent to the terminal so far.
func (s *Screen) Written() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written
}

// Copied is the last OSC 52 sequence that the program sent.
func (s *Screen) Copied() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.copied
}

// Wait waits until the screen shows text.
func (s *Screen) Wait(text string) {
	s.tb.Helper()
	s.Until(func(screen string) bool { return strings.Contains(screen, text) }, "never showed "+text)
}

// Gone waits until the screen no longer shows text.
func (s *Screen) Gone(text string) {
	s.tb.Helper()
	s.Until(func(screen string) bool { return !strings.Contains(screen, text) }, "still shows "+text)
}

// Until waits until ok holds for the screen.
func (s *Screen) Until(ok func(screen string) bool, otherwise string) {
	s.tb.Helper()
	deadline := time.Now().Add(patience)
	for !ok(s.Text()) {
		if time.Now().After(deadline) {
			s.tb.Fatalf("%s:\n%s", otherwise, s.Text())
		}
		time.Sleep(5 * time.Millisecond) // the pace of polling, not a wait
	}
}

// Ended waits until the program has ended by itself, and says how.
func (s *Screen) Ended() error {
	s.tb.Helper()
	select {
	case err := <-s.done:
		s.done <- err
		return err
	case <-time.After(patience):
		s.tb.Fatalf("the program did not end:\n%s", s.Text())
		return nil
	}
}

// Golden compares the screen with testdata/<test name>.golden. The -update
// flag rewrites the file.
func (s *Screen) Golden(replace ...string) {
	s.tb.Helper()
	golden.RequireEqual(s.tb, strings.NewReplacer(replace...).Replace(s.Text()))
}

// Settle waits until the screen has not changed for a moment, so that answers
// under way are on it.
func (s *Screen) Settle() {
	s.tb.Helper()
	last, since := s.Text(), time.Now()
	s.Until(func(screen string) bool {
		if screen != last {
			last, since = screen, time.Now()
		}
		return time.Since(since) > 300*time.Millisecond
	}, "never came to rest")
}
