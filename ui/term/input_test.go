package term

import (
	"fmt"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

func TestPaste(t *testing.T) {
	for _, c := range []struct {
		encode func(string) string
		text   string
		want   string
	}{
		{encodePaste, "one\ntwo\r\nthree", "one\rtwo\rthree"},
		{encodeBracketedPaste, "日本\n", "\x1b[200~日本\r\x1b[201~"},
		{encodeBracketedPaste, "a\x1b[201~rm -rf /\n", "\x1b[200~arm -rf /\r\x1b[201~"},
		{encodeBracketedPaste, "a\x1b[20\x1b[201~1~b", "\x1b[200~a[201~b\x1b[201~"},
		{encodeBracketedPaste, "\u009b201~x\x03\x00\ty", "\x1b[200~x\ty\x1b[201~"},
	} {
		if got := c.encode(c.text); got != c.want {
			t.Errorf("%q is sent as %q, want %q", c.text, got, c.want)
		}
	}
}

func TestPasteReachesTheFarEnd(t *testing.T) {
	d := open(t, 20, 4)
	big := strings.Repeat("0123456789abcdef", 200<<10/16)
	d.run(d.Update(tea.PasteMsg{Content: big}))
	d.far.gets(t, big)
	d.far.prints(t, "\x1b[?2004hready")
	d.shows("ready")
	d.run(d.Update(tea.PasteMsg{Content: "x"}))
	d.far.gets(t, "\x1b[200~x\x1b[201~")
}

func TestMouseOfPrograms(t *testing.T) {
	click := tea.MouseClickMsg{X: 3, Y: 1, Button: tea.MouseLeft}
	release := tea.MouseReleaseMsg{X: 3, Y: 1, Button: tea.MouseLeft}
	drag := tea.MouseMotionMsg{X: 4, Y: 1, Button: tea.MouseLeft}
	hover := tea.MouseMotionMsg{X: 4, Y: 1}
	wheel := tea.MouseWheelMsg{X: 0, Y: 0, Button: tea.MouseWheelDown}
	for _, c := range []struct {
		asks string
		msgs []tea.Msg
		want string
	}{
		{"\x1b[?1000h\x1b[?1006h", []tea.Msg{click, drag, hover, release, wheel}, "\x1b[<0;4;2M\x1b[<0;4;2m\x1b[<65;1;1M"},
		{"\x1b[?1002;1006h", []tea.Msg{click, drag, hover, release}, "\x1b[<0;4;2M\x1b[<32;5;2M\x1b[<0;4;2m"},
		{"\x1b[?1003h\x1b[?1006h", []tea.Msg{hover}, "\x1b[<35;5;2M"},
		{"\x1b[?1000h", []tea.Msg{click, release}, "\x1b[M $\"\x1b[M#$\""},
		{"\x1b[?1000h\x1b[?1015h", []tea.Msg{click, release}, "\x1b[32;4;2M\x1b[35;4;2M"},
		{"\x1b[?9h", []tea.Msg{click, release, drag}, "\x1b[M $\""},
		{"\x1b[?1000h\x1b[?1006h", []tea.Msg{tea.MouseClickMsg{X: 1, Y: 2, Button: tea.MouseRight, Mod: ctrl | shift}}, "\x1b[<22;2;3M"},
	} {
		t.Run(fmt.Sprintf("%q", c.asks), func(t *testing.T) {
			d := open(t, 20, 4)
			d.far.prints(t, c.asks+"ready")
			d.shows("ready")
			for _, m := range c.msgs {
				d.run(d.Update(m))
			}
			d.far.gets(t, c.want)
		})
	}
}

// A byte cannot tell of columns far to the right.
func TestLegacyMouseFarRight(t *testing.T) {
	if got := encodeMouse(tea.MouseClickMsg{X: 223, Button: tea.MouseLeft}, mousePress, 0); got != "" {
		t.Errorf("sent %q", got)
	}
}

func TestFocusIsReportedWhenAsked(t *testing.T) {
	d := open(t, 20, 4)
	d.run(d.Update(tea.BlurMsg{}))
	d.far.prints(t, "\x1b[?1004hready")
	d.shows("ready")
	d.run(d.Update(tea.BlurMsg{}))
	d.run(d.Update(tea.FocusMsg{}))
	d.far.gets(t, "\x1b[O\x1b[I")
}

func TestWheelOnTheAlternateScreen(t *testing.T) {
	d := open(t, 20, 4)
	d.far.prints(t, "\x1b[?1049hready")
	d.shows("ready")
	d.run(d.Update(tea.MouseWheelMsg{Button: tea.MouseWheelUp}))
	d.far.gets(t, "\x1b[A\x1b[A\x1b[A")
}

func TestQuestionsAreAnswered(t *testing.T) {
	d := open(t, 20, 4)
	d.far.prints(t, "ab\x1b[6n")
	d.far.gets(t, "\x1b[1;3R")
	d.far.prints(t, "\x1b[c")
	d.far.wait(t, "device attributes", func(s string, _ [][2]int) bool { return strings.HasPrefix(s, "\x1b[?62") })
}

func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "line %d\r\n", i)
	}
	return b.String()
}

