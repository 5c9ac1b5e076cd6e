//go:build unix

package main

import (
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gantry/aws/sandbox"
	"gantry/docker"
	"gantry/ui/uitest"
)

// BenchmarkStart is from the start of the process to the first rows on the
// screen, in turn with a bare Bubble Tea list. The goal is 1.3 times its time;
// run it with -benchtime 30x, since single starts vary.
func BenchmarkStart(b *testing.B) {
	w := newWorld(b, sandbox.Config{})
	m := newMachine(b, w.env()...)
	bare := filepath.Join(b.TempDir(), "barelist")
	if err := compile(bare, "./testdata/barelist"); err != nil {
		b.Fatal(err)
	}
	var list, gantry []time.Duration
	for b.Loop() {
		c := exec.CommandContext(b.Context(), bare)
		c.Env = m.env
		list = append(list, untilShown(b, c, "row 1"))
		gantry = append(gantry, untilShown(b, m.command(), "shop"))
	}
	b.ReportMetric(ms(median(list)), "ms-bare-list")
	b.ReportMetric(ms(median(gantry)), "ms-gantry")
	b.ReportMetric(ms(median(gantry))/ms(median(list)), "ratio")
	b.ReportMetric(ms(slices.Min(gantry))/ms(slices.Min(list)), "ratio-of-best")
}

// BenchmarkStartSandbox is BenchmarkStart with the sandbox in the same process,
// whatever runs its tasks: finding out whether an engine can must not delay the
// first rows.
func BenchmarkStartSandbox(b *testing.B) {
	m := newMachine(b, hostEngine())
	took := map[string][]time.Duration{}
	for b.Loop() {
		for _, runtime := range []string{"none", "process", "auto"} {
			took[runtime] = append(took[runtime], untilShown(b, m.command("--sandbox", "--runtime", runtime), "shop"))
		}
	}
	for runtime, ds := range took {
		b.ReportMetric(ms(median(ds)), "ms-"+runtime)
	}
}

// untilShown is how long a program takes to show text.
func untilShown(b *testing.B, c *exec.Cmd, text string) time.Duration {
	b.Helper()
	began := time.Now()
	t := uitest.Exec(b, c, 120, 40)
	t.Wait(text)
	took := time.Since(began)
	t.Close()
	return took
}

func median(ds []time.Duration) time.Duration {
	slices.Sort(ds)
	return ds[len(ds)/2]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }

// BenchmarkResident is the memory that gantry holds while it shows 5,000 tasks.
// The goal is 60 MB.
func BenchmarkResident(b *testing.B) {
	const services, each = 50, 100
	w := newWorld(b, sandbox.Config{Empty: true})
	w.fill(services, each)
	m := newMachine(b, w.env()...)
	var loaded, used float64
	for b.Loop() {
		t := m.open("--cluster", "big")
		t.Wait("svc-0000")
		t.Type("6")
		t.Wait("Tasks 100")
		t.Type("a")
		t.Wait("Tasks 5000")
		t.Settle()
		loaded = max(loaded, resident(b, t.PID()))
		for range 20 {
			t.Type("\x1b[6~/app\x1b") // a page down, a filter and back
		}
		t.Settle()
		used = max(used, resident(b, t.PID()))
		t.Close()
	}
	b.ReportMetric(loaded, "MB-loaded")
	b.ReportMetric(used, "MB-used")
}

// BenchmarkResidentLog is the memory that gantry holds with the log of a
// container open that has 1,000,000 lines, and how long its last line takes to
// show. The goals are 40 MB and 300 ms.
func BenchmarkResidentLog(b *testing.B) {
	c, host := engine(b)
	const image, lines = "gantry-test/log:bench", "1000000"
	imageOf(b, c, image, busybox(b))
	id, err := c.Run(b.Context(), docker.RunOptions{
		Image: image, Name: "gantry-test-log", Labels: map[string]string{testLabel: b.Name()},
		Command: []string{"sh", "-c", "seq 1 " + lines + " | sed 's/^/a line about as long as what servers write, no. /'"},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = c.RemoveContainer(context.Background(), id, docker.ContainerRemoval{Force: true, Volumes: true})
	})
	waitFor(b, "the end of the container", func() bool {
		rows, err := c.Containers(b.Context())
		return err == nil && slices.ContainsFunc(rows, func(r docker.Container) bool { return r.ID == id && !r.Running() })
	})
	m := newMachine(b, host, "AWS_ENDPOINT_URL=http://127.0.0.1:9", "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=y")
	var memory, took float64
	for b.Loop() {
		t := m.open()
		t.Wait("docker ")
		t.Type("2")
		t.Wait("gantry-test-log")
		t.Type("/gantry-test-log\r")
		t.Wait("Containers 1/")
		began := time.Now()
		t.Type("l")
		t.Wait("no. " + lines)
		took = max(took, ms(time.Since(began)))
		t.Settle()
		memory = max(memory, resident(b, t.PID()))
		t.Close()
	}
	b.ReportMetric(memory, "MB")
	b.ReportMetric(took, "ms-last-line")
}

// resident is the resident memory of a process in MB.
func resident(b *testing.B, pid int) float64 {
	b.Helper()
	out, err := exec.Command("ps", "-o", "rss=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		b.Fatalf("ps: %v", err)
	}
	kib, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		b.Fatal(err)
	}
	return float64(kib) * 1024 / 1e6
}

// BenchmarkIdle is what a minute costs in which nothing happens and 40 services
// are on the screen. The goals are no bytes to the terminal and 20 calls.
func BenchmarkIdle(b *testing.B) {
	const services = 40
	w := newWorld(b, sandbox.Config{Empty: true})
	w.fill(services, 1)
	w.settled(services)
	m := newMachine(b, w.env()...)
	var written, calls int
	for b.Loop() {
		t := uitest.Exec(b, m.command("--cluster", "big"), 120, 70)
		t.Wait("svc-0039")
		t.Settle()
		writtenBefore := t.Written()
		w.server.Faults().ResetCalls()
		minute := time.NewTimer(time.Minute)
		<-minute.C // what is measured is that nothing happens
		written += t.Written() - writtenBefore
		for operation, n := range w.server.Faults().Calls() {
			b.Logf("%s %d", operation, n)
			calls += n
		}
		t.Close()
	}
	b.ReportMetric(float64(written)/float64(b.N), "bytes/min")
	b.ReportMetric(float64(calls)/float64(b.N), "calls/min")
}
