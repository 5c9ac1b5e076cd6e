package text

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"gantry/ui/pane"
)

// then is when the first line of these tests was written.
var then = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// writer is a log that a test writes by hand.
type writer struct {
	mu     sync.Mutex
	marks  []Mark
	lines  chan []Line
	ends   chan error
	older  func(before time.Time, most int) ([]Line, error)
	asked  int // for older lines
	head   string
	follow int // feeds that run
}

func newWriter() *writer {
	return &writer{lines: make(chan []Line), ends: make(chan error)}
}

func (w *writer) feed() Feed {
	f := Feed{Key: "web", Follow: w.run, Empty: "web has written nothing yet"}
	if w.older != nil {
		f.Older = func(_ context.Context, before time.Time, most int) ([]Line, error) {
			w.mu.Lock()
			w.asked++
			w.mu.Unlock()
			return w.older(before, most)
		}
	}
	if w.head != "" {
		f.Head = func(context.Context) (string, error) { return w.head, nil }
	}
	return f
}

func (w *writer) run(ctx context.Context, since Mark, emit func([]Line)) error {
	w.mu.Lock()
	w.marks = append(w.marks, since)
	w.follow++
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.follow--
		w.mu.Unlock()
	}()
	for {
		select {
		case lines := <-w.lines:
			emit(lines)
		case err := <-w.ends:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (w *writer) running() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.follow
}

// numbered are lines "line <from>" and on, a second apart.
func numbered(from, n int) []Line {
	lines := make([]Line, n)
	for i := range lines {
		lines[i] = Line{At: then.Add(time.Duration(from+i) * time.Second), Text: fmt.Sprintf("line %d", from+i)}
	}
	return lines
}

func texts(ts ...string) []Line {
	lines := make([]Line, len(ts))
	for i, s := range ts {
		lines[i] = Line{At: then.Add(time.Duration(i) * time.Second), Text: s}
	}
	return lines
}

// host records what the log asks of the frame.
type host struct {
	dialogs []pane.Dialog
	notices []pane.Notice
	jobs    []*pane.Job
}

func (h *host) Open(pane.Pane)    {}
func (h *host) Ask(d pane.Dialog) { h.dialogs = append(h.dialogs, d) }
func (h *host) Say(n pane.Notice) { h.notices = append(h.notices, n) }
func (h *host) Show(pane.Stage)   {}
func (h *host) Start(j *pane.Job) { h.jobs = append(h.jobs, j) }
func (h *host) Focus(string)      {}
func (h *host) lastSaid() string {
	if len(h.notices) == 0 {
		return ""
	}
	return h.notices[len(h.notices)-1].Text
}

// driver is a frame with one log, in a synctest bubble.
type driver struct {
	*Log
	t      *testing.T
	w      *writer
	host   *host
	msgs   chan tea.Msg
	count  int    // messages that were delivered
	copied string // to the clipboard
}

func drive(t *testing.T, w *writer, o LogOptions, test func(d *driver)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if w.lines == nil {
			fresh := newWriter()
			w.lines, w.ends = fresh.lines, fresh.ends
		}
		d := &driver{Log: NewLog("web", w.feed(), o), t: t, w: w, host: &host{}, msgs: make(chan tea.Msg, 100_000)}
		d.run(d.Init(d.host))
		d.run(d.Resize(41, 11))
		d.settleAll()
		test(d)
		d.Close()
		d.settleAll()
		if n := w.running(); n != 0 {
			t.Errorf("%d feeds still run after Close", n)
		}
	})
}

func (d *driver) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	go func() {
		switch msg := cmd().(type) {
		case nil:
		case tea.BatchMsg:
			for _, c := range msg {
				d.run(c)
			}
		default:
			d.msgs <- msg
		}
	}()
}

