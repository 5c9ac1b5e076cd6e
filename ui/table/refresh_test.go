package table_test

import (
	"context"
	"slices"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/internal/diagnose"
	"gantry/ui/pane"
	"gantry/ui/table"
)

func TestFirstLoadDrawsPageByPage(t *testing.T) {
	c := newCloud(30)
	c.pageSize, c.latency = 10, time.Second
	drive(t, spec(c), func(d *driver) {
		d.settle()
		d.wantTitle("Services …")
		d.wantScreen("loading…")
		d.pass(1100 * time.Millisecond)
		d.wantTitle("Services 10+ …")
		d.pass(time.Second)
		d.wantTitle("Services 20+ …")
		d.pass(time.Second)
		d.wantTitle("Services 30")
	})
}

func TestRefreshSwapsAtTheEnd(t *testing.T) {
	c := newCloud(30)
	s := spec(c)
	s.Source.IDs, s.Source.Describe = nil, nil
	drive(t, s, func(d *driver) {
		d.settle()
		c.change(func() { c.pageSize, c.latency, c.services = 10, time.Second, newCloud(25).services })
		d.press("ctrl+r")
		d.pass(1500 * time.Millisecond)
		d.wantTitle("Services 30 …")
		d.pass(2 * time.Second)
		d.wantTitle("Services 25")
	})
}

func TestRowThatComesTwiceCountsOnce(t *testing.T) {
	c := newCloud(4)
	c.services = append(c.services, c.services[1])
	c.services[4].Name = "again"
	drive(t, spec(c), func(d *driver) {
		d.settle()
		d.wantTitle("Services 4")
		d.wantNames("again svc-000 svc-002 svc-003")
	})
}

func TestStaleAnswersAreNeverShown(t *testing.T) {
	slow, fast := newCloud(3), newCloud(2)
	slow.services[0].Name, slow.latency, slow.pageSize = "of-slow", 2*time.Second, 1
	drive(t, spec(nil), func(d *driver) {
		d.wantScreen("select a cluster")
		d.wantTitle("Services")
		d.run(d.Follow(slow.source("slow")))
		d.pass(time.Second)
		d.run(d.Follow(fast.source("fast")))
		for range 50 {
			d.pass(200 * time.Millisecond)
			if d.names() != "" {
				d.wantNames("svc-000 svc-001")
			}
		}
		d.wantTitle("Services 2")
	})
}

func TestAnswersThatCannotBeCanceledAreDropped(t *testing.T) {
	drive(t, spec(nil), func(d *driver) {
		answers := map[string]chan struct{}{"a": make(chan struct{}), "b": make(chan struct{})}
		source := func(cluster string) table.Source[service] {
			return table.Source[service]{Key: cluster, List: func(_ context.Context, page func([]service)) error {
				<-answers[cluster]
				page([]service{{ID: cluster, Name: "of " + cluster}})
				return nil
			}}
		}
		d.run(d.Follow(source("a")))
		d.settle()
		d.run(d.Follow(source("b")))
		d.settle()
		close(answers["b"])
		d.pass(time.Second)
		d.wantNames("of b")
		close(answers["a"])
		d.pass(time.Second)
		d.wantNames("of b")
	})
}

func TestFollowClearsAtOnce(t *testing.T) {
	a, b := newCloud(3), newCloud(5)
	b.latency = time.Second
	drive(t, spec(a), func(d *driver) {
		d.settle()
		d.press("down", "space", "/")
		d.typing("svc")
		d.press("enter")
		d.pass(time.Second)
		d.run(d.Follow(b.source("other")))
		d.wantNames("")
		d.settle()
		d.wantTitle("Services /svc …")
		if last := d.told[len(d.told)-1]; last != "" {
			t.Errorf("selected is said to be %q, want none", last)
		}
		d.pass(2 * time.Second)
		d.wantTitle("Services 5/5 /svc")
		d.wantHere("svc-000")
		d.run(d.Follow(table.Source[service]{}))
		d.settle()
		d.wantScreen("select a cluster")
	})
}

