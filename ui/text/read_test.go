package text

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"gantry/internal/diagnose"
	"gantry/ui/style"
)

func TestLogSearches(t *testing.T) {
	drive(t, &writer{}, LogOptions{}, func(d *driver) {
		d.run(d.Resize(70, 11))
		lines := numbered(1, 100)
		for _, i := range []int{10, 50, 70} {
			lines[i-1].Text += " Connection RESET"
		}
		d.write(lines...)
		d.press("/")
		d.typing("reset")
		d.wantFoot("/reset  3 matching lines")
		d.keys("enter") // at the end: the last match above
		d.wantScreen("▸ line 70 Connection RESET")
		d.wantFoot("3 of 3 matching lines")
		if !strings.Contains(d.View(), "line 70 Connection "+style.Now().Match.Render("RESET")) {
			t.Errorf("the match is not highlighted: %q", d.View())
		}
		d.keys("N")
		d.wantScreen("▸ line 50 Connection RESET")
		d.keys("N", "N")
		d.wantScreen("▸ line 10 Connection RESET")
		if got := d.host.lastSaid(); got != "no earlier match" {
			t.Errorf("said %q", got)
		}
		d.keys("n")
		d.wantFoot("2 of 3 matching lines")
		d.write(Line{Text: "reset again"})
		d.wantFoot("2 of 4 matching lines")
		d.keys("n", "n")
		d.wantScreen("▸ reset again")
		d.keys("esc")
		if d.can("n") || d.can("esc") {
			t.Error("the search is still there")
		}
	})
}

func TestLogForgetsAMatchThatIsDropped(t *testing.T) {
	drive(t, &writer{}, LogOptions{Bytes: 16 << 10}, func(d *driver) {
		d.write(texts("needle", "x")...)
		d.press("/")
		d.typing("needle")
		d.keys("enter", "v", "esc", "G")
		d.write(append(numbered(1, 2000), texts("needle two", "end")...)...)
		d.keys("n")
		d.wantScreen("▸ needle two")
	})
}

// Keys typed in one burst must not be lost while the search is under way.
func TestLogTakesKeysTypedAhead(t *testing.T) {
	drive(t, &writer{}, LogOptions{}, func(d *driver) {
		d.write(numbered(1, 100)...)
		d.keys("g")
		d.press("/", "l", "i", "n", "e", "space", "1", "enter", "n", "n", "N")
		d.settleAll()
		d.wantScreen("▸ line 10")
	})
}

func TestLogSaysThatNothingMatches(t *testing.T) {
	drive(t, &writer{}, LogOptions{}, func(d *driver) {
		d.write(numbered(1, 100)...)
		d.press("/")
		d.typing("nowhere")
		d.keys("enter")
		if got := d.host.lastSaid(); got != "no match of nowhere in 100 lines" {
			t.Errorf("said %q", got)
		}
		d.press("/")
		d.typing("re:(")
		d.wantScreen("regular expression")
		d.keys("enter")
		if !d.Typing() {
			t.Error("took a broken expression")
		}
		d.keys("esc")
		if d.Typing() || d.can("n") {
			t.Error("esc did not leave")
		}
	})
}

func TestLogFilters(t *testing.T) {
	drive(t, &writer{}, LogOptions{}, func(d *driver) {
		d.write(numbered(1, 100)...)
		d.press("&")
		d.typing("re:7$")
		d.wantRows("line 7", "line 17", "line 27", "line 37", "line 47", "line 57", "line 67", "line 77", "line 87", "line 97")
		d.keys("enter")
		d.write(numbered(101, 10)...)
		d.wantFrom("line 17", "line 107")
		if got := d.Title(); !strings.Contains(got, "110 lines") || !strings.HasSuffix(got, "&re:7$ 11") {
			t.Errorf("title is %q", got)
		}
		d.keys("k")
		d.wantFrom("line 7", "line 97")
		d.write(numbered(111, 10)...)
		d.wantFoot("1 new line")
		d.keys("esc")
		d.wantFrom("line 7", "line 16") // the place stays
		d.press("&")
		d.typing("!line 1")
		d.keys("enter", "g")
		d.wantFrom("line 2", "line 21")
		d.press("&")
		d.typing("nowhere")
		d.keys("enter")
		d.wantScreen("none of 120 lines matches &nowhere; esc clears the filter")
		if d.can("j") || d.can("y") {
			t.Error("offers what needs a line")
		}
	})
}

func TestLogSearchesWhatTheFilterLeaves(t *testing.T) {
	drive(t, &writer{}, LogOptions{}, func(d *driver) {
		d.run(d.Resize(70, 11))
		d.write(numbered(1, 100)...)
		d.press("&")
		d.typing("7")
		d.keys("enter")
		d.press("/")
		d.typing("line 7")
		d.keys("enter")
		d.wantFoot("of 11 matching lines")
	})
}

