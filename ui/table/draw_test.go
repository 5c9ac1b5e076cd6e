package table_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"gantry/internal/diagnose"
	"gantry/ui/table"
)

// wantSize says that the view takes exactly w by h cells.
func (d *driver) wantSize(w, h int) {
	d.t.Helper()
	lines := strings.Split(d.View(), "\n")
	if len(lines) != max(h, 1) {
		d.t.Fatalf("%dx%d: %d lines", w, h, len(lines))
	}
	if h == 0 {
		w = 0
	}
	for i, line := range lines {
		if got := ansi.StringWidth(line); got != w {
			d.t.Fatalf("%dx%d: line %d has %d cells: %q", w, h, i, got, line)
		}
	}
}

func TestEverySize(t *testing.T) {
	denied := &diagnose.Error{What: "list services of 日本", Cause: "the session token has expired", Do: "aws sso login"}
	for name, prepare := range map[string]func(c *cloud, s *table.Spec[service]){
		"rows":    func(c *cloud, _ *table.Spec[service]) { c.services[1].Failure = "access denied 日本日本日本" },
		"none":    func(c *cloud, _ *table.Spec[service]) { c.services = nil },
		"failed":  func(c *cloud, _ *table.Spec[service]) { c.err = denied },
		"waiting": func(_ *cloud, s *table.Spec[service]) { s.Source = table.Source[service]{} },
		"hostile": func(c *cloud, _ *table.Spec[service]) {
			for i, name := range []string{"日本語日本語日本語", "e\u0301e\u0301e\u0301\u0301", "\x1b[31mred\x1b[0m\x1b]0;t\x07", "a\tb\nc", "👩‍👩‍👧‍👦 family", "\xff\xfe"} {
				c.services[i].Name = name
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(8)
			s := spec(c)
			prepare(c, &s)
			drive(t, s, func(d *driver) {
				d.settle()
				if len(d.Rows()) > 0 {
					d.press("space", "down")
				}
				for h := range 13 {
					for w := range 31 {
						d.run(d.Resize(w, h))
						d.wantSize(w, h)
					}
				}
				d.run(d.Resize(500, 200))
				d.wantSize(500, 200)
				d.run(d.Resize(-1, -1))
				d.wantSize(0, 0)
				if strings.Contains(d.View(), "\x1b]0") {
					t.Error("an escape sequence passed")
				}
			})
		})
	}
}

func TestStaleRowsOfEverySize(t *testing.T) {
	c := newCloud(8)
	drive(t, spec(c), func(d *driver) {
		d.pass(time.Second)
		c.change(func() { c.descErr = errDenied })
		d.pass(5 * time.Minute)
		d.wantScreen("as of")
		for h := range 13 {
			for w := range 31 {
				d.run(d.Resize(w, h))
				d.wantSize(w, h)
			}
		}
	})
}

func wide(n int) table.Spec[service] {
	s := spec(newCloud(3))
	for i := range n {
		s.Columns = append(s.Columns, table.Column[service]{Title: fmt.Sprintf("C%d", i), Width: 6, Text: func(service) string { return fmt.Sprintf("v%d", i) }})
	}
	return s
}

func TestColumnsScroll(t *testing.T) {
	drive(t, wide(6), func(d *driver) {
		d.run(d.Resize(36, 5))
		d.settle()
		d.wantScreen("NAME▲ RUN ROLLOUT ›")
		if strings.Contains(d.screen(), "C0") {
			t.Errorf("too much is drawn:\n%s", d.screen())
		}
		d.press("right")
		d.wantScreen("‹ NAME▲ ROLLOUT C0 ›")
		for range 20 {
			d.press("l")
		}
		d.wantScreen("‹ NAME▲ C3 C4 C5")
		if strings.Contains(d.screen(), "›") {
			t.Errorf("there is nothing more to the right:\n%s", d.screen())
		}
		for range 20 {
			d.press("h")
		}
		d.wantScreen("NAME▲ RUN ROLLOUT ›")
		d.run(d.Resize(120, 5))
		d.wantScreen("C5")
		if d.can("right") {
			t.Error("everything is on screen, but it can be scrolled")
		}
	})
}

func TestAColumnTooWideForThePaneIsCut(t *testing.T) {
	sp := wide(2)
	sp.Columns[len(sp.Columns)-1].Width = 44
	drive(t, sp, func(d *driver) {
		d.run(d.Resize(36, 5))
		d.settle()
		for range 20 {
			d.press("right")
		}
		d.wantScreen("‹ NAME▲ C1")
		if strings.Contains(d.screen(), "›") {
			t.Errorf("there is nothing more to the right:\n%s", d.screen())
		}
	})
}

func TestDrawing(t *testing.T) {
	c := newCloud(3)
	c.services[1].Moving = true
	drive(t, spec(c), func(d *driver) {
		d.run(d.Resize(36, 5))
		d.settle()
		d.press("space")
		want := strings.Join([]string{
			"   NAME▲              RUN ROLLOUT   ",
			"•  svc-000              0 ✓ steady  ",
			" ▸ svc-001              1 ● moving  ",
			"   svc-002              2 ✓ steady  ",
			"                                    ",
		}, "\n")
		if got := d.screen(); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}

func TestFoundTextIsHighlighted(t *testing.T) {
	drive(t, spec(newCloud(3)), func(d *driver) {
		d.settle()
		plain := d.View()
		d.press("/")
		d.typing("svc")
		if d.View() == plain {
			t.Error("nothing shows what was found")
		}
		if d.screen() != ansi.Strip(plain) {
			t.Error("the text itself changed")
		}
	})
}
