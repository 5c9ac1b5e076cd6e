package screen

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// show is the screen's text, without blank lines at the end.
func (s *Screen) show() string {
	lines := make([]string, s.h)
	for y := range lines {
		lines[y] = s.Text(y)
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

func (s *Screen) past() []string {
	var lines []string
	for n := s.history.Start(); n < s.history.End(); n++ {
		lines = append(lines, s.history.Text(n))
	}
	return lines
}

func write(s *Screen, text string) { _, _ = s.Write([]byte(text)) }

func TestWideAtTheMargin(t *testing.T) {
	for _, c := range []struct {
		w      int
		stream string
		want   string
	}{
		{6, "日本語日本", "日本語\n日本"},
		{6, "a日本語日本", "a日本\n語日本"},
		{7, "日本語日本", "日本語\n日本"},
		{6, "日本語x", "日本語\nx"},
		{6, "日本語\r\nx", "日本語\nx"},
		{6, "日本語\rx", "x 本語"},
		{6, "日本語\bx", "日本x"},
		{6, "日本語\x1b[31mx", "日本語\nx"},
		{6, "日本語\x1b[2Gx", " x本語"},
		{6, "abcde日", "abcde\n日"},
		{6, "abcdef日", "abcdef\n日"},
		{6, "\x1b[?7l日本語日", "日本語"},
		{2, "日本", "日\n本"},
		{1, "日x", "x"},
		{6, "日本語\u0301x", "日本語\u0301\nx"},
		{5, "日本🙂🙂", "日本\n🙂🙂"},
		{6, "abcdef\x1b[Kx", "abcdex"},
	} {
		for _, most := range []int{1, 1 << 10} {
			s := open(t, c.w, 4, 10)
			chunked(s, rand.New(rand.NewPCG(1, 1)), c.stream, most)
			if got := s.show(); got != c.want {
				t.Errorf("%q in %d columns, by %d bytes, is\n%s\nwant\n%s", c.stream, c.w, most, got, c.want)
			}
		}
	}
}

// What this repairs is still broken in x/vt. When this fails, the repair can
// go.
func TestTheEmulatorStillCutsWideCharacters(t *testing.T) {
	e := stock(t, 6, 4)
	_, _ = e.WriteString("日本語日本")
	if got := e.String(); strings.HasPrefix(got, "日本語\n日本") {
		t.Errorf("x/vt now shows\n%s", got)
	}
}

func TestTitles(t *testing.T) {
	for _, c := range []struct{ stream, title string }{
		{"\x1b]0;plain\a", "plain"},
		{"\x1b]2;日本語 本\x1b\\", "日本語 本"},
		{"\x1b]0;a;b;c\a", "a;b;c"},
		{"\x1b]2;evil\u009b31m\u202e\a", "evil�31m�"},
		{"\x1b]2;bad \xff\xfe\x9c bytes\a", "bad � bytes"},
		{"\x1b]1;icon\a", ""},
	} {
		s := open(t, 20, 3, 10)
		write(s, c.stream+"text")
		if s.show() != "text" || s.Title() != c.title {
			t.Errorf("%q: the title is %q, want %q; the screen shows %q", c.stream, s.Title(), c.title, s.show())
		}
	}
}

// Sequences that x/vt lacks or gets wrong.
func TestRepairs(t *testing.T) {
	for _, c := range []struct{ name, stream, want string }{
		{"line drawing, shifted", "\x1b)0a\x0eqx\x0fq", "a─│q"},
		{"line drawing, designated", "\x1b(0q\x1b(Bq", "─q"},
		{"insert mode", "world\r\x1b[4hhello \x1b[4l!", "hello !orld"},
		{"insert mode, wide", "x\r\x1b[4h日本\x1b[4l", "日本x"},
		{"next line", "a\x1bEb", "a\nb"},
		{"save and restore", "a\x1b[sbc\x1b[uX", "aXc"},
		{"restore forgets to wrap", "\x1b7" + strings.Repeat("x", 20) + "\x1b8y", "y" + strings.Repeat("x", 19)},
		{"the old alternate screen", "main\x1b[?47halt\x1b[?47l!", "main!"},
		{"soft reset", "\x1b[2;3r\x1b[?6h\x1b(0\x1b[!pq\n\n\nr", "q\n\n\n r"},
		{"erasing the history keeps the screen", "text\x1b[3J", "text"},
		{"8-bit controls in UTF-8", "a\u009b31mb\u0090c", "a31mbc"},
		{"8-bit controls", "a\x9b31mb", "a�31mb"},
		{"cut characters", "a\xe6\x97\r\nb\xe6", "a��\nb"},
		{"delete", "a\x7fb", "ab"},
		{"cancelled", "\x1b[31\x18a\x1b]0;t\x18b", "ab"},
		{"controls in sequences", "ab\x1b[\r2Cc", "abc"},
		{"sequence in a string", "\x1b]0;t\x1b[1mx", "x"},
	} {
		for _, most := range []int{1, 1 << 10} {
			s := open(t, 20, 4, 10)
			chunked(s, rand.New(rand.NewPCG(1, 1)), c.stream, most)
			if got := s.show(); got != c.want {
				t.Errorf("%s, by %d bytes: shows\n%q, want\n%q", c.name, most, got, c.want)
			}
		}
	}
}

// Nothing that a program prints hangs, grows without bound, or shows what the
// user did not ask for.
func TestHostileOutput(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	for name, stream := range map[string]string{
		"counts":      "\x1b[999999999999999999999b\x1b[2147483647I\x1b[2147483647Z\x1b[4294967296X\x1b[99999999@\x1b[99999999P\x1b[99999999L\x1b[99999999M\x1b[99999999S\x1b[99999999T",
		"repeat":      "x" + strings.Repeat("\x1b[999999999b", 20),
		"region":      "\x1b[1;9999r\x1b[9999M\x1b[9999L\n\n\x1b[5;2r\x1b[99;999r\x1b[r",
		"margins":     "\x1b[?69h\x1b[3;9999s\x1b[M\x1b[L\x1b[@\x1b[?69l",
		"long OSC":    "\x1b]0;" + big + "\a",
		"long CSI":    "\x1b[" + strings.Repeat("1;", 1<<20) + "m",
		"DCS":         "\x1bP" + big + "\x1b\\\x1b_" + big + "\x1b\\\x1b^" + big + "\x1b\\\x1bX" + big + "\x1b\\",
		"clipboard":   "\x1b]52;c;aGVsbG8=\a\x1b]52;c;?\a",
		"link":        "\x1b]8;;http://evil.example/\atext\x1b]8;;\a",
		"marks":       "a" + strings.Repeat("\u0301", 1<<16),
		"long line":   big,
		"nested":      strings.Repeat("\x1b", 1<<16) + strings.Repeat("\x1b[", 1<<16) + strings.Repeat("\x1b]", 100) + "\x18",
		"resize":      "\x1b[8;9999;9999t",
		"alternation": strings.Repeat("\x1b[?1049h\x1b[?1049l\x1b[?47h\x1b[?1047l", 500),
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, 40, 10, 100)
			write(s, stream)
			write(s, "\x1bcstill here")
			if got := s.show(); got != "still here" {
				t.Errorf("shows %q", got)
			}
			if w, h := s.Size(); w != 40 || h != 10 || s.vt.Width() != 40 || s.vt.Height() != 10 {
				t.Errorf("the size is %dx%d", w, h)
			}
		})
	}
}

