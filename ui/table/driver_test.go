package table_test

import (
	"context"
	"errors"
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
	"gantry/ui/table"
)

// service is the row of these tests.
type service struct {
	ID, Name string
	Run      int
	Moving   bool
	Failure  string
}

// cloud is a source of services that counts what it is asked.
type cloud struct {
	mu       sync.Mutex
	services []service
	pageSize int
	latency  time.Duration
	err      error // fails everything
	descErr  error // fails Describe
	lists    int
	idCalls  int
	batches  int // Describe calls as the API counts them: ten rows each
	asked    []string
}

func newCloud(n int) *cloud {
	c := &cloud{pageSize: 1 << 30}
	for i := range n {
		c.services = append(c.services, service{ID: fmt.Sprintf("arn/%03d", i), Name: fmt.Sprintf("svc-%03d", i), Run: i})
	}
	return c
}

func (c *cloud) change(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do()
}

func (c *cloud) calls() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lists + c.idCalls + c.batches
}

func (c *cloud) wait(ctx context.Context) error {
	c.mu.Lock()
	latency, err := c.latency, c.err
	c.mu.Unlock()
	select {
	case <-time.After(latency):
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *cloud) list(ctx context.Context, page func([]service)) error {
	c.change(func() { c.lists++ })
	c.mu.Lock()
	rows, size := slices.Clone(c.services), c.pageSize
	c.mu.Unlock()
	for part := range slices.Chunk(rows, size) {
		if err := c.wait(ctx); err != nil {
			return err
		}
		page(part)
	}
	if len(rows) == 0 {
		return c.wait(ctx)
	}
	return nil
}

func (c *cloud) ids(ctx context.Context) ([]string, error) {
	c.change(func() { c.idCalls++ })
	if err := c.wait(ctx); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var ids []string
	for _, s := range c.services {
		ids = append(ids, s.ID)
	}
	return ids, nil
}

func (c *cloud) describe(ctx context.Context, ids []string) ([]service, error) {
	c.change(func() {
		c.batches += (len(ids) + 9) / 10
		c.asked = slices.Clone(ids)
	})
	if err := c.wait(ctx); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.descErr != nil {
		return nil, c.descErr
	}
	var found []service
	for _, s := range c.services {
		if slices.Contains(ids, s.ID) {
			found = append(found, s)
		}
	}
	return found, nil
}

func (c *cloud) source(key string) table.Source[service] {
	return table.Source[service]{Key: key, List: c.list, IDs: c.ids, Describe: c.describe}
}

func spec(c *cloud) table.Spec[service] {
	s := table.Spec[service]{
		Title: "Services",
		ID:    func(s service) string { return s.ID },
		Name:  func(s service) string { return s.Name },
		Columns: []table.Column[service]{
			{Title: "Name", Text: func(s service) string { return s.Name }},
			{
				Title: "Run", Width: 5, Right: true, Text: func(s service) string { return fmt.Sprint(s.Run) },
				Compare: func(a, b service) int { return a.Run - b.Run },
			},
			{Title: "Rollout", Width: 10, Text: func(s service) string { return map[bool]string{true: "● moving", false: "✓ steady"}[s.Moving] }},
		},
		Moving:  func(s service) bool { return s.Moving },
		Failure: func(s service) string { return s.Failure },
		Empty:   "no services in this cluster",
		Waiting: "select a cluster",
		Acted:   "service",
	}
	if c != nil {
		s.Source = c.source("shop")
	}
	return s
}

// host records what a table asks of the frame.
type host struct {
	dialogs []pane.Dialog
	notices []pane.Notice
	stages  []pane.Stage
}

func (h *host) Open(pane.Pane)        {}
func (h *host) Ask(d pane.Dialog)     { h.dialogs = append(h.dialogs, d) }
func (h *host) Say(n pane.Notice)     { h.notices = append(h.notices, n) }
func (h *host) Show(s pane.Stage)     { h.stages = append(h.stages, s) }
func (h *host) Start(*pane.Job)       {}
func (h *host) Focus(string)          {}
func (h *host) last() pane.Dialog     { return h.dialogs[len(h.dialogs)-1] }
func (h *host) stage() pane.Stage     { return h.stages[len(h.stages)-1] }
func (h *host) lastSaid() pane.Notice { return h.notices[len(h.notices)-1] }

// driver is a frame with one pane, in a synctest bubble: its time only passes
// in pass.
type driver struct {
	*table.Table[service]
	t     *testing.T
	host  *host
	msgs  chan tea.Msg
	told  []string // IDs of the rows that were said to be selected; "" for none
	acted int
}

// drive runs a test of a table.
func drive(t *testing.T, s table.Spec[service], test func(d *driver)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := &driver{Table: table.New(s), t: t, host: &host{}, msgs: make(chan tea.Msg, 10_000)}
		defer d.Close()
		d.Focus()
		d.run(d.Resize(60, 11))
		d.run(d.Init(d.host))
		test(d)
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

func (d *driver) deliver(msg tea.Msg) {
	switch m := msg.(type) {
	case pane.Selected[service]:
		id := ""
		if m.Row != nil {
			id = m.Row.ID
		}
		d.told = append(d.told, id)
	case pane.Acted:
		d.acted++
	}
	d.run(d.Update(msg))
}

// settle handles everything that can happen now.
func (d *driver) settle() {
	for {
		synctest.Wait()
		select {
		case msg := <-d.msgs:
			d.deliver(msg)
		default:
			return
		}
	}
}

// pass lets time pass, and everything happen at its time.
func (d *driver) pass(by time.Duration) {
	d.settle()
	end := time.After(by)
	for {
		select {
		case msg := <-d.msgs:
			d.deliver(msg)
		case <-end:
			d.settle()
			return
		}
	}
}

var codes = map[string]rune{
	"enter": tea.KeyEnter, "esc": tea.KeyEscape, "up": tea.KeyUp, "down": tea.KeyDown, "backspace": tea.KeyBackspace, "home": tea.KeyHome,
	"end": tea.KeyEnd, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "left": tea.KeyLeft, "right": tea.KeyRight,
}

func key(name string) tea.KeyPressMsg {
	var k tea.KeyPressMsg
	for {
		switch {
		case strings.HasPrefix(name, "ctrl+"):
			k.Mod, name = k.Mod|tea.ModCtrl, name[5:]
			continue
		case strings.HasPrefix(name, "shift+"):
			k.Mod, name = k.Mod|tea.ModShift, name[6:]
			continue
		}
		break
	}
	if name == "space" {
		k.Code, k.Text = tea.KeySpace, " "
		return k
	}
	if code, ok := codes[name]; ok {
		k.Code = code
		return k
	}
	k.Code = []rune(name)[0]
	if k.Mod == 0 {
		k.Text = name
	}
	return k
}

// press does what the frame does with keys.
func (d *driver) press(names ...string) {
	d.t.Helper()
	for _, name := range names {
		k := key(name)
		if d.Typing() {
			d.run(d.Update(k))
			continue
		}
		i := slices.IndexFunc(d.Commands(), func(c pane.Command) bool { return c.Matches(k) })
		if i < 0 {
			d.t.Errorf("no command for %q", name)
			continue
		}
		d.run(d.Commands()[i].Run())
	}
	d.settle()
}

func (d *driver) typing(text string) {
	d.t.Helper()
	for _, r := range text {
		if r == ' ' {
			d.press("space")
			continue
		}
		d.press(string(r))
	}
}

func (d *driver) can(name string) bool {
	return slices.ContainsFunc(d.Commands(), func(c pane.Command) bool { return c.Matches(key(name)) })
}

// screen is what is drawn, without styles.
func (d *driver) screen() string { return ansi.Strip(d.View()) }

func (d *driver) names() string {
	var names []string
	for _, s := range d.Rows() {
		names = append(names, s.Name)
	}
	return strings.Join(names, " ")
}

func (d *driver) here() string {
	s, _ := d.Selected()
	return s.Name
}

// line is the line of the screen the cursor is on.
func (d *driver) line() int {
	return slices.IndexFunc(strings.Split(d.screen(), "\n"), func(l string) bool { return strings.HasPrefix(strings.TrimLeft(l, " •"), "▸") })
}

func (d *driver) wantTitle(want string) {
	d.t.Helper()
	if got := d.Title(); got != want {
		d.t.Errorf("title is %q, want %q", got, want)
	}
}

func (d *driver) wantNames(want string) {
	d.t.Helper()
	if got := d.names(); got != want {
		d.t.Errorf("rows are %q, want %q", got, want)
	}
}

func (d *driver) wantHere(want string) {
	d.t.Helper()
	if got := d.here(); got != want {
		d.t.Errorf("cursor is on %q, want %q", got, want)
	}
}

func (d *driver) wantScreen(want string) {
	d.t.Helper()
	if !strings.Contains(strings.Join(strings.Fields(d.screen()), " "), want) {
		d.t.Errorf("screen lacks %q:\n%s", want, d.screen())
	}
}

var errDenied = errors.New("access denied")
