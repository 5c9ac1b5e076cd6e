//go:build unix

package ui_test

import (
	"slices"
	"strconv"
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

// BenchmarkKeyDuringFlood is the time from a key's bytes at gantry's input to
// the cursor's move in a list, while a shell prints as fast as it can: on the
// stage beside the list, or behind the tabs of the list's row. The medians are
// to stay below 50 ms.
func BenchmarkKeyDuringFlood(b *testing.B) {
	for _, c := range []struct{ name, show, back string }{
		{name: "beside", show: "["},    // the session is the last of the tabs
		{name: "behind", back: "\x1d"}, // and is looked at again only afterwards
	} {
		b.Run(c.name, func(b *testing.B) { keyDuringFlood(b, c.show, c.back) })
	}
}

// leastFlood is how many lines the shell has to print per key. It prints some
// 15,000 when two processors have nothing else to do.
const leastFlood = 1000

// keyDuringFlood types show once the list has the keys, and back when it needs
// them no more and the flood is to be seen.
func keyDuringFlood(b *testing.B, show, back string) {
	f, _, _ := explorer(b)
	s := uitest.Run(b, f, 120, 40, tea.WithFPS(120)) // as main does
	waitForTasks(s)
	s.Type("e")
	waitForPrompt(s)
	s.Type("exec seq 1 100000000000\r") // more than any run lasts
	s.Until(func(screen string) bool { return floodedTo(screen) > 0 }, "no flood")
	before := s.Text()
	s.Type("\x1d6" + show)
	s.Until(func(screen string) bool {
		return strings.Contains(screen, "E exec a command") && floodedTo(screen) > 0 == (show != "")
	}, "the list never had the keys")
	if show != "" {
		before = s.Text()
	}

	moves := [...]struct {
		key string
		to  int
	}{{"j", 1}, {"k", 0}}
	var took []time.Duration
	for b.Loop() {
		move := moves[len(took)%len(moves)]
		start := time.Now()
		s.Type(move.key)
		s.Until(func(screen string) bool { return taskChosen(screen) == move.to }, "the cursor never moved")
		took = append(took, time.Since(start))
	}
	s.Type(back)
	s.Until(func(screen string) bool { return floodedTo(screen) > 0 }, "the flood is gone")
	// Taking and giving back the keys lasts a few frames, of some 15,000 lines
	// each: a flood that pauses then prints too little for many keys.
	printed := floodedTo(s.Text()) - floodedTo(before)
	if printed < leastFlood*len(took) {
		b.Fatalf("only %d lines of flood during %d keys:\n%s", printed, len(took), s.Text())
	}

	slices.Sort(took)
	b.ReportMetric(milliseconds(took[len(took)/2]), "median-ms")
	b.ReportMetric(milliseconds(took[len(took)*99/100]), "p99-ms")
	b.ReportMetric(float64(printed)/float64(len(took)), "flood-lines/key")
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// floodedTo is the highest number that stands alone in a line of the stage.
func floodedTo(screen string) int {
	highest := 0
	for line := range strings.Lines(screen) {
		_, stage, _ := strings.Cut(line, "││")
		n, err := strconv.Atoi(strings.Trim(stage, "│ \n"))
		if err == nil {
			highest = max(highest, n)
		}
	}
	return highest
}

// taskChosen is which of web's tasks the cursor is on, counted from 0; -1 when
// it is on none.
func taskChosen(screen string) int {
	n := -1
	for line := range strings.Lines(screen) {
		list, _, bordered := strings.Cut(line, "││")
		if !bordered || !strings.Contains(list, " web/") {
			continue // the session's name is in the stage's border
		}
		n++
		if strings.Contains(list, "▸ web/") {
			return n
		}
	}
	return -1
}