// settleAll handles everything that happens within a second.
func (d *driver) settleAll() {
	end := time.After(time.Second)
	for {
		select {
		case msg := <-d.msgs:
			d.count++
			if fmt.Sprintf("%T", msg) == "tea.setClipboardMsg" {
				d.copied = fmt.Sprint(msg)
			}
			d.run(d.Update(msg))
		case <-end:
			synctest.Wait()
			return
		}
	}
}

// write has the feed emit lines, and waits until they are taken.
func (d *driver) write(lines ...Line) {
	d.t.Helper()
	d.w.lines <- lines
	d.settleAll()
}

var codes = map[string]rune{
	"enter": tea.KeyEnter, "esc": tea.KeyEscape, "up": tea.KeyUp, "down": tea.KeyDown, "backspace": tea.KeyBackspace, "home": tea.KeyHome,
	"end": tea.KeyEnd, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "left": tea.KeyLeft, "right": tea.KeyRight,
}

func key(name string) tea.KeyPressMsg {
	if rest, ok := strings.CutPrefix(name, "ctrl+"); ok {
		return tea.KeyPressMsg{Code: []rune(rest)[0], Mod: tea.ModCtrl}
	}
	if name == "space" {
		return tea.KeyPressMsg{Code: tea.KeySpace, Text: " "}
	}
	if code, ok := codes[name]; ok {
		return tea.KeyPressMsg{Code: code}
	}
	return tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
}

// press does what the frame does with keys, without waiting for answers.
func (d *driver) press(names ...string) {
	d.t.Helper()
	for _, name := range names {
		k := key(name)
		if d.Typing() {
			d.run(d.Update(k))
			continue
		}
		cs := d.Commands()
		i := slices.IndexFunc(cs, func(c pane.Command) bool { return c.Matches(k) })
		if i < 0 {
			d.t.Errorf("no command for %q", name)
			continue
		}
		d.run(cs[i].Run())
	}
}

// keys presses keys and waits for what comes of them.
func (d *driver) keys(names ...string) {
	d.t.Helper()
	d.press(names...)
	d.settleAll()
}

func (d *driver) typing(text string) {
	d.t.Helper()
	for _, c := range text {
		if c == ' ' {
			d.press("space")
			continue
		}
		d.press(string(c))
	}
	d.settleAll()
}

func (d *driver) can(name string) bool {
	return slices.ContainsFunc(d.Commands(), func(c pane.Command) bool { return c.Matches(key(name)) })
}

func (d *driver) screen() []string { return strings.Split(ansi.Strip(d.View()), "\n") }

// rows is the text of the body, without the gutter.
func (d *driver) rows() []string {
	var rows []string
	lines := d.screen()
	for _, line := range lines[d.headHeight() : len(lines)-d.footHeight()] {
		runes := []rune(line)
		rows = append(rows, strings.TrimRight(string(runes[min(gutter, len(runes)):]), " "))
	}
	return rows
}

func (d *driver) wantRows(want ...string) {
	d.t.Helper()
	got := d.rows()
	for len(got) > 0 && got[len(got)-1] == "" && len(got) > len(want) {
		got = got[:len(got)-1]
	}
	if !slices.Equal(got, want) {
		d.t.Errorf("rows are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// wantFrom wants the first and the last row.
func (d *driver) wantFrom(first, last string) {
	d.t.Helper()
	rows := d.rows()
	if rows[0] != first || rows[len(rows)-1] != last {
		d.t.Errorf("rows are %q … %q, want %q … %q\n%s", rows[0], rows[len(rows)-1], first, last, strings.Join(d.screen(), "\n"))
	}
}

func (d *driver) wantFoot(want string) {
	d.t.Helper()
	lines := d.screen()
	if foot := lines[len(lines)-1]; !strings.Contains(foot, want) {
		d.t.Errorf("last line is %q, want %q", foot, want)
	}
}

func (d *driver) wantScreen(want string) {
	d.t.Helper()
	if s := strings.Join(d.screen(), "\n"); !strings.Contains(strings.Join(strings.Fields(s), " "), want) {
		d.t.Errorf("screen lacks %q:\n%s", want, s)
	}
}
