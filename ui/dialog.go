package ui

import (
	"cmp"
	"fmt"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
	"gantry/ui/style"
)

// shownChoices is how many choices of a field are seen at once.
const shownChoices = 10

// dialog is a pane.Dialog on the screen.
type dialog struct {
	pane.Dialog
	fields []*field
	at     int // index of the field with the cursor
	err    error
	closed bool
}

// field is a line to fill in, with the choices it offers now.
type field struct {
	pane.Field
	input   textinput.Model
	touched bool
	choices []pane.Choice
	picked  int // index into choices; -1: what was typed counts
}

func newDialog(d pane.Dialog) *dialog {
	n := &dialog{Dialog: d}
	for _, f := range d.Fields {
		n.fields = append(n.fields, newField(f))
	}
	n.focus(0)
	return n
}

func newField(f pane.Field) *field {
	in := textinput.New()
	in.Prompt = ""
	in.SetVirtualCursor(false)
	in.SetStyles(textinput.Styles{})
	in.SetValue(f.Value)
	in.CursorEnd()
	n := &field{Field: f, input: in}
	n.offer()
	return n
}

// take goes on with what was typed into another field.
func (f *field) take(other *field) {
	f.input, f.touched = other.input, other.touched
	f.offer()
}

// offer looks up the choices for what is typed.
func (f *field) offer() {
	f.picked = -1
	if f.Choices == nil {
		return
	}
	typed := f.input.Value()
	if !f.touched {
		typed = ""
	}
	f.choices = f.Choices(typed)
	if f.Strict && len(f.choices) > 0 {
		f.picked = 0
	}
}

// offerAgain offers what there is by now, where nothing was chosen yet.
func (f *Frame) offerAgain() {
	if len(f.dialogs) == 0 {
		return
	}
	for _, in := range f.dialogs[len(f.dialogs)-1].fields {
		if in.picked < 0 {
			in.offer()
		}
	}
}

// value is what the field holds; a strict one without a choice holds nothing.
func (f *field) value() string {
	switch {
	case f.picked >= 0 && f.picked < len(f.choices):
		return f.choices[f.picked].Value
	case f.Strict:
		return ""
	}
	return f.input.Value()
}

func (d *dialog) values() []string {
	vs := make([]string, len(d.fields))
	for i, f := range d.fields {
		vs[i] = f.value()
	}
	return vs
}

func (d *dialog) focus(i int) {
	for j, f := range d.fields {
		f.input.Blur()
		if j == i {
			d.at = i
			f.input.Focus()
		}
	}
}

// dialogKey gives a key to the top dialog and drops it when it is done.
func (f *Frame) dialogKey(msg tea.KeyPressMsg) tea.Cmd {
	d := f.dialogs[len(f.dialogs)-1]
	cmd := d.key(msg)
	if !d.closed {
		return cmd
	}
	f.dialogs = f.dialogs[:len(f.dialogs)-1]
	return tea.Batch(cmd, d.finish())
}

// finish runs what the dialog was answered with, once it is off the screen, so
// that Do may ask again.
func (d *dialog) finish() tea.Cmd {
	if d.err != nil || !d.answered() {
		return nil
	}
	return d.Do(d.values())
}

func (d *dialog) answered() bool { return d.at >= 0 }

// leave closes without an answer.
func (d *dialog) leave() { d.closed, d.at = true, -1 }

func (d *dialog) key(msg tea.KeyPressMsg) tea.Cmd {
	key := msg.String()
	if key == "esc" || key == "ctrl+c" {
		d.leave()
		return nil
	}
	if len(d.fields) == 0 {
		d.yesOrNo(key)
		return nil
	}
	f := d.fields[d.at]
	switch key {
	case "enter":
		d.send()
	case "tab":
		d.focus((d.at + 1) % len(d.fields))
	case "shift+tab":
		d.focus((d.at + len(d.fields) - 1) % len(d.fields))
	case "up", "ctrl+p":
		f.pick(-1)
	case "down", "ctrl+n":
		f.pick(1)
	default:
		return d.edit(func() tea.Cmd { return f.edit(msg) })
	}
	return nil
}

func (d *dialog) yesOrNo(key string) {
	switch key {
	case "y":
		d.closed = true
	case "n", "q":
		d.leave()
	}
}

func (d *dialog) send() {
	if d.Check != nil {
		if d.err = d.Check(d.values()); d.err != nil {
			return
		}
	}
	d.closed = true
}

func (d *dialog) edit(change func() tea.Cmd) tea.Cmd {
	d.err = nil
	return change()
}

func (d *dialog) paste(msg tea.PasteMsg) tea.Cmd {
	if len(d.fields) == 0 {
		return nil
	}
	msg.Content = style.Plain(strings.TrimSpace(msg.Content))
	return d.edit(func() tea.Cmd { return d.fields[d.at].edit(msg) })
}

