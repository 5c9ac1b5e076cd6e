package screen

import (
	"slices"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// Resize gives the screen another size, at least one by one. A screen that
// becomes lower scrolls first, as far as the line with the cursor needs it:
// the emulator cuts lines off at the bottom, where the prompt is.
func (s *Screen) Resize(w, h int) {
	w, h = max(w, 1), max(h, 1)
	if w == s.w && h == s.h {
		return
	}
	if h < s.h {
		s.makeRoom(h)
	}
	s.vt.Resize(w, h)
	s.collect()
	s.w, s.h = w, h
	s.regions = [2]region{{0, h}, {0, h}}
	s.ownTabs = false
	s.settle()
}

// makeRoom scrolls both screens until their cursors are above the h-th line.
func (s *Screen) makeRoom(h int) {
	if !s.alt {
		s.scrollAbove(h)
		return
	}
	// The main screen is out of reach while the alternate one shows, and that
	// is cleared when it is shown again.
	cells := make([]uv.Line, s.h)
	for y := range cells {
		cells[y] = slices.Clone(s.line(y))
	}
	at := s.vt.CursorPosition()
	s.feed([]byte("\x1b[?1047l"))
	s.scrollAbove(h)
	s.feed([]byte("\x1b[?1047h"))
	for y, line := range cells {
		for x := range line {
			*s.vt.CellAt(x, y) = line[x]
		}
	}
	s.moveTo(at.X, at.Y)
}

// scrollAbove scrolls until the cursor is above the h-th line.
func (s *Screen) scrollAbove(h int) {
	p := s.vt.CursorPosition()
	n := p.Y - h + 1
	if n <= 0 {
		return
	}
	*s.region() = region{0, s.h}
	s.feed([]byte("\x1b[r" + ansi.ScrollUp(n)))
	s.moveTo(p.X, p.Y-n)
}
