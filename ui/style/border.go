package style

import "strings"

// Edge is how a box is drawn.
type Edge struct{ Line, Title Style }

// Edges of the focused pane, of the others, and of what destroys.
func (t *Theme) Edges() (focused, away, danger Edge) {
	return Edge{t.Frame, t.Title}, Edge{t.FrameAway, t.TitleAway}, Edge{t.Danger, t.Danger}
}

// Top is a box's upper border of w cells with a title in it. The title may be
// styled already.
func (e Edge) Top(title string, w int) string {
	if w < 2 {
		return Blank(w)
	}
	if title == "" || w < 6 {
		return e.Line.Render("╭" + strings.Repeat("─", w-2) + "╮")
	}
	title = Cut(title, w-5)
	return e.Line.Render("╭ ") + e.Title.Render(title) + e.Line.Render(" "+strings.Repeat("─", max(0, w-4-Width(title)))+"╮")
}

// Bottom is a box's lower border of w cells, with a note at its right end.
func (e Edge) Bottom(note string, w int) string {
	if w < 2 {
		return Blank(w)
	}
	if note == "" || Width(note)+6 > w {
		return e.Line.Render("╰" + strings.Repeat("─", w-2) + "╯")
	}
	return e.Line.Render("╰"+strings.Repeat("─", w-5-Width(note))+" ") + note + e.Line.Render(" ─╯")
}

// Box draws a border around a body of (w-2) by (h-2) cells.
func (e Edge) Box(title, note, body string, w, h int) string {
	if w < 2 || h < 2 {
		return Block(nil, w, h)
	}
	side := e.Line.Render("│")
	lines := make([]string, 0, h)
	lines = append(lines, e.Top(title, w))
	rows := strings.Split(body, "\n")
	for i := range h - 2 {
		row := ""
		if i < len(rows) {
			row = rows[i]
		}
		lines = append(lines, side+Fit(row, w-2)+side)
	}
	return strings.Join(append(lines, e.Bottom(note, w)), "\n")
}
