package text

import (
	"context"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
	"gantry/ui/style"
)

const (
	// lineBytes is what a line costs on its way to the screen besides its text.
	lineBytes = 80
	// batchBytes is how much of a log may wait for the next drawn frame.
	batchBytes = 512 << 10
	// olderLines is how many older lines are read at once.
	olderLines = 5000
)

// Log is a pane that follows a log: it keeps the last lines in a bounded ring,
// and only what shows is wrapped and drawn. The place that is being read stays,
// whatever comes after it, before it, or is dropped.
type Log struct {
	title   string
	feed    Feed
	options LogOptions
	host    pane.Host

	w, h int
	gone bool

	ring    *ring
	stream  pane.Stream[Line]
	begun   bool
	read    bool    // something has come, or the end has
	since   string  // as the user said it; empty: the newest lines
	epoch   int     // counts the times that the log was read anew
	pending []Line  // lines that would push out what is being read
	next    tea.Cmd // asks for more lines once pending is empty
	head    pane.Load[string]
	older   pane.Load[[]Line]
	start   bool // there are no older lines

	follow   bool
	detached bool  // newer lines were let go for older ones
	seen     int64 // number of the line to come when following was left
	top      place
	x        int // cells that are scrolled out on the left
	wrap     bool
	times    bool
	look     look

	search, filter query
	match          *int64 // the line that n and N go on from
	steps          []int  // n and N pressed before the matches were known
	prompt         prompt
	marked         *selection

	cache map[int64]*shown
	drawn string
	theme *style.Theme // that drawn was drawn in; nil: draw again
}

// NewLog is a log that begins to read once it has a size.
func NewLog(title string, feed Feed, o LogOptions) *Log {
	o = o.withDefaults()
	return &Log{
		title: title, feed: feed, options: o, ring: newRing(o.Bytes), follow: true, cache: map[int64]*shown{},
		stream: pane.Stream[Line]{Limit: batchBytes, Weigh: func(l Line) int { return len(l.Text) + lineBytes }},
	}
}

// Title names the log and says how much of it is here.
func (l *Log) Title() string {
	parts := []string{style.Plain(l.title)}
	if n := l.ring.len(); n > 0 {
		parts = append(parts, counted(n, "line"), size(l.ring.bytes))
	}
	if p := l.filter.pattern; p != nil {
		parts = append(parts, fmt.Sprintf("&%s %s", style.Plain(p.text), thousands(l.total())))
	}
	return strings.Join(parts, " · ")
}

// Init takes the host.
func (l *Log) Init(h pane.Host) tea.Cmd {
	l.host = h
	return l.begin()
}

// Close lets go of the feed.
func (l *Log) Close() {
	l.stream.Stop()
	l.older.Stop()
	l.head.Stop()
	l.search.clear()
	l.filter.clear()
}

// Live says that something would be lost by closing the log: never.
func (l *Log) Live() bool { return false }

// Gone says that the user has closed the log.
func (l *Log) Gone() bool { return l.gone }

// Resize gives the size. The log is read from the first time on that there is
// one; while it is folded its source is held up.
func (l *Log) Resize(w, h int) tea.Cmd {
	if w == l.w && h == l.h {
		return nil
	}
	l.w, l.h = w, h
	l.settle()
	return tea.Batch(l.begin(), l.release())
}

func (l *Log) begin() tea.Cmd {
	if l.begun || l.host == nil || l.h <= 0 {
		return nil
	}
	l.begun = true
	return tea.Batch(l.readFrom(l.begins()), l.readHead())
}

func (l *Log) readFrom(m Mark) tea.Cmd {
	return l.stream.Start(fmt.Sprint(l.feed.Key, " ", l.epoch), func(ctx context.Context, emit func([]Line)) error {
		return l.feed.Follow(ctx, m, emit)
	})
}

func (l *Log) readHead() tea.Cmd {
	if l.feed.Head == nil {
		return nil
	}
	return l.head.Start(l.feed.Key, func(ctx context.Context, _ func(string)) (string, error) { return l.feed.Head(ctx) })
}

