package style

import (
	"slices"
	"testing"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

func TestPlainLetsNoSequenceThrough(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"ascii", "web-1", "web-1"},
		{"colour", "\x1b[31mred\x1b[0m", "red"},
		{"title", "a\x1b]0;owned\x07b", "ab"},
		{"C1", "a\u009b31mb", "a\uFFFD31mb"},
		{"bell", "a\ab", "a\uFFFDb"},
		{"line break", "a\nb\tc", "a b c"},
		{"bidi override", "a\u202eb", "a\uFFFDb"},
		{"broken UTF-8", "a\xff", "a\uFFFD"},
		{"wide", "日本", "日本"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Plain(c.in); got != c.want {
				t.Errorf("Plain(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func TestFitTakesExactlyItsCells(t *testing.T) {
	for _, s := range []string{"", "abc", "日本語", "e\u0301te\u0301", "👩‍👩‍👧 family", Now().Bad.Render("red"), "a日b本c"} {
		for w := range 12 {
			if got := ansi.StringWidth(Fit(s, w)); got != w {
				t.Errorf("Fit(%q, %d) is %d wide", s, w, got)
			}
			if got := ansi.StringWidth(FitRight(s, w)); got != w {
				t.Errorf("FitRight(%q, %d) is %d wide", s, w, got)
			}
		}
	}
}

func TestWrapBreaksAtBlanks(t *testing.T) {
	for _, c := range []struct {
		name, in string
		w        int
		want     []string
	}{
		{"blank", "one two three", 8, []string{"one two", "three"}},
		{"IDs stay whole", "subnet-1, subnet-2", 14, []string{"subnet-1,", "subnet-2"}},
		{"longer than a line", "arn:aws:ecs:us-east-1:0:cluster/shop", 20, []string{"arn:aws:ecs:us-east-", "1:0:cluster/shop"}},
		{"among others", "a us-east-1:00 b", 6, []string{"a", "us-eas", "t-1:00", "b"}},
		{"no room", "one", 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Wrap(c.in, c.w); !slices.Equal(got, c.want) {
				t.Errorf("Wrap(%q, %d) = %q, want %q", c.in, c.w, got, c.want)
			}
		})
	}
}

func TestBoxTakesExactlyItsCells(t *testing.T) {
	edge, _, _ := Now().Edges()
	for w := range 20 {
		for h := range 6 {
			box := edge.Box("a title that is long", "note", "日本語日本語\nx", w, h)
			if gw, gh := size(box); h > 0 && (gw != w || gh != h) {
				t.Errorf("box of %dx%d is %dx%d", w, h, gw, gh)
			}
		}
	}
}

func size(s string) (w, h int) {
	lines := 1
	for _, r := range s {
		if r == '\n' {
			lines++
		}
	}
	return ansi.StringWidth(firstLine(s)), lines
}

func firstLine(s string) string {
	for i := range s {
		if s[i] == '\n' {
			return s[:i]
		}
	}
	return s
}

// A style must not end the background of the row it stands in.
func TestStyleShutsOnlyWhatItOpened(t *testing.T) {
	Choose(colorprofile.TrueColor, true)
	got := Now().Bad.Render("x")
	if want := "\x1b[39m"; got[len(got)-len(want):] != want {
		t.Errorf("%q does not end with %q", got, want)
	}
}

func TestChooseFitsTheTerminal(t *testing.T) {
	t.Cleanup(func() { Choose(colorprofile.TrueColor, true) })
	for _, c := range []struct {
		profile colorprofile.Profile
		dark    bool
		want    *Theme
	}{
		{colorprofile.TrueColor, true, dark},
		{colorprofile.ANSI256, false, light},
		{colorprofile.ANSI, true, sixteen},
		{colorprofile.ASCII, true, plain},
		{colorprofile.NoTTY, false, plain},
	} {
		if Choose(c.profile, c.dark); Now() != c.want {
			t.Errorf("Choose(%v, %v) took another theme", c.profile, c.dark)
		}
	}
}

func TestCutStart(t *testing.T) {
	for _, c := range []struct {
		text string
		w    int
		want string
	}{
		{"127.0.0.1:5000/team/web:1", 10, "…eam/web:1"},
		{"web:1", 5, "web:1"},
		{"web:1", 1, "…"},
		{"web:1", 0, ""},
		{"日本語/画像", 6, "…/画像"},
		{"日本語/画像", 7, "…/画像"}, // a halved 語 would not do
		{"日本語/画像", 8, "…語/画像"},
		{"é́", 1, "é́"},
	} {
		if got := CutStart(c.text, c.w); got != c.want || Width(got) > max(c.w, 0) {
			t.Errorf("CutStart(%q, %d) = %q, %d cells, want %q", c.text, c.w, got, Width(got), c.want)
		}
	}
}
