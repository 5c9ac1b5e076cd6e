package term

import (
	"io"
	"strings"
	"testing"
	"time"
)

// However much comes, there is a message per frame at most, and nothing of it
// is lost.
func TestFloodIsDrawnOncePerFrame(t *testing.T) {
	d := open(t, 80, 24)
	begun, before := time.Now(), d.messages
	chunk := numbered(10000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 100 {
			_, _ = io.WriteString(d.far.say, chunk)
		}
		_, _ = io.WriteString(d.far.say, "the end")
	}()
	d.shows("line 9999\nthe end")
	<-done
	if n, most := d.messages-before, int(time.Since(begun)/frame)+2; n > most {
		t.Errorf("%d messages, want %d at most", n, most)
	}
	d.session.mu.Lock()
	defer d.session.mu.Unlock()
	if h := d.session.screen.History(); h.End() != 1000001-24 || h.End()-h.Start() != 2000 {
		t.Errorf("the history has lines %d to %d", h.Start(), h.End())
	}
}

// Keys are taken and the pane is drawn while a program never stops printing.
func TestKeysInAFlood(t *testing.T) {
	d := open(t, 80, 24)
	flooding := make(chan struct{})
	go func() {
		defer close(flooding)
		chunk := strings.Repeat("\x1b[31mred\x1b[m and a long line of text that goes on\r\n", 1000) +
			strings.Repeat("\x1b[2J\x1b[99S\x1b[?1049h\x1b[?1049l", 1000) + strings.Repeat("\n", 10000)
		for {
			if _, err := io.WriteString(d.far.say, chunk); err != nil {
				return
			}
		}
	}()
	d.shows("red")
	for range 50 {
		d.press(typed("k", 'k'))
		d.far.gets(t, "k")
		d.View()
	}
	d.Close()
	<-flooding
}

// A far end that asks without end and never reads does not make gantry grow.
func TestAnswersAreBounded(t *testing.T) {
	o := newOutbox()
	for range 100 {
		o.answer(make([]byte, maxAnswers/10))
	}
	if len(o.waiting) > maxAnswers {
		t.Errorf("%d bytes wait", len(o.waiting))
	}
	o.put([]byte("typed"))
	if got := string(o.take()); !strings.HasSuffix(got, "typed") {
		t.Error("what was typed is lost")
	}
	o.stop()
	if o.take() != nil {
		t.Error("something is left")
	}
}
