// Package screen is a terminal's screen and history in memory: an x/vt
// emulator behind a reader that keeps from it what it cannot take (giant
// counts, endless strings, broken text, titles), repairs what it gets wrong
// (wide characters at the right margin, line drawing, shrinking) and lays out
// floods of plain text itself, because the emulator copies the whole screen for
// every line that scrolls.
package screen

import (
	"io"
	"sync"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
)

// Screen is what a program draws on. It is not safe for concurrent use.
type Screen struct {
	vt      *vt.Emulator
	w, h    int
	history *History
	drained sync.WaitGroup
	modes   map[int]bool // DEC private modes that are set
	title   string
	cursor  Cursor // all but the position
	alt     bool

	reader   reader
	work     int // cells moved or cleared since WriteSome began
	charsets charsets
	regions  [2]region // of the main and the alternate screen
	flood    flood
	row      uv.Line // what line returns

	insert     bool // IRM
	newline    bool // LNM
	ownTabs    bool // the tab stops are no longer every eighth column
	otherKeys  int  // modifyOtherKeys
	atMargin   bool // the next character starts a new line
	last       int  // the column of the last character, for a combining mark; noLast
	afterBreak bool // nothing but SGR since a line feed
}

// noLast says that the last thing was no character.
const noLast = -1

// region is the lines that scroll: from top up to, not including, bottom.
type region struct{ top, bottom int }

// Cursor is where and how the cursor shows.
type Cursor struct {
	X, Y   int
	Hidden bool
	Shape  vt.CursorStyle
	Steady bool
}

// New makes a screen of w by h cells, at least one by one, that remembers so
// many lines. reply takes what the screen answers to the program's questions;
// it is called from another goroutine and must not block.
func New(w, h, lines int, reply func([]byte)) *Screen {
	w, h = max(w, 1), max(h, 1)
	s := &Screen{vt: vt.NewEmulator(w, h), w: w, h: h, history: newHistory(lines), modes: map[int]bool{}}
	slim(s.vt)
	s.vt.SetCallbacks(vt.Callbacks{
		AltScreen:        func(on bool) { s.alt = on },
		CursorVisibility: func(visible bool) { s.cursor.Hidden = !visible },
		CursorStyle:      func(shape vt.CursorStyle, steady bool) { s.cursor.Shape, s.cursor.Steady = shape, steady },
		EnableMode:       func(m ansi.Mode) { s.setMode(m, true) },
		DisableMode:      func(m ansi.Mode) { s.setMode(m, false) },
	})
	s.resetState()
	s.drained.Go(func() { drain(s.vt, reply) })
	return s
}

// drain reads the emulator's answers. It has to go on as long as the emulator
// lives: a Write that has something to answer waits for its reader.
func drain(answers io.Reader, reply func([]byte)) {
	buf := make([]byte, 1024)
	for {
		n, err := answers.Read(buf)
		if n > 0 {
			reply(append([]byte(nil), buf[:n]...))
		}
		if err != nil {
			return
		}
	}
}

// Close ends the screen's goroutine. The screen can still be read.
func (s *Screen) Close() {
	// The emulator's own Close sets a flag that its Read looks at without a lock.
	if c, ok := s.vt.InputPipe().(io.Closer); ok {
		_ = c.Close()
	}
	s.drained.Wait()
}

// Size is the screen's size in cells.
func (s *Screen) Size() (w, h int) { return s.w, s.h }

// Mode tells whether the program has set a DEC private mode, such as 2004.
func (s *Screen) Mode(mode int) bool { return s.modes[mode] }

// Modes are the DEC private modes that are set.
func (s *Screen) Modes() []int {
	var set []int
	for m, on := range s.modes {
		if on {
			set = append(set, m)
		}
	}
	return set
}

// NewLine tells whether the enter key is to send a line feed too (LNM).
func (s *Screen) NewLine() bool { return s.newline }

// OtherKeys is the level of modifyOtherKeys that the program asked for, 0 to 2.
func (s *Screen) OtherKeys() int { return s.otherKeys }

// Alt tells whether the alternate screen shows, which has no history.
func (s *Screen) Alt() bool { return s.alt }

// Title is what the program calls its window, fit to be drawn.
func (s *Screen) Title() string { return s.title }

// History is what has scrolled off the main screen.
func (s *Screen) History() *History { return s.history }

// Cursor is where the cursor is and how it looks.
func (s *Screen) Cursor() Cursor {
	c, p := s.cursor, s.vt.CursorPosition()
	c.X, c.Y = p.X, p.Y
	return c
}

// Row is a line of the screen with its colours.
func (s *Screen) Row(y int) string { return s.line(y).Render() }

// Text is a line of the screen without colours or trailing blanks.
func (s *Screen) Text(y int) string { return plain(s.line(y)) }

// line is a row of cells, which take up the screen's width. It is good until
// the next call.
func (s *Screen) line(y int) uv.Line {
	if len(s.row) != s.w {
		s.row = uv.NewLine(s.w)
	}
	for x := range s.row {
		if c := s.vt.CellAt(x, y); c != nil {
			s.row[x] = *c
		}
	}
	mend(s.row)
	return s.row
}

// mend puts blanks for halves of wide characters, which the emulator leaves
// where it shifts cells or narrows the screen.
func mend(l uv.Line) {
	for x := 0; x < len(l); x++ {
		switch c := &l[x]; {
		case c.Width == 2 && x+1 < len(l) && l[x+1].Width == 0:
			x++
		case c.Width != 1:
			*c = uv.Cell{Content: " ", Width: 1, Style: c.Style}
		}
	}
}

func (s *Screen) region() *region {
	if s.alt {
		return &s.regions[1]
	}
	return &s.regions[0]
}

func (s *Screen) setMode(m ansi.Mode, on bool) {
	switch m := m.(type) {
	case ansi.DECMode:
		s.modes[m.Mode()] = on
	case ansi.ANSIMode:
		switch m {
		case ansi.ModeInsertReplace:
			s.insert = on
		case ansi.ModeLineFeedNewLine:
			s.newline = on
		}
	}
}

// resetState is what a full reset does to what this package keeps itself.
func (s *Screen) resetState() {
	s.regions = [2]region{{0, s.h}, {0, s.h}}
	s.charsets = charsets{}
	s.insert, s.newline, s.ownTabs, s.atMargin, s.afterBreak, s.last = false, false, false, false, false, noLast
	s.otherKeys = 0
	s.modes = map[int]bool{7: true, 25: true}
	s.cursor = Cursor{}
}
