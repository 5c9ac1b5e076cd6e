package screen

import (
	"bytes"

	"github.com/charmbracelet/x/ansi"
)

const (
	// maxString is how much of an OSC sequence is kept. What is longer is read
	// to its end and ignored.
	maxString = 4096
	// maxSequence is the same for CSI sequences.
	maxSequence = 256
)

// state is what kind of sequence the reader is in.
type state int

const (
	ground state = iota
	escape
	escapeIntermediate
	control       // CSI
	command       // OSC
	commandEscape // OSC, after an ESC that may end it
	ignored       // DCS, SOS, PM, APC: nothing here answers them
	ignoredEscape
)

// reader splits what arrives into text and sequences.
type reader struct {
	state state
	seq   []byte // the sequence so far, from its ESC on
	tail  []byte // the first bytes of a character whose others are to come
}

func (r *reader) start(b ...byte) { r.seq = append(r.seq[:0], b...) }

// add keeps a byte of a sequence unless that has become too long.
func (r *reader) add(b byte, limit int) {
	if len(r.seq) <= limit {
		r.seq = append(r.seq, b)
	}
}

// budget is how many cells WriteSome may have the emulator move or clear, some
// milliseconds of work.
const budget = 400_000

// Write takes output of the program. It never fails: what makes no sense is
// left out.
func (s *Screen) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		rest = rest[s.WriteSome(rest):]
	}
	return len(p), nil
}

// WriteSome takes output until that has made too much work, and says how many
// bytes it took: a few bytes can have the whole screen scrolled or cleared.
func (s *Screen) WriteSome(p []byte) int {
	held := len(s.reader.tail)
	if held > 0 {
		p = append(bytes.Clone(s.reader.tail), p...)
		s.reader.tail = s.reader.tail[:0]
	}
	n := 0
	for s.work = 0; n < len(p) && s.work < budget; {
		if s.reader.state == ground {
			n += s.readText(p[n:])
		} else {
			n += s.readSequence(p[n:])
		}
	}
	return n - held
}

// wholeScreen notes that every cell may be moved or cleared.
func (s *Screen) wholeScreen() { s.work += s.w * s.h }

// feed passes bytes to the emulator and takes the lines that scroll off.
func (s *Screen) feed(p []byte) {
	s.write(p)
	s.collect()
}

// write passes bytes to the emulator. Should that panic, the screen is reset:
// a program must not be able to end gantry.
func (s *Screen) write(p []byte) {
	defer func() {
		if recover() != nil {
			s.recovered()
		}
	}()
	_, _ = s.vt.Write(p)
}

func (s *Screen) recovered() {
	defer func() { _ = recover() }()
	s.resetState()
	_, _ = s.vt.Write([]byte("\x18\x1bc"))
}

// collect moves the lines that have scrolled off into the history. Those of a
// region that begins below the top are gone, as on any terminal.
func (s *Screen) collect() {
	back := s.vt.Scrollback()
	if back.Len() == 0 {
		return
	}
	if s.region().top == 0 {
		for _, l := range back.Lines() {
			s.history.pushLine(l)
		}
	}
	back.Clear()
}

// readText takes text up to the next sequence, at most one line of it, and
// says how many bytes that was.
func (s *Screen) readText(p []byte) int {
	if s.afterBreak {
		if n := s.readFlood(p); n > 0 {
			return n
		}
	}
	plain := true
	for i, b := range p {
		switch {
		case b == ansi.ESC:
			s.printText(p[:i], plain)
			s.reader.state = escape
			s.reader.start(b)
			return i + 1
		case b == ansi.LF:
			s.printText(p[:i+1], plain)
			s.wholeScreen()
			s.afterBreak = !s.newline
			return i + 1
		case b == ansi.SO || b == ansi.SI:
			s.printText(p[:i], plain)
			s.shift(int(ansi.SI - b))
			return i + 1
		case b >= 0x7f:
			plain = false
		}
	}
	s.printText(p, plain)
	return len(p)
}

// readSequence takes bytes of a sequence, to its end at most.
func (s *Screen) readSequence(p []byte) int {
	r := &s.reader
	for i, b := range p {
		switch {
		case b == ansi.CAN || b == ansi.SUB:
			r.state = ground
			return i + 1
		case r.state >= command:
			s.readString(b)
		case b == ansi.ESC:
			r.state = escape
			r.start(b)
			continue
		case b < ' ':
			s.printText([]byte{b}, true)
			continue
		case b == ansi.DEL:
			continue
		case b > ansi.DEL: // no part of any sequence
			r.state = ground
			return i
		default:
			s.readControl(b)
		}
		if r.state == ground {
			return i + 1
		}
	}
	return len(p)
}

// readControl takes a byte of an escape or CSI sequence.
func (s *Screen) readControl(b byte) {
	r := &s.reader
	r.add(b, maxSequence)
	switch {
	case r.state == control:
		if b >= '@' {
			r.state = ground
			s.control(b)
		}
	case b < '0':
		r.state = escapeIntermediate
	case r.state == escapeIntermediate:
		r.state = ground
		s.escape(b)
	case b == '[':
		r.state = control
	case b == ']':
		r.state = command
	case b == 'P' || b == 'X' || b == '^' || b == '_':
		r.state = ignored
	default:
		r.state = ground
		s.escape(b)
	}
}

// readString takes a byte of a string. The 8-bit terminator is not known here:
// in UTF-8 its byte is part of characters such as 本.
func (s *Screen) readString(b byte) {
	r := &s.reader
	switch {
	case r.state == commandEscape || r.state == ignoredEscape:
		s.endString(b)
	case b == ansi.ESC && r.state == command:
		r.state = commandEscape
	case b == ansi.ESC:
		r.state = ignoredEscape
	case r.state == command && b == ansi.BEL:
		r.state = ground
		s.command(r.seq)
	case r.state == command:
		r.add(b, maxString)
	}
}

// endString takes the byte after an ESC in a string: the terminator's second
// one, or the beginning of another sequence.
func (s *Screen) endString(b byte) {
	r := &s.reader
	was := r.state
	if b != '\\' {
		r.state = escape
		r.start(ansi.ESC)
		if b >= ' ' && b < ansi.DEL {
			s.readControl(b)
		}
		return
	}
	r.state = ground
	if was == commandEscape {
		s.command(r.seq)
	}
}
