package text

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"gantry/internal/diagnose"
)

func TestLogFollows(t *testing.T) {
	drive(t, &writer{}, LogOptions{}, func(d *driver) {
		d.wantScreen("reading…")
		if got := d.w.marks[0]; got != (Mark{Tail: 5000}) {
			t.Errorf("read from %v", got)
		}
		d.write(numbered(1, 5)...)
		d.wantRows("line 1", "line 2", "line 3", "line 4", "line 5")
		d.wantFoot("● following")
		d.write(numbered(6, 20)...)
		d.wantFrom("line 16", "line 25")
		if got := d.Title(); !strings.HasPrefix(got, "web · 25 lines · ") {
			t.Errorf("title is %q", got)
		}
	})
}

func TestLogPausesWhileScrolledUp(t *testing.T) {
	drive(t, &writer{}, LogOptions{}, func(d *driver) {
		d.write(numbered(1, 50)...)
		d.keys("up", "k")
		d.wantFrom("line 39", "line 48")
		d.wantFoot("‖ paused")
		d.write(numbered(51, 1234)...)
		d.wantFrom("line 39", "line 48")
		d.wantFoot("‖ paused · 1,234 new lines · G follows")
		d.keys("G")
		d.wantFrom("line 1275", "line 1284")
		d.wantFoot("● following")
		d.keys("pgup")
		d.wantFrom("line 1266", "line 1275")
		d.keys("pgdown")
		d.wantFoot("● following")
		d.keys("p")
		d.wantFoot("‖ paused")
		d.write(numbered(1285, 1)...)
		d.wantFrom("line 1275", "line 1284")
		d.wantFoot("1 new line ·")
		d.keys("p")
		d.wantFrom("line 1276", "line 1285")
		d.keys("g")
		d.wantFrom("line 1", "line 10")
		d.keys("end")
		d.wantFrom("line 1276", "line 1285")
	})
}

// What is being read is not pushed out: its source waits.
func TestLogHoldsItsSourceBeforeItDropsWhatIsRead(t *testing.T) {
	const limit = 64 << 10
	drive(t, &writer{}, LogOptions{Bytes: limit}, func(d *driver) {
		d.write(numbered(1, 100)...)
		d.keys("k", "k")
		d.wantFrom("line 89", "line 98")
		d.write(numbered(101, 20_000)...)
		d.wantFrom("line 89", "line 98")
		d.wantFoot("more wait")
		if d.ring.bytes > limit {
			t.Errorf("the ring holds %d bytes of %d", d.ring.bytes, limit)
		}
		d.keys("G")
		d.wantFrom("line 20091", "line 20100")
		if d.ring.bytes > limit || !d.ring.dropped {
			t.Errorf("the ring holds %d bytes, dropped %v", d.ring.bytes, d.ring.dropped)
		}
		d.run(d.Resize(80, 11))
		d.keys("g")
		d.wantFoot("older lines dropped (64 KB are kept)")
	})
}

func TestLogFloodIsAMessageAFrameAtMost(t *testing.T) {
	drive(t, &writer{}, LogOptions{}, func(d *driver) {
		before, start := d.count, time.Now()
		go func() {
			for i := range 2000 {
				d.w.lines <- numbered(i*10, 10)
			}
		}()
		d.settleAll()
		if frames := int(time.Since(start)*60/time.Second) + 2; d.count-before > frames {
			t.Errorf("%d messages in %d frames", d.count-before, frames)
		}
		d.wantFrom("line 19990", "line 19999")
	})
}

func TestLogLoadsOlderLinesOnDemand(t *testing.T) {
	w := &writer{older: func(before time.Time, most int) ([]Line, error) {
		first := int(before.Sub(then) / time.Second)
		if most != olderLines {
			return nil, fmt.Errorf("asked for %d", most)
		}
		from := max(0, first-20)
		return numbered(from, first-from), nil
	}}
	drive(t, w, LogOptions{}, func(d *driver) {
		d.write(numbered(50, 30)...)
		d.keys("g")
		d.wantFrom("line 50", "line 59") // the place stays
		d.keys("g")
		d.wantFrom("line 30", "line 39")
		d.keys("g")
		d.keys("g")
		d.keys("g")
		d.wantFrom("line 0", "line 9")
		d.wantFoot("start of the log")
		asked := w.asked
		d.keys("g", "k")
		if w.asked != asked {
			t.Error("asked for more before the start")
		}
		d.keys("G")
		d.write(numbered(80, 1)...)
		d.wantFrom("line 71", "line 80")
	})
}

func TestLogLetsNewLinesGoForOlderOnes(t *testing.T) {
	w := &writer{older: func(before time.Time, _ int) ([]Line, error) {
		first := int(before.Sub(then) / time.Second)
		return numbered(first-1000, 1000), nil
	}}
	drive(t, w, LogOptions{Bytes: 64 << 10}, func(d *driver) {
		d.write(numbered(5000, 1500)...)
		d.keys("g")
		d.keys("g")
		d.wantFrom("line 4000", "line 4009")
		d.wantFoot("newer lines were let go")
		if w.running() != 0 {
			t.Error("still follows although its end is gone")
		}
		for range 100 {
			d.press("pgdown")
		}
		d.settleAll()
		d.wantFoot("newer lines were let go")
		d.keys("G")
		if len(w.marks) != 2 || w.marks[1] != w.marks[0] {
			t.Errorf("read from %v", w.marks)
		}
		d.write(numbered(7000, 20)...)
		d.wantFrom("line 7010", "line 7019")
		d.wantFoot("● following")
	})
}

