package screen

import "github.com/charmbracelet/x/ansi"

// charsets are the four character sets that can be designated, as the final
// byte of the sequence that did it, and which of them is in use. The emulator
// does not know how to shift between them, so its first one always is the one
// in use.
type charsets struct {
	sets  [4]byte
	inUse int
}

// current is B for ASCII, 0 for line drawing, A for British.
func (c charsets) current() byte {
	if f := c.sets[c.inUse]; f == '0' || f == 'A' {
		return f
	}
	return 'B'
}

func (s *Screen) designate(set int, final byte) {
	s.charsets.sets[set] = final
	s.applyCharset()
}

func (s *Screen) shift(set int) {
	s.charsets.inUse = set
	s.applyCharset()
}

func (s *Screen) applyCharset() {
	s.feed([]byte{ansi.ESC, '(', s.charsets.current()})
}
