package screen

import (
	"strings"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// maxHistory bounds the bytes of a history: a program that colours every cell
// of every line would otherwise take some 30 MB.
const maxHistory = 8 << 20

// History is the lines that have scrolled off, as text with SGR sequences.
// Lines are counted from the first that there ever was, so that a number goes
// on meaning the same line while others arrive.
type History struct {
	lines []string // a ring
	max   int
	end   int // number of the line that comes next
	kept  int
	bytes int
}

func newHistory(lines int) *History { return &History{max: max(lines, 1)} }

// Start is the number of the oldest line that is kept.
func (h *History) Start() int { return h.end - h.kept }

// End is one more than the number of the newest line.
func (h *History) End() int { return h.end }

// Line is a line with its colours; empty when it is no longer kept.
func (h *History) Line(n int) string {
	if n < h.Start() || n >= h.end {
		return ""
	}
	return h.lines[n%h.max]
}

// Text is a line without colours.
func (h *History) Text(n int) string {
	l := h.Line(n)
	if strings.IndexByte(l, ansi.ESC) < 0 {
		return l
	}
	return strings.TrimRight(ansi.Strip(l), " ")
}

// pushLine adds a line of cells, of which blanks at the end may be missing.
func (h *History) pushLine(l uv.Line) {
	if n := len(l); n > 0 && l[n-1].Width == 2 {
		l = append(l, uv.Cell{})
	}
	mend(l)
	h.push(trimmed(l).Render())
}

func (h *History) push(line string) {
	if h.lines == nil {
		h.lines = make([]string, h.max)
	}
	if h.kept == h.max {
		h.drop()
	}
	h.lines[h.end%h.max] = line
	h.end++
	h.kept++
	for h.bytes += len(line); h.bytes > maxHistory && h.kept > 1; {
		h.drop()
	}
}

// drop forgets the oldest line.
func (h *History) drop() {
	i := h.Start() % h.max
	h.bytes -= len(h.lines[i])
	h.lines[i] = ""
	h.kept--
}

// clear forgets all lines. Their numbers are not used again.
func (h *History) clear() {
	clear(h.lines)
	h.kept, h.bytes = 0, 0
}

// trimmed is the line without the blanks at its end that nothing shows of.
func trimmed(l uv.Line) uv.Line {
	n := len(l)
	for n > 0 && (l[n-1].IsZero() || l[n-1].Equal(&uv.EmptyCell)) {
		n--
	}
	return l[:n]
}

// plain is the text of a line of cells.
func plain(l uv.Line) string {
	var b strings.Builder
	for i := range l {
		b.WriteString(l[i].Content)
	}
	return strings.TrimRight(b.String(), " ")
}
