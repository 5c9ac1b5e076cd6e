package table_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/internal/diagnose"
	"gantry/ui/pane"
	"gantry/ui/table"
)

// stops is an action that records what it did.
type stops struct {
	mu       sync.Mutex
	done     []string
	fail     map[string]error
	latency  time.Duration
	now, max atomic.Int64
}

func (s *stops) each(ctx context.Context, row service) error {
	s.max.Store(max(s.max.Load(), s.now.Add(1)))
	defer s.now.Add(-1)
	select {
	case <-time.After(s.latency):
	case <-ctx.Done():
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = append(s.done, row.Name)
	return s.fail[row.Name]
}

func (s *stops) action() table.Action[service] {
	return table.Action[service]{
		Key: "D", Does: "stop", Mutates: true, Confirm: "Stop %s?", Done: "stopped %s", Each: s.each,
		When:        func(row service) bool { return row.Run > 0 },
		Consequence: func([]service) string { return "in cluster shop" },
	}
}

func acting(c *cloud, s *stops) table.Spec[service] {
	sp := spec(c)
	sp.Actions = []table.Action[service]{s.action()}
	return sp
}

func TestActionOnOneRow(t *testing.T) {
	var s stops
	drive(t, acting(newCloud(5), &s), func(d *driver) {
		d.settle()
		if d.can("D") {
			t.Error("a row that cannot be stopped offers to be")
		}
		d.press("down", "D")
		ask := d.host.last()
		if got, want := ask.Body(nil), "Stop svc-001?\nin cluster shop"; got != want {
			t.Errorf("asked %q, want %q", got, want)
		}
		if len(s.done) > 0 {
			t.Error("did not wait for the answer")
		}
		d.press("down", "down") // what is selected when the answer comes does not matter
		d.run(ask.Do(nil))
		d.settle()
		if strings.Join(s.done, " ") != "svc-001" {
			t.Errorf("stopped %v", s.done)
		}
		if got := d.host.lastSaid().Text; got != "stopped svc-001" {
			t.Errorf("said %q", got)
		}
		if d.acted != 1 {
			t.Errorf("%d times acted, want 1", d.acted)
		}
	})
}

func TestActionOnMarkedRows(t *testing.T) {
	s := stops{latency: time.Second}
	drive(t, acting(newCloud(31), &s), func(d *driver) {
		d.settle()
		d.press("ctrl+a", "/")
		d.typing("name:svc-00")
		d.press("enter", "D")
		body := d.host.last().Body(nil)
		if !strings.HasPrefix(body, "Stop 30 services: svc-001, ") || !strings.Contains(body, "svc-018 and 10 more?") ||
			!strings.Contains(body, "18 of them hidden by the filter") {
			t.Errorf("asked %q", body)
		}
		d.run(d.host.last().Do(nil))
		d.wantTitle("Services 13/31 /name:svc-00 • 1 marked")
		d.pass(time.Minute)
		if len(s.done) != 30 || s.max.Load() > 8 {
			t.Errorf("stopped %d, %d at once", len(s.done), s.max.Load())
		}
		if got := d.host.lastSaid().Text; got != "stopped 30 services" {
			t.Errorf("said %q", got)
		}
	})
}

func TestActionThatFailsInPart(t *testing.T) {
	denied := &diagnose.Error{What: "stop a service", Cause: "no permission", Do: "ask for ecs:StopTask"}
	s := stops{fail: map[string]error{"svc-002": denied, "svc-003": denied, "svc-004": errors.New("odd\x1b[2J")}}
	drive(t, acting(newCloud(6), &s), func(d *driver) {
		d.settle()
		d.press("ctrl+a", "D")
		d.run(d.host.last().Do(nil))
		d.settle()
		said := d.host.lastSaid()
		if said.Err == nil || said.Err.Error() != "stop: 3 of 5 failed · svc-002, svc-003: no permission; svc-004: odd · ask for ecs:StopTask" {
			t.Errorf("said %q", said.Err)
		}
		if !errors.Is(said.Err, denied) {
			t.Error("the errors are not joined")
		}
		if d.acted != 1 {
			t.Error("a part that worked is not looked at again")
		}
	})
}

func TestActionsGoOnWhenTheSourceChanges(t *testing.T) {
	s := stops{latency: time.Second}
	drive(t, acting(newCloud(5), &s), func(d *driver) {
		d.settle()
		d.press("end", "D")
		d.run(d.host.last().Do(nil))
		d.run(d.Follow(newCloud(3).source("other")))
		d.settle()
		d.press("end", "D") // a second one while the first runs
		d.run(d.host.last().Do(nil))
		d.pass(2 * time.Second)
		if strings.Join(s.done, " ") != "svc-004 svc-002" && strings.Join(s.done, " ") != "svc-002 svc-004" {
			t.Errorf("stopped %v", s.done)
		}
	})
}

func TestActionCanBeCanceled(t *testing.T) {
	s := stops{latency: time.Hour}
	drive(t, acting(newCloud(5), &s), func(d *driver) {
		d.settle()
		d.press("end", "D")
		d.run(d.host.last().Do(nil))
		d.settle()
		var cancel *pane.Command
		for _, c := range d.Commands() {
			if c.Does == "cancel: stop svc-004" {
				cancel = &c
			}
		}
		if cancel == nil {
			t.Fatal("no way to cancel")
		}
		d.run(cancel.Run())
		d.settle()
		if err := d.host.lastSaid().Err; err == nil || !strings.Contains(err.Error(), "canceled") {
			t.Errorf("said %v", err)
		}
	})
}

func TestTypedConfirmation(t *testing.T) {
	var s stops
	sp := acting(newCloud(5), &s)
	sp.Actions[0].Typed = true
	drive(t, sp, func(d *driver) {
		d.settle()
		d.press("end", "D")
		ask := d.host.last()
		if len(ask.Fields) != 1 || !ask.Danger {
			t.Fatalf("asked %+v", ask)
		}
		if ask.Check([]string{"svc-003"}) == nil || ask.Check([]string{""}) == nil {
			t.Error("took another name")
		}
		if err := ask.Check([]string{"svc-004"}); err != nil {
			t.Error(err)
		}
		d.press("ctrl+a", "D")
		if err := d.host.last().Check([]string{"4 services"}); err != nil {
			t.Error(err)
		}
	})
}

func TestOpen(t *testing.T) {
	sp := spec(newCloud(5))
	var opened []service
	sp.Actions = []table.Action[service]{{Key: "s", Does: "scale", Open: func(_ pane.Host, rows []service) tea.Cmd {
		opened = rows
		return nil
	}}}
	drive(t, sp, func(d *driver) {
		d.settle()
		d.press("s")
		if len(opened) != 1 || opened[0].Name != "svc-000" {
			t.Errorf("opened %v", opened)
		}
	})
}

func TestNoActionOnAFailedRow(t *testing.T) {
	c := newCloud(2)
	c.services[1].Failure = "could not be described: access denied\x1b]0;x\x07"
	var s stops
	drive(t, acting(c, &s), func(d *driver) {
		d.settle()
		d.press("end")
		d.wantScreen("svc-001 ✗ could not be described: access denied")
		if d.can("D") {
			t.Error("a row that could not be described offers an action")
		}
		if !d.can("y") {
			t.Error("its ID cannot be copied")
		}
	})
}

func TestCopy(t *testing.T) {
	drive(t, spec(newCloud(5)), func(d *driver) {
		d.settle()
		d.press("y")
		if got := d.host.lastSaid().Text; got != "copied arn/000" {
			t.Errorf("said %q", got)
		}
		d.press("space", "space", "y")
		if got := d.host.lastSaid().Text; got != "copied 2 lines" {
			t.Errorf("said %q", got)
		}
	})
}

func TestEnterTellsTheSelectionFirst(t *testing.T) {
	sp := spec(newCloud(5))
	var entered string
	sp.Enter = func(_ pane.Host, row service) tea.Cmd {
		entered = row.ID
		return nil
	}
	drive(t, sp, func(d *driver) {
		d.settle()
		d.press("down", "enter")
		if entered != "arn/001" || d.told[len(d.told)-1] != "arn/001" {
			t.Errorf("entered %q, said %v", entered, d.told)
		}
	})
}