func TestLogWraps(t *testing.T) {
	drive(t, &writer{}, LogOptions{}, func(d *driver) {
		d.write(texts(strings.Repeat("abcdefghij", 9), "日本語"+strings.Repeat("日", 20), "end")...)
		d.wantRows("abcdefghijabcdefghijabcdefghijabcdef›", "日本語日日日日日日日日日日日日日日日›", "end")
		d.keys("right")
		d.wantRows("ijabcdefghijabcdefghijabcdefghijabcd›", "日日日日日日日日日日日日日日", "")
		d.keys("right", "right", "right", "right")
		d.wantFoot("column 55")
		d.keys("w")
		d.wantRows(
			"abcdefghijabcdefghijabcdefghijabcdefg", "hijabcdefghijabcdefghijabcdefghijabcd", "efghijabcdefghij",
			"日本語日日日日日日日日日日日日日日日", "日日日日日", "end")
		d.run(d.Resize(41, 4))
		d.wantRows("日本語日日日日日日日日日日日日日日日", "日日日日日", "end")
		d.keys("k", "k")
		d.wantRows("hijabcdefghijabcdefghijabcdefghijabcd", "efghijabcdefghij", "日本語日日日日日日日日日日日日日日日")
		d.write(Line{Text: "more"})
		d.wantFrom("hijabcdefghijabcdefghijabcdefghijabcd", "日本語日日日日日日日日日日日日日日日")
		d.keys("ctrl+d", "ctrl+d", "ctrl+d")
		d.wantFoot("● following")
	})
}

func TestLogShowsTheMatchInALongLine(t *testing.T) {
	drive(t, &writer{}, LogOptions{}, func(d *driver) {
		d.write(texts(strings.Repeat("x", 5000)+" needle "+strings.Repeat("y", 5000), "end")...)
		d.press("/")
		d.typing("needle")
		d.keys("enter")
		d.wantScreen(" needle ")
		d.keys("w", "n", "N", "g", "n")
		d.wantScreen("needle")
	})
}

func TestLogTellsStreamsAndSourcesApart(t *testing.T) {
	drive(t, &writer{}, LogOptions{}, func(d *driver) {
		d.write(Line{At: then, Text: "out"}, Line{At: then, Text: "err", Stderr: true}, Line{Text: "\x1b[31mred\x1b[0m"}, Line{Text: "1 %\r2 %"})
		for i, want := range []string{"    out", " !  err", "  ^ red", "  < 2 %"} {
			if got := strings.TrimRight(d.screen()[i], " "); got != want {
				t.Errorf("line %d is %q, want %q", i, got, want)
			}
		}
		d.write(Line{Source: "web/app/0123456789abcdef", Text: "a"}, Line{Source: "api", Text: "b"})
		d.wantScreen("web/app…abcdef a")
		d.wantScreen("api b")
		d.run(d.Resize(70, 11))
		d.keys("T")
		d.wantScreen(then.Local().Format("01-02 15:04:05.000") + " out")
		d.keys("R")
		d.wantScreen("^[[31mred^[[0m")
		d.wantScreen("1 %^M2 %")
		d.wantFoot("raw")
	})
}

// What is searched is what is seen.
func TestRawLogIsSearchedAsItLooks(t *testing.T) {
	drive(t, &writer{}, LogOptions{}, func(d *driver) {
		d.run(d.Resize(70, 11))
		d.write(texts("\x1b[31mER\x1b[1mROR\x1b[0m")...)
		d.press("/")
		d.typing("error")
		d.wantFoot("1 matching line")
		d.keys("enter", "R")
		d.wantFoot("0 matching lines")
		d.press("/")
		d.typing("^[[31m")
		d.wantFoot("1 matching line")
	})
}

func TestLogCutsHugeLines(t *testing.T) {
	drive(t, &writer{}, LogOptions{}, func(d *driver) {
		d.write(texts(strings.Repeat("日", 1<<20/3+10))...)
		if got := len(d.shown(0).text); got > maxDrawn+100 {
			t.Errorf("%d bytes are laid out", got)
		}
		d.keys("w")
		d.wantScreen("… 960 KB more, and what was cut behind them")
		d.keys("g")
		d.wantScreen("日日日")
		if wrong := safe(d.View(), 41, 11); wrong != "" {
			t.Error(wrong)
		}
	})
}

