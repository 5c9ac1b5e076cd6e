package docker

import (
	"runtime"
	"testing"

	"github.com/moby/moby/api/types/container"
)

const manyLines = 1_000_000

// bigLog is a container whose json-file log has manyLines lines.
func bigLog(b *testing.B, c *Client) string {
	b.Helper()
	return shellRan(b, c, busybox(b, c), `seq 1000000 | sed 's/$/ the quick brown fox jumps over the lazy dog and writes it down/'`, container.HostConfig{})
}

// peak samples the heap, since the highest value counts, not the last.
type peak struct{ bytes uint64 }

func (p *peak) sample() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	p.bytes = max(p.bytes, m.HeapAlloc)
}

func BenchmarkMillionLines(b *testing.B) {
	c := live(b)
	id := bigLog(b, c)
	b.Run("last 1000", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if got := collected(b, c, id, LogOptions{Tail: 1000}); len(got) != 1000 {
				b.Fatal(len(got))
			}
		}
	})
	b.Run("first 1000", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if got := collected(b, c, id, LogOptions{Limit: 1000}); len(got) != 1000 {
				b.Fatal(len(got))
			}
		}
	})
	b.Run("all, kept by nobody", func(b *testing.B) {
		var heap peak
		for b.Loop() {
			read, batches := 0, 0
			err := c.Logs(b.Context(), id, LogOptions{}, func(lines []LogLine) {
				read += len(lines)
				if batches++; batches%100 == 0 {
					heap.sample()
				}
			})
			if err != nil || read != manyLines {
				b.Fatal(read, err)
			}
			b.ReportMetric(float64(read)/float64(batches), "lines/batch")
		}
		b.ReportMetric(float64(heap.bytes)/(1<<20), "peak-MB")
	})
	last := collected(b, c, id, LogOptions{Tail: 1000})
	for name, loaded := range map[string]int{"1000 older, near the end": 1000, "1000 older, half way up": manyLines / 2} {
		b.Run(name, func(b *testing.B) {
			before := last[0].At
			if loaded > len(last) {
				before = collected(b, c, id, LogOptions{Tail: loaded, Limit: 1})[0].At
			}
			var heap peak
			for b.Loop() {
				page, err := c.OlderLogs(b.Context(), id, LogPage{Before: before, Loaded: loaded, Lines: 1000}, func(int) {})
				if err != nil || len(page) != 1000 {
					b.Fatal(len(page), err)
				}
				heap.sample()
			}
			b.ReportMetric(float64(heap.bytes)/(1<<20), "peak-MB")
		})
	}
}
