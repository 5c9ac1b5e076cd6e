package text

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"gantry/ui/style"
)

const (
	gutter      = 4  // cells: what is looked at, stderr, what is not shown, a blank
	leastText   = 16 // cells of text below which times and sources are left out
	clockFormat = "01-02 15:04:05.000"
	sourceCells = 14

	sequencesSign   = "^" // escape sequences were taken out, which raw shows as ^[
	overwrittenSign = "<" // text before a carriage return was
)

// View is the pane as it was drawn after the last change.
func (l *Log) View() string {
	if theme := style.Now(); l.theme != theme {
		l.theme = theme
		l.drawn = l.draw(theme)
	}
	return l.drawn
}

func (l *Log) draw(t *style.Theme) string {
	if l.w <= 0 || l.h <= 0 {
		return style.Block(nil, l.w, l.h)
	}
	lines := make([]string, 0, l.h)
	if l.headHeight() > 0 {
		lines = append(lines, l.headLine(t))
	}
	lines = append(lines, l.bodyLines(t)...)
	for len(lines) < l.headHeight()+l.body() {
		lines = append(lines, style.Blank(l.w))
	}
	for _, line := range l.trouble(t) {
		lines = append(lines, style.Fit(line, l.w))
	}
	if l.footHeight() > 0 {
		lines = append(lines, l.footLine(t))
	}
	return strings.Join(lines, "\n")
}

func (l *Log) headHeight() int {
	if l.feed.Head == nil || l.h < 5 {
		return 0
	}
	return 1
}

func (l *Log) footHeight() int {
	if l.h < 2 && !l.Typing() {
		return 0
	}
	return 1
}

// body is how many rows of lines show.
func (l *Log) body() int {
	return max(0, l.h-l.headHeight()-l.footHeight()-len(l.trouble(style.Now())))
}

func (l *Log) headLine(t *style.Theme) string {
	switch {
	case l.head.Err != nil:
		return t.Bad.Render(style.Fit(" ✗ "+style.Plain(l.head.Err.Error()), l.w))
	case l.head.Value == "":
		return style.Blank(l.w)
	}
	return t.Dim.Render(style.Fit(" "+squeezed(style.Plain(l.head.Value), l.w-2), l.w))
}

// squeezed is a line in at most w cells, if it can be: of its longest part the
// middle goes, so that what stands behind a long path is still seen.
func squeezed(line string, w int) string {
	const between = " · "
	excess := style.Width(line) - w
	if excess <= 0 {
		return line
	}
	parts := strings.Split(line, between)
	longest := 0
	for i, p := range parts {
		if style.Width(p) > style.Width(parts[longest]) {
			longest = i
		}
	}
	parts[longest] = shortened(parts[longest], max(3, style.Width(parts[longest])-excess))
	return strings.Join(parts, between)
}

func (l *Log) bodyLines(t *style.Theme) []string {
	if l.total() == 0 {
		return l.nothing(t)
	}
	rows := l.visible()
	lines := make([]string, 0, l.h)
	for i, p := range rows {
		lines = append(lines, l.row(t, p, i == 0 || rows[i-1].line != p.line))
	}
	l.sweep(rows)
	return lines
}

// columns are the cells of the gutter, of times and sources, and of the text.
func (l *Log) columns() (signs, prefix, text int) {
	signs, prefix = gutter, 0
	if l.times {
		prefix += len(clockFormat) + 1
	}
	if w := l.sourceWidth(); w > 0 {
		prefix += w + 1
	}
	if l.w-signs-prefix < leastText {
		prefix = 0
	}
	if l.w <= signs {
		signs = 0
	}
	return signs, prefix, max(1, l.w-signs-prefix)
}

// sourceWidth is the cells for the names of sources; 0 while there is only one.
func (l *Log) sourceWidth() int {
	names := l.ring.sources.names
	if len(names) < 2 {
		return 0
	}
	w := 0
	for _, name := range names {
		if w = max(w, style.Width(name)); w >= sourceCells {
			return sourceCells
		}
	}
	return w
}

// row draws one row. What stands before the text is drawn with the line's
// first row that shows only.
func (l *Log) row(t *style.Theme, p place, first bool) string {
	e, _ := l.ring.at(p.line)
	s := l.shown(p.line)
	signs, prefix, room := l.columns()
	var b strings.Builder
	if signs > 0 {
		l.drawSigns(&b, t, p, e, s)
	}
	switch {
	case prefix > 0 && first:
		l.drawPrefix(&b, t, e)
	case prefix > 0:
		b.WriteString(style.Blank(prefix))
	}
	part := span{0, len(s.text)}
	if l.wrap {
		part = s.row(p.row, room)
	}
	l.drawText(&b, t, s, part, room)
	line := b.String()
	if l.marked.has(p.line) {
		return t.Selected.Render(style.Fit(ansi.Strip(line), l.w))
	}
	return line
}

