package ui_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gantry/docker"
	"gantry/ui"
	"gantry/ui/uitest"
)

// BenchmarkIdleContainers is what half a minute costs in which nothing happens
// and a hundred containers with published ports run. The goals are no bytes to
// the terminal, and 0.3 % of a core here and in the engine. Making the
// containers takes about a minute, which is not counted.
func BenchmarkIdleContainers(b *testing.B) {
	const n, image = 100, "gantry-test/idle:bench"
	c := docker.New(docker.Options{})
	b.Cleanup(c.Close)
	if _, err := c.Engine(b.Context()); err != nil {
		b.Skipf("no engine: %v", err)
	}
	idleContainers(b, c, image, n)
	engine := enginePID(b)
	for b.Loop() {
		f := ui.New(ui.Options{AWS: demoCloud(), Docker: c})
		began := time.Now()
		s := uitest.Run(b, f, 120, 40)
		s.Wait("docker ")
		s.Type("2")
		s.Wait("gantry-idle-000")
		rows := time.Since(began)
		s.Type("/gantry-idle\r")
		shows(s, `✓\d`)
		s.Settle()
		before, here, there := s.Written(), cpu(b, os.Getpid()), cpu(b, engine)
		const time30 = 30 * time.Second
		pause := time.NewTimer(time30)
		<-pause.C // what is measured is that nothing happens
		b.ReportMetric(float64(s.Written()-before), "bytes/30s")
		b.ReportMetric(100*(cpu(b, os.Getpid())-here).Seconds()/time30.Seconds(), "%core-here")
		b.ReportMetric(100*(cpu(b, engine)-there).Seconds()/time30.Seconds(), "%core-engine")
		b.ReportMetric(float64(rows.Milliseconds()), "ms-first-rows")
		f.Close()
	}
}

// idleContainers starts containers that listen on a published port each.
func idleContainers(b *testing.B, c *docker.Client, image string, n int) {
	b.Helper()
	dir := b.TempDir()
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-o", filepath.Join(dir, "server"), "../docker/testdata/server")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\nCOPY server /server\nENTRYPOINT [\"/server\"]\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	labels := map[string]string{testLabel: b.Name()}
	if _, err := c.Build(b.Context(), docker.BuildOptions{Dir: dir, Tags: []string{image}, Labels: labels}, func(docker.BuildProgress) {}); err != nil {
		b.Fatal(err)
	}
	ids := make([]string, n)
	atOnce(n, func(i int) {
		id, err := c.Run(b.Context(), docker.RunOptions{
			Image: image, Name: fmt.Sprintf("gantry-idle-%03d", i), Env: []string{"SERVER_ADDRESS=0.0.0.0"}, Labels: labels,
			Ports: []docker.Port{{HostIP: "127.0.0.1", Container: 8080, Proto: "tcp"}},
		})
		if ids[i] = id; err != nil {
			b.Error(err)
		}
	})
	b.Cleanup(func() {
		ctx := context.Background()
		atOnce(n, func(i int) {
			if ids[i] != "" {
				_ = c.RemoveContainer(ctx, ids[i], docker.ContainerRemoval{Force: true, Volumes: true})
			}
		})
		_, _ = c.RemoveImage(ctx, image, docker.ImageRemoval{Force: true})
	})
}

// atOnce does something n times, four at a time.
func atOnce(n int, do func(i int)) {
	var all sync.WaitGroup
	turn := make(chan struct{}, 4)
	for i := range n {
		turn <- struct{}{}
		all.Go(func() {
			defer func() { <-turn }()
			do(i)
		})
	}
	all.Wait()
}

func enginePID(b *testing.B) int {
	b.Helper()
	out, err := exec.CommandContext(b.Context(), "pidof", "dockerd").Output()
	if err != nil {
		b.Skipf("no dockerd to measure: %v", err)
	}
	pid, err := strconv.Atoi(strings.Fields(string(out))[0])
	if err != nil {
		b.Fatal(err)
	}
	return pid
}

// cpu is the processor time that a process has used: fields 14 and 15 of
// proc_pid_stat(5), in hundredths of a second.
func cpu(b *testing.B, pid int) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	var ticks int
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(f)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
