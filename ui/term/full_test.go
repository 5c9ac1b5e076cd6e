//go:build unix

package term

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// terminal is the user's: what is shown on it, and where keys are typed.
type terminal struct {
	master, tty *os.File
	shown       chan string
}

func newTerminal(t *testing.T, cols, rows uint16) *terminal {
	t.Helper()
	master, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no PTY: %v", err)
	}
	if err := pty.Setsize(master, &pty.Winsize{Cols: cols, Rows: rows}); err != nil {
		t.Fatal(err)
	}
	u := &terminal{master, tty, make(chan string, 100)}
	go func() {
		defer close(u.shown)
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			if err != nil {
				return
			}
			u.shown <- string(buf[:n])
		}
	}()
	t.Cleanup(func() {
		_ = tty.Close()
		for range u.shown { // until the other end is noticed
		}
		_ = master.Close()
	})
	return u
}

// shows waits until the terminal has been sent a text.
func (u *terminal) shows(t *testing.T, text string) {
	t.Helper()
	var all strings.Builder
	for end := time.After(patience); !strings.Contains(all.String(), text); {
		select {
		case s := <-u.shown:
			all.WriteString(s)
		case <-end:
			t.Fatalf("never shown: %q in %q", text, all.String())
		}
	}
}

func TestFullTerminal(t *testing.T) {
	d := open(t, 20, 4)
	d.far.prints(t, "\x1b[?2004h\x1b[?1hbefore")
	d.shows("before")
	user := newTerminal(t, 100, 30)
	h := &handover{session: d.session, name: "sh\x1b web"}
	h.SetStdin(user.tty)
	h.SetStdout(user.tty)
	ended := make(chan error)
	go func() { ended <- h.Run() }()

	user.shows(t, "before")
	d.far.wait(t, "the real size", func(_ string, sizes [][2]int) bool { return len(sizes) > 0 && sizes[len(sizes)-1] == [2]int{100, 30} })
	if _, err := user.master.WriteString("ls\r\x03"); err != nil {
		t.Fatal(err)
	}
	d.far.gets(t, "ls\r\x03")
	d.far.prints(t, "\x1b[6nafter \x1b]52;c;aGk=\a")
	user.shows(t, "after \x1b]52;c;aGk=\a") // as in any shell

	if _, err := user.master.WriteString("q\x1dz"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
	user.shows(t, "\x1b[?1049l")
	d.far.gets(t, "q") // and no answer of the pane's to the question

	d.run(d.returned(returned{term: d.Term}))
	d.far.wait(t, "the pane's size", func(_ string, sizes [][2]int) bool { return sizes[len(sizes)-1] == [2]int{20, 4} })
	d.far.prints(t, "\x1b[6n")
	d.far.wait(t, "an answer", func(typed string, _ [][2]int) bool { return strings.HasSuffix(typed, "R") })
	d.shows("after")
}

func TestFullTerminalEndsWithTheSession(t *testing.T) {
	d := open(t, 20, 4)
	user := newTerminal(t, 100, 30)
	h := &handover{session: d.session, name: "sh", in: user.tty, out: user.tty}
	ended := make(chan error)
	go func() { ended <- h.Run() }()
	d.far.wait(t, "the real size", func(_ string, sizes [][2]int) bool { return len(sizes) > 0 })
	_ = d.far.say.Close()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
	d.until("end", func() bool { return !d.Live() })
}
