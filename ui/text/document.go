// Package text is the viewer for what is read: documents now, logs later. Only
// the lines that show are drawn.
package text

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"gantry/ui/pane"
	"gantry/ui/style"
)

// Document is a pane of lines that may be longer than what shows.
type Document struct {
	title string
	lines func(w int) []string
	host  pane.Host

	w, h  int
	top   int
	drawn []string // the lines at width w
}

// New is a document. lines gives it, each line at most w cells wide; styles are
// welcome, text from outside must have gone through style.Plain.
func New(title string, lines func(w int) []string) *Document {
	return &Document{title: title, lines: lines}
}

// Title names the document.
func (d *Document) Title() string { return d.title }

// Init takes the host.
func (d *Document) Init(h pane.Host) tea.Cmd {
	d.host = h
	return nil
}

// Set replaces the lines, keeping the place as far as there is one.
func (d *Document) Set(lines func(w int) []string) {
	d.lines = lines
	d.draw()
}

func (d *Document) draw() {
	d.drawn = nil
	if d.w > 0 && d.h > 0 {
		d.drawn = d.lines(d.w)
	}
	d.move(0)
}

// Resize gives the size and breaks the lines anew.
func (d *Document) Resize(w, h int) tea.Cmd {
	if w != d.w || h != d.h {
		d.w, d.h = w, h
		d.draw()
	}
	return nil
}

func (d *Document) move(by int) {
	d.top = max(0, min(d.top+by, len(d.drawn)-d.h))
}

// Update scrolls by the wheel.
func (d *Document) Update(msg tea.Msg) tea.Cmd {
	if m, ok := msg.(tea.MouseWheelMsg); ok {
		switch m.Button {
		case tea.MouseWheelUp:
			d.move(-3)
		case tea.MouseWheelDown:
			d.move(3)
		}
	}
	return nil
}

// View is the lines that show.
func (d *Document) View() string {
	to := min(d.top+d.h, len(d.drawn))
	return style.Block(d.drawn[min(d.top, to):to], d.w, d.h)
}

// Commands are the ways to move, and to copy.
func (d *Document) Commands() []pane.Command {
	cs := []pane.Command{{Key: "y", Does: "copy", Run: d.copyAll}}
	if len(d.drawn) <= d.h {
		return cs
	}
	moves := func(key, does string, by int) pane.Command {
		return pane.Command{Key: key, Does: does, Quiet: true, Run: func() tea.Cmd { d.move(by); return nil }}
	}
	return append(cs,
		moves("down j", "down", 1), moves("up k", "up", -1),
		moves("pgdown space", "page down", d.h), moves("pgup", "page up", -d.h),
		moves("ctrl+d", "half a page down", d.h/2), moves("ctrl+u", "half a page up", -d.h/2),
		moves("g home", "to the start", -len(d.drawn)), moves("G end", "to the end", len(d.drawn)))
}

func (d *Document) copyAll() tea.Cmd {
	lines := make([]string, len(d.drawn))
	for i, l := range d.drawn {
		lines[i] = strings.TrimRight(ansi.Strip(l), " ")
	}
	d.host.Say(pane.Notice{Text: fmt.Sprintf("copied %d lines", len(lines))})
	return tea.SetClipboard(strings.Join(lines, "\n"))
}
