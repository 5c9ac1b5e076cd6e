package table

import (
	"cmp"
	"errors"
	"strings"
	"time"

	"gantry/internal/diagnose"
	"gantry/ui/style"
)

// View draws the header and the rows that show, in exactly the size given.
func (t *body[T]) View() string {
	if t.width == 0 || t.height == 0 {
		return style.Block(nil, t.width, t.height)
	}
	theme := style.Now()
	if len(t.shown.order) == 0 {
		return style.Block(t.nothing(theme), t.width, t.height)
	}
	columns := t.layout()
	lines := make([]string, 0, t.height)
	if t.headerHeight() > 0 {
		lines = append(lines, theme.Header.Render(t.header(columns)))
	}
	from, to := t.window()
	for i := from; i < to; i++ {
		lines = append(lines, t.line(theme, columns, i))
	}
	for len(lines) < t.height-t.footerHeight() {
		lines = append(lines, style.Blank(t.width))
	}
	if t.footerHeight() > 0 {
		lines = append(lines, theme.Bad.Render(style.Fit(" ! "+t.trouble(), t.width)))
	}
	return strings.Join(lines, "\n")
}

// headerHeight is 1 unless there is room for a row only.
func (t *body[T]) headerHeight() int { return min(1, max(0, t.height-1)) }

// footerHeight is 1 while there is trouble to tell, and room.
func (t *body[T]) footerHeight() int {
	if t.height < 3 || t.trouble() == "" {
		return 0
	}
	return 1
}

func (t *body[T]) header(columns []placed) string {
	var b strings.Builder
	b.WriteString(style.Fit(strings.Repeat("‹", min(1, t.scroll)), min(gutter, t.width)))
	end, room := "", t.width
	if n := len(columns); n > 0 && columns[n-1].index < len(t.spec.Columns)-1 {
		end, room = "›", t.width-1
	}
	for i, c := range columns {
		if i > 0 {
			b.WriteByte(' ')
		}
		c.width = min(c.width, room-c.x)
		b.WriteString(t.columnTitle(c))
	}
	return style.Fit(b.String(), room) + end
}

func (t *body[T]) columnTitle(c placed) string {
	column := t.spec.Columns[c.index]
	title := strings.ToUpper(column.Title)
	if t.order.column == c.index {
		arrow := "▲"
		if t.order.reverse {
			arrow = "▼"
		}
		title = style.Cut(title, c.width-1) + arrow
	}
	if column.Right {
		return style.FitRight(title, c.width)
	}
	return style.Fit(title, c.width)
}

// line draws the i-th row.
func (t *body[T]) line(theme *style.Theme, columns []placed, i int) string {
	row := t.shown.at(i)
	marked, here := t.marked[t.spec.ID(*row)], i == t.cursor
	found := t.filter.query
	if here {
		found = nil // would tear holes into the cursor's background
	}
	cells := t.cells(theme, columns, row, found)
	sign, pointer := " ", " "
	if marked {
		sign = theme.Marked.Render("•")
	}
	if here {
		pointer = "▸"
	}
	line := sign + pointer + " " + cells
	if t.width < gutter {
		line = style.Fit(line, t.width)
	}
	switch {
	case here && t.focused:
		return theme.Selected.Render(line)
	case here:
		return theme.SelectedAway.Render(line)
	}
	return line
}

// cells draws a row's text in exactly the width behind the gutter.
func (t *body[T]) cells(theme *style.Theme, columns []placed, row *T, found query) string {
	if len(columns) == 0 {
		return style.Blank(t.width - gutter)
	}
	if why := t.failure(*row); why != "" {
		name := style.Cut(style.Plain(t.spec.Columns[0].Text(*row)), columns[0].width)
		return name + theme.Bad.Render(style.Fit(" ✗ "+style.Plain(why), t.width-gutter-style.Width(name)))
	}
	var b strings.Builder
	for i, c := range columns {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(t.cell(theme, c, row, found))
	}
	last := columns[len(columns)-1]
	b.WriteString(style.Blank(t.width - last.x - last.width))
	return b.String()
}