// restart forgets the lines and reads the log anew.
func (l *Log) restart(m Mark) tea.Cmd {
	l.stream.Stop()
	l.older.Clear()
	l.epoch++
	l.ring = newRing(l.options.Bytes)
	l.pending, l.next = nil, nil
	l.read, l.start, l.detached = false, false, false
	l.follow, l.top, l.seen, l.match, l.marked, l.steps = true, place{}, 0, nil, nil, nil
	l.search.found, l.filter.found = nil, nil
	l.forget()
	return tea.Batch(l.readFrom(m), l.readHead(), l.searchAnew())
}

// again goes on reading after the log or the way to it has ended. What is here
// stays, if the lines say when they are from.
func (l *Log) again() tea.Cmd {
	if l.detached || l.ring.len() == 0 {
		return l.restart(l.begins())
	}
	cmd := l.toEnd()
	e, _ := l.ring.at(l.ring.end - 1)
	if e.at == noTime {
		return l.restart(l.begins())
	}
	l.epoch++
	l.stale()
	return tea.Batch(cmd, l.readFrom(Mark{At: e.time().Add(1)}), l.readHead())
}

// Update takes lines, answers, and the keys while something is being typed.
func (l *Log) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		return l.typed(msg)
	case tea.PasteMsg:
		return l.pasted(msg)
	case tea.MouseWheelMsg:
		return l.wheel(msg)
	}
	if lines, mine, next := l.stream.Update(msg); mine {
		l.read = true
		l.pending, l.next = lines, next
		return l.release()
	}
	if mine, cmd := l.older.Update(msg); mine {
		l.takeOlder()
		return cmd
	}
	if mine, cmd := l.head.Update(msg); mine {
		l.stale()
		return cmd
	}
	return l.answered(msg)
}

// release takes the pending lines, as far as they leave what is being read in
// its place, and asks for more.
func (l *Log) release() tea.Cmd {
	if l.h <= 0 && l.next != nil {
		return nil
	}
	n := 0
	for n < len(l.pending) && (l.follow || l.ring.keeps(l.top.line, len(l.pending[n].Text)+entryBytes)) {
		l.ring.append(l.pending[n])
		n++
	}
	l.pending = l.pending[n:]
	l.changed()
	if len(l.pending) > 0 {
		return nil
	}
	next := l.next
	l.pending, l.next = nil, nil
	return next
}

// held says that more lines wait until there is room for them.
func (l *Log) held() bool { return len(l.pending) > 0 }

// changed follows a change of the lines.
func (l *Log) changed() {
	l.search.cover(l.ring)
	l.filter.cover(l.ring)
	if l.match != nil && (*l.match < l.ring.first() || *l.match >= l.ring.end) {
		l.match = nil
	}
	l.settle()
}

// canLoadOlder says that there may be lines before the first one, and a way to
// get them.
func (l *Log) canLoadOlder() bool {
	if l.feed.Older == nil || l.start || l.ring.len() == 0 {
		return false
	}
	e, _ := l.ring.at(l.ring.first())
	return e.at != noTime
}

// loadOlder reads lines before the first one.
func (l *Log) loadOlder() tea.Cmd {
	if !l.canLoadOlder() {
		return nil
	}
	e, _ := l.ring.at(l.ring.first())
	l.stale()
	return l.older.Start(fmt.Sprint(l.epoch, " ", e.at), func(ctx context.Context, _ func([]Line)) ([]Line, error) {
		return l.feed.Older(ctx, e.time(), olderLines)
	})
}

// takeOlder puts older lines before the first one. When the newest must go for
// them, the log is no longer followed: between the two there would be a gap.
func (l *Log) takeOlder() {
	l.stale()
	lines := l.older.Value
	if l.older.Err != nil {
		return
	}
	l.older.Clear()
	if len(lines) == 0 {
		l.start, l.ring.dropped = true, false
		return
	}
	l.pause()
	if lost := l.ring.prepend(lines); lost > 0 {
		l.detach()
	}
	l.changed()
}

func (l *Log) detach() {
	l.stream.Stop()
	l.detached, l.follow = true, false
	l.pending, l.next = nil, nil
}

// stale has the pane drawn again.
func (l *Log) stale() { l.theme = nil }

// forget has the lines laid out again.
func (l *Log) forget() {
	clear(l.cache)
	l.stale()
}

// thousands is a number with its digits in groups.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return thousands(n) + " " + noun + "s"
}

// size is a number of bytes, roughly.
func size(n int) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%d KB", n>>10)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
}
