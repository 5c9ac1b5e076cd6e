package screen

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/charmbracelet/x/vt"
)

// stock is x/vt as it is, with nobody in front of it.
func stock(t testing.TB, w, h int) *vt.Emulator {
	e := vt.NewEmulator(w, h)
	done := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, e)
		close(done)
	}()
	t.Cleanup(func() {
		_ = e.InputPipe().(io.Closer).Close()
		<-done
	})
	return e
}

func open(t testing.TB, w, h, lines int) *Screen {
	s := New(w, h, lines, func([]byte) {})
	t.Cleanup(s.Close)
	return s
}

// chunked writes in pieces of random size, up to most bytes.
func chunked(s *Screen, r *rand.Rand, stream string, most int) {
	for p := []byte(stream); len(p) > 0; {
		n := min(1+r.IntN(most), len(p))
		_, _ = s.Write(p[:n])
		p = p[n:]
	}
}

var words = []string{
	"a", "hello", "the quick brown fox", "  ", "x ", "é", "naïve", "e\u0301", "─┼─", "ß", "0123456789",
	strings.Repeat("long ", 30),
}

// text is lines as programs print them, which mostly scroll.
func text(r *rand.Rand, words []string) string {
	styles := []string{
		"\x1b[m", "\x1b[0m", "\x1b[31m", "\x1b[1;42m", "\x1b[38;5;99m", "\x1b[48;2;1;2;3m", "\x1b[4:3m", "\x1b[7m", "\x1b[;1m", "\x1b[K", "\x1b[0K",
		"\x1b[01;31m\x1b[K",
	}
	ends := []string{"\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", "\t", "\b", "\b\b", "\a", " "}
	var b strings.Builder
	for range 40 + r.IntN(200) {
		if r.IntN(4) == 0 {
			b.WriteString(styles[r.IntN(len(styles))])
		}
		b.WriteString(words[r.IntN(len(words))])
		b.WriteString(ends[r.IntN(len(ends))])
	}
	return b.String()
}

// moves is sequences that move, erase, insert and change modes.
func moves(r *rand.Rand) string {
	n := func() int { return r.IntN(12) }
	all := []string{
		fmt.Sprintf("\x1b[%d;%dH", n(), n()), fmt.Sprintf("\x1b[%dA", n()), fmt.Sprintf("\x1b[%dB", n()), fmt.Sprintf("\x1b[%dC", n()),
		fmt.Sprintf("\x1b[%dD", n()), fmt.Sprintf("\x1b[%dG", n()), fmt.Sprintf("\x1b[%dd", 1+n()), "\x1b[J", "\x1b[1J", "\x1b[K", "\x1b[1K", "\x1b[2K", "\x1b[2J",
		fmt.Sprintf("\x1b[%d@", n()), fmt.Sprintf("\x1b[%dP", n()), fmt.Sprintf("\x1b[%dL", n()), fmt.Sprintf("\x1b[%dX", n()),
		fmt.Sprintf("\x1b[%dS", n()), fmt.Sprintf("\x1b[%dT", n()), "\x1b7", "\x1bM", "\x1bD", "\x1b[?7l", "\x1b[?7h", "\x1b[?25l", "\x1b[?25h", "x\x1b[5b",
		"\x1b[20;1H", "\x1b[999;1H", "\x1b[?6h\x1b[?6l", "\x1b[c", "\x1b[6n", "\x1b(B", "\x1b[1;3m",
	}
	return all[r.IntN(len(all))]
}

// compare wants the same cells, cursor and history on both.
func compare(t *testing.T, s *Screen, e *vt.Emulator) {
	t.Helper()
	var want []string
	for _, l := range e.Scrollback().Lines() {
		want = append(want, l.Render())
	}
	var got []string
	for n := s.history.Start(); n < s.history.End(); n++ {
		got = append(got, s.history.Line(n))
	}
	if len(got) != len(want) {
		t.Errorf("%d lines of history, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("line %d of the history is\n%q, want\n%q", i, got[i], want[i])
		}
	}
	compareScreens(t, s.vt, e)
}

