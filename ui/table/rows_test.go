package table_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
	"gantry/ui/table"
)

// reload makes the table see what the cloud has now.
func (d *driver) reload() { d.press("ctrl+r") }

func TestCursorAndMarksFollowTheID(t *testing.T) {
	c := newCloud(20)
	drive(t, spec(c), func(d *driver) {
		d.settle()
		d.press("down", "down", "space", "down", "space", "down") // marks 2 and 4, rests on 6
		d.wantHere("svc-006")
		random := rand.New(rand.NewPCG(1, 2))
		for range 20 {
			c.change(func() {
				c.services = append(c.services, service{ID: "new", Name: string(rune('a'+random.IntN(26))) + "-new"})
				c.services = slices.DeleteFunc(c.services, func(s service) bool {
					return s.ID == "new" && random.IntN(2) == 0 || s.ID == "arn/001" || s.ID == "arn/007"
				})
				random.Shuffle(len(c.services), func(i, j int) { c.services[i], c.services[j] = c.services[j], c.services[i] })
			})
			d.reload()
			d.wantHere("svc-006")
			if !strings.HasSuffix(d.Title(), "• 2 marked") {
				t.Fatalf("title is %q", d.Title())
			}
		}
		c.change(func() { c.services = slices.DeleteFunc(c.services, func(s service) bool { return s.ID == "arn/002" }) })
		d.reload()
		if !strings.HasSuffix(d.Title(), "• 1 marked") {
			t.Errorf("a vanished row keeps its mark: %q", d.Title())
		}
	})
}

func TestUntouchedCursorStaysOnItsRow(t *testing.T) {
	c := newCloud(20)
	drive(t, spec(c), func(d *driver) {
		d.settle()
		d.wantHere("svc-000")
		c.change(func() { c.services = append(c.services, service{ID: "a", Name: "aaa"}) })
		d.reload()
		d.wantHere("svc-000")
	})
}

func TestUntouchedCursorStaysOnTopDuringTheFirstLoad(t *testing.T) {
	c := newCloud(30)
	slices.Reverse(c.services)
	c.pageSize, c.latency = 10, time.Second
	drive(t, spec(c), func(d *driver) {
		d.pass(1500 * time.Millisecond)
		d.wantHere("svc-020")
		d.pass(time.Second)
		d.wantHere("svc-010")
		if len(d.told) > 0 {
			t.Errorf("said %v before all rows were there", d.told)
		}
		d.press("down")
		d.wantHere("svc-011")
		d.pass(2 * time.Second)
		d.wantHere("svc-011")
	})
}

func TestRowKeepsItsLine(t *testing.T) {
	c := newCloud(40)
	drive(t, spec(c), func(d *driver) {
		d.settle()
		for range 20 {
			d.press("down")
		}
		d.press("up", "up", "up")
		line := d.line()
		c.change(func() {
			c.services = slices.Delete(c.services, 0, 5)
			c.services = append(c.services, service{ID: "a", Name: "a"}, service{ID: "b", Name: "b"})
		})
		d.reload()
		d.wantHere("svc-017")
		if got := d.line(); got != line {
			t.Errorf("the row moved from line %d to %d", line, got)
		}
	})
}

func TestVanishedRowHandsOverToItsNeighbour(t *testing.T) {
	for _, tt := range []struct {
		name string
		gone []string
		want string
	}{
		{"the next", []string{"arn/005"}, "svc-006"},
		{"with rows above", []string{"arn/001", "arn/002", "arn/005", "arn/006"}, "svc-007"},
		{"at the end", []string{"arn/005", "arn/006", "arn/007", "arn/008", "arn/009"}, "svc-004"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCloud(10)
			drive(t, spec(c), func(d *driver) {
				d.settle()
				d.press("down", "down", "down", "down", "down")
				c.change(func() {
					c.services = slices.DeleteFunc(c.services, func(s service) bool { return slices.Contains(tt.gone, s.ID) })
				})
				d.reload()
				d.wantHere(tt.want)
			})
		})
	}
}

