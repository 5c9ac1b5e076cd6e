package uitest

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"
	"github.com/charmbracelet/x/vt"
)

// patience is how long a test waits for the screen. It is long because a run
// under -race on a busy machine is slow; a passing test never waits it out.
const patience = 20 * time.Second

// Display is a virtual terminal: a program draws on it, and a test types on its
// keyboard and reads its screen.
type Display struct {
	tb   testing.TB
	keys io.Writer

	mu      sync.Mutex
	emu     *vt.Emulator
	modes   map[ansi.Mode]bool
	written int
	copied  string        // by OSC 52, as sent
	changed chan struct{} // closed, and made anew, by whatever changes the screen
}

func newDisplay(tb testing.TB, keys io.Writer, w, h int) *Display {
	d := &Display{tb: tb, keys: keys, emu: vt.NewEmulator(w, h), modes: map[ansi.Mode]bool{ansi.ModeTextCursorEnable: true}, changed: make(chan struct{})}
	d.emu.SetCallbacks(vt.Callbacks{
		EnableMode:  func(m ansi.Mode) { d.modes[m] = true },
		DisableMode: func(m ansi.Mode) { d.modes[m] = false },
	})
	go func() { _, _ = io.Copy(keys, d.emu) }() // the terminal's answers to queries
	return d
}

// close ends the terminal's answers. Emulator.Close would race with the
// goroutine that reads them.
func (d *Display) close() {
	if answers, ok := d.emu.InputPipe().(io.Closer); ok {
		_ = answers.Close()
	}
}

// Write takes what the program prints.
func (d *Display) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.written += len(p)
	if i := strings.Index(string(p), "\x1b]52;"); i >= 0 {
		d.copied = string(p[i:])
	}
	defer d.tell()
	return d.emu.Write(p)
}

// tell wakes who waits for a change.
func (d *Display) tell() {
	close(d.changed)
	d.changed = make(chan struct{})
}

// Type sends text, or bytes such as "\r" and "\x1b[A", in one burst.
func (d *Display) Type(text string) {
	d.tb.Helper()
	if _, err := io.WriteString(d.keys, text); err != nil {
		d.tb.Fatalf("type %q: %v", text, err)
	}
}

// Click presses and releases the left button on a cell, counted from 0.
func (d *Display) Click(x, y int) {
	d.tb.Helper()
	d.Type(fmt.Sprintf("\x1b[<0;%d;%dM\x1b[<0;%d;%dm", x+1, y+1, x+1, y+1))
}

// ClickOn clicks on the first cell of text on the screen.
func (d *Display) ClickOn(text string) {
	d.tb.Helper()
	for y, line := range strings.Split(d.Text(), "\n") {
		if i := strings.Index(line, text); i >= 0 {
			d.Click(ansi.StringWidth(line[:i]), y)
			return
		}
	}
	d.tb.Fatalf("no %q to click on:\n%s", text, d.Text())
}

// Text is the screen without colours, one line each, blanks at line ends cut.
func (d *Display) Text() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	lines := strings.Split(d.emu.String(), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

// Styles are the styles that the screen shows, each with the number of its
// cells.
func (d *Display) Styles() map[uv.Style]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	styles := map[uv.Style]int{}
	for y := range d.emu.Height() {
		for x := range d.emu.Width() {
			if c := d.emu.CellAt(x, y); c != nil && c.Width > 0 {
				styles[c.Style]++
			}
		}
	}
	return styles
}

// On reports whether the program has switched a mode of the terminal on, such
// as ansi.ModeAltScreenSaveCursor.
func (d *Display) On(mode ansi.Mode) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.modes[mode]
}

// Written is how many bytes the program has sent to the terminal so far.
func (d *Display) Written() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.written
}

// Copied is the last OSC 52 sequence that the program sent.
func (d *Display) Copied() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.copied
}

// Wait waits until the screen shows text.
func (d *Display) Wait(text string) {
	d.tb.Helper()
	d.Until(func(screen string) bool { return strings.Contains(screen, text) }, "never showed "+text)
}

// Gone waits until the screen no longer shows text.
func (d *Display) Gone(text string) {
	d.tb.Helper()
	d.Until(func(screen string) bool { return !strings.Contains(screen, text) }, "still shows "+text)
}

// Until waits until ok holds for the screen. It asks after every change, and
// now and then besides, since ok may look at other things too.
func (d *Display) Until(ok func(screen string) bool, otherwise string) {
	d.tb.Helper()
	deadline, besides := time.NewTimer(patience), time.NewTicker(20*time.Millisecond)
	defer deadline.Stop()
	defer besides.Stop()
	for {
		changed := d.change()
		if ok(d.Text()) {
			return
		}
		select {
		case <-changed:
		case <-besides.C:
		case <-deadline.C:
			d.tb.Fatalf("%s:\n%s", otherwise, d.Text())
		}
	}
}

// change is closed when the screen next changes.
func (d *Display) change() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changed
}

// Settle waits until the screen has not changed for a moment, so that answers
// under way are on it.
func (d *Display) Settle() {
	d.tb.Helper()
	last, since := d.Text(), time.Now()
	d.Until(func(screen string) bool {
		if screen != last {
			last, since = screen, time.Now()
		}
		return time.Since(since) > 300*time.Millisecond
	}, "never came to rest")
}

// Golden compares the screen with testdata/<test name>.golden. The -update
// flag rewrites the file.
func (d *Display) Golden(replace ...string) {
	d.tb.Helper()
	golden.RequireEqual(d.tb, strings.NewReplacer(replace...).Replace(d.Text()))
}