func compareScreens(t *testing.T, s, e *vt.Emulator) {
	t.Helper()
	if s.CursorPosition() != e.CursorPosition() {
		t.Errorf("the cursor is at %v, want %v", s.CursorPosition(), e.CursorPosition())
	}
	for y := range e.Height() {
		for x := range e.Width() {
			if got, want := s.CellAt(x, y), e.CellAt(x, y); !got.Equal(want) {
				t.Fatalf("cell %d,%d is %+v, want %+v\n%s\n--- want\n%s", x, y, got, want, s.String(), e.String())
			}
		}
	}
}

// What is laid out here comes out as if the emulator had done it, for any way
// of cutting the stream into pieces.
func TestLikeTheEmulator(t *testing.T) {
	for seed := range uint64(80) {
		r := rand.New(rand.NewPCG(seed, 1))
		w, h := 3+r.IntN(40), 2+r.IntN(20)
		t.Run(fmt.Sprintf("seed %d %dx%d", seed, w, h), func(t *testing.T) {
			s, e := open(t, w, h, 100000), stock(t, w, h)
			e.Scrollback().SetMaxLines(100000)
			stream := ""
			for range 3 {
				stream += text(r, words)
				if seed%2 == 1 {
					for range r.IntN(30) {
						stream += moves(r) + words[r.IntN(len(words))]
					}
				}
			}
			_, _ = e.WriteString(stream)
			chunked(s, r, stream, 1<<r.IntN(13))
			compare(t, s, e)
		})
	}
}

// With regions and the alternate screen only the screen is compared: what the
// emulator calls history there is none.
func TestLikeTheEmulatorInRegions(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 2))
		w, h := 3+r.IntN(40), 4+r.IntN(20)
		t.Run(fmt.Sprintf("seed %d %dx%d", seed, w, h), func(t *testing.T) {
			s, e := open(t, w, h, 100000), stock(t, w, h)
			stream := ""
			for range 4 {
				top := 1 + r.IntN(h-2)
				stream += []string{"\x1b[r", "\x1b[?1049h", "\x1b[H\x1b[?1049l", fmt.Sprintf("\x1b[%d;%dr", top, top+1+r.IntN(h-top))}[r.IntN(4)]
				stream += text(r, words)
				for range r.IntN(30) {
					stream += moves(r) + words[r.IntN(len(words))] + []string{"", "\x1b[3M", "\r\n"}[r.IntN(3)]
				}
			}
			_, _ = e.WriteString(stream)
			chunked(s, r, stream, 1<<r.IntN(13))
			compareScreens(t, s.vt, e)
		})
	}
}

// Byte by byte nothing is ever laid out at once: with wide characters, which
// the emulator gets wrong, both ways have to agree with each other.
func TestWideFlood(t *testing.T) {
	wide := append([]string{"日本語", "한국어", "🙂", "日", "a日", "👩‍👩‍👧", "\u200b", "ｗｉｄｅ", strings.Repeat("仮名", 30), "\u009b31m", "\xff", "\u202e"}, words...)
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 3))
		w, h := 3+r.IntN(40), 2+r.IntN(20)
		t.Run(fmt.Sprintf("seed %d %dx%d", seed, w, h), func(t *testing.T) {
			slow, fast := open(t, w, h, 100000), open(t, w, h, 100000)
			stream := text(r, wide) + text(r, wide)
			chunked(slow, r, stream, 1)
			chunked(fast, r, stream, 1+r.IntN(1<<14))
			compareHistories(t, fast, slow)
			compareScreens(t, fast.vt, slow.vt)
		})
	}
}

func compareHistories(t *testing.T, got, want *Screen) {
	t.Helper()
	if got.history.End() != want.history.End() {
		t.Errorf("%d lines of history, want %d", got.history.End(), want.history.End())
	}
	for n := want.history.Start(); n < want.history.End(); n++ {
		if g, w := got.history.Line(n), want.history.Line(n); g != w {
			t.Fatalf("line %d of the history is\n%q, want\n%q", n, g, w)
		}
	}
}
