// Package style is the look: every colour, border and way of cutting text.
// Nothing else in gantry names a colour.
package style

import (
	"image/color"
	"sync/atomic"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

// Style wraps one line of text. It closes only what it opens (and never resets
// everything), so that a coloured cell keeps the background of the row it
// stands in.
type Style struct{ open, shut string }

// Render is the text in this style.
func (s Style) Render(text string) string {
	if s.open == "" || text == "" {
		return text
	}
	return s.open + text + s.shut
}

// look is what a style is made of.
type look struct {
	fg, bg                         color.Color
	bold, dim, underline, reversed bool
}

func (l look) style() Style {
	var open, shut ansi.Style
	if l.fg != nil {
		open, shut = open.ForegroundColor(l.fg), shut.ForegroundColor(nil)
	}
	if l.bg != nil {
		open, shut = open.BackgroundColor(l.bg), shut.BackgroundColor(nil)
	}
	if l.bold {
		open = open.Bold()
	}
	if l.dim {
		open = open.Faint()
	}
	if l.bold || l.dim {
		shut = shut.Normal()
	}
	if l.underline {
		open, shut = open.Underline(true), shut.Underline(false)
	}
	if l.reversed {
		open, shut = open.Reverse(true), shut.Reverse(false)
	}
	if len(open) == 0 {
		return Style{}
	}
	return Style{open.String(), shut.String()}
}

// Theme is the styles by what they are for.
type Theme struct {
	Text, Dim                      Style // body text; what matters less
	Title, TitleAway               Style // of the focused pane; of the others
	Frame, FrameAway               Style // borders, likewise
	Header                         Style // column titles, labels
	Selected, SelectedAway, Marked Style // rows
	Good, Busy, Bad                Style // states; always beside a word or a sign
	Key                            Style // names of keys
	Accent                         Style // what is new or to be seen
	Match                          Style // found text
	Tab, TabOn                     Style
	Mark                           Style // "sandbox", "READ-ONLY"
	Danger                         Style // frame and title of what destroys
	Field                          Style // a line to type in
}

// palette is the few colours a theme is made of.
type palette struct {
	text, dim, line, accent, key, good, busy, bad, selected, selectedAway, mark, onMark, field color.Color
}

func (p palette) theme() *Theme {
	s := func(l look) Style { return l.style() }
	return &Theme{
		Text:         s(look{fg: p.text}),
		Dim:          s(look{fg: p.dim}),
		Title:        s(look{fg: p.accent, bold: true}),
		TitleAway:    s(look{fg: p.text}),
		Frame:        s(look{fg: p.accent}),
		FrameAway:    s(look{fg: p.line}),
		Header:       s(look{fg: p.dim, bold: true}),
		Selected:     s(look{bg: p.selected, bold: true}),
		SelectedAway: s(look{bg: p.selectedAway}),
		Marked:       s(look{fg: p.accent, bold: true}),
		Good:         s(look{fg: p.good}),
		Busy:         s(look{fg: p.busy}),
		Bad:          s(look{fg: p.bad}),
		Key:          s(look{fg: p.key, bold: true}),
		Accent:       s(look{fg: p.accent}),
		Match:        s(look{fg: p.onMark, bg: p.busy}),
		Tab:          s(look{fg: p.dim}),
		TabOn:        s(look{fg: p.accent, bold: true}),
		Mark:         s(look{fg: p.onMark, bg: p.mark, bold: true}),
		Danger:       s(look{fg: p.bad, bold: true}),
		Field:        s(look{fg: p.text, bg: p.field}),
	}
}

func rgb(hex string) color.Color { return lipgloss.Color(hex) }

var (
	dark = palette{
		text: rgb("#D5D8E0"), dim: rgb("#8A91A3"), line: rgb("#4A5066"), accent: rgb("#7CC4FF"), key: rgb("#F2C879"),
		good: rgb("#8FD694"), busy: rgb("#F2C14E"), bad: rgb("#FF7A85"), selected: rgb("#2B4A6B"), selectedAway: rgb("#2A2F3D"),
		mark: rgb("#F2C14E"), onMark: rgb("#1B1E28"), field: rgb("#2A2F3D"),
	}.theme()
	light = palette{
		text: rgb("#23262F"), dim: rgb("#5F6678"), line: rgb("#A9AFBD"), accent: rgb("#00579E"), key: rgb("#8A5A00"),
		good: rgb("#1C6B2A"), busy: rgb("#8A5A00"), bad: rgb("#B3202E"), selected: rgb("#C7DFF5"), selectedAway: rgb("#E4E7EE"),
		mark: rgb("#8A5A00"), onMark: rgb("#FFFFFF"), field: rgb("#E4E7EE"),
	}.theme()
	// sixteen keeps to the terminal's own colours, which its user chose to be
	// readable; a selected row is reversed because no background of the sixteen
	// suits both dark and light.
	sixteen = func() *Theme {
		t := palette{
			dim: lipgloss.BrightBlack, line: lipgloss.BrightBlack, accent: lipgloss.Cyan, key: lipgloss.Yellow,
			good: lipgloss.Green, busy: lipgloss.Yellow, bad: lipgloss.Red, mark: lipgloss.Yellow, onMark: lipgloss.Black,
		}.theme()
		t.Selected = look{reversed: true, bold: true}.style()
		t.SelectedAway = look{underline: true}.style()
		t.Field = look{underline: true}.style()
		return t
	}()
	// plain is for NO_COLOR and terminals without any.
	plain = func() *Theme {
		bold, under, reversed := look{bold: true}.style(), look{underline: true}.style(), look{reversed: true}.style()
		return &Theme{
			Title: bold, Frame: bold, Header: bold, Selected: reversed, SelectedAway: under, Marked: bold, Key: bold,
			Match: reversed, TabOn: bold, Mark: reversed, Danger: bold, Field: under,
		}
	}()
)

// current is what Now gives. It is atomic because tests draw several programs
// at once.
var current atomic.Pointer[Theme]

func init() { current.Store(dark) }

// Now is the theme in use.
func Now() *Theme { return current.Load() }

// Choose takes the theme that fits what the terminal has told of itself, and
// says whether that changed anything.
func Choose(p colorprofile.Profile, darkBackground bool) bool {
	next := light
	switch {
	case p <= colorprofile.ASCII:
		next = plain
	case p == colorprofile.ANSI:
		next = sixteen
	case darkBackground:
		next = dark
	}
	return current.Swap(next) != next
}
