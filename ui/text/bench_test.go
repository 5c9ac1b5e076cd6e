package text

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// spring is a line as a Java service writes it, some 110 bytes.
func spring(i int) Line {
	return Line{
		At:   then.Add(time.Duration(i) * time.Millisecond),
		Text: fmt.Sprintf("2026-03-04 05:06:07.%03d  INFO 1 --- [nio-8080-exec-%d] c.e.shop.web.OrderController : order %08d accepted for customer", i%1000, i%10, i),
	}
}

// coloured is the same line with the colours that it has on a terminal.
func coloured(i int) Line {
	l := spring(i)
	l.Text = strings.Replace(l.Text, "INFO", "\x1b[32mINFO\x1b[0;39m", 1)
	l.Text = strings.Replace(l.Text, "c.e.shop", "\x1b[36mc.e.shop", 1) + "\x1b[0m"
	return l
}

func full(line func(int) Line) *ring {
	r := newRing(defaultBytes)
	for i := 0; !r.dropped; i++ {
		r.append(line(i))
	}
	return r
}

func BenchmarkRingAppend(b *testing.B) {
	lines := make([]Line, 10_000)
	for i := range lines {
		lines[i] = spring(i)
	}
	r := full(spring)
	b.SetBytes(int64(len(lines[0].Text)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.append(lines[i%len(lines)])
	}
}

// BenchmarkSearchRing looks through all lines of a full ring.
func BenchmarkSearchRing(b *testing.B) {
	for _, c := range []struct{ name, pattern string }{
		{"nothing", "connection reset"}, {"Capital", "Connection"}, {"every", "order"}, {"regexp", `re:order \d+5 rejected`}, {"regexp-slow", `re:[a-z]+ rejected$`},
	} {
		for name, line := range map[string]func(int) Line{"plain": spring, "coloured": coloured} {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				r := full(line)
				p, err := compile(c.pattern)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(r.bytes))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := scan(context.Background(), r.snapshot(r.first(), r.end), r.first(), r.end, p, cleaned); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// opened is a log on a screen of 120x42 cells that so many lines have gone
// through.
func opened(lines int, line func(int) Line) *Log {
	l := NewLog("web", Feed{Key: "web"}, LogOptions{})
	l.begun = true
	l.Resize(120, 41)
	for i := range lines {
		l.pending = append(l.pending[:0], line(i))
		l.release()
	}
	return l
}

// BenchmarkDraw draws 40 lines after 1,000,000 were appended.
func BenchmarkDraw(b *testing.B) {
	l := opened(1_000_000, spring)
	b.Run("same", func(b *testing.B) {
		for b.Loop() {
			l.stale()
			_ = l.View()
		}
	})
	b.Run("new lines", func(b *testing.B) {
		for b.Loop() {
			l.forget()
			_ = l.View()
		}
	})
	b.Run("wrapped", func(b *testing.B) {
		l.toggleWrap()
		for b.Loop() {
			l.forget()
			_ = l.View()
		}
		l.toggleWrap()
	})
	b.Run("searched", func(b *testing.B) {
		p, _ := compile("order")
		l.search.pattern = p
		for b.Loop() {
			l.forget()
			_ = l.View()
		}
	})
	b.Run("unchanged", func(b *testing.B) {
		for b.Loop() {
			_ = l.View()
		}
	})
}

// BenchmarkDrawLongLines draws lines of 1 MB that have wide characters.
func BenchmarkDrawLongLines(b *testing.B) {
	long := Line{At: then, Text: strings.Repeat("日本語 text ", 1<<20/14)}
	l := opened(6, func(int) Line { return long })
	l.toggleWrap()
	for b.Loop() {
		l.forget()
		_ = l.View()
	}
}

// BenchmarkMemory is what 1,000,000 appended lines leave in memory.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		before := heap()
		l := opened(1_000_000, spring)
		_ = l.View()
		b.ReportMetric(float64(heap()-before)/(1<<20), "MB-kept")
		b.ReportMetric(float64(l.ring.bytes)/(1<<20), "MB-ring")
		b.ReportMetric(float64(l.ring.len()), "lines-kept")
		runtime.KeepAlive(l)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
