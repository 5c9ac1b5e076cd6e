package term

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"go.uber.org/goleak"

	"gantry/ui/pane"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// far is a far end that a test plays.
type far struct {
	out *io.PipeReader // what the far end prints
	say *io.PipeWriter

	mu      sync.Mutex
	typed   strings.Builder
	sizes   [][2]int
	why     error
	closed  bool
	changed chan struct{}
}

func newFar() *far {
	f := &far{changed: make(chan struct{}, 1)}
	f.out, f.say = io.Pipe()
	return f
}

func (f *far) Read(p []byte) (int, error) { return f.out.Read(p) }

func (f *far) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.typed.Write(p)
	f.poke()
	return len(p), nil
}

func (f *far) Resize(cols, rows int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sizes = append(f.sizes, [2]int{cols, rows})
	f.poke()
	return nil
}

func (f *far) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	return f.say.Close()
}

func (f *far) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.why
}

func (f *far) poke() {
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

// prints is what a program there writes.
func (f *far) prints(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(f.say, text); err != nil {
		t.Fatal(err)
	}
}

// wait waits until the far end has got what ok wants.
func (f *far) wait(t *testing.T, what string, ok func(typed string, sizes [][2]int) bool) {
	t.Helper()
	for end := time.After(patience); ; {
		f.mu.Lock()
		typed, sizes := f.typed.String(), f.sizes
		f.mu.Unlock()
		if ok(typed, sizes) {
			return
		}
		select {
		case <-f.changed:
		case <-end:
			t.Fatalf("%s: got %q, sizes %v", what, typed, sizes)
		}
	}
}

// gets waits until just that was typed there, and forgets it.
func (f *far) gets(t *testing.T, want string) {
	t.Helper()
	f.wait(t, "want "+want, func(typed string, _ [][2]int) bool { return typed == want })
	f.mu.Lock()
	defer f.mu.Unlock()
	f.typed.Reset()
}

const patience = 20 * time.Second

// host notes what the pane asks of the frame.
type host struct {
	dialogs []pane.Dialog
	notices []pane.Notice
}

func (h *host) Open(pane.Pane)      {}
func (h *host) Ask(d pane.Dialog)   { h.dialogs = append(h.dialogs, d) }
func (h *host) Say(n pane.Notice)   { h.notices = append(h.notices, n) }
func (h *host) Show(pane.Stage)     {}
func (h *host) Start(*pane.Job)     {}
func (h *host) Focus(string)        {}
func (h *host) said() string        { return h.notices[len(h.notices)-1].Text }
func (h *host) asked() *pane.Dialog { return &h.dialogs[len(h.dialogs)-1] }

// driver runs a pane's commands as Bubble Tea would, without drawing.
type driver struct {
	*testing.T
	*Term
	far      *far
	host     *host
	msgs     chan tea.Msg
	running  sync.WaitGroup
	messages int // of the session that were handled
}

// open starts a terminal of w by h cells and waits until it is live.
func open(t *testing.T, w, h int, change ...func(*Options)) *driver {
	t.Helper()
	d := start(t, w, h, change...)
	d.until("live", func() bool { return d.phase == live })
	return d
}

func start(t *testing.T, w, h int, change ...func(*Options)) *driver {
	t.Helper()
	d := &driver{T: t, far: newFar(), host: &host{}, msgs: make(chan tea.Msg, 100)}
	o := Options{Name: "sh web", Open: func(context.Context, int, int) (Stream, error) { return d.far, nil }}
	for _, c := range change {
		c(&o)
	}
	d.Term = New(o)
	d.run(d.Init(d.host))
	d.run(d.Resize(w, h))
	t.Cleanup(func() {
		d.Close()
		d.running.Wait()
	})
	return d
}

func (d *driver) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	d.running.Go(func() {
		switch msg := cmd().(type) {
		case nil:
		case tea.BatchMsg:
			for _, c := range msg {
				d.run(c)
			}
		default:
			d.msgs <- msg
		}
	})
}

