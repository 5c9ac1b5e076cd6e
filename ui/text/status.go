package text

import (
	"errors"
	"fmt"
	"strings"

	"gantry/internal/diagnose"
	"gantry/ui/style"
)

// nothing tells why no line shows.
func (l *Log) nothing(t *style.Theme) []string {
	why := ""
	switch {
	case !l.begun || !l.read && l.stream.Live():
		why = "reading…"
	case l.ring.len() > 0 && l.filter.pattern != nil:
		why = fmt.Sprintf("none of %s matches &%s; esc clears the filter", counted(l.ring.len(), "line"), l.filter.pattern.text)
	case l.stream.Err != nil:
		return nil // it is told below
	default:
		why = l.emptiness()
	}
	var lines []string
	for _, line := range style.Wrap(style.Lines(why), l.w-2) {
		lines = append(lines, style.Fit(" "+t.Dim.Render(line), l.w))
	}
	return lines[:min(len(lines), l.body())]
}

func (l *Log) emptiness() string {
	why := "no lines"
	if l.since != "" && l.since != everything {
		why += " since " + l.since + "; t reads from an earlier time"
	}
	if l.feed.Empty != "" {
		why += ": " + l.feed.Empty
	}
	return why
}

// trouble tells why reading has ended, below the last lines.
func (l *Log) trouble(t *style.Theme) []string {
	err := l.stream.Err
	if err == nil || l.h < 3 {
		return nil
	}
	told := &diagnose.Error{What: err.Error()}
	errors.As(err, &told)
	lines := styled(t.Bad, "✗ "+told.What, l.w)
	if told.Cause != "" {
		lines = append(lines, styled(t.Text, "  "+told.Cause, l.w)...)
	}
	if told.Do != "" {
		lines = append(lines, styled(t.Accent, "→ "+told.Do, l.w)...)
	}
	return lines[:min(len(lines), (l.h-1)/2)]
}

func styled(look style.Style, text string, w int) []string {
	lines := style.Wrap(style.Lines(text), max(1, w-1))
	for i, line := range lines {
		lines[i] = " " + look.Render(line)
	}
	return lines
}

// footLine is what is being typed, or how the log is read and shown.
func (l *Log) footLine(t *style.Theme) string {
	if l.Typing() {
		return l.promptLine(t)
	}
	right := style.Cut(strings.Join(l.modes(), " · "), l.w/2)
	left := style.Fit(" "+l.state(t), l.w-style.Width(right))
	return left + t.Dim.Render(right)
}

func (l *Log) promptLine(t *style.Theme) string {
	hint := l.prompt.hint()
	look := t.Dim
	switch {
	case l.prompt.err != nil:
		hint, look = l.prompt.err.Error(), t.Bad
	case l.prompt.sign == searchSign && l.search.pattern != nil:
		hint = l.position()
	case l.prompt.sign == filterSign && l.filter.pattern != nil:
		hint = counted(l.total(), "line")
	}
	text := " " + t.Key.Render(l.prompt.sign) + style.Plain(l.prompt.text) + " "
	return style.Fit(text+" "+look.Render(style.Plain(hint)), l.w)
}

func (p prompt) hint() string {
	if p.sign == filterSign {
		return "only lines with … · ! without · re: a regular expression"
	}
	return "text · re: a regular expression"
}

// state tells whether the log is followed, and if not, what is missed.
func (l *Log) state(t *style.Theme) string {
	var parts []string
	switch {
	case l.detached:
		parts = append(parts, t.Busy.Render("‖ newer lines were let go")+"; "+t.Key.Render("G")+" reads them again")
	case !l.stream.Live():
		parts = append(parts, t.Dim.Render("■ "+l.ended()))
	case l.follow:
		parts = append(parts, t.Good.Render("● following"))
	default:
		parts = append(parts, t.Busy.Render("‖ paused")+l.news(t))
	}
	if l.total() > 0 && l.index(l.top.line) == 0 && l.top.row == 0 {
		parts = append(parts, l.beginning(t)...)
	}
	return strings.Join(parts, t.Dim.Render(" · "))
}

func (l *Log) ended() string {
	switch {
	case !l.begun:
		return "not begun"
	case l.stream.Err != nil:
		return "not followed; ctrl+r tries again"
	}
	return "the log has ended"
}

// news is what has come since following was left.
func (l *Log) news(t *style.Theme) string {
	n := int(l.ring.end - l.seen)
	if l.filter.found != nil {
		n = l.total() - l.index(l.seen)
	}
	s := ""
	if n > 0 {
		s = " · " + t.Accent.Render(counted(n, "new line"))
	}
	if l.held() {
		s += t.Accent.Render(", more wait")
	}
	if n > 0 || l.held() {
		s += " · " + t.Key.Render("G") + " follows"
	}
	return s
}

// beginning tells what is before the first line.
func (l *Log) beginning(t *style.Theme) []string {
	switch {
	case l.older.Busy():
		return []string{"reading older lines…"}
	case l.older.Err != nil:
		return []string{t.Bad.Render(style.Plain("no older lines: " + l.older.Err.Error()))}
	case l.start:
		return []string{"start of the log"}
	case l.ring.dropped && !l.canLoadOlder():
		return []string{"older lines dropped (" + size(l.options.Bytes) + " are kept)"}
	case l.ring.dropped:
		return []string{"older lines dropped; " + t.Key.Render("g") + " reads them again"}
	}
	return nil
}

// modes are the ways in which lines are read and shown that are not the usual.
func (l *Log) modes() []string {
	var m []string
	if p := l.position(); p != "" {
		m = append(m, p)
	}
	if l.since != "" {
		m = append(m, "since "+l.since)
	}
	if l.look == escaped {
		m = append(m, "raw")
	}
	if l.x > 0 && !l.wrap {
		m = append(m, fmt.Sprintf("column %d", l.x+1))
	}
	if len(m) == 0 {
		return nil
	}
	m[len(m)-1] += " "
	return m
}
