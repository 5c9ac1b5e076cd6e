//go:build unix

package ui_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/uitest"
)

// BenchmarkKeystrokeInPane is the time from a key's bytes at gantry's input to
// its echo on gantry's screen: input, event loop, data channel, the shell's
// tty in the sandbox and back, emulator, frame, renderer. The median is to stay
// below 20 ms.
func BenchmarkKeystrokeInPane(b *testing.B) {
	f, _, _ := explorer(b)
	s := uitest.Run(b, f, 120, 40, tea.WithFPS(120)) // as main does
	waitForTasks(s)
	s.Type("e")
	waitForPrompt(s)
	s.Type("PS1='> '; clear; stty -icanon; cat > /dev/null\r")
	s.Until(func(screen string) bool {
		return strings.Contains(screen, "│> ") || strings.Contains(screen, "│  ")
	}, "never cleared")
	s.Settle()
	var took []time.Duration
	for b.Loop() {
		before := strings.Count(s.Text(), "~")
		start := time.Now()
		s.Type("~")
		s.Until(func(screen string) bool { return strings.Count(screen, "~") != before }, "no echo")
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "median-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}