func TestSort(t *testing.T) {
	c := newCloud(0)
	c.services = []service{
		{ID: "1", Name: "web-10", Run: 3},
		{ID: "2", Name: "web-9", Run: 20},
		{ID: "3", Name: "Api", Run: 3},
		{ID: "5", Name: "web-010", Run: 1},
		{ID: "4", Name: "web-10", Run: 3},
		{ID: "6", Name: "web", Run: 100},
	}
	drive(t, spec(c), func(d *driver) {
		d.settle()
		d.wantNames("Api web web-9 web-10 web-10 web-010")
		if rows := d.Rows(); rows[3].ID != "1" || rows[4].ID != "4" {
			t.Errorf("ties are not settled by ID: %v", rows)
		}
		d.wantScreen("NAME▲")
		d.press("o")
		d.wantScreen("RUN▲")
		d.wantNames("web-010 web-10 Api web-10 web-9 web")
		d.press("O")
		d.wantScreen("RUN▼")
		d.wantNames("web web-9 web-10 Api web-10 web-010")
		d.press("o", "o")
		d.wantScreen("NAME▲")
	})
}

func TestSortByWhatIsNotTheText(t *testing.T) {
	c := newCloud(0)
	c.services = []service{{ID: "2f", Name: "web"}, {ID: "04", Name: "web"}, {ID: "99", Name: "api"}, {ID: "63", Name: "web"}}
	sp := spec(c)
	sp.Columns[0].By = sp.Name
	sp.Columns[0].Text = func(s service) string { return s.Name + "/" + s.ID }
	drive(t, sp, func(d *driver) {
		d.settle()
		var ids []string
		for _, row := range d.Rows() {
			ids = append(ids, row.ID)
		}
		if want := "99 04 2f 63"; strings.Join(ids, " ") != want {
			t.Errorf("the order is %q, want %q", ids, want)
		}
	})
}

func TestOrderOfTheSpec(t *testing.T) {
	s := spec(newCloud(3))
	s.Order = table.Order{Column: "Run", Reverse: true}
	drive(t, s, func(d *driver) {
		d.settle()
		d.wantNames("svc-002 svc-001 svc-000")
	})
}

func TestMarks(t *testing.T) {
	drive(t, spec(newCloud(10)), func(d *driver) {
		d.settle()
		d.press("space")
		d.wantHere("svc-001")
		d.press("down", "down", "V")
		d.wantTitle("Services 10 • 4 marked")
		d.press("shift+down", "shift+down")
		d.wantTitle("Services 10 • 6 marked")
		d.press("ctrl+a")
		d.wantTitle("Services 10 • 10 marked")
		d.press("ctrl+a")
		d.wantTitle("Services 10")
		if d.can("esc") {
			t.Error("esc has nothing to clear")
		}
		d.press("space", "/")
		d.typing("svc-00")
		d.press("enter", "esc")
		d.wantTitle("Services 10/10 /svc-00")
		d.press("esc")
		d.wantTitle("Services 10")
	})
}

func TestMoving(t *testing.T) {
	drive(t, spec(newCloud(100)), func(d *driver) {
		d.settle()
		for _, step := range []struct{ key, want string }{
			{"j", "svc-001"},
			{"k", "svc-000"},
			{"k", "svc-000"},
			{"pgdown", "svc-010"},
			{"ctrl+d", "svc-015"},
			{"ctrl+u", "svc-010"},
			{"pgup", "svc-000"},
			{"end", "svc-099"},
			{"j", "svc-099"},
			{"home", "svc-000"},
			{"G", "svc-099"},
			{"g", "svc-000"},
		} {
			d.press(step.key)
			if d.here() != step.want {
				t.Errorf("%s leads to %s, want %s", step.key, d.here(), step.want)
			}
		}
	})
}

