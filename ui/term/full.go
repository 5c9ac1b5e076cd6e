package term

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/cancelreader"
	xterm "golang.org/x/term"

	"gantry/internal/winsize"
	"gantry/ui/style"
)

// leaveByte is ctrl+], which gives the terminal back.
const leaveByte = 0x1d

// returned says that the user's terminal is gantry's again.
type returned struct {
	term *Term
	err  error
}

// handOver lends the user's whole terminal to the session, for programs that
// ask more of it than the pane offers, until ctrl+]. All that the program
// prints reaches that terminal then, as it would in any other shell.
func (t *Term) handOver() tea.Cmd {
	t.follow()
	return tea.Exec(&handover{session: t.session, name: t.options.Name}, func(err error) tea.Msg { return returned{t, err} })
}

func (t *Term) returned(msg returned) tea.Cmd {
	t.fit()
	t.stale = true
	if msg.err != nil {
		t.say("", fmt.Errorf("hand the terminal to %s: %w", t.options.Name, msg.err))
	}
	return nil
}

// handover connects the user's terminal with a session. It is what Bubble Tea
// runs while it has let go of the terminal.
type handover struct {
	session *session
	name    string
	in      io.Reader
	out     io.Writer
}

func (h *handover) SetStdin(r io.Reader)  { h.in = r }
func (h *handover) SetStdout(w io.Writer) { h.out = w }
func (h *handover) SetStderr(io.Writer)   {}

// Run returns when the user has typed ctrl+], or the session is over.
func (h *handover) Run() error {
	restore, err := raw(h.in)
	if err != nil {
		return err
	}
	defer restore()
	keys, err := cancelreader.NewReader(h.in)
	if err != nil {
		return fmt.Errorf("read the keyboard: %w", err)
	}
	defer func() { _ = keys.Close() }()

	h.fit()
	stop := winsize.Watch(h.fit)
	defer stop()
	h.begin()
	defer h.finish()
	h.pump(keys)
	return nil
}

// descriptor is a file such as os.Stdin.
type descriptor interface{ Fd() uintptr }

// raw makes a terminal pass every key at once. What is no terminal needs
// nothing.
func raw(in io.Reader) (restore func(), err error) {
	f, ok := in.(descriptor)
	if !ok || !xterm.IsTerminal(int(f.Fd())) {
		return func() {}, nil
	}
	was, err := xterm.MakeRaw(int(f.Fd()))
	if err != nil {
		return nil, fmt.Errorf("set the terminal to raw: %w", err)
	}
	return func() { _ = xterm.Restore(int(f.Fd()), was) }, nil
}

// fit gives the session the size of the real terminal.
func (h *handover) fit() {
	f, ok := h.out.(descriptor)
	if !ok {
		return
	}
	if w, rows, err := xterm.GetSize(int(f.Fd())); err == nil && w > 0 && rows > 0 {
		h.session.resize(w, rows)
	}
}

// begin draws what the pane showed, in the modes the program has set, and lets
// further output through.
func (h *handover) begin() {
	s := h.session
	s.out.mute()
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	b.WriteString(ansi.SetWindowTitle(style.Plain(h.name) + " - ctrl+] returns to gantry"))
	if s.screen.Alt() {
		b.WriteString(ansi.SetModeAltScreenSaveCursor)
	}
	b.WriteString(ansi.ResetStyle + ansi.EraseEntireScreen + ansi.CursorHomePosition)
	_, rows := s.screen.Size()
	for y := range rows {
		if y > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(s.screen.Row(y))
	}
	c := s.screen.Cursor()
	b.WriteString(ansi.CursorPosition(c.X+1, c.Y+1))
	for _, m := range s.screen.Modes() {
		if lasting(m) {
			fmt.Fprintf(&b, "\x1b[?%dh", m)
		}
	}
	if c.Hidden {
		b.WriteString(ansi.HideCursor)
	}
	_, _ = io.WriteString(h.out, b.String())
	s.mirror = h.out
}

// lasting tells the modes that a terminal is told when it takes over, and
// forgets when it is given back: those of the keyboard and the mouse.
func lasting(mode int) bool {
	switch mode {
	case 1, 66, mouseX10, mousePress, mouseDrag, mouseMotion, 1004, mouseSGR, mouseURXVT, 2004:
		return true
	}
	return false
}

// finish takes the terminal back from whatever the program has made of it.
func (h *handover) finish() {
	s := h.session
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mirror = nil
	s.out.unmute()
	_, _ = io.WriteString(h.out, "\x18\x1b[?1;9;66;1000;1002;1003;1004;1006;1015;2004l\x1b[?1049l\x1b[?6l\x1b[?7h\x1b[?25h\x1b[4l\x1b[>4m\x1b[r\x1b(B\x0f\x1b>\x1b[m\x1b[2J\x1b[H")
}

// pump sends keys until ctrl+] or the session's end.
func (h *handover) pump(keys cancelreader.CancelReader) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.send(keys)
	}()
	select {
	case <-done:
		return
	case <-h.session.finished:
	case <-h.session.closed:
	}
	if keys.Cancel() {
		<-done // or it would take the next key from gantry
	}
}

// send returns at ctrl+], or when there is nothing to read from any more.
func (h *handover) send(keys io.Reader) {
	buf := make([]byte, 4096)
	for {
		n, err := keys.Read(buf)
		if i := bytes.IndexByte(buf[:n], leaveByte); i >= 0 {
			h.session.out.put(buf[:i])
			return
		}
		h.session.out.put(buf[:n])
		if err != nil {
			return
		}
	}
}
