package screen

import (
	"bytes"
	"strconv"

	"github.com/charmbracelet/x/ansi"

	"gantry/ui/style"
)

// maxCount is the largest number that the emulator is given. It loops over
// some of them.
const maxCount = 9999

// escape acts on a complete escape sequence that is none of the longer kinds.
func (s *Screen) escape(final byte) {
	seq := s.reader.seq
	s.moved()
	s.wholeScreen()
	if len(seq) == 3 && seq[1] >= '(' && seq[1] <= '+' {
		s.designate(int(seq[1]-'('), final)
		return
	}
	if len(seq) != 2 {
		return
	}
	switch final {
	case 'c':
		s.feed(seq)
		s.resetState()
	case 'n', 'o':
		s.shift(int(final-'n') + 2)
	case 'E':
		s.feed([]byte("\r\n"))
	case '8':
		s.restoreCursor()
	case 'H':
		s.ownTabs = true
		s.feed(seq)
	case '7', 'D', 'M', '=', '>':
		s.feed(seq)
	}
}

// moved forgets what only holds while text follows text.
func (s *Screen) moved() { s.atMargin, s.last, s.afterBreak = false, noLast, false }

// restoreCursor goes back to the saved position. The emulator would go on
// meaning to wrap if it had been about to.
func (s *Screen) restoreCursor() {
	s.feed([]byte("\x1b8"))
	s.settle()
}

// settle makes the emulator forget that it was about to wrap.
func (s *Screen) settle() {
	s.moved()
	p := s.vt.CursorPosition()
	s.moveTo(p.X, p.Y)
}

// moveTo puts the cursor on a cell, wherever the program counts lines from.
func (s *Screen) moveTo(x, y int) {
	to := ansi.CursorPosition(x+1, y+1)
	if s.modes[6] {
		to = "\x1b[?6l" + to + "\x1b[?6h"
	}
	s.feed([]byte(to))
}

// sequence is a CSI sequence in its parts.
type sequence struct {
	prefix byte // one of <=>? or 0
	inter  byte // the last intermediate, or 0
	final  byte
	params []byte // digits, ; and :
}

func parse(seq []byte) sequence {
	q := sequence{final: seq[len(seq)-1]}
	body := seq[2 : len(seq)-1]
	if len(body) > 0 && body[0] >= '<' && body[0] <= '?' {
		q.prefix, body = body[0], body[1:]
	}
	for len(body) > 0 && body[len(body)-1] < '0' {
		q.inter = body[len(body)-1]
		body = body[:len(body)-1]
	}
	q.params = body
	return q
}

// number is the i-th number, or what stands for a missing or zero one.
func (q sequence) number(i, missing int) int {
	for j, p := range bytes.Split(q.params, []byte{';'}) {
		if j == i {
			if n := number(p); n > 0 {
				return n
			}
			break
		}
	}
	return missing
}

// number reads digits up to the first that is none, and no further than
// maxCount.
func number(p []byte) int {
	n := 0
	for _, b := range p {
		if b < '0' || b > '9' {
			break
		}
		n = min(n*10+int(b-'0'), maxCount)
	}
	return n
}

// modest tells whether no number can be above maxCount, and the sequence can
// be passed on as it came.
func (q sequence) modest() bool {
	digits := 0
	for _, b := range q.params {
		if digits++; b > '9' {
			digits = 0
		}
		if digits > 4 {
			return false
		}
	}
	return true
}

// pass gives a sequence to the emulator.
func (s *Screen) pass(q sequence) {
	if q.modest() {
		s.feed(s.reader.seq)
		return
	}
	s.feed(q.bytes())
}

// bytes is the sequence for the emulator, with no number above maxCount.
func (q sequence) bytes() []byte {
	out := append(make([]byte, 0, len(q.params)+5), ansi.ESC, '[')
	if q.prefix != 0 {
		out = append(out, q.prefix)
	}
	for i := 0; i < len(q.params); {
		b := q.params[i]
		if b < '0' || b > '9' {
			out = append(out, b)
			i++
			continue
		}
		j := i
		for j < len(q.params) && q.params[j] >= '0' && q.params[j] <= '9' {
			j++
		}
		out = strconv.AppendInt(out, int64(number(q.params[i:j])), 10)
		i = j
	}
	if q.inter != 0 {
		out = append(out, q.inter)
	}
	return append(out, q.final)
}

