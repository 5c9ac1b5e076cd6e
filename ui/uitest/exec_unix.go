//go:build unix

package uitest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"reflect"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"
	"github.com/creack/pty"
)

// Terminal is a command that runs in a pseudo-terminal of its own, as the
// leader of a session of its own.
type Terminal struct {
	*Display
	command *exec.Cmd
	pty     *os.File
	before  *term.State   // how the command found the terminal
	ended   chan struct{} // closed when err is set and all output was taken
	err     error
	finish  func()
}

// Exec starts the command on a terminal of w by h cells. It is killed when the
// test ends, if it still runs then.
func Exec(tb testing.TB, command *exec.Cmd, w, h int) *Terminal {
	tb.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		tb.Fatalf("open a pseudo-terminal: %v", err)
	}
	defer slave.Close()
	size := &pty.Winsize{Cols: uint16(w), Rows: uint16(h)} //nolint:gosec // the test gives them
	if err := pty.Setsize(master, size); err != nil {
		tb.Fatalf("size the pseudo-terminal: %v", err)
	}
	t := &Terminal{Display: newDisplay(tb, master, w, h), command: command, pty: master, ended: make(chan struct{})}
	if t.before, err = term.GetState(slave.Fd()); err != nil {
		tb.Fatalf("read the terminal's state: %v", err)
	}
	command.Stdin, command.Stdout, command.Stderr = slave, slave, slave
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := command.Start(); err != nil {
		tb.Fatalf("start %s: %v", command.Path, err)
	}
	go t.follow()
	t.finish = sync.OnceFunc(t.end)
	tb.Cleanup(t.Close)
	return t
}

// follow draws what the command prints until nobody has its terminal open.
func (t *Terminal) follow() {
	defer close(t.ended)
	_, _ = io.Copy(t.Display, t.pty) // ends with EIO on Linux and EOF elsewhere
	t.err = t.command.Wait()
}

// Close kills the command and gives the terminal back.
func (t *Terminal) Close() { t.finish() }

func (t *Terminal) end() {
	_ = t.command.Process.Kill() // it has probably ended
	select {
	case <-t.ended:
	case <-time.After(patience):
		t.tb.Error("something still holds the terminal of ", t.command.Args)
	}
	t.close()
	_ = t.pty.Close()
}

// PID is the command's process id, and that of its session.
func (t *Terminal) PID() int { return t.command.Process.Pid }

// Signal sends the command a signal.
func (t *Terminal) Signal(s os.Signal) {
	t.tb.Helper()
	if err := t.command.Process.Signal(s); err != nil {
		t.tb.Fatalf("send %v: %v", s, err)
	}
}

// Ended waits until the command has ended, and says how, as exec.Cmd.Wait does.
func (t *Terminal) Ended() error {
	t.tb.Helper()
	select {
	case <-t.ended:
		return t.err
	case <-time.After(patience):
		t.tb.Fatalf("%s did not end:\n%s", t.command.Path, t.Text())
		return nil
	}
}

// Restored says what the command, which has ended, left behind on the
// terminal; nil if nothing.
func (t *Terminal) Restored() error {
	var left []error
	for mode, name := range map[ansi.Mode]string{
		ansi.ModeAltScreenSaveCursor: "the alternate screen",
		ansi.ModeBracketedPaste:      "bracketed paste",
		ansi.ModeFocusEvent:          "reports of focus",
		ansi.ModeMouseButtonEvent:    "reports of the mouse",
		ansi.ModeMouseExtSgr:         "SGR coordinates of the mouse",
		ansi.ModeSynchronizedOutput:  "synchronized output",
	} {
		if t.On(mode) {
			left = append(left, fmt.Errorf("%s is on", name))
		}
	}
	if !t.On(ansi.ModeTextCursorEnable) {
		left = append(left, errors.New("the cursor is hidden"))
	}
	after, err := term.GetState(t.pty.Fd())
	if err == nil && !reflect.DeepEqual(after, t.before) {
		err = errors.New("the line discipline is another")
	}
	return errors.Join(append(left, err)...)
}
