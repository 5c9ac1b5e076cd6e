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
		return styled(t.Bad, style.Wrap("✗ "+style.Lines(err.Error()), w))
	}
	lines := styled(t.Bad, style.Wrap("✗ "+style.Lines(told.What), w))
	if told.Cause != "" {
		lines = append(lines, styled(t.Text, style.Wrap("  "+style.Lines(told.Cause), w))...)
	}
	if told.Do != "" {
		lines = append(lines, styled(t.Accent, style.Wrap("→ "+style.Lines(told.Do), w))...)
	}
	return lines
}

func styled(s style.Style, lines []string) []string {
	for i, l := range lines {
		lines[i] = s.Render(l)
	}
	return lines
}