func TestLogSaysWhyItCannotLoadOlderLines(t *testing.T) {
	w := &writer{older: func(time.Time, int) ([]Line, error) { return nil, errors.New("no such container") }}
	drive(t, w, LogOptions{}, func(d *driver) {
		d.write(numbered(50, 30)...)
		d.Resize(80, 11)
		d.keys("g")
		d.wantFoot("no older lines: no such container")
	})
}

func TestLogSaysWhyItIsEmpty(t *testing.T) {
	drive(t, &writer{}, LogOptions{}, func(d *driver) {
		d.w.ends <- nil
		d.settleAll()
		d.wantScreen("no lines: web has written nothing yet")
		d.wantFoot("■ the log has ended")
	})
}

func TestLogTellsAnErrorBelowItsLastLines(t *testing.T) {
	drive(t, &writer{head: "json-file · 165 MB, no rotation"}, LogOptions{}, func(d *driver) {
		d.write(numbered(1, 50)...)
		d.w.ends <- &diagnose.Error{What: "read the log of web", Cause: "the engine is gone", Do: "start it"}
		d.settleAll()
		d.wantScreen("json-file · 165 MB, no rotation")
		d.wantScreen("line 50 ✗ read the log of web the engine is gone → start it")
		d.keys("k")
		d.wantFoot("■ not followed; ctrl+r tries again")
		d.keys("ctrl+r")
		if got := d.w.marks[1].At; !got.Equal(then.Add(50*time.Second + 1)) {
			t.Errorf("goes on from %v", got)
		}
		d.write(numbered(51, 1)...)
		d.wantFrom("line 43", "line 51")
	})
}

func TestLogReadsAnewSince(t *testing.T) {
	drive(t, &writer{}, LogOptions{}, func(d *driver) {
		d.write(numbered(1, 50)...)
		d.keys("t")
		ask := d.host.dialogs[0]
		if ask.Check([]string{"soon"}) == nil {
			t.Error("took a time that is none")
		}
		now := time.Now()
		d.run(ask.Do([]string{"5m"}))
		d.settleAll()
		if got := d.w.marks[1]; !got.At.Equal(now.Add(-5*time.Minute)) || got.Tail != 0 {
			t.Errorf("read from %v", got)
		}
		d.wantScreen("reading…")
		if d.w.running() != 1 {
			t.Errorf("%d feeds run", d.w.running())
		}
		d.write(numbered(90, 1)...)
		d.wantRows("line 90")
		d.wantFoot("since 5m")
	})
}

func TestLogKeepsItsPlaceWhenLinesAreDropped(t *testing.T) {
	drive(t, &writer{}, LogOptions{Bytes: 64 << 10}, func(d *driver) {
		d.write(numbered(1, 3000)...)
		d.keys("g")
		for range 30 {
			d.press("down")
		}
		d.settleAll()
		first := d.rows()[0]
		d.write(numbered(3001, 5)...)
		if got := d.rows()[0]; got != first {
			t.Errorf("top row was %q and is %q", first, got)
		}
	})
}

func TestFoldedLogHoldsItsSource(t *testing.T) {
	drive(t, &writer{}, LogOptions{}, func(d *driver) {
		d.write(numbered(1, 3)...)
		d.run(d.Resize(41, 0))
		d.write(numbered(4, 3)...)
		if n := d.ring.len(); n != 3 {
			t.Errorf("took %d lines while folded", n)
		}
		d.run(d.Resize(41, 11))
		d.settleAll()
		d.wantRows("line 1", "line 2", "line 3", "line 4", "line 5", "line 6")
	})
}

func TestClosableLogCloses(t *testing.T) {
	drive(t, &writer{}, LogOptions{}, func(d *driver) {
		if d.can("x") {
			t.Error("a tab of a row can be closed")
		}
	})
	drive(t, &writer{}, LogOptions{Closable: true}, func(d *driver) {
		d.keys("x")
		if !d.Gone() {
			t.Error("is still there")
		}
	})
}

func TestSqueezedKeepsWhatStandsBehindAPath(t *testing.T) {
	const line = "json-file · /var/lib/docker/containers/9ea45adea4d1/9ea45adea4d1-json.log · no rotation: 165 MB"
	for w, want := range map[int]string{
		100: line,
		60:  "json-file · /var/lib/dock…4d1-json.log · no rotation: 165 MB",
		10:  "json-file · /…g · no rotation: 165 MB",
	} {
		if got := squeezed(line, w); got != want {
			t.Errorf("in %d cells: %q, want %q", w, got, want)
		}
	}
}

// Lines without a time cannot be gone on from: the log is read anew.
func TestLogWithoutTimesIsReadAnew(t *testing.T) {
	drive(t, &writer{}, LogOptions{}, func(d *driver) {
		d.write(Line{Text: "one"})
		d.press("/")
		d.typing("o")
		d.keys("enter")
		d.w.ends <- nil
		d.settleAll()
		d.keys("ctrl+r")
		if got := d.w.marks[1]; got != d.w.marks[0] {
			t.Errorf("read from %v", got)
		}
		d.write(Line{Text: "one"}, Line{Text: "two"})
		d.wantRows("one", "two")
		d.wantFoot("2 matching lines")
	})
}

// An end that comes while what is read holds the log up loses nothing.
func TestLogThatEndsWhileItIsHeldLosesNothing(t *testing.T) {
	drive(t, &writer{}, LogOptions{Bytes: 32 << 10}, func(d *driver) {
		d.write(numbered(1, 100)...)
		d.keys("g")
		go func() {
			d.w.lines <- numbered(101, 3000)
			d.w.ends <- nil
		}()
		d.settleAll()
		d.wantFrom("line 1", "line 10")
		d.keys("G")
		d.wantFrom("line 3091", "line 3100")
		d.wantFoot("■ the log has ended")
	})
}