func TestLogCopies(t *testing.T) {
	drive(t, &writer{}, LogOptions{}, func(d *driver) {
		lines := numbered(1, 50)
		lines[49].Text = "\x1b[31mred\x1b[0m\tx"
		d.write(lines...)
		d.keys("k", "y")
		if want := "line 40\nline 41\nline 42\nline 43\nline 44\nline 45\nline 46\nline 47\nline 48\nline 49"; d.copied != want {
			t.Errorf("copied %q", d.copied)
		}
		d.keys("G", "v", "k", "k", "y")
		if want := "line 48\nline 49\nred\tx"; d.copied != want {
			t.Errorf("copied %q", d.copied)
		}
		if got := d.host.lastSaid(); got != "copied 3 lines" {
			t.Errorf("said %q", got)
		}
		d.keys("v", "g")
		d.wantFrom("line 1", "line 10")
		d.keys("esc")
		if d.marked != nil {
			t.Error("still marked")
		}
		d.write(Line{Text: strings.Repeat("x", 100_000)})
		d.copied = ""
		d.keys("G", "y")
		if d.copied != "" || !strings.Contains(d.host.lastSaid(), "too much") {
			t.Errorf("said %q", d.host.lastSaid())
		}
	})
}

func TestLogSaves(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "web.log")
	drive(t, &writer{}, LogOptions{}, func(d *driver) {
		d.write(append(numbered(1, 30), Line{Text: "\x1b[31mred\x1b[0m 3", Stderr: true})...)
		d.press("&")
		d.typing("3")
		d.keys("enter", "S")
		ask := d.host.dialogs[0]
		for _, bad := range []string{"", " ", dir, filepath.Join(dir, "none", "x.log")} {
			if ask.Check([]string{bad}) == nil {
				t.Errorf("would save to %q", bad)
			}
		}
		if err := ask.Check([]string{name}); err != nil {
			t.Fatal(err)
		}
		d.run(ask.Do([]string{name}))
		d.write(numbered(33, 1)...) // not in the file
		job := d.host.jobs[0]
		if err := job.Run(context.Background(), func(int64, int64) {}); err != nil {
			t.Fatal(err)
		}
		got, _ := os.ReadFile(name)
		if want := "line 3\nline 13\nline 23\nline 30\nred 3\n"; string(got) != want {
			t.Errorf("saved %q, want %q", got, want)
		}
		if info, _ := os.Stat(name); runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("mode is %v", info.Mode())
		}
		err := job.Run(context.Background(), func(int64, int64) {})
		var told *diagnose.Error
		if !errors.As(err, &told) || !errors.Is(err, fs.ErrExist) {
			t.Errorf("replaced a file: %v", err)
		}
		if again, _ := os.ReadFile(name); string(again) != string(got) {
			t.Error("a refused save changed the file")
		}
	})
}

func TestCanceledSaveLeavesNoFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "web.log")
	l := opened(20_000, spring)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := l.saving(name).Run(ctx, func(int64, int64) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a part of the file stayed: %v", err)
	}
}

func TestFileNameFitsAnyFileSystem(t *testing.T) {
	if got, want := fileName("web/app ../..\x1b:日", then), "web-app--..-..-20260304-050607.log"; !strings.HasPrefix(got, "web-app-") || strings.ContainsAny(got, "/:\x1b ") {
		t.Errorf("name is %q, like %q", got, want)
	}
}

func TestLogScrollsByWheelAndPastesIntoItsPrompt(t *testing.T) {
	drive(t, &writer{}, LogOptions{}, func(d *driver) {
		d.write(numbered(1, 50)...)
		d.run(d.Update(tea.MouseWheelMsg{Button: tea.MouseWheelUp}))
		d.wantFrom("line 38", "line 47")
		d.run(d.Update(tea.MouseWheelMsg{Button: tea.MouseWheelDown}))
		d.wantFoot("● following")
		d.run(d.Update(tea.PasteMsg{Content: "not typing"}))
		d.press("/")
		d.run(d.Update(tea.PasteMsg{Content: "line\n4\x1b[31m2"}))
		d.settleAll()
		d.keys("enter")
		d.wantScreen("▸ line 42")
		if d.Cursor() != nil {
			t.Error("shows a cursor while nothing is typed")
		}
	})
}

// A log that nothing happens to must not be drawn again.
func TestViewIsDrawnOnce(t *testing.T) {
	l := opened(100, spring)
	_ = l.View()
	if n := testing.AllocsPerRun(10, func() { _ = l.View() }); n != 0 {
		t.Errorf("%v allocations to draw what has not changed", n)
	}
}

// A screen of lines is laid out, whatever has gone through.
func TestOnlyWhatShowsIsLaidOut(t *testing.T) {
	l := opened(20_000, spring)
	for range 1000 {
		l.move(-20)
		_ = l.View()
	}
	if n := len(l.cache); n > 4*l.h+l.h {
		t.Errorf("%d lines are laid out on a screen of %d", n, l.h)
	}
}
