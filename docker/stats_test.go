package docker

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
)

func sample(second int, cpu, received uint64) container.StatsResponse {
	s := container.StatsResponse{Read: logTime.Add(time.Duration(second) * time.Second)}
	s.CPUStats.CPUUsage.TotalUsage, s.CPUStats.OnlineCPUs = cpu, 4
	s.MemoryStats = container.MemoryStats{Usage: 1000, Limit: 4000, Stats: map[string]uint64{"inactive_file": 200}}
	s.Networks = map[string]container.NetworkStats{"eth0": {RxBytes: received}, "eth1": {TxBytes: 5}}
	s.BlkioStats.IoServiceBytesRecursive = []container.BlkioStatEntry{{Op: "Read", Value: 10}, {Op: "write", Value: received}}
	return s
}

func TestStat(t *testing.T) {
	first := stat(container.StatsResponse{}, sample(0, 7, 100), 0)
	if first.Over != 0 || first.CPU != 0 || first.Memory != 800 || first.MemoryShare() != 0.2 || first.Cores != 4 || first.TotalReceived != 100 {
		t.Errorf("first: %+v", first)
	}
	next := stat(sample(0, 0, 100), sample(2, 3e9, 300), 0)
	if next.CPU != 150 || math.Abs(next.CPUShare()-0.375) > 1e-9 || next.Received != 100 || next.Written != 100 || next.Over != 2*time.Second {
		t.Errorf("next: %+v", next)
	}
	if limited := stat(sample(0, 0, 0), sample(1, 2e9, 0), 0.5); limited.Cores != 0.5 || limited.CPU != 50 || limited.CPUShare() != 1 {
		t.Errorf("limited: %+v", limited)
	}
	if reset := stat(sample(0, 5e9, 1000), sample(1, 1e9, 10), 0); reset.CPU != 100 || reset.Received != 10 {
		t.Errorf("after a restart: %+v", reset)
	}
	if back := stat(sample(1, 0, 0), sample(0, 1e9, 0), 0); back.CPU != 0 || back.Over != 0 {
		t.Errorf("time goes back: %+v", back)
	}
}

func TestStatsLive(t *testing.T) {
	noLeaks(t)
	c := live(t)
	image := busybox(t, c)
	id := launched(t, c, container.Config{Image: image, Cmd: []string{"sh", "-c", "while :; do :; done"}}, container.HostConfig{Resources: container.Resources{NanoCPUs: 2e8, Memory: 64 << 20}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all []Stat
	err := c.Stats(ctx, id, func(s Stat) {
		if all = append(all, s); len(all) == 3 {
			cancel()
		}
	})
	if err != nil || len(all) != 3 {
		t.Fatalf("%d samples, %v", len(all), err)
	}
	last := all[2]
	if last.Over <= 0 || last.CPU <= 0 || last.CPU > 20 || last.Cores != 0.2 || last.MemoryLimit != 64<<20 || last.Memory == 0 || last.Processes == 0 {
		t.Errorf("%+v", last)
	}
	t.Run("ends with the container", func(t *testing.T) {
		id := launched(t, c, container.Config{Image: image, Cmd: []string{"sleep", "2"}}, container.HostConfig{})
		if err := c.Stats(t.Context(), id, func(Stat) {}); err != nil {
			t.Error(err)
		}
	})
	t.Run("of a stopped one", func(t *testing.T) {
		id := shellRan(t, c, image, "true", container.HostConfig{})
		if err := c.Stats(t.Context(), id, func(Stat) {}); !errors.Is(err, ErrConflict) {
			t.Errorf("error = %v", err)
		}
	})
}