func TestMembershipRefresh(t *testing.T) {
	c := newCloud(5)
	drive(t, spec(c), func(d *driver) {
		d.pass(time.Second)
		c.change(func() {
			c.services = append(slices.Clone(c.services[2:]), service{ID: "arn/new", Name: "svc-0015"})
		})
		d.pass(70 * time.Second)
		d.wantNames("svc-002 svc-003 svc-004 svc-0015")
		if c.lists != 1 || c.idCalls != 1 {
			t.Errorf("%d lists and %d looks at the IDs, want 1 and 1", c.lists, c.idCalls)
		}
	})
}

func TestOnlyRowsOnScreenAreDescribed(t *testing.T) {
	c := newCloud(100)
	drive(t, spec(c), func(d *driver) {
		d.pass(17 * time.Second)
		if len(c.asked) != 10 || c.asked[0] != "arn/000" {
			t.Errorf("asked for %v, want the ten on screen", c.asked)
		}
		d.press("G")
		d.pass(2 * time.Second)
		if len(c.asked) != 10 || c.asked[9] != "arn/099" {
			t.Errorf("asked for %v, want the last ten", c.asked)
		}
	})
}

func TestDescribedRowsAreMergedByID(t *testing.T) {
	c := newCloud(5)
	drive(t, spec(c), func(d *driver) {
		d.pass(time.Second)
		c.change(func() { c.services[3].Run = 77 })
		d.pass(17 * time.Second)
		d.wantScreen("svc-003 77")
		c.change(func() {
			c.services[3].Run, c.services = 78, append(c.services, service{ID: "stranger", Name: "stranger"})
		})
		d.pass(17 * time.Second)
		d.wantScreen("svc-003 78")
		d.wantTitle("Services 5")
	})
}

func TestPace(t *testing.T) {
	for _, tt := range []struct {
		name     string
		prepare  func(c *cloud)
		act      bool
		lasts    time.Duration
		min, max int // describe batches
	}{
		{"still", func(*cloud) {}, false, time.Minute, 3, 4},
		{"one moving", func(c *cloud) { c.services[2].Moving = true }, false, time.Minute, 10, 16},
		{"after an action", func(*cloud) {}, true, 31 * time.Second, 5, 8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCloud(8)
			tt.prepare(c)
			drive(t, spec(c), func(d *driver) {
				d.settle()
				if tt.act {
					d.deliver(pane.Acted{What: "service"})
				}
				d.pass(tt.lasts)
				if c.batches < tt.min || c.batches > tt.max {
					t.Errorf("%d describes, want %d to %d", c.batches, tt.min, tt.max)
				}
			})
		})
	}
}

func TestActedOfAnotherKindIsIgnored(t *testing.T) {
	c := newCloud(8)
	drive(t, spec(c), func(d *driver) {
		d.pass(time.Second)
		before := c.calls()
		d.deliver(pane.Acted{What: "image"})
		d.pass(time.Second)
		if c.calls() != before {
			t.Error("looked again")
		}
		d.deliver(pane.Acted{What: "service"})
		d.pass(time.Second)
		if c.calls() == before {
			t.Error("did not look again")
		}
	})
}

func TestCallsPerMinute(t *testing.T) {
	c := newCloud(40)
	drive(t, spec(c), func(d *driver) {
		d.run(d.Resize(80, 41))
		d.settle()
		for minute := range 5 {
			before := c.calls()
			d.pass(time.Minute)
			if n := c.calls() - before; n > 20 {
				t.Errorf("minute %d: %d calls", minute, n)
			}
		}
	})
}

