package text

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

const (
	esc         = 0x1b
	bell        = 0x07
	replacement = "\uFFFD"
	tabStop     = 8
)

// loss is what cleaning took out of a line, which the viewer says with a sign.
type loss uint8

const (
	sequences   loss = 1 << iota // escape sequences
	overwritten                  // text before a carriage return
)

// unfit tells what must not reach a terminal or would mislead a reader:
// controls, bidirectional overrides and the separators that some terminals
// break lines at. A test compares it with style.Plain.
func unfit(c rune) bool {
	return c < 0x20 || c >= 0x7f && c < 0xa0 || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069 ||
		c == 0x2028 || c == 0x2029 || c == 0x200e || c == 0x200f
}

// appendClean appends the text of a line as it may be drawn, but for tabs:
// without escape sequences, of a progress line what it showed last, with a mark
// for everything else that is unfit.
func appendClean(dst, raw []byte) ([]byte, loss) {
	raw, lost := lastSegment(raw)
	for len(raw) > 0 {
		if n := plainPrefix(raw); n > 0 {
			dst, raw = append(dst, raw[:n]...), raw[n:]
			continue
		}
		if n := sequence(raw); n > 0 {
			lost |= sequences
			raw = raw[n:]
			continue
		}
		c, n := utf8.DecodeRune(raw)
		if c == utf8.RuneError || unfit(c) {
			dst = append(dst, replacement...)
		} else {
			dst = append(dst, raw[:n]...)
		}
		raw = raw[n:]
	}
	return dst, lost
}

// lastSegment is what stands behind the last carriage return that something
// follows.
func lastSegment(raw []byte) ([]byte, loss) {
	if bytes.IndexByte(raw, '\r') < 0 {
		return raw, 0
	}
	raw = bytes.TrimRight(raw, "\r")
	if i := bytes.LastIndexByte(raw, '\r'); i >= 0 {
		return raw[i+1:], overwritten
	}
	return raw, 0
}

func plainPrefix(b []byte) int {
	for i, c := range b {
		if (c < 0x20 || c >= 0x7f) && c != '\t' {
			return i
		}
	}
	return len(b)
}

// sequence is the length of the escape sequence that b starts with, in its
// seven-bit form or as a C1 control in UTF-8; 0 if there is none (ECMA-48,
// sections 5.3 to 5.6).
func sequence(b []byte) int {
	intro, n := introducer(b)
	switch {
	case n == 0:
		return 0
	case intro == '[':
		return n + control(b[n:])
	case intro == ']' || intro == 'P' || intro == 'X' || intro == '^' || intro == '_':
		return n + controlString(b[n:])
	case intro >= 0x20 && intro < 0x30: // such as the choice of a character set
		for n < len(b) && b[n] >= 0x20 && b[n] < 0x30 {
			n++
		}
		if n < len(b) && b[n] >= 0x30 && b[n] < 0x7f {
			n++
		}
	}
	return n
}

// introducer is the byte that tells the kind of a sequence and what it takes to
// say it. A lone escape is a sequence too.
func introducer(b []byte) (kind byte, n int) {
	switch {
	case len(b) >= 2 && b[0] == 0xc2 && b[1] >= 0x80 && b[1] < 0xa0:
		return b[1] - 0x40, 2
	case len(b) == 0 || b[0] != esc:
		return 0, 0
	case len(b) == 1 || b[1] < 0x20 || b[1] >= 0x7f:
		return 0, 1
	}
	return b[1], 2
}

// control is the length of a control sequence behind its introducer.
func control(b []byte) int {
	n := 0
	for n < len(b) && b[n] >= 0x20 && b[n] < 0x40 {
		n++
	}
	if n < len(b) && b[n] >= 0x40 && b[n] < 0x7f {
		n++
	}
	return n
}

// controlString is the length of a string (a title, a picture) and its end. One
// that does not end hides nothing: its text is shown.
func controlString(b []byte) int {
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == bell:
			return i + 1
		case b[i] == esc && i+1 < len(b) && b[i+1] == '\\', b[i] == 0xc2 && i+1 < len(b) && b[i+1] == 0x9c:
			return i + 2
		case b[i] == esc:
			return 0
		}
	}
	return 0
}

// appendEscaped appends the text of a line with everything that is not plain
// text spelled out: ^[ for an escape, \x9b for a byte that is no UTF-8.
func appendEscaped(dst, raw []byte) []byte {
	for len(raw) > 0 {
		c, n := utf8.DecodeRune(raw)
		switch {
		case c == utf8.RuneError && n == 1:
			dst = fmt.Appendf(dst, `\x%02x`, raw[0])
		case c < 0x20 || c == 0x7f:
			dst = append(dst, '^', byte(c)^0x40) //nolint:gosec // a byte, as the case says
		case unfit(c):
			dst = fmt.Appendf(dst, "<U+%04X>", c)
		default:
			dst = append(dst, raw[:n]...)
		}
		raw = raw[n:]
	}
	return dst
}

// expand replaces tabs by blanks up to the next multiple of eight cells.
func expand(s string) string {
	if !strings.ContainsRune(s, '\t') {
		return s
	}
	var b strings.Builder
	column := 0
	for {
		part, rest, more := strings.Cut(s, "\t")
		b.WriteString(part)
		if !more {
			return b.String()
		}
		column += ansi.StringWidth(part)
		pad := tabStop - column%tabStop
		b.WriteString(strings.Repeat(" ", pad))
		column += pad
		s = rest
	}
}
