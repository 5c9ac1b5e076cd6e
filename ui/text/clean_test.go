package text

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"gantry/ui/style"
)

func TestCleanLeavesNothingATerminalActsOn(t *testing.T) {
	for _, c := range []struct {
		name, in, want string
		lost           loss
	}{
		{"plain", "GET / 200", "GET / 200", 0},
		{"colour", "\x1b[1;31mERR\x1b[0mOR", "ERROR", sequences},
		{"markup stays", "[red]alert[-]", "[red]alert[-]", 0},
		{"title", "a\x1b]0;owned\x07b", "ab", sequences},
		{"title ended by ST", "a\x1b]0;owned\x1b\\b", "ab", sequences},
		{"title that never ends", "a\x1b]0;rm -rf /", "a0;rm -rf /", sequences},
		{"clipboard", "\x1b]52;c;cm0gLXJm\x07x", "x", sequences},
		{"DCS", "a\x1bP$q\"p\x1b\\b", "ab", sequences},
		{"C1 CSI", "a\u009b31mb", "ab", sequences},
		{"C1 OSC", "a\u009d0;owned\u009cb", "ab", sequences},
		{"C1 byte", "a\x9b31mb", "a\uFFFD31mb", 0},
		{"character set", "\x1b(0lqk", "lqk", sequences},
		{"lone escape", "a\x1b", "a", sequences},
		{"escape before a control", "a\x1b\nb", "a\uFFFDb", sequences},
		{"unfinished", "a\x1b[31", "a", sequences},
		{"reset", "a\x1bcb", "ab", sequences},
		{"progress", " 10 %\r 50 %\r100 %\r", "100 %", overwritten},
		{"line end of Windows", "done\r", "done", 0},
		{"tab", "\tat com.shop", "\tat com.shop", 0},
		{"bell and NUL", "a\a\x00b", "a\uFFFD\uFFFDb", 0},
		{"bidi override", "a\u202eb", "a\uFFFDb", 0},
		{"broken UTF-8", "a\xff\xc3", "a\uFFFD\uFFFD", 0},
		{"wide and combining", "日本 e\u0301", "日本 e\u0301", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, lost := appendClean(nil, []byte(c.in))
			if string(got) != c.want || lost != c.lost {
				t.Errorf("appendClean(%q) = %q, %d, want %q, %d", c.in, got, lost, c.want, c.lost)
			}
		})
	}
}

func TestEscapedSpellsEverythingOut(t *testing.T) {
	for in, want := range map[string]string{
		"\x1b[31mred": "^[[31mred", "a\tb\rc\x7f": "a^Ib^Mc^?", "\u009b1m": "<U+009B>1m", "\xff日": `\xff日`, "\u202ex": "<U+202E>x", "\uFFFD": "\uFFFD",
	} {
		if got := string(appendEscaped(nil, []byte(in))); got != want {
			t.Errorf("appendEscaped(%q) = %q, want %q", in, got, want)
		}
	}
}

// Two lists of what is unfit to be drawn must not drift apart.
func TestUnfitAgreesWithPlain(t *testing.T) {
	for c := rune(0x20); c <= utf8.MaxRune; c++ {
		if !utf8.ValidRune(c) || c == utf8.RuneError || c >= 0x80 && c < 0xa0 {
			continue // a C1 control begins a sequence here
		}
		if plain := style.Plain(string(c)) == string(c); plain == unfit(c) {
			t.Errorf("unfit(%U) = %v, but style.Plain lets it through: %v", c, unfit(c), plain)
		}
	}
}

func TestExpandKeepsTabStops(t *testing.T) {
	for in, want := range map[string]string{
		"\tx": "        x", "ab\tx": "ab      x", "日本\tx": "日本    x", "12345678\tx": "12345678        x", "no": "no",
	} {
		if got := expand(in); got != want {
			t.Errorf("expand(%q) = %q, want %q", in, got, want)
		}
	}
}