func TestRowsNotSeenSinceAnActionAreLookedAtFirst(t *testing.T) {
	c := newCloud(30)
	drive(t, spec(c), func(d *driver) {
		d.pass(time.Second)
		d.deliver(pane.Acted{What: "service"})
		d.pass(2 * time.Second)
		d.deliver(tea.MouseWheelMsg{Button: tea.MouseWheelDown})
		d.pass(1100 * time.Millisecond)
		if got := c.asked; len(got) != 3 || got[0] != "arn/010" {
			t.Errorf("looked at %v, want the three rows that came on screen", got)
		}
	})
}

func TestPaneInTheBackgroundAsksSeldom(t *testing.T) {
	c := newCloud(8)
	drive(t, spec(c), func(d *driver) {
		d.pass(time.Second)
		d.Blur()
		d.run(d.Resize(60, 5))
		before := c.calls()
		d.pass(10 * time.Minute)
		if n := c.calls() - before; n > 4 {
			t.Errorf("%d calls in ten minutes", n)
		}
		d.Focus()
		d.run(d.Resize(60, 11))
		before = c.calls()
		d.pass(time.Second)
		if c.calls() == before {
			t.Error("does not look again when it gets the keys")
		}
	})
}

func TestScrollingDoesNotFlood(t *testing.T) {
	c := newCloud(200)
	drive(t, spec(c), func(d *driver) {
		d.pass(20 * time.Second)
		before := c.batches
		for range 100 {
			d.press("down")
			d.pass(30 * time.Millisecond)
		}
		if n := c.batches - before; n > 4 {
			t.Errorf("%d calls in 3 s of scrolling", n)
		}
	})
}

func TestNoCallsWhileBlurredOrFolded(t *testing.T) {
	for name, hide := range map[string]struct {
		hide, show func(d *driver)
		told       int // calls after a change that it was told of
		loads      int // of another source
	}{
		"blurred": {func(d *driver) { d.deliver(tea.BlurMsg{}) }, func(d *driver) { d.deliver(tea.FocusMsg{}) }, 0, 0},
		// A folded pane is loaded once, because others follow its selection, and once
		// after a change, because its title counts.
		"folded": {func(d *driver) { d.run(d.Resize(60, 0)) }, func(d *driver) { d.run(d.Resize(60, 11)) }, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			c, other := newCloud(8), newCloud(8)
			drive(t, spec(c), func(d *driver) {
				d.pass(time.Second)
				hide.hide(d)
				before := c.calls()
				d.pass(10 * time.Minute)
				d.deliver(pane.Acted{What: "service"})
				d.pass(time.Minute)
				d.run(d.Follow(other.source("other")))
				d.pass(10 * time.Minute)
				if c.calls() != before+hide.told || other.calls() != hide.loads {
					t.Errorf("%d and %d calls while hidden, want %d and %d", c.calls()-before, other.calls(), hide.told, hide.loads)
				}
				hide.show(d)
				d.pass(time.Second)
				d.wantTitle("Services 8")
				hide.hide(d)
				d.pass(2 * time.Minute)
				other.change(func() { other.services = other.services[1:] })
				hide.show(d)
				d.pass(time.Second)
				d.wantTitle("Services 7")
			})
		})
	}
}

func TestErrorOfTheFirstLoad(t *testing.T) {
	c := newCloud(8)
	c.err = &diagnose.Error{What: "list services of shop", Cause: "the session token has expired", Do: "aws sso login --profile prod"}
	drive(t, spec(c), func(d *driver) {
		d.settle()
		d.wantTitle("Services !")
		d.wantScreen("✗ list services of shop the session token has expired aws sso login --profile prod ctrl+r tries again")
		c.change(func() { c.err = nil })
		d.press("ctrl+r")
		d.wantTitle("Services 8")
	})
}

