package pane

import tea "charm.land/bubbletea/v2"

// Dialog is a question as data; the frame draws it and takes its keys. Without
// fields it is a yes-or-no question that `y` answers. With fields `enter`
// sends, `tab` moves on and `esc` leaves.
type Dialog struct {
	Title string
	// Body says what the answer will do. It is asked again after every key, with
	// what the fields hold.
	Body   func(values []string) string
	Fields []Field
	// Check refuses an answer. Its error is shown and the dialog stays.
	Check func(values []string) error
	// Do is run with the answer, once, and the dialog is gone.
	Do func(values []string) tea.Cmd
	// Danger draws the dialog as one that destroys.
	Danger bool
}

// Field is one line to fill in. Typing replaces a Value that was not yet
// touched.
type Field struct {
	Label string
	Value string
	// Choices are offered for what has been typed so far, best first; nil for
	// free text.
	Choices func(typed string) []Choice
	// Strict takes nothing but one of the Choices.
	Strict bool
}

// Choice is one of the values that a field offers.
type Choice struct {
	Value string // what the answer holds
	Label string // what is shown; Value when empty
	Note  string // dim, behind it
}

// Offer says that the Choices of the dialog on the screen may be others by now.
type Offer struct{}

// Static is a Body that never changes.
func Static(text string) func([]string) string {
	return func([]string) string { return text }
}
