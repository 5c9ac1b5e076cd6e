package screen

import (
	"bytes"
	"slices"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// flood lays out text that scrolls the whole screen, without the emulator,
// which is then given the outcome: it copies every cell of the screen for
// every line that scrolls, and a flood is thousands of lines of which some
// forty can still be seen. What it cannot lay out, it leaves to the emulator.
type flood struct {
	s     *Screen
	pen   uv.Style
	blank uv.Cell // what a new row is filled with
	row   uv.Line // the row in the making; nil while nothing is on it
	x     int     // the column that comes next; the width when about to wrap
	last  int     // the column of the last character; noLast
	apart bool    // a sequence came after it

	lines []floodLine // a ring of the last ones, as many as stay on the screen
	done  int         // lines that were completed
	sgr   []byte      // the sequences that led from the first pen to this one
	spare []uv.Line
}

// floodLine is a completed line: a row of cells, or text in one style.
type floodLine struct {
	row  uv.Line
	text []byte
	pen  uv.Style
}

// readFlood takes as much text off p as can be laid out here, up to a line
// feed, and says how many bytes that was. The cursor has just come down.
func (s *Screen) readFlood(p []byte) int {
	if p[0] <= ' ' || p[0] >= ansi.DEL || !s.floodable() {
		return 0
	}
	end := floodEnd(p)
	if end == 0 || bytes.IndexByte(p[:end-1], ansi.LF) < 0 {
		return 0
	}
	// The style that the program has chosen shows in the first character that
	// the emulator prints in it.
	at := s.vt.CursorPosition()
	s.feed(p[:1])
	f := &s.flood
	f.begin(s, s.vt.CellAt(at.X, at.Y).Style)
	f.layOut(p[1:end])
	f.finish()
	s.atMargin, s.last, s.afterBreak = false, noLast, true
	return end
}

// floodable tells whether text scrolls the whole screen, in the usual way.
func (s *Screen) floodable() bool {
	p := s.vt.CursorPosition()
	return s.h > 1 && s.w > 1 && p.Y == s.h-1 && p.X < s.w-1 && *s.region() == region{0, s.h} &&
		s.modes[7] && !s.modes[6] && !s.insert && !s.newline && !s.ownTabs && s.charsets.current() == 'B'
}

// floodEnd is the end of the last line of p before anything that cannot be
// laid out here; 0 when there is none.
func floodEnd(p []byte) int {
	end := 0
	for i := 0; i < len(p); i++ {
		switch b := p[i]; {
		case b >= ' ':
		case b == ansi.LF:
			end = i + 1
		case b == ansi.CR || b == ansi.HT || b == ansi.BS || b == ansi.BEL:
		case b == ansi.ESC:
			n := simpleSequence(p[i:])
			if n == 0 {
				return end
			}
			i += n - 1
		default:
			return end
		}
	}
	return end
}

// simpleSequence is the length of the SGR or "erase to the end of the line"
// sequence that p begins with; 0 when it is another one.
func simpleSequence(p []byte) int {
	const most, mostDigits = 40, 4
	if len(p) < 3 || p[1] != '[' {
		return 0
	}
	digits := 0
	for i := 2; i < min(len(p), most) && digits <= mostDigits; i++ {
		switch b := p[i]; {
		case b == ';' || b == ':':
			digits = 0
		case b >= '0' && b <= '9':
			digits++
		case b == 'm', b == 'K' && (i == 2 || i == 3 && p[2] == '0'):
			return i + 1
		default:
			return 0
		}
	}
	return 0
}

// begin takes over the row with the cursor.
func (f *flood) begin(s *Screen, pen uv.Style) {
	f.s, f.pen, f.done, f.sgr, f.apart = s, pen, 0, f.sgr[:0], true
	if len(f.lines) != s.h-1 || len(f.spare) > 0 && len(f.spare[0]) != s.w {
		f.lines, f.spare = make([]floodLine, s.h-1), nil
	}
	clear(f.lines)
	f.row = f.spareRow()
	for x := range f.row {
		f.row[x] = *s.vt.CellAt(x, s.h-1)
	}
	f.x = s.vt.CursorPosition().X
	f.last = f.x - 1
	f.blank = uv.EmptyCell
}

func (f *flood) spareRow() uv.Line {
	if n := len(f.spare); n > 0 {
		l := f.spare[n-1]
		f.spare = f.spare[:n-1]
		return l
	}
	return make(uv.Line, f.s.w)
}

// layOut draws text that floodEnd has found fit.
func (f *flood) layOut(p []byte) {
	for len(p) > 0 {
		if n := f.wholeLine(p); n > 0 {
			p = p[n:]
			continue
		}
		switch b := p[0]; {
		case b == ansi.ESC:
			n := simpleSequence(p)
			f.sequence(p[:n])
			p = p[n:]
		case b < ' ':
			f.control(b)
			p = p[1:]
		case b < ansi.DEL && (len(p) == 1 || p[1] < ansi.DEL):
			f.put(string(p[:1]), 1)
			p = p[1:]
		default:
			c := nextCluster(p)
			f.print(c)
			p = p[max(c.size, 1):]
		}
	}
}

// wholeLine takes a line of plain ASCII that fits and starts on an empty row:
// the usual case, which needs no cells. It says how many bytes that was.
func (f *flood) wholeLine(p []byte) int {
	if f.x != 0 || f.row != nil || f.blank != uv.EmptyCell {
		return 0
	}
	n := 0
	for n < len(p) && n <= f.s.w && p[n] >= ' ' && p[n] < ansi.DEL {
		n++
	}
	if n > f.s.w || n+1 >= len(p) || p[n] != ansi.CR || p[n+1] != ansi.LF {
		return 0
	}
	f.complete(floodLine{text: p[:n], pen: f.pen})
	return n + 2
}

// complete takes a line that has scrolled off the last row.
func (f *flood) complete(l floodLine) {
	i := f.done % len(f.lines)
	if f.done >= len(f.lines) {
		if f.done == len(f.lines) {
			f.keepScreen()
		}
		f.keep(f.lines[i])
		if old := f.lines[i].row; old != nil {
			f.spare = append(f.spare, old)
		}
	}
	f.lines[i] = l
	f.done++
	f.blank = uv.EmptyCell
	if f.pen.Bg != nil {
		f.blank.Style.Bg = f.pen.Bg
	}
}

// keepScreen puts the rows above the cursor's into the history: now more has
// come than has room on the screen.
func (f *flood) keepScreen() {
	for y := range f.s.h - 1 {
		f.keep(floodLine{row: f.s.line(y)})
	}
}

// keep puts a line into the history, as the emulator would have drawn it.
func (f *flood) keep(l floodLine) {
	switch {
	case f.s.alt:
	case l.row != nil:
		f.s.history.pushLine(l.row)
	case l.pen.IsZero():
		f.s.history.push(string(bytes.TrimRight(l.text, " ")))
	case len(l.text) == 0:
		f.s.history.push("")
	default:
		f.s.history.push(l.pen.Diff(&uv.Style{}) + string(l.text) + ansi.ResetStyle)
	}
}

// next goes on to the next row, as a line feed does.
func (f *flood) next() {
	f.cells()
	row := f.row
	f.row = nil
	f.complete(floodLine{row: row})
	f.last = noLast
}

// cells makes sure that there is a row to draw on.
func (f *flood) cells() {
	if f.row != nil {
		return
	}
	f.row = f.spareRow()
	for x := range f.row {
		f.row[x] = f.blank
	}
}

// put draws a character of one or two columns.
func (f *flood) put(text string, width int) {
	if f.x+width > f.s.w {
		f.next()
		f.x = 0
	}
	f.cells()
	f.row.Set(f.x, &uv.Cell{Content: text, Width: width, Style: f.pen})
	f.last, f.apart = f.x, false
	f.x += width
}

func (f *flood) print(c cluster) {
	if f.apart && f.last >= 0 && extend(f.row.At(f.last), c.text) {
		return
	}
	if c.width > 0 {
		f.put(string(c.text), c.width)
	}
}

func (f *flood) control(b byte) {
	last := f.s.w - 1
	switch b {
	case ansi.LF:
		f.next()
		f.x = min(f.x, last)
	case ansi.CR:
		f.x = 0
	case ansi.BS:
		f.x = max(min(f.x, last)-1, 0)
	case ansi.HT:
		if f.x < last {
			f.x = min(f.x/8*8+8, last)
		}
	}
	f.last = noLast
}

// sequence draws in another style, or erases to the end of the line.
func (f *flood) sequence(seq []byte) {
	if seq[len(seq)-1] == 'm' {
		uv.ReadStyle(sgrParams(seq[2:len(seq)-1]), &f.pen)
		if len(seq) == 3 || len(seq) == 4 && seq[2] == '0' {
			f.sgr = f.sgr[:0]
		}
		f.sgr = append(f.sgr, seq...)
		f.apart = true
		return
	}
	f.x = min(f.x, f.s.w-1)
	f.cells()
	for x := f.x; x < f.s.w; x++ {
		if f.pen.Bg == nil {
			f.row.Set(x, nil)
			continue
		}
		c := uv.EmptyCell
		c.Style.Bg = f.pen.Bg
		f.row.Set(x, &c)
	}
	f.last = noLast
}

// finish gives the outcome to the emulator: scrolled, rows, style, cursor.
func (f *flood) finish() {
	s, rows := f.s, len(f.lines)
	if f.done <= rows {
		s.feed([]byte(ansi.ScrollUp(f.done)))
	}
	for k := max(0, f.done-rows); k < f.done; k++ {
		l := f.lines[k%rows]
		f.draw(s.h-1-f.done+k, l)
		if l.row != nil {
			f.spare = append(f.spare, l.row)
		}
	}
	f.cells()
	f.draw(s.h-1, floodLine{row: f.row})
	f.spare = append(f.spare, f.row)
	f.row = nil
	clear(f.lines)
	s.feed(slices.Concat(f.sgr, []byte(ansi.CursorPosition(f.x+1, s.h))))
}

func (f *flood) draw(y int, l floodLine) {
	for x := range f.s.w {
		cell := f.s.vt.CellAt(x, y)
		switch {
		case l.row != nil:
			*cell = l.row[x]
		case x < len(l.text):
			*cell = uv.Cell{Content: string(l.text[x : x+1]), Width: 1, Style: l.pen}
		default:
			*cell = uv.EmptyCell
		}
	}
}