func (t *body[T]) cell(theme *style.Theme, c placed, row *T, found query) string {
	column := &t.spec.Columns[c.index]
	cut := style.Cut
	if column.Tail {
		cut = style.CutStart
	}
	text := cut(style.Plain(column.Text(*row)), c.width)
	pad := style.Blank(c.width - style.Width(text))
	look := theme.Text
	switch {
	case t.spec.Dim != nil && t.spec.Dim(*row):
		look = theme.Dim
	case column.Style != nil:
		look = column.Style(*row)
	}
	text = found.highlight(text, c.index, look, theme.Match)
	if column.Right {
		return pad + text
	}
	return text + pad
}

// nothing tells why there are no rows.
func (t *body[T]) nothing(theme *style.Theme) []string {
	switch {
	case t.source.List == nil:
		return t.wrapped(theme.Dim, t.spec.Waiting)
	case len(t.all) == 0 && t.refresh.membership.err != nil:
		return t.failed(theme, t.refresh.membership.err) // also when there were none before: there may be by now
	case !t.shown.whole:
		return t.wrapped(theme.Dim, "loading…")
	case !t.filter.query.empty() && len(t.all) > 0:
		return t.wrapped(theme.Dim, "nothing matches /"+t.filter.text+"; esc clears the filter")
	}
	return t.wrapped(theme.Dim, t.spec.Empty)
}

func (t *body[T]) wrapped(look style.Style, text string) []string {
	var lines []string
	for _, line := range style.Wrap(style.Lines(text), t.width-2) {
		lines = append(lines, " "+look.Render(line))
	}
	return lines
}

// failed tells why nothing could be loaded, and what to do.
func (t *body[T]) failed(theme *style.Theme, err error) []string {
	what, cause, do := explain(err)
	lines := t.wrapped(theme.Bad, "✗ "+what)
	if cause != "" {
		lines = append(lines, t.wrapped(theme.Text, cause)...)
	}
	if do != "" {
		lines = append(lines, t.wrapped(theme.Key, do)...)
	}
	return append(lines, t.wrapped(theme.Dim, "ctrl+r tries again")...)
}

// explain takes a failure apart: what failed, the likely cause, what to do.
func explain(err error) (what, cause, do string) {
	var told *diagnose.Error
	if errors.As(err, &told) {
		return told.What, told.Cause, told.Do
	}
	return err.Error(), "", ""
}

// trouble is the line under the rows while they cannot be trusted to be fresh:
// from when they are, and why.
func (t *body[T]) trouble() string {
	switch {
	case t.list.Err != nil && !t.list.Whole():
		return "incomplete: " + oneLine(t.list.Err)
	case t.old(&t.refresh.membership, t.membersPace()):
		return "list as of " + clock(t.refresh.membership.at) + " · " + oneLine(t.refresh.membership.err)
	case t.old(&t.refresh.content, t.spec.Pace.Still):
		return "as of " + clock(t.refresh.content.at) + " · " + oneLine(t.refresh.content.err)
	}
	return ""
}

// old says that the last try failed and that the last good answer is older
// than twice the pace was then. It does not depend on the present time, so
// that a screen nothing happens on stays as it is. A table that looks only when
// it is told of a change is out of date as soon as that look has failed.
func (t *body[T]) old(b *beat, pace time.Duration) bool {
	return b.err != nil && (pace > toldPace || b.last.Sub(b.at) > 2*pace)
}

// toldPace is beyond what any table looks at by itself.
const toldPace = time.Hour

func clock(at time.Time) string { return at.Format("15:04:05") }

// oneLine is the cause alone where one is known: a narrow pane cuts the rest.
func oneLine(err error) string {
	what, cause, _ := explain(err)
	return style.Plain(cmp.Or(cause, what))
}