// drawSigns draws the gutter: the line that is looked at, stderr, and what
// cleaning took out of the line.
func (l *Log) drawSigns(b *strings.Builder, t *style.Theme, p place, e entry, s *shown) {
	begin := p.row == 0
	switch {
	case l.marked.at(p.line), begin && l.match != nil && *l.match == p.line && l.search.pattern != nil:
		b.WriteString(t.Accent.Render("▸"))
	default:
		b.WriteByte(' ')
	}
	if e.is(stderr) {
		b.WriteString(t.Bad.Render("!"))
	} else {
		b.WriteByte(' ')
	}
	switch {
	case begin && s.lost&sequences != 0:
		b.WriteString(t.Dim.Render(sequencesSign))
	case begin && s.lost&overwritten != 0:
		b.WriteString(t.Dim.Render(overwrittenSign))
	default:
		b.WriteByte(' ')
	}
	b.WriteByte(' ')
}

func (l *Log) drawPrefix(b *strings.Builder, t *style.Theme, e entry) {
	if l.times {
		clock := ""
		if e.at != noTime {
			clock = e.time().Local().Format(clockFormat)
		}
		b.WriteString(t.Dim.Render(style.Fit(clock, len(clockFormat))))
		b.WriteByte(' ')
	}
	if w := l.sourceWidth(); w > 0 {
		b.WriteString(sourceLook(t, e.source).Render(style.Fit(shortened(l.ring.sources.names[e.source], w), w)))
		b.WriteByte(' ')
	}
}

// shortened is a name in w cells: its two ends, which tell tasks and streams
// apart.
func shortened(name string, w int) string {
	name = style.Plain(name)
	runes := []rune(name)
	if style.Width(name) <= w || len(runes) != style.Width(name) {
		return name
	}
	half := (w - 1) / 2
	return string(runes[:w-1-half]) + "…" + string(runes[len(runes)-half:])
}

// sourceLook gives neighbours among the sources different colours.
func sourceLook(t *style.Theme, source uint16) style.Style {
	looks := []style.Style{t.Accent, t.Key, t.Good, t.Header, t.Busy, t.Title}
	return looks[int(source)%len(looks)]
}

// drawText draws a part of a line in exactly the room there is.
func (l *Log) drawText(b *strings.Builder, t *style.Theme, s *shown, part span, room int) {
	from := 0
	if !l.wrap {
		from = l.x
	}
	end := ""
	if !l.wrap && s.width()-from > room {
		end, room = t.Dim.Render("›"), room-1
	}
	hits := l.hits(s)
	used := 0
	if s.ascii {
		used = drawASCII(b, t, s.text, span{min(part.from+from, part.to), part.to}, room, hits)
	} else {
		used = drawClusters(b, t, s.text[part.from:part.to], part.from, from, room, hits)
	}
	b.WriteString(style.Blank(room - used))
	b.WriteString(end)
}

// hits are the parts of a line to highlight: what is searched for, else what
// the filter found.
func (l *Log) hits(s *shown) []span {
	switch {
	case l.search.pattern != nil:
		return s.matches(l.search.pattern)
	case l.filter.pattern != nil && !l.filter.pattern.negate:
		return s.matches(l.filter.pattern)
	}
	return nil
}

func drawASCII(b *strings.Builder, t *style.Theme, text string, part span, room int, hits []span) int {
	part.to = min(part.to, part.from+room)
	at := part.from
	for _, h := range hits {
		h.from, h.to = max(h.from, at), min(h.to, part.to)
		if h.from >= h.to {
			continue
		}
		b.WriteString(text[at:h.from])
		b.WriteString(t.Match.Render(text[h.from:h.to]))
		at = h.to
	}
	b.WriteString(text[at:part.to])
	return part.to - part.from
}

// drawClusters draws characters of any width, from a column on. A wide one that
// is cut in half at the left becomes a blank; hits never tear one from its
// combining marks. offset is where text begins in the line that hits are of.
func drawClusters(b *strings.Builder, t *style.Theme, text string, offset, from, room int, hits []span) int {
	column, used := 0, 0
	for at := 0; at < len(text) && used < room; {
		cluster, cells := ansi.FirstGraphemeCluster(text[at:], ansi.GraphemeWidth)
		here := span{offset + at, offset + at + len(cluster)}
		at += len(cluster)
		column += cells
		switch {
		case column <= from && (cells > 0 || from > 0):
			continue
		case column-cells < from:
			b.WriteString(style.Blank(column - from))
			used += column - from
			continue
		case used+cells > room:
			return used
		}
		for len(hits) > 0 && hits[0].to <= here.from {
			hits = hits[1:]
		}
		if len(hits) > 0 && hits[0].from < here.to {
			cluster = t.Match.Render(cluster)
		}
		b.WriteString(cluster)
		used += cells
	}
	return used
}

// Cursor is in the prompt while something is typed.
func (l *Log) Cursor() *tea.Cursor {
	if !l.Typing() || l.w <= 0 || l.h <= 0 {
		return nil
	}
	return tea.NewCursor(min(l.w-1, 2+style.Width(l.prompt.text)), l.h-1)
}
