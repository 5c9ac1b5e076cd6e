package screen

import (
	"bytes"
	"unicode/utf8"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// maxCluster bounds the bytes of one character with its combining marks.
const maxCluster = 64

// printText draws text without sequences; ascii says that it is plain.
func (s *Screen) printText(p []byte, ascii bool) {
	if len(p) == 0 {
		return
	}
	s.afterBreak = false
	switch {
	case s.insert:
		s.printInserting(p)
	case ascii:
		s.printASCII(p)
	default:
		s.printClusters(p)
	}
}

// printASCII passes text on. The last character is printed by itself, and so
// are the controls that follow it.
func (s *Screen) printASCII(p []byte) {
	end := len(p)
	for end > 0 && p[end-1] < ' ' {
		end--
	}
	if end > 1 {
		s.feed(p[:end-1])
	}
	if end > 0 {
		s.printOne(p[end-1 : end])
	}
	if end < len(p) {
		s.feed(p[end:])
		s.last = noLast
		s.atMargin = s.atMargin && !bytes.ContainsAny(p[end:], "\b\n\v\f\r")
	}
}

// printOne draws a character of one column. When it leaves the cursor where
// it was, then that is the last column, and the next one starts a new line:
// the emulator does not tell.
func (s *Screen) printOne(p []byte) {
	before := s.vt.CursorPosition()
	s.feed(p)
	after := s.vt.CursorPosition()
	s.last = after.X - 1
	s.atMargin = false
	if s.w == 1 || before.X == s.w-1 && after.X == s.w-1 {
		s.last = s.w - 1
		s.atMargin = s.modes[7]
	}
}

// printClusters draws text with characters beyond ASCII.
func (s *Screen) printClusters(p []byte) {
	apart := true // what comes first may belong to what came before
	for len(p) > 0 {
		if !apart || s.last == noLast {
			p = p[s.printWithin(p):]
		}
		if n := asciiPrefix(p); n > 0 {
			s.printASCII(p[:n])
			p, apart = p[n:], false
			continue
		}
		if len(p) == 0 {
			return
		}
		c := nextCluster(p)
		if c.size == 0 {
			s.reader.tail = append(s.reader.tail[:0], p...)
			return
		}
		if apart = apart && s.join(c.text); !apart {
			s.printCluster(c)
		}
		p = p[c.size:]
	}
}

// printWithin draws as much text at once as stays clear of the right margin,
// where the emulator needs help, and says how many bytes that was.
func (s *Screen) printWithin(p []byte) int {
	if s.atMargin {
		return 0
	}
	n, x, last := 0, s.vt.CursorPosition().X, 0
	for n < len(p) && p[n] >= ' ' {
		c := nextCluster(p[n:])
		if c.width == 0 || len(c.text) != c.size || x+c.width >= s.w {
			break
		}
		last = x
		x += c.width
		n += c.size
	}
	if n > 0 {
		s.feed(p[:n])
		s.last = last
	}
	return n
}

// asciiPrefix is how much of the text can be drawn as it is: up to the last
// character that none beyond ASCII can combine with.
func asciiPrefix(p []byte) int {
	for i, b := range p {
		if b < ansi.DEL {
			continue
		}
		if i > 0 && b > ansi.DEL && p[i-1] >= ' ' {
			return i - 1
		}
		return i
	}
	return len(p)
}

// cluster is one character as a reader sees it: with its combining marks.
type cluster struct {
	text  []byte
	width int
	size  int // bytes that it took; 0 when more have to come first
}

var broken = []byte("\uFFFD")

// nextCluster takes the first character off a text that is not empty. What is
// broken becomes U+FFFD; what could control the user's own terminal, or
// reorder its lines, becomes nothing.
func nextCluster(p []byte) cluster {
	if p[0] == ansi.DEL {
		return cluster{size: 1}
	}
	r, n := utf8.DecodeRune(p)
	if w := loneWidth(r); w > 0 && alone(p[n:]) {
		return cluster{text: p[:n], width: w, size: n}
	}
	if r == utf8.RuneError && n == 1 {
		if !utf8.FullRune(p) {
			return cluster{}
		}
		return cluster{text: broken, width: 1, size: 1}
	}
	if harmful(r) {
		return cluster{size: n}
	}
	text, width := ansi.FirstGraphemeCluster(p, ansi.GraphemeWidth)
	if valid := validPrefix(text); valid < len(text) {
		text, width = ansi.FirstGraphemeCluster(p[:valid], ansi.GraphemeWidth)
	}
	c := cluster{size: max(len(text), n), width: width}
	if len(text) > maxCluster {
		text = text[:validPrefix(text[:maxCluster])]
	}
	c.text = text
	return c
}

// loneWidth is the columns of a character that is one by itself unless a mark
// follows; 0 for all but the usual ones. It saves looking them up.
func loneWidth(r rune) int {
	switch {
	case r < 0xa0:
		if r >= ' ' && r < ansi.DEL {
			return 1
		}
	case r >= 0xc0 && r < 0x250, r >= 0x410 && r < 0x450, r >= 0x2500 && r < 0x25a0:
		return 1
	case r >= 0x3041 && r < 0x3097, r >= 0x30a1 && r < 0x30fb, r >= 0x4e00 && r < 0xa000, r >= 0xac00 && r < 0xd7a4:
		return 2
	}
	return 0
}

// alone tells whether what follows begins with a character that joins no
// other.
func alone(p []byte) bool {
	if len(p) == 0 {
		return true
	}
	if p[0] < utf8.RuneSelf {
		return true
	}
	r, _ := utf8.DecodeRune(p)
	return loneWidth(r) > 0
}

// validPrefix is the length of what is whole, valid UTF-8 at the beginning.
func validPrefix(p []byte) int {
	for i := 0; i < len(p); {
		r, n := utf8.DecodeRune(p[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return len(p)
}

// harmful tells the 8-bit controls, and the marks that reorder or break lines.
func harmful(r rune) bool {
	return r >= 0x80 && r < 0xa0 ||
		r >= 0x200e && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// printCluster draws one character.
func (s *Screen) printCluster(c cluster) {
	switch {
	case c.width == 0:
	case c.width == 1:
		s.printOne(c.text)
	case s.w > 1:
		s.printWide(c)
	}
}

// printWide draws a character of two columns. At the right margin the emulator
// cuts it in half, or forgets that the next one belongs on a new line.
func (s *Screen) printWide(c cluster) {
	p := s.vt.CursorPosition()
	if p.X == s.w-1 && !s.atMargin {
		if !s.modes[7] {
			return
		}
		s.reachMargin(p.Y)
	}
	s.feed(c.text)
	p = s.vt.CursorPosition()
	if left := s.vt.CellAt(p.X-1, p.Y); s.modes[7] && p.X == s.w-1 && left != nil && left.Width == 2 {
		s.reachMargin(p.Y)
		s.last = p.X - 1
	} else {
		s.atMargin = false
		s.last = p.X - 2
	}
}

// reachMargin makes the emulator start a new line with the next character. It
// does so only after one in the last column, so it gets a blank there, and the
// cells back that this has overwritten.
func (s *Screen) reachMargin(y int) {
	left, right := s.vt.CellAt(s.w-2, y), s.vt.CellAt(s.w-1, y)
	was := [2]uv.Cell{*left, *right}
	s.write([]byte{' '})
	*left, *right = was[0], was[1]
	s.atMargin = true
}

// join adds what arrived later than the character that it belongs to, if it
// does: a combining mark, the next part of an emoji.
func (s *Screen) join(text []byte) bool {
	return extend(s.vt.CellAt(s.last, s.vt.CursorPosition().Y), text)
}

// extend adds text to a cell if both together are one character.
func extend(c *uv.Cell, text []byte) bool {
	if c == nil || c.Width == 0 || len(text) == 0 {
		return false
	}
	whole := c.Content + string(text)
	if one, _ := ansi.FirstGraphemeCluster(whole, ansi.GraphemeWidth); len(one) < len(whole) {
		return false
	}
	if len(whole) <= maxCluster {
		c.Content = whole
	}
	return true
}

// printInserting draws text in insert mode, which the emulator lacks: it gets
// room for each character first.
func (s *Screen) printInserting(p []byte) {
	for len(p) > 0 {
		c := cluster{text: p[:1], size: 1}
		if p[0] >= ' ' {
			c = nextCluster(p)
		}
		switch {
		case c.size == 0:
			s.reader.tail = append(s.reader.tail[:0], p...)
			return
		case p[0] < ' ':
			s.printASCII(p[:1])
		default:
			s.insertCluster(c)
		}
		p = p[c.size:]
	}
}

func (s *Screen) insertCluster(c cluster) {
	if s.join(c.text) {
		return
	}
	if c.width > 0 && !s.atMargin {
		s.feed([]byte(ansi.InsertCharacter(c.width)))
	}
	s.printCluster(c)
}