func TestHistory(t *testing.T) {
	d := open(t, 20, 4)
	d.far.prints(t, numbered(3000)+"$ ")
	d.shows("$")
	d.press(press(tea.KeyPgUp, shift))
	d.shows("line 2994\n")
	d.run(d.Update(tea.MouseWheelMsg{Button: tea.MouseWheelUp}))
	d.shows("line 2991\n")
	top := strings.SplitN(d.screen(), "\n", 2)[0]
	d.far.prints(t, numbered(10)+"more")
	d.until("more", func() bool { return d.stale })
	if got := d.screen(); !strings.HasPrefix(got, top) {
		t.Errorf("new output has moved what is looked at from %s:\n%s", top, got)
	}
	if d.Cursor() != nil {
		t.Error("the cursor shows over the history")
	}
	d.until("line 1007", func() bool { // the oldest of 2000: of 3010 lines, 3 are on the screen
		d.command("g")
		return strings.HasPrefix(d.screen(), "line 1007\n")
	})
	if d.Typing() {
		t.Error("typing while looking through the history")
	}
	d.command("enter")
	d.shows("more")
	if !d.Typing() {
		t.Error("the session has not got the keys back")
	}
	d.press(press(tea.KeyPgUp, shift), typed("x", 'x'))
	d.far.gets(t, "x")
	d.shows("more")
}

func TestSearch(t *testing.T) {
	d := open(t, 30, 5)
	d.far.prints(t, "Apple\r\n"+numbered(50)+"apple 日本 apple\r\n"+numbered(50))
	d.shows("line 49")
	search := func(text string) {
		d.command("/")
		if !d.Typing() {
			t.Error("the pattern is not typed")
		}
		d.press(typed(text, tea.KeyExtended), press(tea.KeyEnter))
	}
	search("apple")
	first := d.search.found
	if got := d.screen(); !strings.Contains(got, "apple 日本 apple") {
		t.Errorf("shown:\n%s", got)
	}
	d.command("n")
	if second := d.search.found; second.line != first.line || first.col != 11 || second.col != 0 {
		t.Errorf("found %v, then %v", first, second)
	}
	d.command("n")
	if got := d.screen(); !strings.HasPrefix(got, "Apple\n") {
		t.Errorf("shown:\n%s", got)
	}
	d.command("n")
	if got := d.host.said(); got != "no earlier match of apple" {
		t.Errorf("said %q", got)
	}
	d.command("N")
	d.command("N")
	if d.search.found != first {
		t.Errorf("found %v, want %v", d.search.found, first)
	}
	search("Apple")
	if got := d.screen(); !strings.HasPrefix(got, "Apple\n") {
		t.Errorf("capitals count; shown:\n%s", got)
	}
	d.command("/")
	d.press(typed("ab", tea.KeyExtended), press(tea.KeyBackspace), press(tea.KeyEscape))
	if d.search.asking || d.search.pattern != "Apple" {
		t.Errorf("left with %+v", d.search)
	}
}

func TestSelection(t *testing.T) {
	d := open(t, 20, 4)
	d.far.prints(t, "one two\r\n日本語 text\r\n\x1b[31mred\x1b[m")
	d.shows("red")
	d.run(d.Update(tea.MouseClickMsg{X: 4, Y: 0, Button: tea.MouseLeft}))
	d.run(d.Update(tea.MouseMotionMsg{X: 3, Y: 1, Button: tea.MouseLeft}))
	text := ""
	d.session.mu.Lock()
	text = d.selected()
	d.session.mu.Unlock()
	if text != "two\n日本" {
		t.Errorf("selected %q", text)
	}
	d.run(d.Update(tea.MouseReleaseMsg{X: 3, Y: 1, Button: tea.MouseLeft}))
	if got := d.host.said(); got != "copied 6 characters" {
		t.Errorf("said %q", got)
	}
}

// A selection changes neither the width of a line nor its colours beside it.
func TestSelectionIsDrawn(t *testing.T) {
	d := open(t, 12, 2)
	d.far.prints(t, "\x1b[31mab日本語cd\x1b[m")
	d.shows("cd")
	for from := range 12 {
		for to := from; to < 12; to++ {
			d.selection = selection{active: true, anchor: place{0, from}, head: place{0, to}}
			d.stale = true
			line := strings.SplitN(d.View(), "\n", 2)[0]
			if w := ansi.StringWidth(line); w != 12 {
				t.Fatalf("%d to %d: %d columns wide: %q", from, to, w, line)
			}
			if _, after, ok := strings.Cut(line, "22m"); ok && to < 9 && !strings.Contains(after, "\x1b[31m") {
				t.Errorf("%d to %d: %q has lost its colour at the end", from, to, line)
			}
		}
	}
}

func TestCopyOfWhatShows(t *testing.T) {
	d := open(t, 20, 4)
	d.far.prints(t, "one\r\n\r\ntwo  ")
	d.shows("two")
	d.command("y")
	if got := d.host.said(); got != "copied 8 characters" {
		t.Errorf("said %q", got)
	}
}