// until handles messages until ok.
func (d *driver) until(what string, ok func() bool) {
	d.Helper()
	for end := time.After(patience); !ok(); {
		select {
		case msg := <-d.msgs:
			d.messages++
			d.run(d.Update(msg))
		case <-end:
			d.Fatalf("%s: never\n%s", what, d.View())
		}
	}
}

// shows waits until the pane shows a text.
func (d *driver) shows(text string) {
	d.Helper()
	d.until("show "+text, func() bool { return strings.Contains(d.screen(), text) })
}

// screen is the pane without colours.
func (d *driver) screen() string {
	lines := strings.Split(plainView(d.View()), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

func (d *driver) press(keys ...tea.KeyPressMsg) {
	for _, k := range keys {
		d.run(d.Update(k))
	}
}

// command runs the command of a key, which has to be offered.
func (d *driver) command(key string) {
	d.Helper()
	for _, c := range d.Commands() {
		for _, k := range strings.Fields(c.Key) {
			if k == key {
				d.run(c.Run())
				return
			}
		}
	}
	d.Fatalf("no command %q", key)
}

func TestTypingReachesTheFarEnd(t *testing.T) {
	d := open(t, 20, 5)
	d.far.prints(t, "$ ")
	d.shows("$")
	d.press(tea.KeyPressMsg{Code: 'l', Text: "l"}, tea.KeyPressMsg{Code: 'S', Text: "S", Mod: tea.ModShift}, tea.KeyPressMsg{Code: tea.KeyEnter})
	d.far.gets(t, "lS\r")
	if c := d.Cursor(); c == nil || c.X != 2 || c.Y != 0 {
		t.Errorf("the cursor is %+v, want at 2,0", c)
	}
	d.far.prints(t, "\x1b[?25l")
	d.until("hide the cursor", func() bool { return d.Cursor() == nil })
	d.far.prints(t, "\x1b[?25h\x1b[6 q")
	d.until("show a bar", func() bool { c := d.Cursor(); return c != nil && c.Shape == tea.CursorBar && !c.Blink })
}

func TestSizeIsToldAtOnce(t *testing.T) {
	var asked [2]int
	d := open(t, 31, 7, func(o *Options) {
		open := o.Open
		o.Open = func(ctx context.Context, cols, rows int) (Stream, error) {
			asked = [2]int{cols, rows}
			return open(ctx, cols, rows)
		}
	})
	if asked != [2]int{31, 7} {
		t.Errorf("opened with %v", asked)
	}
	for _, size := range [][2]int{{40, 9}, {0, 0}, {1, 1}, {2, 3}, {200, 80}} {
		d.run(d.Resize(size[0], size[1]))
		if lines := strings.Split(d.View(), "\n"); size[1] > 0 && len(lines) != size[1] {
			t.Errorf("%v: %d lines", size, len(lines))
		}
		d.Cursor()
	}
	d.far.wait(t, "the last size", func(_ string, sizes [][2]int) bool { return len(sizes) > 0 && sizes[len(sizes)-1] == [2]int{200, 80} })
}

func TestEndedSessionStaysReadable(t *testing.T) {
	d := open(t, 40, 4)
	for i := range 10 {
		d.far.prints(t, strings.Repeat("x", i)+"\r\n")
	}
	d.far.prints(t, "last words")
	d.far.mu.Lock()
	d.far.why = errors.New("the task has stopped")
	d.far.mu.Unlock()
	_ = d.far.say.Close()
	d.until("end", func() bool { return !d.Live() })
	if got := d.screen(); !strings.Contains(got, "last words") || !strings.Contains(got, "ended · the task has stopped · x closes") {
		t.Errorf("shown:\n%s", got)
	}
	if over, err := d.Ended(); !over || err == nil || d.Mark() != "✗ ended" || d.Typing() {
		t.Errorf("ended %v %v, mark %q, typing %v", over, err, d.Mark(), d.Typing())
	}
	d.command("up")
	d.command("up")
	if got := d.screen(); !strings.Contains(got, "xxxxxx\n") {
		t.Errorf("scrolled:\n%s", got)
	}
	d.command("x")
	if !d.Gone() {
		t.Error("x does not close")
	}
}

func TestEnding(t *testing.T) {
	d := open(t, 20, 4, func(o *Options) { o.EndAsk = "The shell ends." })
	d.command("x")
	if d.host.asked().Title != "End sh web?" {
		t.Errorf("asked %q", d.host.asked().Title)
	}
	d.run(d.host.asked().Do(nil))
	d.until("gone", d.Gone)
	if !d.far.closed {
		t.Error("the stream is open")
	}
}

// keeping is a far end that can go on alone.
type keeping struct {
	*far
	detached bool
}

func (k *keeping) Detach() error {
	k.detached = true
	return k.Close()
}

func TestDetaching(t *testing.T) {
	k := &keeping{far: newFar()}
	d := open(t, 20, 4, func(o *Options) { o.Open = func(context.Context, int, int) (Stream, error) { return k, nil } })
	d.command("x")
	choices := d.host.asked().Fields[0].Choices("")
	if len(choices) != 2 {
		t.Fatalf("choices %v", choices)
	}
	d.run(d.host.asked().Do([]string{"detach"}))
	d.until("gone", d.Gone)
	if !k.detached {
		t.Error("not detached")
	}
}

func TestOpenFails(t *testing.T) {
	d := start(t, 40, 5, func(o *Options) {
		o.Waits = "the agent"
		o.Open = func(context.Context, int, int) (Stream, error) { return nil, errors.New("the agent is not running") }
	})
	if got := d.screen(); got != "connecting… waiting for the agent" {
		t.Errorf("shown: %s", got)
	}
	d.shows("the agent is not running")
	d.command("x")
	if !d.Gone() {
		t.Error("x does not close")
	}
}

// What is typed and pasted while the session is being opened reaches it, in
// order, and nothing else.
func TestTypingAheadReachesTheSession(t *testing.T) {
	far, may := newFar(), make(chan struct{})
	d := start(t, 20, 4, func(o *Options) {
		o.Open = func(context.Context, int, int) (Stream, error) {
			<-may
			return far, nil
		}
	})
	if !d.Typing() {
		t.Fatal("keys would go elsewhere")
	}
	d.Update(tea.KeyPressMsg{Code: 'q', Text: "q"})
	d.Update(tea.PasteMsg{Content: "pasted"})
	d.Update(tea.KeyPressMsg{Code: tea.KeyEnter})
	close(may)
	d.until("live", func() bool { return d.phase == live })
	far.gets(t, "qpasted\r")
}

// A pane that closes while it connects leaves nothing behind: goleak looks.
func TestCloseWhileConnecting(t *testing.T) {
	begun, late := make(chan struct{}), newFar()
	d := start(t, 20, 4, func(o *Options) {
		o.Open = func(ctx context.Context, _, _ int) (Stream, error) {
			close(begun)
			<-ctx.Done()
			return late, nil
		}
	})
	<-begun
	d.Close()
	d.running.Wait()
	if !late.closed {
		t.Error("the late stream is open")
	}
}

func TestStatusHasItsOwnLine(t *testing.T) {
	d := open(t, 30, 5, func(o *Options) { o.Status = func() string { return "idle 3:00 of 20:00" } })
	d.far.prints(t, strings.Repeat("\r\nline", 10)+"!")
	d.shows("line!")
	d.shows("idle 3:00 of 20:00")
	if !strings.HasSuffix(d.screen(), "line!\nidle 3:00 of 20:00") {
		t.Errorf("shown:\n%s", d.screen())
	}
}

func TestActivity(t *testing.T) {
	d := open(t, 20, 4)
	d.far.prints(t, "a")
	d.until("output", func() bool { return d.Mark() == "●" })
	d.until("told", func() bool { return d.stale })
	d.View()
	if d.Activity() {
		t.Error("activity although it was looked at")
	}
}
