package term

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"

	"github.com/charmbracelet/x/vt"
)

const seqLines = 3000000

// seqOutput is what `seq 1 3000000` prints on a terminal.
func seqOutput() []byte {
	var b []byte
	for i := range seqLines {
		b = fmt.Appendf(b, "%d\r\n", i+1)
	}
	return b
}

// recording is a far end that prints something and ends.
type recording struct{ *bytes.Reader }

func (recording) Write(p []byte) (int, error) { return len(p), nil }
func (recording) Resize(int, int) error       { return nil }
func (recording) Close() error                { return nil }

// BenchmarkSeq is `seq 1 3000000` through the pane: reader, lock, screen,
// history. Its seconds are those of one run.
func BenchmarkSeq(b *testing.B) {
	out := seqOutput()
	b.SetBytes(int64(len(out)))
	for b.Loop() {
		s := newSession(recording{bytes.NewReader(out)}, 82, 27, defaultScrollback)
		<-s.finished
		s.close()
		<-s.gone
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/run")
}

// BenchmarkSeqStock is the same through x/vt alone, a tenth of it.
func BenchmarkSeqStock(b *testing.B) {
	out := seqOutput()[:2688890] // the first 300,000 lines are a little shorter
	b.SetBytes(int64(len(out)))
	e := vt.NewEmulator(82, 27)
	e.Scrollback().SetMaxLines(defaultScrollback)
	for b.Loop() {
		_, _ = e.Write(out)
	}
	b.ReportMetric(10*b.Elapsed().Seconds()/float64(b.N), "s/run")
}

// BenchmarkView draws a full screen of 150 by 45 cells anew.
func BenchmarkView(b *testing.B) {
	t := New(Options{Name: "bench"})
	t.w, t.h, t.phase = 150, 45, live
	t.session = newSession(recording{bytes.NewReader(nil)}, 150, 45, defaultScrollback)
	defer t.Close()
	for i := range 200 {
		t.session.draw(fmt.Appendf(nil, "\x1b[3%dmline %d\x1b[m with some text 日本語 and \x1b[1;44mmore of it\x1b[m to look at, up to column one hundred\r\n", i%8, i))
	}
	for b.Loop() {
		t.stale = true
		_ = t.View()
	}
}

// BenchmarkMemory is what a pane of 150 by 45 cells holds: when it is new, and
// with 2,000 lines of history.
func BenchmarkMemory(b *testing.B) {
	for _, c := range []struct {
		name  string
		lines int
	}{{"new", 0}, {"full", 3000}} {
		b.Run(c.name, func(b *testing.B) {
			const panes = 20
			for b.Loop() {
				before := heap()
				sessions := make([]*session, panes)
				for i := range sessions {
					sessions[i] = newSession(recording{bytes.NewReader(nil)}, 150, 45, defaultScrollback)
					for n := range c.lines {
						sessions[i].draw(fmt.Appendf(nil, "\x1b[32m%d\x1b[m a line of a log with some sixty characters of text in it\r\n", n))
					}
				}
				b.ReportMetric(float64(heap()-before)/panes/1024, "KB/pane")
				for _, s := range sessions {
					s.close()
					<-s.gone
				}
			}
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
