// Package uitest drives a program end to end: real key bytes go in, and what
// the program draws lands on a virtual terminal whose screen a test reads. Run
// drives a Bubble Tea model in memory, Exec a command in a pseudo-terminal.
package uitest

import (
	"io"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"gantry/internal/frames"
)

// Screen is a running program and the terminal it draws on.
type Screen struct {
	*Display
	prog *tea.Program
	done chan error
}

// Run starts the model on a terminal of w by h cells and stops it when the
// test ends. Options come after the defaults and may replace them.
func Run(tb testing.TB, m tea.Model, w, h int, options ...tea.ProgramOption) *Screen {
	tb.Helper()
	input, keys := io.Pipe()
	s := &Screen{Display: newDisplay(tb, keys, w, h), done: make(chan error, 1)}
	// Without a tty, Bubble Tea counts on "\n" starting a new line.
	_, _ = s.emu.WriteString(ansi.SetModeLineFeedNewLine)
	s.prog = frames.New(m, append([]tea.ProgramOption{
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
	s.close()
}

// Send gives the program a message that no key makes, such as tea.BlurMsg.
func (s *Screen) Send(msg tea.Msg) { s.prog.Send(msg) }

// Resize gives the terminal a new size.
func (s *Screen) Resize(w, h int) {
	s.mu.Lock()
	s.emu.Resize(max(w, 1), max(h, 1))
	s.tell()
	s.mu.Unlock()
	s.prog.Send(tea.WindowSizeMsg{Width: w, Height: h})
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