// edit changes the text. The first character typed replaces a value that was
// offered.
func (f *field) edit(msg tea.Msg) tea.Cmd {
	if replaces(msg) && !f.touched {
		f.input.SetValue("")
	}
	f.touched = true
	var cmd tea.Cmd
	before := f.input.Value()
	f.input, cmd = f.input.Update(msg)
	if f.input.Value() != before || before == "" {
		f.offer()
	}
	return cmd
}

// replaces tells text from keys that only move about in it.
func replaces(msg tea.Msg) bool {
	k, ok := msg.(tea.KeyPressMsg)
	return !ok || k.Text != ""
}

func (f *field) pick(by int) {
	if n := len(f.choices); n > 0 {
		f.picked = min(max(f.picked+by, 0), n-1)
	}
}

// line is one row of a dialog's body.
const labelGap = 2

func (d *dialog) labelWidth() int {
	w := 0
	for _, f := range d.fields {
		w = max(w, style.Width(f.Label))
	}
	return w + labelGap
}

func (d *dialog) size(w, h int) (int, int) { return min(max(w*6/10, 56), max(w-2, 4)), h - 2 }

func (d *dialog) view(w, h int) string {
	bw, bh := d.size(w, h)
	lines := d.lines(bw - 4)
	lines = lines[:min(len(lines), max(0, bh-2))]
	edge, _, danger := style.Now().Edges()
	if d.Danger {
		edge = danger
	}
	return edge.Box(d.Title, style.Now().Dim.Render(d.hint()), pad(lines), bw, len(lines)+2)
}

func (d *dialog) hint() string {
	switch {
	case len(d.fields) == 0:
		return "y yes · n no"
	case len(d.fields) > 1:
		return "⏎ send · tab next · esc leave"
	}
	return "⏎ send · esc leave"
}

// lines are the fields first, so that the cursor's place does not depend on
// what is told below them.
func (d *dialog) lines(w int) []string {
	t := style.Now()
	var lines []string
	for i, f := range d.fields {
		lines = append(lines, d.fieldLine(i, w))
		if i == d.at {
			lines = append(lines, f.choiceLines(w)...)
		}
	}
	if d.Body != nil {
		if text := d.Body(d.values()); text != "" {
			if len(lines) > 0 {
				lines = append(lines, "")
			}
			lines = append(lines, styled(t.Text, style.Wrap(style.Lines(text), w))...)
		}
	}
	if d.err != nil {
		lines = append(lines, errorLines(d.err, w)...)
	}
	return lines
}

func (d *dialog) fieldLine(i, w int) string {
	t, f := style.Now(), d.fields[i]
	lw := d.labelWidth()
	f.input.SetWidth(max(1, w-lw-1))
	text := f.input.View()
	if i != d.at && (f.Strict || f.picked >= 0) {
		text = style.Plain(f.chosen()) // what was typed only searched for it
	}
	return t.Header.Render(style.Fit(f.Label, lw)) + t.Field.Render(style.Fit(text, w-lw))
}

// chosen is what is shown of the choice.
func (f *field) chosen() string {
	if f.picked < 0 || f.picked >= len(f.choices) {
		return ""
	}
	return cmp.Or(f.choices[f.picked].Label, f.choices[f.picked].Value)
}

func (f *field) choiceLines(w int) []string {
	t := style.Now()
	from := max(0, min(f.picked-shownChoices/2, len(f.choices)-shownChoices))
	var lines []string
	for i := from; i < min(from+shownChoices, len(f.choices)); i++ {
		c := f.choices[i]
		text := choiceSign[i == f.picked] + style.Plain(cmp.Or(c.Label, c.Value))
		// What is chosen goes before what is said of it, but for a third.
		note := style.Cut(style.Plain(c.Note), max(w/3, w-style.Width(text)-1))
		line := style.Fit(text, w-style.Width(note)-1) + " " + t.Dim.Render(note)
		if i == f.picked {
			line = t.Selected.Render(style.Fit(line, w))
		}
		lines = append(lines, line)
	}
	if more := len(f.choices) - shownChoices; more > 0 {
		lines = append(lines, t.Dim.Render(style.Cut(fmt.Sprintf("  %d more: type what is in their names", more), w)))
	}
	if len(f.choices) == 0 && f.Choices != nil {
		lines = append(lines, t.Dim.Render("  nothing fits"))
	}
	return lines
}

// choiceSign tells the choice that is picked from the others without colour.
var choiceSign = map[bool]string{true: "▸ ", false: "  "}

// cursor is where the dialog's box has the terminal's cursor.
func (d *dialog) cursor() *tea.Cursor {
	if len(d.fields) == 0 || d.at < 0 {
		return nil
	}
	return shifted(d.fields[d.at].input.Cursor(), 2+d.labelWidth(), 1+d.at)
}