func TestDrawnTextHoldsOnlyColours(t *testing.T) {
	s := open(t, 40, 4, 10)
	write(s, "\x1b]8;;http://evil.example/\alink\x1b]8;;\a \x1b]52;c;aGk=\a\u009d52;c;aGk=\u009c \x1b[1mbold")
	row := s.Row(0)
	if strings.Contains(row, "\x1b]") || strings.ContainsFunc(row, func(r rune) bool { return r >= 0x80 && r < 0xa0 }) {
		t.Errorf("the row is %q", row)
	}
}

func FuzzWrite(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		f.Add([]byte(text(r, words)+moves(r)+moves(r)), uint8(20), uint8(5), uint8(7))
	}
	f.Add([]byte("\x1b[1;99r\x1b[99M\x1b[4h日\x1b[!p\x1b]10;?\a"), uint8(1), uint8(1), uint8(3))
	f.Fuzz(func(t *testing.T, stream []byte, w, h, cut uint8) {
		s := New(int(w%80), int(h%30), 50, func([]byte) {})
		defer s.Close()
		for p := stream; len(p) > 0; {
			n := min(int(cut)+1, len(p))
			write(s, string(p[:n]))
			p = p[n:]
		}
		s.Resize(int(h%30), int(w%80))
		write(s, "text\r\n\r\n")
		c := s.Cursor()
		if cols, rows := s.Size(); c.X < 0 || c.Y < 0 || c.X >= cols || c.Y >= rows {
			t.Errorf("the cursor is at %d,%d of %dx%d", c.X, c.Y, cols, rows)
		}
		_ = s.show()
	})
}