func TestMouse(t *testing.T) {
	drive(t, spec(newCloud(100)), func(d *driver) {
		d.settle()
		d.deliver(tea.MouseClickMsg{X: 5, Y: 4, Button: tea.MouseLeft})
		d.wantHere("svc-003")
		d.deliver(tea.MouseWheelMsg{Button: tea.MouseWheelDown})
		d.wantHere("svc-003")
		if d.line() != 1 {
			t.Errorf("the row is on line %d, want 1", d.line())
		}
		d.deliver(tea.MouseWheelMsg{Button: tea.MouseWheelDown})
		d.wantHere("svc-006")
		d.deliver(tea.MouseClickMsg{X: 5, Y: 0, Button: tea.MouseLeft})
		d.wantScreen("NAME▼")
		d.deliver(tea.MouseClickMsg{X: 44, Y: 0, Button: tea.MouseLeft})
		d.wantScreen("RUN▲")
		d.deliver(tea.MouseClickMsg{X: 5, Y: 400, Button: tea.MouseLeft})
	})
}

func TestSelectWaitsForTheRow(t *testing.T) {
	c := newCloud(30)
	c.pageSize, c.latency = 10, time.Second
	drive(t, spec(c), func(d *driver) {
		d.run(d.Select("arn/025"))
		d.pass(2500 * time.Millisecond)
		d.wantHere("svc-000")
		d.pass(time.Second)
		d.wantHere("svc-025")
		if !slices.Equal(d.told, []string{"arn/025"}) {
			t.Errorf("said %v", d.told)
		}
	})
}

func TestSelectionIsSaidWhenTheCursorRests(t *testing.T) {
	c := newCloud(10)
	s := spec(c)
	s.Tabs = []table.Tab[service]{{Title: "overview", Open: func(service) pane.Pane { return nil }}}
	drive(t, s, func(d *driver) {
		d.pass(time.Second)
		for range 5 {
			d.press("down")
			d.pass(50 * time.Millisecond)
		}
		if want := []string{"arn/000"}; !slices.Equal(d.told, want) {
			t.Errorf("said %v while moving, want %v", d.told, want)
		}
		d.pass(time.Second)
		if want := []string{"arn/000", "arn/005"}; !slices.Equal(d.told, want) {
			t.Errorf("said %v, want %v", d.told, want)
		}
		if s := d.host.stage(); s.ID != "arn/005" || s.Name != "svc-005" || s.From != pane.Pane(d.Table) || len(s.Tabs) != 1 {
			t.Errorf("showed %+v", s)
		}
		c.change(func() { c.services[5].Run = 99 })
		d.reload()
		if want := []string{"arn/000", "arn/005", "arn/005"}; !slices.Equal(d.told, want) {
			t.Errorf("said %v after its content changed, want %v", d.told, want)
		}
		c.change(func() { c.services = nil })
		d.reload()
		if d.told[len(d.told)-1] != "" || d.host.stage().ID != "" {
			t.Errorf("said %v after all rows left", d.told)
		}
		d.wantScreen("no services in this cluster")
		d.wantTitle("Services 0")
	})
}

func TestSelectionsArriveInOrder(t *testing.T) {
	drive(t, spec(newCloud(10)), func(d *driver) {
		d.settle()
		d.told = nil
		first := d.Follow(table.Source[service]{}) // says "none"…
		second := d.Follow(newCloud(3).source("other"))
		d.run(second) // …and what comes later may be delivered before
		d.settle()
		d.run(first)
		d.settle()
		if want := []string{"", "arn/000"}; !slices.Equal(d.told, want) {
			t.Errorf("said %v, want %v", d.told, want)
		}
	})
}

func TestLargeTables(t *testing.T) {
	c := newCloud(12_000)
	drive(t, spec(c), func(d *driver) {
		d.settle()
		d.wantTitle("Services 12000")
		d.press("G", "/")
		d.typing("run:1199")
		d.press("enter")
		d.wantTitle("Services 30/12000 /run:1199")
		d.press("esc")
		d.wantTitle("Services 12000")
		c.change(func() { c.services = c.services[:9_000] })
		d.press("o", "ctrl+r")
		d.wantTitle("Services 9000")
	})
}
