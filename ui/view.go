package ui

import (
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"gantry/ui/pane"
	"gantry/ui/style"
)

// View draws the screen. It is called after every message, so it only puts
// together what the panes have ready.
func (f *Frame) View() tea.View {
	v := tea.View{AltScreen: true, ReportFocus: true, MouseMode: tea.MouseModeCellMotion, WindowTitle: "gantry"}
	if f.w <= 0 || f.h <= 0 {
		return v
	}
	lines := []string{f.context.View(f.w, f.access)}
	lines = append(lines, f.body()...)
	lines = append(lines, f.status())
	lines = lines[:min(len(lines), f.h)]
	v.Content = f.overlay(strings.Join(lines, "\n"))
	v.Cursor = f.cursor()
	v.ProgressBar = f.jobs.bar()
	return v
}

func (f *Frame) body() []string {
	h := max(0, f.h-2)
	left := make([]string, 0, h)
	for i, s := range f.slots {
		if s.box.w > 0 && s.box.h > 0 {
			left = append(left, strings.Split(f.slotView(i), "\n")...)
		}
	}
	var right []string
	if f.stage.box.w > 0 {
		right = strings.Split(f.stage.view(f.stageEdge()), "\n")
	}
	lines := make([]string, h)
	for i := range lines {
		if i < len(left) {
			lines[i] = left[i]
		}
		if i < len(right) {
			lines[i] += right[i]
		}
	}
	return lines
}

func (f *Frame) stageEdge() style.Edge {
	focused, away, _ := style.Now().Edges()
	if f.onStage {
		return focused
	}
	return away
}

func (f *Frame) slotView(i int) string {
	s := f.slots[i]
	edge, away, _ := style.Now().Edges()
	if i != f.focus || f.onStage {
		edge = away
	}
	title := strconv.Itoa(s.number) + " " + s.pane.Title()
	if s.box.h == 1 {
		return edge.Top(title, s.box.w)
	}
	return edge.Box(title, "", s.pane.View(), s.box.w, s.box.h)
}

// status is the bottom line: what the focused pane's keys do, then a notice,
// then the jobs.
func (f *Frame) status() string {
	t := style.Now()
	right := f.jobs.line(f.w / 2)
	if f.notice.Text != "" && f.notice.Err == nil {
		right = strings.TrimSpace(t.Accent.Render(style.Plain(f.notice.Text)) + "  " + right)
	}
	right = style.Cut(right, f.w)
	left := f.keyLine(f.w - style.Width(right) - 2)
	return left + style.Blank(f.w-style.Width(left)-style.Width(right)) + right
}

// keyLine names as many keys as fit, each whole. Help keeps its place unless
// it alone would take half of the line.
func (f *Frame) keyLine(w int) string {
	cs := f.lineCommands()
	help := slices.IndexFunc(cs, func(c pane.Command) bool { return c.Key == "?" })
	items := keyItems(cs)
	if help < 0 || style.Width(items[help]) > w/2 {
		return fill(items, w)
	}
	line := fill(items[:help], w-style.Width(items[help])) + items[help]
	return line + fill(items[help+1:], w-style.Width(line))
}

// keyItems are the keys and what they do.
func keyItems(cs []pane.Command) []string {
	t := style.Now()
	items := make([]string, len(cs))
	for i, c := range cs {
		key, _, _ := strings.Cut(c.Key, " ")
		items[i] = " " + t.Key.Render(keyName(key)) + " " + t.Dim.Render(c.Does) + " "
	}
	return items
}

// lineCommands are what the key line names.
func (f *Frame) lineCommands() []pane.Command {
	switch {
	case f.prefix:
		return f.stageCommands()
	case typing(f.focused()) && f.onStage:
		return []pane.Command{{Key: "ctrl+]", Does: "then a stage command"}}
	case typing(f.focused()):
		return []pane.Command{{Key: "enter", Does: "keep filter"}, {Key: "esc", Does: "clear"}}
	}
	return slices.DeleteFunc(f.offered(), func(c pane.Command) bool { return c.Quiet })
}

// fill joins the items that fit into w cells.
func fill(items []string, w int) string {
	line := ""
	for _, item := range items {
		if style.Width(line)+style.Width(item) <= w {
			line += item
		}
	}
	return line
}

// stageCommands are what may follow ctrl+].
func (f *Frame) stageCommands() []pane.Command {
	cs := []pane.Command{{Key: "enter", Does: "back in"}}
	if p := f.stage.current(); p != nil {
		cs = append(cs, p.Commands()...)
	}
	cs = append(cs, f.commands()...)
	return f.allowed(cs)
}

// keyName is a key as the help spells it.
func keyName(key string) string {
	names := map[string]string{
		"up": "↑", "down": "↓", "left": "←", "right": "→", "enter": "⏎", "pgdown": "pgdn",
	}
	if n, ok := names[key]; ok {
		return n
	}
	return key
}

// overlay puts help, dialogs and errors over the base.
func (f *Frame) overlay(base string) string {
	layers := []*lipgloss.Layer{lipgloss.NewLayer(base)}
	if box := f.errorBox(); box != "" {
		layers = append(layers, lipgloss.NewLayer(box).Y(max(0, f.h-1-lipgloss.Height(box))).Z(1))
	}
	if f.help != nil {
		layers = append(layers, f.centred(f.help.view(f.w, f.h), 2))
	}
	for i, d := range f.dialogs {
		layers = append(layers, f.centred(d.view(f.w, f.h), 3+i))
	}
	if len(layers) == 1 {
		return base
	}
	return lipgloss.NewCompositor(layers...).Render()
}

func (f *Frame) centred(box string, z int) *lipgloss.Layer {
	x, y := f.corner(box)
	return lipgloss.NewLayer(box).X(x).Y(y).Z(z)
}

func (f *Frame) corner(box string) (x, y int) {
	w, h := lipgloss.Size(box)
	return max(0, (f.w-w)/2), max(0, (f.h-h)/2)
}

// errorBox is the last error in full: what failed, why, what to do.
func (f *Frame) errorBox() string {
	if f.notice.Err == nil || f.w < 12 {
		return ""
	}
	lines := errorLines(f.notice.Err, f.w-4)
	lines = lines[:min(len(lines), max(1, f.h-4))]
	_, _, danger := style.Now().Edges()
	return danger.Box("Failed", style.Now().Dim.Render("any key"), pad(lines), f.w, len(lines)+2)
}

// pad puts a blank before every line.
func pad(lines []string) string { return " " + strings.Join(lines, "\n ") }

func (f *Frame) cursor() *tea.Cursor {
	if n := len(f.dialogs); n > 0 {
		d := f.dialogs[n-1]
		x, y := f.corner(d.view(f.w, f.h))
		return shifted(d.cursor(), x, y)
	}
	if f.help != nil || f.prefix {
		return nil
	}
	p, ok := f.focused().(pane.Pointed)
	if !ok {
		return nil
	}
	in := f.stage.box.inner()
	if !f.onStage {
		in = f.slots[f.focus].box.inner()
	}
	return shifted(p.Cursor(), in.x, in.y)
}

func shifted(c *tea.Cursor, x, y int) *tea.Cursor {
	if c == nil {
		return nil
	}
	moved := *c
	moved.X, moved.Y = c.X+x, c.Y+y
	return &moved
}