// control acts on a complete CSI sequence.
func (s *Screen) control(final byte) {
	seq := s.reader.seq
	if len(seq) > maxSequence {
		return
	}
	q := parse(seq)
	if costly(final) {
		s.wholeScreen()
	}
	switch {
	case q.prefix == 0 && q.inter == 0 && final == 'm':
		s.pass(q)
		return
	case q.prefix == '?' && q.inter == 0 && (final == 'h' || final == 'l'):
		s.privateModes(q)
	case q.prefix == '>' && q.inter == 0 && final == 'm':
		if q.number(0, 0) == 4 {
			s.otherKeys = min(q.number(1, 0), 2)
		}
	case q.prefix == 0 && q.inter == '!' && final == 'p':
		s.softReset()
	case q.prefix == 0 && q.inter == 0:
		s.plainControl(q)
	default:
		s.pass(q)
	}
	s.afterBreak = false
	if !keepsMargin(final) {
		s.moved()
	}
}

// costly tells the sequences that may move or clear many cells.
func costly(final byte) bool { return bytes.IndexByte([]byte("JLMSTbhl"), final) >= 0 }

// keepsMargin tells the sequences that leave a cursor that is about to wrap
// where it is.
func keepsMargin(final byte) bool { return bytes.IndexByte([]byte("hlncqptgm"), final) >= 0 }

// plainControl acts on a CSI sequence without prefix or intermediate.
func (s *Screen) plainControl(q sequence) {
	switch q.final {
	case 'r':
		s.setRegion(q.number(0, 1), q.number(1, s.h))
	case 'u':
		s.restoreCursor()
	case 't': // the size of the window is not the program's to set
	case 'b': // programs repeat within a line
		q.params = strconv.AppendInt(nil, int64(min(q.number(0, 1), max(s.w, 80))), 10)
		s.feed(q.bytes())
	case 'J':
		if q.number(0, 0) == 3 { // the emulator would clear the screen as well
			s.history.clear()
			return
		}
		s.pass(q)
	case 'M': // what is deleted is no history, which the emulator takes it for
		s.write(q.bytes())
		s.vt.Scrollback().Clear()
	case 'g', 'W':
		s.ownTabs = true
		s.pass(q)
	default:
		s.pass(q)
	}
}

// setRegion sets the lines that scroll, counted from 1. The emulator takes
// those that are not on the screen too, and panics when it scrolls them.
func (s *Screen) setRegion(top, bottom int) {
	bottom = min(bottom, s.h)
	if top >= bottom {
		return
	}
	*s.region() = region{top - 1, bottom}
	s.feed([]byte(ansi.SetTopBottomMargins(top, bottom)))
}

// privateModes sets or resets DEC private modes.
func (s *Screen) privateModes(q sequence) {
	for p := range bytes.SplitSeq(q.params, []byte{';'}) {
		mode := number(p)
		switch mode {
		case 0, 69: // margins left and right are left out: nothing counts on them
			continue
		case 47: // an alternate screen like 1047
			mode = 1047
		}
		s.feed(sequence{prefix: '?', final: q.final, params: strconv.AppendInt(nil, int64(mode), 10)}.bytes())
		if mode >= 1047 && mode <= 1049 {
			s.settle()
		}
	}
}

// softReset is DECSTR, which the emulator lacks.
func (s *Screen) softReset() {
	p := s.vt.CursorPosition()
	s.feed([]byte("\x1b[4l\x1b[?1;6;66l\x1b[?7;25h\x1b[m\x1b[r"))
	*s.region() = region{0, s.h}
	s.charsets = charsets{}
	s.feed([]byte("\x1b(B"))
	s.moveTo(p.X, p.Y)
}

// command acts on a complete OSC sequence. The clipboard (52) is the user's:
// what a program in some container writes there is dropped. So are links (8).
func (s *Screen) command(seq []byte) {
	if len(seq) > maxString {
		return
	}
	kind, value, _ := bytes.Cut(seq[2:], []byte{';'})
	switch string(kind) {
	case "0", "2":
		s.title = style.Cut(style.Plain(string(value)), 200)
	case "10", "11", "12", "110", "111", "112":
		if printable(value) {
			s.feed(append(bytes.Clone(seq), ansi.BEL))
		}
	}
}

func printable(p []byte) bool {
	for _, b := range p {
		if b < ' ' || b >= ansi.DEL {
			return false
		}
	}
	return true
}
