package ui

import (
	"errors"

	"gantry/internal/diagnose"
	"gantry/ui/style"
)

// errorLines tells an error in lines of at most w cells: what failed, the
// likely cause, what to do.
func errorLines(err error, w int) []string {
	t := style.Now()
	var told *diagnose.Error
	if !errors.As(err, &told) {
		return styled(t.Bad, hanging("✗ ", err.Error(), w))
	}
	lines := styled(t.Bad, hanging("✗ ", told.What, w))
	if told.Cause != "" {
		lines = append(lines, styled(t.Text, hanging("  ", told.Cause, w))...)
	}
	if told.Do != "" {
		lines = append(lines, styled(t.Accent, hanging("→ ", told.Do, w))...)
	}
	return lines
}

// hanging is text in lines of at most w cells behind a sign, which the lines
// after the first are indented by.
func hanging(sign, text string, w int) []string {
	n := style.Width(sign)
	lines := style.Wrap(style.Lines(text), max(1, w-n))
	for i := range lines {
		if i == 0 {
			lines[i] = sign + lines[i]
			continue
		}
		lines[i] = style.Blank(n) + lines[i]
	}
	return lines
}

func styled(s style.Style, lines []string) []string {
	for i, l := range lines {
		lines[i] = s.Render(l)
	}
	return lines
}

// causeOf is why something failed, without what it was.
func causeOf(err error) string {
	var told *diagnose.Error
	if errors.As(err, &told) && told.Cause != "" {
		return told.Cause
	}
	return err.Error()
}
