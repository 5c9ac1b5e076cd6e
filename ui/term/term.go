// Package term is the terminal pane: a shell, or any program on a terminal far
// away, in a rectangle of the screen.
package term

import (
	"context"
	"io"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
	"gantry/ui/style"
)

// Stream is the far end of a terminal: an ECS Exec session, a docker exec, a
// PTY. Read, Write and Resize are called from one goroutine each; Close may
// come at any time, once, and ends what the others wait for. Two more abilities
// are used when it has them: Err() error says why it ended (nil: as it should),
// once Read has failed; Detach() error leaves the far end running, also when
// Close follows.
type Stream interface {
	io.ReadWriteCloser
	// Resize tells the size in cells.
	Resize(cols, rows int) error
}

// Options say what the terminal shows.
type Options struct {
	// Name is the title: "sh web/7f3a".
	Name string
	// Waits says what opening waits for: "the agent in web/7f3a".
	Waits string
	// Open connects, for a terminal of that size. It runs outside of Update; ctx
	// ends with the pane, after the stream was closed if there is one by then.
	Open func(ctx context.Context, cols, rows int) (Stream, error)
	// Scrollback is how many lines that scrolled off are kept; 2,000 when 0.
	Scrollback int
	// Status is a line under the terminal, asked once a second: how long nobody
	// has typed, against the limit. nil when there is nothing to say ever.
	Status func() string
	// EndAsk says what ending does, for the question before it. Without it, and
	// without a choice, ending does not ask.
	EndAsk string
}

const defaultScrollback = 2000

type phase int

const (
	idle phase = iota // nothing opened yet: no size
	connecting
	live
	ended
)

// Term is the pane.
type Term struct {
	options Options
	host    pane.Host
	w, h    int
	phase   phase
	ahead   []tea.Msg // typed and pasted before there was a session
	session *session  // nil until it is open
	err     error     // why it ended
	gone    bool
	status  string
	ready   bool // Init was called

	lifetime context.Context // of the pane
	cancel   context.CancelFunc
	opening  opening

	scroll    scroll
	search    search
	selection selection

	stale bool
	view  string
	theme *style.Theme
	seen  int // outputs when it was last drawn
}

// opening is a connection that may still be on its way when the pane closes.
type opening struct {
	mu     sync.Mutex
	stream Stream // arrived, but not yet taken
	closed bool
}

// opened says how connecting ended.
type opened struct {
	term       *Term
	stream     Stream
	cols, rows int
	err        error
}

type statusDue struct{ term *Term }

// New makes a terminal. It connects when it has a host and a size.
func New(o Options) *Term {
	if o.Scrollback <= 0 {
		o.Scrollback = defaultScrollback
	}
	t := &Term{options: o, stale: true, scroll: scroll{following: true}}
	t.lifetime, t.cancel = context.WithCancel(context.Background())
	return t
}

// Title is the session's name.
func (t *Term) Title() string { return t.options.Name }

// Init takes the host.
func (t *Term) Init(h pane.Host) tea.Cmd {
	t.host, t.ready = h, true
	return tea.Batch(t.open(), t.tick())
}

// Resize gives the pane its size. The far end is told at once.
func (t *Term) Resize(w, h int) tea.Cmd {
	if w == t.w && h == t.h {
		return nil
	}
	t.w, t.h = max(w, 0), max(h, 0)
	t.stale = true
	t.fit()
	return t.open()
}

// fit gives the session the pane's size. A folded pane keeps the size it had.
func (t *Term) fit() {
	if t.session != nil && t.w > 0 && t.h > 0 {
		t.session.resize(t.w, t.rows())
	}
}

// rows is the terminal's height: the status has a line of its own.
func (t *Term) rows() int {
	if t.options.Status != nil && t.h > 2 {
		return t.h - 1
	}
	return t.h
}

// open connects, once there is a host to show it and a size to tell.
func (t *Term) open() tea.Cmd {
	if t.phase != idle || !t.ready || t.w == 0 || t.h == 0 {
		return nil
	}
	t.phase = connecting
	cols, rows := t.w, t.rows()
	return func() tea.Msg {
		stream, err := t.options.Open(t.lifetime, cols, rows)
		if err == nil && !t.opening.arrived(stream) {
			_ = stream.Close()
			return nil
		}
		return opened{t, stream, cols, rows, err}
	}
}

// arrived keeps the stream for the pane; it tells whether there still is one.
func (o *opening) arrived(s Stream) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.stream = s
	}
	return !o.closed
}

// take gives up the stream, to whoever closes it from now on.
func (o *opening) take() Stream {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.stream
	o.stream = nil
	return s
}

