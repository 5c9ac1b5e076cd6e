package docker

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// Stat is what a container used at one moment.
type Stat struct {
	At time.Time
	// Over is the time that the rates are about, about one second. It is 0 in
	// the first sample, which has no rates yet.
	Over time.Duration

	// CPU is in percent of one core: 250 is two and a half cores. Cores is how
	// many the container may use, so CPU is at most Cores × 100.
	CPU   float64
	Cores float64

	// Memory is in bytes, without the part of the page cache that the kernel
	// can take back at once. MemoryLimit is the engine's memory where the
	// container has no limit of its own.
	Memory, MemoryLimit uint64

	// Bytes per second. Received and Sent sum over the container's networks and
	// are 0 with host networking, which has no counters of its own.
	Received, Sent float64
	Read, Written  float64

	// Totals since the container started.
	TotalReceived, TotalSent, TotalRead, TotalWritten uint64

	Processes uint64
}

// CPUShare is CPU as a share of all that the container may use, 0 to 1.
func (s Stat) CPUShare() float64 {
	if s.Cores <= 0 {
		return 0
	}
	return min(s.CPU/100/s.Cores, 1)
}

// MemoryShare is the memory in use as a share of the limit, 0 to 1.
func (s Stat) MemoryShare() float64 {
	if s.MemoryLimit == 0 {
		return 0
	}
	return min(float64(s.Memory)/float64(s.MemoryLimit), 1)
}

// Stats reports a container's use once a second, the first time at once, until
// ctx is canceled or the container ends; neither is an error. Each open stream
// costs the engine some tenth of a percent of a core, so ask for it only while
// somebody looks.
func (c *Client) Stats(ctx context.Context, id string, emit func(Stat)) error {
	what := "read the use of " + short(id)
	api, err := c.api(ctx)
	if err != nil {
		return c.explain(what, err)
	}
	in, err := c.inspect(ctx, api, id)
	if err != nil {
		return c.explain(what, err)
	}
	if row := described(in); !row.Running() {
		return notRunning(what, row)
	}
	answer, err := api.ContainerStats(ctx, id, client.ContainerStatsOptions{Stream: true})
	if err != nil {
		return c.explain(what, err)
	}
	defer answer.Body.Close()
	err = readStats(answer.Body, coresAllowed(in.HostConfig), emit)
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil
	}
	return c.explain(what, err)
}

// coresAllowed is the container's limit in cores, 0 for none.
func coresAllowed(host *container.HostConfig) float64 {
	switch {
	case host == nil:
		return 0
	case host.NanoCPUs > 0:
		return float64(host.NanoCPUs) / 1e9
	case host.CPUQuota > 0 && host.CPUPeriod > 0:
		return float64(host.CPUQuota) / float64(host.CPUPeriod)
	case host.CPUQuota > 0:
		return float64(host.CPUQuota) / 100_000 // the kernel's default period, in µs
	}
	return 0
}

// readStats turns samples into rates.
func readStats(body io.Reader, allowed float64, emit func(Stat)) error {
	samples := json.NewDecoder(body)
	var before container.StatsResponse
	for {
		var now container.StatsResponse
		if err := samples.Decode(&now); err != nil {
			return eof(err)
		}
		if now.Read.IsZero() || now.Read.Year() <= 1 {
			return nil // the engine goes on with empty samples when a container ends
		}
		emit(stat(before, now, allowed))
		before = now
	}
}

// stat is the difference of two samples; before is zero for the first one.
func stat(before, now container.StatsResponse, allowed float64) Stat {
	s := Stat{
		At: now.Read, Cores: cores(now, allowed), Processes: now.PidsStats.Current,
		Memory: memoryInUse(now.MemoryStats), MemoryLimit: now.MemoryStats.Limit,
	}
	s.TotalReceived, s.TotalSent = traffic(now)
	s.TotalRead, s.TotalWritten = blocks(now)
	if before.Read.IsZero() {
		return s
	}
	if s.Over = now.Read.Sub(before.Read); s.Over <= 0 {
		s.Over = 0
		return s
	}
	seconds := s.Over.Seconds()
	rate := func(from, to uint64) float64 { return float64(since(from, to)) / seconds }
	// Processor time is in nanoseconds, with Windows containers in units of
	// 100 ns; one core has a second's worth a second.
	unit := 1e-9
	if now.NumProcs > 0 {
		unit = 1e-7
	}
	s.CPU = rate(before.CPUStats.CPUUsage.TotalUsage, now.CPUStats.CPUUsage.TotalUsage) * unit * 100
	s.CPU = min(s.CPU, 100*s.Cores)
	received, sent := traffic(before)
	s.Received, s.Sent = rate(received, s.TotalReceived), rate(sent, s.TotalSent)
	read, written := blocks(before)
	s.Read, s.Written = rate(read, s.TotalRead), rate(written, s.TotalWritten)
	return s
}

// since is how far a counter has come; one that was reset begins at 0.
func since(from, to uint64) uint64 {
	if to < from {
		return to
	}
	return to - from
}

func cores(now container.StatsResponse, allowed float64) float64 {
	online := float64(orElse(int(now.CPUStats.OnlineCPUs), orElse(len(now.CPUStats.CPUUsage.PercpuUsage), int(now.NumProcs))))
	if allowed > 0 && (online == 0 || allowed < online) {
		return allowed
	}
	return online
}

// memoryInUse leaves out the inactive file cache, as docker stats does:
// inactive_file on cgroup v2, total_inactive_file on v1.
func memoryInUse(m container.MemoryStats) uint64 {
	if m.PrivateWorkingSet > 0 {
		return m.PrivateWorkingSet // Windows
	}
	for _, key := range []string{"total_inactive_file", "inactive_file"} {
		if cache, known := m.Stats[key]; known && cache < m.Usage {
			return m.Usage - cache
		}
	}
	return m.Usage
}

func traffic(s container.StatsResponse) (received, sent uint64) {
	for _, n := range s.Networks {
		received += n.RxBytes
		sent += n.TxBytes
	}
	return received, sent
}

// blocks sums the block devices: cgroup v1 writes Read and Write, v2 read and
// write.
func blocks(s container.StatsResponse) (read, written uint64) {
	for _, e := range s.BlkioStats.IoServiceBytesRecursive {
		switch e.Op {
		case "read", "Read":
			read += e.Value
		case "write", "Write":
			written += e.Value
		}
	}
	return read + s.StorageStats.ReadSizeBytes, written + s.StorageStats.WriteSizeBytes
}
