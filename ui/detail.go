package ui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
	"gantry/ui/style"
	"gantry/ui/text"
)

// detail is a stage tab about one row. It follows the row's content as the
// table says it.
type detail[T any] struct {
	*text.Document
	row   T
	id    func(T) string
	lines func(row T, w int) []string
}

func newDetail[T any](title string, row T, id func(T) string, lines func(T, int) []string) *detail[T] {
	d := &detail[T]{row: row, id: id, lines: lines}
	d.Document = text.New(title, func(w int) []string { return lines(row, w) })
	return d
}

// again draws the row by what is known now.
func (d *detail[T]) again() {
	row := d.row
	d.Set(func(w int) []string { return d.lines(row, w) })
}

// Update takes new content of its row.
func (d *detail[T]) Update(msg tea.Msg) tea.Cmd {
	if m, ok := msg.(pane.Selected[T]); ok && m.Row != nil && d.id(*m.Row) == d.id(d.row) {
		d.row = *m.Row
		d.again()
	}
	return d.Document.Update(msg)
}

// fact is a label with what belongs to it.
type fact struct {
	label, value string
	style        style.Style // of the value
}

// labelWidth is the least place for labels, so that groups of facts line up.
const labelWidth = 12

// factLines are labels and values in two columns; a long value goes on below
// itself. Empty values are left out.
func factLines(facts []fact, w int) []string {
	t := style.Now()
	lw := labelWidth
	for _, f := range facts {
		lw = max(lw, style.Width(f.label)+2)
	}
	lw = min(lw, w/2)
	var lines []string
	for _, f := range facts {
		if f.value == "" {
			continue
		}
		for i, l := range style.Wrap(style.Plain(f.value), max(1, w-lw-1)) {
			label := ""
			if i == 0 {
				label = f.label
			}
			lines = append(lines, " "+t.Header.Render(style.Fit(label, lw))+f.style.Render(l))
		}
	}
	return lines
}

// heading is a line above a group of facts.
func heading(s string) string { return " " + style.Now().Accent.Render(style.Plain(s)) }

// clock is a time of day, with the date when that is not today's.
func clock(at time.Time) string { return timeText(at, "2006-01-02 15:04:05") }

// moment is clock in at most twelve cells, for columns.
func moment(at time.Time) string { return timeText(at, "Jan 02 15:04") }

func timeText(at time.Time, otherDay string) string {
	if at.IsZero() {
		return ""
	}
	at = at.Local()
	if now := time.Now(); at.YearDay() != now.YearDay() || at.Year() != now.Year() {
		return at.Format(otherDay)
	}
	return at.Format("15:04:05")
}