func TestErrorKeepsTheRowsAndTellsTheirAge(t *testing.T) {
	c := newCloud(8)
	drive(t, spec(c), func(d *driver) {
		d.settle()
		d.pass(16 * time.Second)
		loaded := time.Now().Add(-10 * time.Second)
		c.change(func() { c.descErr = errDenied })
		d.pass(20 * time.Second)
		fresh := d.screen()
		d.pass(2 * time.Minute)
		d.wantTitle("Services 8")
		d.wantScreen("as of " + loaded.Format("15:04:"))
		d.wantScreen("access denied")
		if stale := d.screen(); stale == fresh {
			t.Error("nothing tells that the rows are old")
		}
		c.change(func() { c.descErr = nil })
		d.press("ctrl+r")
		if d.screen() != fresh {
			t.Errorf("still says that rows are old:\n%s", d.screen())
		}
	})
}

func TestErrorOfTheListAloneIsTold(t *testing.T) {
	c := newCloud(8)
	s := spec(c)
	s.Source.IDs = func(context.Context) ([]string, error) { return nil, errDenied }
	drive(t, s, func(d *driver) {
		d.settle()
		listed := time.Now()
		d.pass(10 * time.Minute)
		d.wantScreen("list as of " + listed.Format("15:04:05") + " · access denied")
		c.change(func() { c.services[2].Run = 42 })
		d.pass(17 * time.Second)
		d.wantScreen("svc-002 42")
	})
}

func TestPartOfTheFirstLoadStays(t *testing.T) {
	c := newCloud(30)
	s := spec(c)
	tries := 0
	s.Source.List = func(_ context.Context, page func([]service)) error {
		tries++
		page(c.services[:10])
		<-time.After(100 * time.Millisecond)
		if tries == 1 {
			page(c.services[10:20])
			<-time.After(100 * time.Millisecond)
			return errDenied
		}
		<-time.After(time.Second)
		page(c.services[10:])
		return nil
	}
	drive(t, s, func(d *driver) {
		d.pass(time.Second)
		d.wantTitle("Services 20+ !")
		d.wantScreen("incomplete: access denied")
		d.press("ctrl+r")
		d.pass(500 * time.Millisecond)
		d.wantTitle("Services 20+ …")
		d.pass(2 * time.Second)
		d.wantTitle("Services 30")
	})
}

func TestBackOff(t *testing.T) {
	c := newCloud(8)
	c.err = errDenied
	var at []time.Time
	s := spec(c)
	s.Source.List = func(ctx context.Context, page func([]service)) error {
		at = append(at, time.Now())
		return c.list(ctx, page)
	}
	drive(t, s, func(d *driver) {
		d.pass(time.Hour)
		var gaps []time.Duration
		for i := 1; i < len(at); i++ {
			gaps = append(gaps, at[i].Sub(at[i-1]))
		}
		for i, want := range []time.Duration{10, 20, 40, 80, 160, 300, 300} {
			want *= time.Second
			if gaps[i] < want || gaps[i] > want+want/10 {
				t.Errorf("gap %d is %v, want %v and up to a tenth more", i, gaps[i], want)
			}
		}
	})
}

func TestNothingIsDrawnAnewWhenNothingChanged(t *testing.T) {
	c := newCloud(8)
	drive(t, spec(c), func(d *driver) {
		d.pass(time.Second)
		told, shown := len(d.told), len(d.host.stages)
		before := d.View() + d.Title()
		for range 300 {
			d.pass(time.Second)
			if d.View()+d.Title() != before {
				t.Fatal("the screen changed")
			}
		}
		if len(d.told) != told || len(d.host.stages) != shown {
			t.Error("the selection was said again")
		}
	})
}

func TestCloseStopsEverything(t *testing.T) {
	c := newCloud(8)
	c.latency = time.Hour
	drive(t, spec(c), func(d *driver) { // the bubble fails if a goroutine is left
		d.settle()
		d.Close()
		d.settle()
		d.run(d.Update(tea.FocusMsg{}))
		d.settle()
		if c.calls() != 1 {
			t.Errorf("%d calls, want 1", c.calls())
		}
	})
}