func TestResizeKeepsThePrompt(t *testing.T) {
	s := open(t, 20, 6, 100)
	write(s, "1\r\n2\r\n3\r\n4\r\n5\r\n$ ")
	s.Resize(20, 3)
	if got := s.show(); got != "4\n5\n$" {
		t.Errorf("shows\n%s", got)
	}
	if got := strings.Join(s.past(), " "); got != "1 2 3" {
		t.Errorf("the history is %s", got)
	}
	if c := s.Cursor(); c.X != 2 || c.Y != 2 {
		t.Errorf("the cursor is at %d,%d", c.X, c.Y)
	}
	s.Resize(10, 5)
	write(s, "x")
	if got := s.show(); got != "4\n5\n$ x" {
		t.Errorf("shows\n%s", got)
	}
}

func TestResizeKeepsThePromptBehindAProgram(t *testing.T) {
	s := open(t, 20, 6, 100)
	write(s, "1\r\n2\r\n3\r\n4\r\n5\r\n$ vi\x1b[?1049h\x1b[Hvi's first line\x1b[3;3H")
	s.Resize(20, 3)
	if got := s.show(); got != "vi's first line" {
		t.Errorf("shows\n%s", got)
	}
	write(s, "\x1b[?1049l\r\n$ ")
	if got := s.show(); got != "5\n$ vi\n$" {
		t.Errorf("shows\n%s", got)
	}
	if got := strings.Join(s.past(), " "); got != "1 2 3 4" {
		t.Errorf("the history is %s", got)
	}
}

func TestResizeToNothing(t *testing.T) {
	s := open(t, 20, 6, 100)
	for _, size := range [][2]int{{0, 0}, {1, 1}, {200, 100}, {2, 1}, {1, 2}, {20, 6}} {
		s.Resize(size[0], size[1])
		write(s, "日本語 text\r\n\r\nmore\x1b[?1049h日\x1b[?1049l")
	}
}

func TestNarrowingCutsWideCharacters(t *testing.T) {
	s := open(t, 6, 2, 10)
	write(s, "日本語")
	s.Resize(5, 2)
	if got := s.Text(0); got != "日本" {
		t.Errorf("shows %q", got)
	}
}

// Every row is as wide as the screen, whatever was done to wide characters.
func TestRowsHaveTheWidthOfTheScreen(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 4))
		s := open(t, 3+r.IntN(30), 2+r.IntN(8), 100)
		for range 50 {
			write(s, text(r, []string{"日本", "a", "🙂", "e\u0301", "ｗ"})[:20]+moves(r)+moves(r))
		}
		s.Resize(2+r.IntN(30), 2+r.IntN(8))
		for y := range s.h {
			if w := ansi.StringWidth(s.Row(y)); w != s.w {
				t.Fatalf("seed %d: row %d is %d columns wide of %d: %q", seed, y, w, s.w, s.Row(y))
			}
		}
	}
}

