package exec

import (
	"bytes"
	"io"
	"runtime"
	"slices"
	"testing"
	"time"

	"gantry/aws/sandbox/agent"
)

// BenchmarkOutput is how fast a program's output comes through: MB/s on
// loopback.
func BenchmarkOutput(b *testing.B) {
	const size = 16 << 20
	g := newGateway(b)
	b.SetBytes(size)
	b.ReportAllocs()
	s := connect(b, g.config(b, shell(run(endless{}, io.Discard))))
	for b.Loop() {
		if _, err := io.CopyN(io.Discard, s, size); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkInput(b *testing.B, faults agent.Faults) {
	g := newGateway(b)
	g.SetFaults(faults)
	data := random(1 << 20)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		in := newSink(len(data))
		cfg := g.config(b, shell(run(io.MultiReader(bytes.NewReader([]byte("$ ")), in), in)))
		s := connect(b, cfg)
		readUntil(b, s, "$ ")
		if _, err := s.Write(data); err != nil {
			b.Fatal(err)
		}
		wait(b, "input", in.full)
		if !bytes.Equal(in.bytes(), data) {
			b.Fatal("input differs")
		}
		b.StopTimer()
		s.Close()
		b.StartTimer()
	}
}

// BenchmarkInput1MiB is an upload of 1 MiB, connecting included.
func BenchmarkInput1MiB(b *testing.B) { benchmarkInput(b, agent.Faults{}) }

// BenchmarkInput1MiBLossy loses every seventh frame and acknowledgement.
func BenchmarkInput1MiBLossy(b *testing.B) { benchmarkInput(b, agent.Faults{DropEvery: 7}) }

// BenchmarkKeystroke is the time from a key to its echo.
func BenchmarkKeystroke(b *testing.B) {
	g := newGateway(b)
	s := connect(b, g.config(b, shell(echo())))
	readUntil(b, s, "$ ")
	var took []time.Duration
	key := make([]byte, 1)
	for b.Loop() {
		start := time.Now()
		if _, err := s.Write([]byte("x")); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(s, key); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "median-µs")
}

// BenchmarkSessionMemory is what 50 sessions hold that have all just carried
// a burst of output, both ends together.
func BenchmarkSessionMemory(b *testing.B) {
	const sessions, burst = 50, 4 << 20
	for b.Loop() {
		g := newGateway(b)
		before := heap()
		open := make([]*Session, sessions)
		for i := range open {
			in := newSink(1)
			out := io.MultiReader(io.LimitReader(endless{}, burst), in)
			open[i] = connect(b, g.config(b, shell(run(out, in))))
			if _, err := io.CopyN(io.Discard, open[i], burst); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(heap()-before)/sessions, "B/session")
		for _, s := range open {
			s.Close()
		}
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
