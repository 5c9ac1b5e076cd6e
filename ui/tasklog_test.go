package ui_test

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

	"gantry/aws"
	"gantry/internal/diagnose"
	"gantry/ui"
	"gantry/ui/text"
)

// reading is a feed that is followed, in a bubble of time.
type reading struct {
	t     *testing.T
	mu    sync.Mutex
	lines []string
	done  chan error
	stop  context.CancelFunc
}

func read(t *testing.T, f text.Feed, since text.Mark) *reading {
	ctx, stop := context.WithCancel(t.Context())
	r := &reading{t: t, done: make(chan error, 1), stop: stop}
	go func() {
		r.done <- f.Follow(ctx, since, func(lines []text.Line) {
			r.mu.Lock()
			defer r.mu.Unlock()
			for _, l := range lines {
				r.lines = append(r.lines, strings.TrimPrefix(l.Source+" "+l.Text, " "))
			}
		})
	}()
	synctest.Wait()
	return r
}

func (r *reading) want(lines ...string) {
	r.t.Helper()
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.lines, lines) {
		r.t.Errorf("read %q, want %q", r.lines, lines)
	}
}

// end cancels and waits.
func (r *reading) end() error {
	r.stop()
	return <-r.done
}

func runningTask(c *cloud) aws.Task { return c.tasks[arn("cluster", "shop")][0] }

func endedTask(c *cloud) aws.Task { return c.tasks[arn("cluster", "shop")][2] }

func TestFollowingATaskIsPolite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := demoCloud()
		k := runningTask(c)
		s := streamOf(k.ID, "app")
		c.write(s, time.Now().Add(-time.Minute), "one")
		c.write(s, time.Now().Add(-time.Minute+time.Millisecond), "two\nof several\n")
		feed, see := ui.TaskFeed(c, k, "app")
		r := read(t, feed, text.Mark{Tail: 100})
		r.want("one", "two", "of several")

		c.write(s, time.Now(), "three")
		time.Sleep(2 * time.Second)
		r.want("one", "two", "of several", "three")

		time.Sleep(time.Minute)
		before := c.lookCount()
		time.Sleep(time.Minute)
		if n := c.lookCount() - before; n < 5 || n > 6 {
			t.Errorf("a quiet log was looked at %d times in a minute, want one every ten seconds", n)
		}
		see(false)
		time.Sleep(15 * time.Second)
		before = c.lookCount()
		time.Sleep(time.Hour)
		if n := c.lookCount() - before; n > 0 {
			t.Errorf("a log that nobody sees was looked at %d times", n)
		}
		c.write(s, time.Now(), "four")
		see(true)
		r.want("one", "two", "of several", "three", "four")
		if err := r.end(); err != nil {
			t.Error(err)
		}
	})
}

func TestATaskWithoutAStreamYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := demoCloud()
		k := runningTask(c)
		feed, _ := ui.TaskFeed(c, k, "app")
		r := read(t, feed, text.Mark{Tail: 100})
		time.Sleep(5 * time.Second)
		r.want()
		c.write(streamOf(k.ID, "app"), time.Now(), "hello")
		time.Sleep(10 * time.Second)
		r.want("hello")
		_ = r.end()
	})
}

func TestAStoppedTasksLogEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := demoCloud()
		k := endedTask(c)
		k.Stopped = time.Now().Add(-5 * time.Second)
		s := streamOf(k.ID, "app")
		c.write(s, time.Now().Add(-10*time.Second), "going down")
		feed, _ := ui.TaskFeed(c, k, "app")
		r := read(t, feed, text.Mark{Tail: 100})
		c.write(s, time.Now(), "a late line")
		time.Sleep(time.Minute)
		r.want("going down", "a late line")
		select {
		case err := <-r.done:
			if err != nil {
				t.Error(err)
			}
		default:
			t.Error("it is still followed")
			_ = r.end()
		}
		r.stop()
	})
}

func TestAStoppedTaskThatNeverLogged(t *testing.T) {
	c := demoCloud()
	feed, _ := ui.TaskFeed(c, endedTask(c), "app")
	err := feed.Follow(t.Context(), text.Mark{Tail: 100}, func([]text.Line) {})
	var told *diagnose.Error
	if !errors.As(err, &told) || !strings.Contains(told.Cause, "it has no log stream") || !strings.Contains(told.Cause, "OutOfMemoryError") {
		t.Errorf("says %v", err)
	}
}

// Lines of the same millisecond are neither lost nor told twice where a page
// ends between them.
func TestOlderLinesOfATask(t *testing.T) {
	c := demoCloud()
	k := runningTask(c)
	for i := range 10 {
		c.write(streamOf(k.ID, "app"), then.Add(time.Duration(i/3)*time.Millisecond), fmt.Sprint(i))
	}
	feed, _ := ui.TaskFeed(c, k, "app")
	before, read := time.Time{}, []string{}
	for {
		lines, err := feed.Older(t.Context(), before, 5)
		if err != nil {
			t.Fatal(err)
		}
		if len(lines) == 0 {
			break
		}
		var some []string
		for _, l := range lines {
			some = append(some, l.Text)
		}
		read, before = append(some, read...), lines[0].At
	}
	if got := strings.Join(read, ""); got != "0123456789" {
		t.Errorf("read %s", got)
	}
}

func TestFollowingAServiceJoinsItsTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := demoCloud()
		shop := c.tasks[arn("cluster", "shop")]
		one, two := shop[0].ID, shop[1].ID
		at := time.Now().Add(-time.Minute)
		c.write(streamOf(one, "app"), at, "a")
		c.write(streamOf(two, "app"), at.Add(time.Second), "b")
		c.write(streamOf(one, "app"), at.Add(2*time.Second), "c")
		c.write(streamOf("ffffffffffff", "app"), at.Add(3*time.Second), "of another service")
		r := read(t, ui.ServiceFeed(c, c.services[arn("cluster", "shop")][0]), text.Mark{Tail: 100})
		first, second := one[:8]+" ", two[:8]+" "
		r.want(first+"a", second+"b", first+"c")

		// Two at the same time, and one that comes late.
		now := time.Now()
		c.write(streamOf(two, "app"), now, "d")
		c.write(streamOf(one, "app"), now, "e")
		time.Sleep(3 * time.Second)
		c.write(streamOf(one, "app"), now.Add(-time.Second), "late")
		time.Sleep(4 * time.Second)
		r.want(first+"a", second+"b", first+"c", second+"d", first+"e", first+"late")

		// A deployment starts another task.
		c.mu.Lock()
		c.addTask("shop", "web", 9, "RUNNING")
		third := c.tasks[arn("cluster", "shop")][3].ID
		c.mu.Unlock()
		c.write(streamOf(third, "app"), time.Now(), "new here")
		c.write(streamOf("ffffffffffff", "app"), time.Now(), "of another service")
		time.Sleep(11 * time.Second)
		r.want(first+"a", second+"b", first+"c", second+"d", first+"e", first+"late", third[:8]+" new here")
		if err := r.end(); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func TestAServiceWithoutTasks(t *testing.T) {
	c := demoCloud()
	feed := ui.ServiceFeed(c, c.services[arn("cluster", "shop")][3])
	err := feed.Follow(t.Context(), text.Mark{Tail: 100}, func([]text.Line) {})
	if err == nil || !strings.Contains(err.Error(), "no task of it runs") {
		t.Errorf("says %v", err)
	}
}

// loggedCloud has lines of two tasks of web.
func loggedCloud() *cloud {
	c := demoCloud()
	shop := c.tasks[arn("cluster", "shop")]
	for i := range 6 {
		c.write(streamOf(shop[i%2].ID, "app"), then.Add(time.Duration(i)*time.Second), fmt.Sprintf("GET /cart/%d 200", i))
	}
	c.write(streamOf(shop[2].ID, "app"), then.Add(3*time.Second), "fatal: out of memory")
	return c
}

func TestCloudLogScreens(t *testing.T) {
	for _, size := range sizes {
		t.Run("service "+sizeName(size.w, size.h), func(t *testing.T) {
			s := tasksOfWeb(t, loggedCloud(), nil, size.w, size.h)
			s.Type("5l")
			s.Wait("GET /cart/5 200")
			s.Wait("3 tasks")
			s.Settle()
			s.Shot("log-service-" + sizeName(size.w, size.h))
			s.Golden()
		})
		t.Run("task "+sizeName(size.w, size.h), func(t *testing.T) {
			s := tasksOfWeb(t, loggedCloud(), nil, size.w, size.h)
			s.Type("G")
			s.Wait("▸ web/0333")
			s.Type("l")
			s.Wait("fatal: out of memory")
			s.Wait("ended")
			s.Settle()
			s.Golden()
		})
	}
}

func TestLogOfATaskWithSeveralContainers(t *testing.T) {
	c := loggedCloud()
	shop := c.tasks[arn("cluster", "shop")]
	shop[0].Containers = append(shop[0].Containers, aws.Container{Name: "envoy", LastStatus: "RUNNING"})
	c.write(streamOf(shop[0].ID, "envoy"), then, "upstream connected")
	s := tasksOfWeb(t, c, nil, 120, 40)
	s.Type("l")
	s.Wait("Log of web/")
	s.Type("env\r")
	s.Wait("upstream connected")
	c.write(streamOf(shop[0].ID, "envoy"), time.Now(), "and it goes on")
	s.Wait("and it goes on")
	s.Type("x")
	s.Gone("upstream connected")
}

func TestALogThatIsElsewhereSaysWhere(t *testing.T) {
	c := demoCloud()
	c.noLog = &diagnose.Error{What: "read the log of app", Cause: "app logs by the driver splunk: its lines are in https://splunk.example", Do: "read them there", Err: aws.ErrNoLog}
	for _, keys := range []string{"l", "5l"} {
		s := tasksOfWeb(t, c, nil, 120, 40)
		s.Type(keys)
		s.Wait("its lines are in https://splunk.example")
		s.Wait("→ read them there")
	}
}