func TestHistoryIsBounded(t *testing.T) {
	s := open(t, 20, 4, 100)
	for i := range 1000 {
		write(s, fmt.Sprintf("%d\r\n", i))
	}
	if h := s.History(); h.End()-h.Start() != 100 || h.Text(h.End()-1) != "996" || h.Text(h.Start()-1) != "" || h.Text(h.End()) != "" {
		t.Errorf("lines %d to %d, the last is %q", h.Start(), h.End(), h.Text(h.End()-1))
	}
	write(s, "\x1b[3J")
	if h := s.History(); h.Start() != h.End() || h.End() != 997 {
		t.Errorf("after clearing: lines %d to %d", h.Start(), h.End())
	}
	h := newHistory(1 << 20)
	for range 100 {
		h.push(strings.Repeat("x", maxHistory/10))
	}
	if h.bytes > maxHistory {
		t.Errorf("%d bytes", h.bytes)
	}
}

// The pinned x/vt still has the fields that are made smaller.
func TestSlim(t *testing.T) {
	e := vt.NewEmulator(10, 4)
	if buffer, history := slim(e); !buffer || !history {
		t.Errorf("buffer %v, history %v", buffer, history)
	}
	s := open(t, 10, 4, 10)
	write(s, "\x1b[?1049h"+strings.Repeat("line\r\n", 1000)+"\x1b[5S\x1b[?1049l")
	if n := s.history.End(); n != 0 {
		t.Errorf("%d lines of the alternate screen are in the history", n)
	}
}

func TestAnswers(t *testing.T) {
	var got bytes.Buffer
	s := New(20, 5, 10, func(p []byte) { got.Write(p) })
	write(s, "\x1b]11;?\aab\x1b[6n\x1b[?25$p")
	s.Close()
	if want := "\x1b[1;3R\x1b[?25;1$y"; !strings.HasSuffix(got.String(), want) {
		t.Errorf("answered %q, want %q", got.String(), want)
	}
}

func TestKeyModes(t *testing.T) {
	s := open(t, 20, 5, 10)
	write(s, "\x1b[?1h\x1b=\x1b[20h\x1b[>4;1m\x1b[?2004h\x1b[?1000;1006h\x1b[4 q\x1b[?25l")
	if !s.Mode(1) || !s.Mode(66) || !s.NewLine() || s.OtherKeys() != 1 || !s.Mode(2004) || !s.Mode(1000) || !s.Mode(1006) {
		t.Errorf("modes %v", s.Modes())
	}
	if c := s.Cursor(); !c.Hidden || c.Shape != vt.CursorUnderline || !c.Steady {
		t.Errorf("the cursor is %+v", c)
	}
	write(s, "\x1bc")
	if s.Mode(1) || s.Mode(2004) || s.NewLine() || s.OtherKeys() != 0 || !s.Mode(7) || s.Cursor().Hidden {
		t.Errorf("after a reset: modes %v, cursor %+v", s.Modes(), s.Cursor())
	}
}

// What is taken for granted about the usual characters is what x/ansi says.
func TestLoneWidth(t *testing.T) {
	for r := rune(0); r <= 0x10ffff; r++ {
		w := loneWidth(r)
		if w == 0 {
			continue
		}
		both := string(r) + "日"
		one, width := ansi.FirstGraphemeCluster(both, ansi.GraphemeWidth)
		if one != string(r) || width != w {
			t.Fatalf("%U: width %d and %q, taken for %d", r, width, one, w)
		}
		if first, _ := ansi.FirstGraphemeCluster("日"+string(r), ansi.GraphemeWidth); first != "日" {
			t.Fatalf("%U joins what comes before", r)
		}
	}
}
