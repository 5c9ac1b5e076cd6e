package text

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// maxDrawn is how many bytes of a line are drawn. The rest can be searched and
// saved.
const maxDrawn = 64 << 10

// shown is a line made ready to be drawn.
type shown struct {
	text  string
	ascii bool
	lost  loss
	cells int     // of the text; -1: not yet counted
	rows  []int32 // where its rows begin
	room  int     // cells of a row that rows was made for

	hits   []span   // what to highlight
	hitsOf *pattern // that hits are of
}

// shown is the line n as it is drawn now.
func (l *Log) shown(n int64) *shown {
	if s := l.cache[n]; s != nil {
		return s
	}
	e, raw := l.ring.at(n)
	s := newShown(e, raw, l.look)
	l.cache[n] = s
	return s
}

// sweep forgets lines that do not show, so that what is laid out stays little.
func (l *Log) sweep(rows []place) {
	if len(l.cache) <= 4*max(l.h, 16) {
		return
	}
	kept := make(map[int64]*shown, len(rows))
	for _, p := range rows {
		kept[p.line] = l.cache[p.line]
	}
	l.cache = kept
}

func newShown(e entry, raw []byte, k look) *shown {
	s := &shown{cells: -1, ascii: e.is(ascii)}
	clean := k == cleaned && e.is(dirty)
	if clean {
		raw, s.lost = lastSegment(raw)
	}
	raw, more := cutDrawn(raw)
	switch {
	case clean:
		text, lost := appendClean(nil, raw)
		s.text, s.lost = expand(string(text)), s.lost|lost
	case k == escaped && !s.ascii:
		s.text = string(appendEscaped(nil, raw))
	default:
		s.text = expand(string(raw))
	}
	if !s.ascii {
		s.text = standing(s.text)
	}
	if more > 0 || e.is(halved) {
		s.text, s.ascii = s.text+rest(e, more), false
	}
	return s
}

// standing puts a dotted circle under a mark that has no letter to combine with:
// it would take the blank before it, and change its width.
func standing(text string) string {
	if _, cells := ansi.FirstGraphemeCluster(text, ansi.GraphemeWidth); text == "" || cells > 0 {
		return text
	}
	return "◌" + text
}

// cutDrawn is the part of a line that is drawn, and how many bytes are not.
func cutDrawn(raw []byte) ([]byte, int) {
	if len(raw) <= maxDrawn {
		return raw, 0
	}
	at := maxDrawn
	for at > maxDrawn-utf8.UTFMax && !utf8.RuneStart(raw[at]) {
		at--
	}
	return raw[:at], len(raw) - at
}

func rest(e entry, more int) string {
	switch {
	case more == 0:
		return " … cut here"
	case e.is(halved):
		return fmt.Sprintf(" … %s more, and what was cut behind them", size(more))
	}
	return fmt.Sprintf(" … %s more", size(more))
}

func (s *shown) width() int {
	if s.cells < 0 {
		if s.cells = len(s.text); !s.ascii {
			s.cells = ansi.StringWidth(s.text)
		}
	}
	return s.cells
}

// wrapped is where the rows of so many cells begin.
func (s *shown) wrapped(room int) []int32 {
	room = max(room, 1)
	if s.room == room {
		return s.rows
	}
	s.room, s.rows = room, append(s.rows[:0], 0)
	if s.ascii {
		for at := room; at < len(s.text); at += room {
			s.rows = append(s.rows, int32(at)) //nolint:gosec // a line is cut far below
		}
		return s.rows
	}
	column := 0
	for at := 0; at < len(s.text); {
		cluster, cells := ansi.FirstGraphemeCluster(s.text[at:], ansi.GraphemeWidth)
		if column+cells > room && column > 0 {
			s.rows, column = append(s.rows, int32(at)), 0
		}
		column += cells
		at += len(cluster)
	}
	return s.rows
}

// row is the part of the text that the i-th row shows.
func (s *shown) row(i, room int) span {
	rows := s.wrapped(room)
	if i+1 < len(rows) {
		return span{int(rows[i]), int(rows[i+1])}
	}
	return span{int(rows[i]), len(s.text)}
}

// rowAt is the row that shows a byte of the text.
func (s *shown) rowAt(at, room int) int {
	i, begins := slices.BinarySearch(s.wrapped(room), int32(at)) //nolint:gosec // a line is cut far below
	if !begins {
		i--
	}
	return i
}

// matches is where the text has the pattern.
func (s *shown) matches(p *pattern) []span {
	if s.hitsOf != p {
		s.hitsOf, s.hits = p, p.spans(s.text)
	}
	return s.hits
}

// rowsOf is how many rows the line n takes.
func (l *Log) rowsOf(n int64) int {
	if !l.wrap {
		return 1
	}
	_, _, room := l.columns()
	return len(l.shown(n).wrapped(room))
}