// safe tells what is wrong with a drawn screen of w by h cells; empty if
// nothing is.
func safe(view string, w, h int) string {
	lines := strings.Split(view, "\n")
	if w > 0 && h > 0 && len(lines) != h {
		return "wrong number of lines"
	}
	for _, line := range lines {
		bare := withoutOwnStyles(line)
		if !utf8.ValidString(bare) {
			return "broken UTF-8 in " + bare
		}
		if strings.ContainsFunc(bare, unfit) {
			return "unfit text in " + strings.ToValidUTF8(bare, "?")
		}
		if h > 0 && ansi.StringWidth(bare) != w {
			return "wrong width of " + bare
		}
	}
	return ""
}

// withoutOwnStyles takes away SGR sequences, and nothing else.
func withoutOwnStyles(s string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, "\x1b[")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		end := strings.TrimLeft(after, "0123456789;:")
		if !strings.HasPrefix(end, "m") {
			b.WriteString("\x1b")
			s = after
			continue
		}
		s = end[1:]
	}
}

var nasty = []string{
	"", "plain", "\x1b[31mred\x1b[0m", "\x1b]0;owned\x07", "\x1b]0;owned", "\u009b31m", "\x9b31m\x00\x01\xff\xfe", "\x1bP+q\x1b\\", "a\rb\rc",
	"日本語日本語日本語", "e\u0301\u0301\u0301", "👩‍👩‍👧 family 🇩🇪🇫🇷", "\u0301\u0301", "\t\t\tx", "\u202eevil\u2066", strings.Repeat("\u0300", 500),
	strings.Repeat("x", 300), "\x1b", "\x1b[", "\r\r", "a\x1b[8mhidden\x1b[28mb", "\u200d\u200d", "\ufe0f☃\ufe0f",
}

func TestLogDrawsNothingButTextAtAnySize(t *testing.T) {
	l := NewLog("we\x1b[31mb", Feed{Key: "k"}, LogOptions{})
	l.begun, l.read = true, true
	for i, s := range nasty {
		l.pending = append(l.pending, Line{At: then, Source: []string{"a", "a\x1b]0;x\x07\u009b very long name"}[i%2], Stderr: i%3 == 0, Text: s})
	}
	l.release()
	for _, change := range []func(){
		func() {}, l.toggleWrap, l.toggleTimes, func() { l.toggleRaw() }, l.toggleWrap, func() { l.search.pattern, _ = compile("re:.") },
		func() { l.toggleRaw() }, l.toggleWrap, func() { l.sideways(7) }, l.mark, func() { l.prompt = prompt{sign: "/", text: "\x1b]0;"} },
	} {
		change()
		for w := range 50 {
			for _, h := range []int{0, 1, 2, 3, 4, 7, 30} {
				l.Resize(w, h)
				if wrong := safe(l.View(), w, h); wrong != "" {
					t.Fatalf("%dx%d: %s", w, h, wrong)
				}
			}
		}
	}
	if wrong := safe(l.Title(), 0, 0); wrong != "" {
		t.Error(wrong)
	}
}

// FuzzLogDrawsNothingButText draws any bytes in all ways there are.
func FuzzLogDrawsNothingButText(f *testing.F) {
	for _, s := range nasty {
		f.Add(s, uint8(20), "a")
	}
	f.Fuzz(func(t *testing.T, text string, width uint8, searched string) {
		w := int(width)
		l := NewLog("web", Feed{Key: "k"}, LogOptions{})
		l.begun, l.read = true, true
		l.Resize(w, 5)
		l.pending = []Line{{Text: text, Source: text}, {Text: "日本" + text + "日本"}, {Text: text, Stderr: true, Source: searched}}
		l.release()
		if p, err := compile(searched); err == nil && !p.empty() {
			l.search.pattern = p
		}
		for _, change := range []func(){func() {}, l.toggleWrap, func() { l.toggleRaw() }, l.toggleWrap, func() { l.sideways(3) }, l.mark} {
			change()
			if wrong := safe(l.View(), w, 5); wrong != "" {
				t.Fatalf("%q at width %d: %s", text, w, wrong)
			}
		}
	})
}
