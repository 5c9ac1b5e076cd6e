package style

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Plain makes text from outside fit to be drawn on one line: escape sequences
// go, line breaks and tabs become blanks, and what else a terminal or a reader
// could be misled by (controls, bidirectional overrides, broken UTF-8) becomes
// a visible mark.
func Plain(s string) string {
	if printable(s) {
		return s
	}
	s = ansi.Strip(strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case r < 0x20 || r >= 0x7f && r < 0xa0 || misleading(r):
			return '\uFFFD'
		}
		return r
	}, s)
}

// Lines is Plain for text of several lines, which it keeps.
func Lines(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = Plain(l)
	}
	return strings.Join(lines, "\n")
}

// misleading tells the marks that reorder what is read (Trojan Source,
// CVE-2021-42574) and the separators that some terminals break lines at.
func misleading(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x2028 || r == 0x2029 || r == 0x200e || r == 0x200f
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// Width is how many cells the text takes. Escape sequences take none.
func Width(s string) int {
	if printable(s) {
		return len(s)
	}
	return ansi.StringWidth(s)
}

// Cut is the text in at most w cells, with … where something is missing. Wide
// characters are never halved.
func Cut(s string, w int) string {
	switch {
	case w <= 0:
		return ""
	case len(s) <= w && printable(s):
		return s
	case printable(s):
		return s[:w-1] + "…"
	}
	return ansi.Truncate(s, w, "…")
}

// CutStart is the text in at most w cells, with … where its start is missing.
func CutStart(s string, w int) string {
	over := Width(s) - w
	switch {
	case w <= 0:
		return ""
	case over <= 0:
		return s
	case w == 1:
		return "…"
	}
	cut := ansi.TruncateLeft(s, over+1, "…")
	if Width(cut) > w { // a wide character stood where it was cut
		cut = ansi.TruncateLeft(s, over+2, "…")
	}
	return cut
}

const blanks = "                                                                                                                                "

// Blank is n blanks; none when n is negative.
func Blank(n int) string {
	switch {
	case n <= 0:
		return ""
	case n <= len(blanks):
		return blanks[:n]
	}
	return strings.Repeat(" ", n)
}

// Fit is the text in exactly w cells, cut or padded on the right.
func Fit(s string, w int) string {
	s = Cut(s, w)
	return s + Blank(w-Width(s))
}

// FitRight is the text in exactly w cells, cut or padded on the left.
func FitRight(s string, w int) string {
	s = Cut(s, w)
	return Blank(w-Width(s)) + s
}

// keep and part are the hyphen while text is wrapped, and after: ansi.Wrap
// would break at it, in the middle of ARNs, regions and IDs.
var keep, part = strings.NewReplacer("-", "\u2011"), strings.NewReplacer("\u2011", "-")

// Wrap breaks text into lines of at most w cells, at blanks where it can.
func Wrap(s string, w int) []string {
	if w <= 0 {
		return nil
	}
	return strings.Split(part.Replace(ansi.Wrap(keep.Replace(s), w, "")), "\n")
}

// Block is the lines in exactly w by h cells.
func Block(lines []string, w, h int) string {
	var b strings.Builder
	for i := range h {
		if i > 0 {
			b.WriteByte('\n')
		}
		line := ""
		if i < len(lines) {
			line = lines[i]
		}
		b.WriteString(Fit(line, w))
	}
	return b.String()
}

// Break cuts text into pieces of at most w cells, wherever that is, so that
// nothing is lost or added.
func Break(s string, w int) []string {
	if w <= 0 {
		return nil
	}
	return strings.Split(ansi.Hardwrap(s, w, true), "\n")
}
