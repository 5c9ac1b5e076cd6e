package table

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
	"gantry/ui/style"
)

// body is all of a table but the type of its rows: T is a pointer to that. The
// compiler makes one program for all pointers, where it would make one for each
// kind of row, and a hundred kilobytes are a lot beside a resource of 40 lines.
type body[T any] struct {
	spec   Spec[T]
	source Source[T]
	host   pane.Host
	self   pane.Pane // what the frame knows this table as
	known  func([]T) []T
	// selected is the message that says which row is selected, nil for none.
	selected func(row *T) tea.Msg

	// What there is and what shows of it.
	list      pane.Load[[]T]
	all       []T
	shown     arrangement[T]
	order     order
	filter    filter
	arranging *arranging // the arrangement under way, if any

	// Where the user is.
	cursor  int
	top     int
	current string // ID of the row under the cursor
	wanted  string // ID of a row to go to once it is there
	touched bool   // the user has been here: the cursor follows its row
	marked  map[string]bool
	picked  []T    // the marked rows; nil when they have to be collected anew
	anchor  string // ID of the row marked last
	scroll  int    // columns scrolled out behind the first

	width, height int
	sized         bool // Resize was called
	focused       bool // this pane has the keys
	background    bool // another pane has them
	away          bool // the terminal has lost the focus

	refresh refresh[T]
	said    said[T]
	running []*run
}

// newBody is a table of what spec describes, which says with selected which row
// is.
func newBody[T any](spec Spec[T], selected func(row *T) tea.Msg) *body[T] {
	spec.Pace = spec.Pace.orDefaults()
	t := &body[T]{spec: spec, source: spec.Source, selected: selected, marked: map[string]bool{}}
	t.order.reverse = spec.Order.Reverse
	t.order.column = max(0, slices.IndexFunc(spec.Columns, func(c Column[T]) bool { return c.Title == spec.Order.Column }))
	return t
}

// Within makes p the pane that the frame knows, for a table that is only a
// part of p.
func (t *body[T]) Within(p pane.Pane) { t.self = p }

// Init takes the host and starts the first load.
func (t *body[T]) Init(h pane.Host) tea.Cmd {
	t.host = h
	return t.settle()
}

// Close gives up on everything under way but confirmed actions: half of them
// done is worse than all.
func (t *body[T]) Close() {
	t.refresh.alarm.clear()
	t.said.rest.clear()
	t.stop()
	t.host = nil
}

// stop cancels every request.
func (t *body[T]) stop() {
	t.list.Clear()
	t.refresh.members.Clear()
	t.refresh.fresh.Clear()
	t.refresh.newcomers.Clear()
}

// followSource makes the table list another source.
func (t *body[T]) followSource(s Source[T]) tea.Cmd {
	same := s.Key == t.source.Key && (s.List == nil) == (t.source.List == nil)
	t.source = s
	if same {
		return t.settle()
	}
	t.stop()
	t.refresh.reset()
	t.all, t.shown = nil, arrangement[T]{}
	t.arranging = nil
	t.cursor, t.top, t.current, t.touched, t.anchor = 0, 0, "", false, ""
	clear(t.marked)
	t.picked = nil
	return t.settle()
}

// Resize gives the table its size. No height folds it: it asks for nothing
// until it is unfolded. A table that was never resized is not folded.
func (t *body[T]) Resize(w, h int) tea.Cmd {
	t.width, t.height, t.sized = max(w, 0), max(h, 0), true
	t.scroll = min(t.scroll, t.maxScroll())
	return t.settle()
}

// Focus tells the table that it has the keys.
func (t *body[T]) Focus() {
	t.focused, t.background = true, false
	t.show()
}

// Blur tells the table that another pane has the keys.
func (t *body[T]) Blur() { t.focused, t.background = false, true }

// Typing says that keys go into the filter.
func (t *body[T]) Typing() bool { return t.filter.typing }

// Title is the name, how many rows there are, the filter and the marks. A
// count that is not final ends in +.
func (t *body[T]) Title() string {
	s := t.spec.Title
	if count := t.count(); count != "" {
		s += " " + count
	}
	if t.filter.text != "" || t.filter.typing {
		s += " /" + style.Plain(t.filter.text)
		if t.filter.typing {
			s += "▏"
		}
	}
	if len(t.marked) > 0 {
		s += fmt.Sprintf(" • %d marked", len(t.marked))
	}
	if t.spec.Suffix != nil {
		s += t.spec.Suffix()
	}
	switch {
	case t.list.Busy() && (!t.list.Whole() || t.refresh.asked):
		s += " …"
	case t.list.Err != nil && !t.list.Whole():
		s += " !"
	}
	return s
}

func (t *body[T]) count() string {
	if t.shown.rows == nil {
		return ""
	}
	more := ""
	if !t.shown.whole {
		more = "+"
	}
	if t.filter.query.empty() {
		return fmt.Sprintf("%d%s", len(t.shown.rows), more)
	}
	return fmt.Sprintf("%d%s/%d%s", len(t.shown.order), more, len(t.shown.rows), more)
}

// update takes what the commands do not: typing, the mouse, answers, time.
func (t *body[T]) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		return t.typed(msg)
	case tea.PasteMsg:
		return t.pasted(msg)
	case tea.MouseClickMsg:
		return t.click(msg.X, msg.Y)
	case tea.MouseWheelMsg:
		return t.wheel(msg.Button)
	case tea.BlurMsg:
		t.away = true
		return t.settle()
	case tea.FocusMsg:
		t.away = false
		return t.settle()
	case pane.Acted:
		if slices.Contains(strings.Fields(t.spec.Acted), msg.What) {
			return t.LookAgain()
		}
		return nil
	case wake:
		return t.woken(msg)
	case arranged:
		return t.arrangedNow(msg)
	case ended:
		return t.ended(msg)
	}
	return t.answered(msg)
}

// settle brings everything in line after a change: the window around the
// cursor, what the others know of the selection, and the next refresh.
func (t *body[T]) settle() tea.Cmd {
	if t.host == nil {
		return nil
	}
	t.clampWindow()
	return tea.Batch(t.announce(), t.keepFresh())
}

// folded says that the pane was given no place.
func (t *body[T]) folded() bool { return t.sized && t.height == 0 }

// here is the row under the cursor, if there is one.
func (t *body[T]) here() (T, bool) {
	if t.cursor < len(t.shown.order) {
		return *t.shown.at(t.cursor), true
	}
	var none T
	return none, false
}

// Whole says that every row has arrived.
func (t *body[T]) Whole() bool { return t.shown.whole }

// Select puts the cursor on a row, or will when the row arrives.
func (t *body[T]) Select(id string) tea.Cmd {
	t.wanted = id
	t.seek()
	return t.settle()
}

// LookAgain refreshes at once and keeps looking often for a while, because
// something is about to change.
func (t *body[T]) LookAgain() tea.Cmd {
	t.refresh.acting = time.Now().Add(t.spec.Pace.Acting)
	t.refresh.hurry()
	return t.settle()
}

// Refresh looks at everything once more, because something has changed.
func (t *body[T]) Refresh() tea.Cmd {
	t.refresh.hurry()
	return t.settle()
}

// Reload loads everything anew.
func (t *body[T]) Reload() tea.Cmd {
	if t.source.List == nil {
		return nil
	}
	t.refresh.hurry()
	t.refresh.asked = true
	return tea.Batch(t.load(), t.settle())
}

// None says that every row has arrived and that there is none, filter or not.
func (t *body[T]) None() bool {
	return t.shown.whole && len(t.shown.rows) == 0 && t.source.List != nil
}
