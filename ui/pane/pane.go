// Package pane holds what every pane of the screen shares: how it is drawn
// and driven, the commands it offers, how it loads what it shows, and what it
// may ask of the frame around it.
package pane

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// Pane is one rectangle of the screen. It changes itself and never knows where
// it stands. All methods are called from the program's event loop only.
type Pane interface {
	// Title names the pane in its border.
	Title() string
	// Init takes the host and starts what the pane needs before it can show
	// anything.
	Init(Host) tea.Cmd
	// Update handles every message but the keys that the commands take.
	Update(msg tea.Msg) tea.Cmd
	// Resize gives the pane its inner size in cells. No height means that the
	// pane is folded: it shows nothing and should ask for nothing.
	Resize(w, h int) tea.Cmd
	// View draws the pane in the size that Resize gave.
	View() string
	// Commands are what the pane can do now: its keys, its help, its entries in
	// the palette and the mouse menu.
	Commands() []Command
}

// Typing is a pane that may be taking text, which then comes before every
// command.
type Typing interface{ Typing() bool }

// Closer is a pane that holds something to let go of when it leaves.
type Closer interface{ Close() }

// Pointed is a pane that shows the terminal's own cursor: where, in the pane's
// cells; nil hides it.
type Pointed interface{ Cursor() *tea.Cursor }

// Host is what the frame lends a pane. Its calls are made from Update or from
// a Command's Run only, and take effect within the same Update, so that a key
// typed ahead meets the dialog that the one before it opened.
type Host interface {
	// Open adds a session to the stage, or goes back to it, and gives it the keys.
	Open(Pane)
	// Ask puts a question over everything else.
	Ask(Dialog)
	// Say shows a line in the status bar.
	Say(Notice)
	// Show says what the stage is to tell about the selected row. It counts only
	// while the pane it comes from has the focus.
	Show(Stage)
	// Start runs a job in the background.
	Start(*Job)
	// Focus gives the keys to the pane of that title: "enter" on a cluster leads
	// to Services.
	Focus(title string)
}

// Command is one thing that a key does.
type Command struct {
	// Key as Bubble Tea spells it ("D", "ctrl+r", "space"); several, with blanks
	// between, do the same.
	Key string
	// Does says it in a word or two, for the key line, the help, the palette.
	Does string
	// Mutates marks what changes something outside gantry. Such a command is
	// absent in read-only mode.
	Mutates bool
	// Quiet keeps the command out of the key line: moving about needs no place
	// there.
	Quiet bool
	// Run does it.
	Run func() tea.Cmd
}

// Matches tells whether the key press is one of the command's keys.
func (c Command) Matches(msg tea.KeyPressMsg) bool {
	s := msg.String()
	for key := range strings.FieldsSeq(c.Key) {
		if key == s {
			return true
		}
	}
	return false
}

// Notice is a line for the status bar.
type Notice struct {
	Text string
	Err  error // shown as an error; a *diagnose.Error is shown in full
}

// Stage is what the right side shows of a selected row.
type Stage struct {
	From Pane   // who says it
	ID   string // of the row: tabs are kept open while it stays the same
	Name string // the row's name, first in the line of tabs
	Tabs []Tab
}

// Tab is one view of a row. Open makes its pane when it is first looked at.
type Tab struct {
	Title string
	Open  func() Pane
}

// Selected says that a table's cursor rests on another row, or that the row's
// content has changed. Row is nil when there is none. From is the title of the
// table's Spec.
type Selected[T any] struct {
	From string
	Row  *T
}

// Acted says that the pane changed something outside: whoever shows a part of
// it may look again soon. What names the kind that changed, such as "service".
type Acted struct{ What string }

// Send is a command that only says msg.
func Send(msg tea.Msg) tea.Cmd { return func() tea.Msg { return msg } }
