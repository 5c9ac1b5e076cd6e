// Package table is a pane that lists resources: it loads, sorts, filters,
// marks and draws them, keeps them fresh, and runs actions on them. A resource
// only says in a Spec what its rows are.
package table

import (
	"cmp"
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
	"gantry/ui/style"
)

// Spec is what a resource says about itself. Its functions are called from the
// event loop and, for large tables, from other goroutines at the same time:
// they must depend on nothing but the row.
type Spec[T any] struct {
	// Title names the table: "Services". Its lower case is what several rows are
	// called in questions and notices.
	Title string
	// Source is where the rows come from at first. Without a List the table
	// waits for Follow.
	Source Source[T]
	// ID tells rows apart. Cursor and marks hold on to it over every refresh.
	ID func(T) string
	// Name is what questions and notices call a row.
	Name    func(T) string
	Columns []Column[T]
	// Order is how rows are sorted until the user says otherwise; by the first
	// column when zero.
	Order   Order
	Actions []Action[T]
	// Tabs are what the stage shows of the selected row. A table without any
	// never touches the stage.
	Tabs []Tab[T]
	// Moving says that a row is on its way to another state: it is looked at
	// more often. Optional.
	Moving func(T) bool
	// Dim says that a row matters less. Optional.
	Dim func(T) bool
	// Failure is why a row could not be described; empty when it could. Such a
	// row is drawn as a failure and no action takes it. Optional.
	Failure func(T) string
	// Copy is what `y` puts on the clipboard; the ID when nil.
	Copy func(T) string
	// Enter is what `enter` does with the row under the cursor. Optional.
	Enter func(h pane.Host, row T) tea.Cmd
	// Empty says why there may be no rows, and which key helps.
	Empty string
	// Waiting says what has to be selected elsewhere first.
	Waiting string
	// Suffix is appended to the title. Optional.
	Suffix func() string
	// Pace is how often to look; zero fields take the defaults.
	Pace Pace
	// Acted names the kinds of change, blanks between, after which this table
	// looks again soon. Its own actions say the first.
	Acted string
}

// Source is where rows come from. Its functions run outside the event loop and
// end when their context does.
type Source[T any] struct {
	// Key names what the rows belong to: profile, region, cluster. Answers for
	// one key are never shown under another.
	Key string
	// List loads everything. It hands over rows as they come, from any
	// goroutine; a row that comes again replaces the one before.
	List func(ctx context.Context, page func([]T)) error
	// IDs tells which rows there are, cheaply. Without it (or without Describe)
	// membership is learnt by List.
	IDs func(ctx context.Context) ([]string, error)
	// Describe fetches the present content of a few rows. Without it content is
	// refreshed by List.
	Describe func(ctx context.Context, ids []string) ([]T, error)
}

// Column is one column.
type Column[T any] struct {
	Title string
	// Width in cells. Zero takes what the others leave, but never less than 12.
	Width int
	Right bool // numbers
	// Tail keeps the end of a text that is too long, not its start: for names
	// that begin alike.
	Tail bool
	Text func(T) string
	// Style of the text, from style.Now(). Optional.
	Style func(T) style.Style
	// By is what rows are sorted by, in natural order ("web-9" before "web-10"),
	// where that is not Text. Ties are settled by ID.
	By func(T) string
	// Compare orders rows in any other way. Ties are settled by ID.
	Compare func(a, b T) int
}

// Order is a column's title and a direction.
type Order struct {
	Column  string
	Reverse bool
}

// Action is something to do with the marked rows, or with the one under the
// cursor when none is marked. It has an Each or an Open.
type Action[T any] struct {
	Key, Does string
	Mutates   bool
	// When tells whether a row can take it; rows that cannot are left out, and
	// the key is absent when none can. Optional.
	When func(T) bool
	// Confirm asks first, with what it touches in place of %s: "Stop %s?".
	Confirm string
	// Consequence is a line under the question. Optional.
	Consequence func([]T) string
	// Typed demands that the name be typed. It needs a Confirm.
	Typed bool
	// Done says what was done, with to what in place of %s: "stopped %s".
	Done string
	// Each does it to one row; up to eight run at once.
	Each func(context.Context, T) error
	// Open does it by other means: a dialog, a session.
	Open func(h pane.Host, rows []T) tea.Cmd
}

// Tab is one view of a row on the stage.
type Tab[T any] struct {
	Title string
	Open  func(T) pane.Pane
}

// Pace is how often a table looks at the rows on screen and at which rows
// there are.
type Pace struct {
	Moving  time.Duration // rows on their way, and all rows after an action; 5 s
	Still   time.Duration // the others; 15 s
	Members time.Duration // which rows there are; 60 s
	Acting  time.Duration // how long after an action all rows count as moving; 30 s
	// Background is the pace of a pane that has not the keys and in which nothing
	// moves; 5 min. Without Blur being called a table is never that.
	Background time.Duration
}

func (p Pace) orDefaults() Pace {
	return Pace{
		Moving:  cmp.Or(p.Moving, 5*time.Second),
		Still:   cmp.Or(p.Still, 15*time.Second),
		Members: cmp.Or(p.Members, time.Minute),
		Acting:  cmp.Or(p.Acting, 30*time.Second),

		Background: cmp.Or(p.Background, 5*time.Minute),
	}
}