func (o *opening) close() {
	o.mu.Lock()
	o.closed = true
	s := o.stream
	o.stream = nil
	o.mu.Unlock()
	if s != nil {
		_ = s.Close()
	}
}

func (t *Term) opened(msg opened) tea.Cmd {
	t.stale = true
	if msg.err != nil {
		t.phase, t.err = ended, msg.err
		return nil
	}
	if t.opening.take() == nil {
		return nil // closed in the meantime
	}
	t.phase = live
	t.session = newSession(msg.stream, msg.cols, msg.rows, t.options.Scrollback)
	if msg.cols != t.w || msg.rows != t.rows() {
		t.fit()
	}
	t.release()
	return t.session.next
}

func (t *Term) tick() tea.Cmd {
	if t.options.Status == nil {
		return nil
	}
	return func() tea.Msg {
		timer := time.NewTimer(time.Second)
		defer timer.Stop()
		select {
		case <-timer.C:
			return statusDue{t}
		case <-t.lifetime.Done():
			return nil
		}
	}
}

// Update takes the keys while the session has them, paste, mouse and the
// session's own messages.
func (t *Term) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case opened:
		if msg.term == t {
			return t.opened(msg)
		}
	case changed:
		if msg.session == t.session {
			return t.changed()
		}
	case stopped:
		if msg.term == t {
			return t.stopped(msg)
		}
	case returned:
		if msg.term == t {
			return t.returned(msg)
		}
	case statusDue:
		if msg.term == t {
			return t.refreshStatus()
		}
	case tea.KeyPressMsg:
		return t.key(msg)
	case tea.PasteMsg:
		t.paste(msg.Content)
	case tea.MouseMsg:
		return t.mouse(msg)
	case tea.FocusMsg:
		t.report("\x1b[I")
	case tea.BlurMsg:
		t.report("\x1b[O")
	}
	return nil
}

func (t *Term) changed() tea.Cmd {
	t.stale = true
	if over, err := t.session.ended(); over {
		t.phase, t.err = ended, err
		t.session.close()
		return nil
	}
	return t.session.next
}

func (t *Term) refreshStatus() tea.Cmd {
	if t.phase == ended {
		return nil
	}
	if s := style.Plain(t.options.Status()); s != t.status {
		t.status, t.stale = s, true
	}
	return t.tick()
}

// report tells the program about the focus, if it has asked for that.
func (t *Term) report(focus string) {
	if t.phase == live && t.mode(1004) {
		t.send(focus)
	}
}

func (t *Term) mode(m int) bool {
	t.session.mu.Lock()
	defer t.session.mu.Unlock()
	return t.session.screen.Mode(m)
}

func (t *Term) send(text string) { t.session.out.put([]byte(text)) }

// Typing says that the session has the keys: it is live, or about to be, and the
// user is not looking through its history; or that something to search for is
// being typed.
func (t *Term) Typing() bool {
	return t.search.asking || t.phase == connecting || t.phase == live && !t.scroll.browsing
}

// Live says that closing would end something.
func (t *Term) Live() bool { return t.phase == connecting || t.phase == live }

// Gone says that the user is done with the pane.
func (t *Term) Gone() bool { return t.gone }

// Ended tells whether the session is over, and why if that is an error.
func (t *Term) Ended() (bool, error) { return t.phase == ended, t.err }

// Activity tells whether there is output that was not looked at yet.
func (t *Term) Activity() bool {
	if t.session == nil {
		return false
	}
	t.session.mu.Lock()
	defer t.session.mu.Unlock()
	return t.session.outputs != t.seen
}

// Mark is what the session's tab says besides its name.
func (t *Term) Mark() string {
	switch {
	case t.phase == ended && t.err != nil:
		return "✗ ended"
	case t.phase == ended:
		return "■ ended"
	case t.Activity():
		return "●"
	}
	return ""
}

// WindowTitle is what the program calls its window, fit to be drawn.
func (t *Term) WindowTitle() string {
	if t.session == nil {
		return ""
	}
	t.session.mu.Lock()
	defer t.session.mu.Unlock()
	return t.session.screen.Title()
}

// Close ends the session. It waits a moment for the far end to be told.
func (t *Term) Close() {
	defer t.cancel()
	t.opening.close()
	if t.session == nil {
		return
	}
	t.session.close()
	timer := time.NewTimer(parting)
	defer timer.Stop()
	select {
	case <-t.session.gone:
	case <-timer.C:
	}
}

// say tells the user something in a line.
func (t *Term) say(text string, err error) {
	t.host.Say(pane.Notice{Text: strings.TrimSpace(text), Err: err})
}
