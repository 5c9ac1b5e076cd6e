package ui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"gantry/docker"
	"gantry/ui/text"
)

func notYet() look {
	return look{listen: docker.Listen{Ports: []docker.PortListen{{Verdict: docker.ListenNotYet}}}}
}

func TestPausesGrowUntilThereIsNoUse(t *testing.T) {
	start := time.Now()
	k := &listening{since: start}
	var pauses []float64
	for now := start; !now.IsZero(); now = k.due {
		k.plan(notYet(), now, start.Add(startTime))
		if !k.due.IsZero() {
			pauses = append(pauses, k.due.Sub(now).Seconds())
		}
	}
	if want := []float64{1, 2, 4, 8, 16, 30, 30}; !slices.Equal(pauses[:7], want) {
		t.Errorf("pauses are %v", pauses)
	}
	if len(pauses) > 20 {
		t.Errorf("it was looked at %d times, and never left alone", len(pauses))
	}
	k.plan(notYet(), start.Add(time.Hour), start.Add(time.Hour+longestPause)) // selected
	if k.due.IsZero() {
		t.Error("the selected container is not looked at")
	}
	k.plan(look{listen: docker.Listen{Ports: []docker.PortListen{{Verdict: docker.ListenLoopback}}}}, start, start.Add(startTime))
	if !k.due.IsZero() {
		t.Error("a container that listens is looked at again")
	}
}

func TestPortMarks(t *testing.T) {
	tcp := func(host, container int) docker.Port {
		return docker.Port{HostIP: "0.0.0.0", Host: host, Container: container, Proto: "tcp"}
	}
	row := func(looked bool, vs ...docker.PortListen) containerRow {
		r := containerRow{Looked: looked, Listen: docker.Listen{Ports: vs}}
		r.State = "running"
		for _, v := range vs {
			r.Ports = append(r.Ports, v.Port)
		}
		return r
	}
	six := tcp(8080, 8080)
	six.HostIP = "::"
	udp := docker.Port{Host: 53, Container: 53, Proto: "udp"}
	for _, tt := range []struct {
		name, short, long string
		row               containerRow
	}{
		{"none", "", "", row(true)},
		{"exposed only", "", "", row(true, docker.PortListen{Port: docker.Port{Container: 80, Proto: "tcp"}})},
		{"not looked at", " 8080", "8080", row(false, docker.PortListen{Port: tcp(8080, 8080)})},
		{"IPv6 is not told again", "✓8080", "✓8080", row(true, docker.PortListen{Port: tcp(8080, 8080), Verdict: docker.ListenOK}, docker.PortListen{Port: six, Verdict: docker.ListenOK})},
		{
			"the worst first", "!9000+2", "✓53/udp ✓8080→80 !9000→90",
			row(true, docker.PortListen{Port: tcp(8080, 80), Verdict: docker.ListenOK}, docker.PortListen{Port: tcp(9000, 90), Verdict: docker.ListenLoopback}, docker.PortListen{Port: udp, Verdict: docker.ListenOK}),
		},
		{"other port", "≠8080", "≠8080", row(true, docker.PortListen{Port: tcp(8080, 8080), Verdict: docker.ListenOther})},
		{"not yet", "…8080", "…8080", row(true, docker.PortListen{Port: tcp(8080, 8080), Verdict: docker.ListenNotYet})},
		{"unknown", "?8080", "?8080", row(true, docker.PortListen{Port: tcp(8080, 8080), Verdict: docker.ListenUnknown})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if short, long := portMark(tt.row), allPorts(tt.row); short != tt.short || long != tt.long {
				t.Errorf("%q and %q, want %q and %q", short, long, tt.short, tt.long)
			}
		})
	}
}

// Each stream goes on with its own line.
func TestPiecesOfLinesAreJoined(t *testing.T) {
	var j joiner
	got := j.lines([]docker.LogLine{
		{Stream: docker.Stdout, Text: "a", Partial: true},
		{Stream: docker.Stderr, Text: "whole"},
		{Stream: docker.Stdout, Text: "b", Partial: true},
	})
	got = append(got, j.lines([]docker.LogLine{{Stream: docker.Stdout, Text: "c"}, {Stream: docker.Stdout, Text: "next"}})...)
	want := []text.Line{{Text: "whole", Stderr: true}, {Text: "abc"}, {Text: "next"}}
	if !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	long := strings.Repeat("x", 64<<10)
	for range 100 {
		j.lines([]docker.LogLine{{Stream: docker.Stdout, Text: long, Partial: true}})
	}
	if n := len(j.lines([]docker.LogLine{{Stream: docker.Stdout, Text: "end"}})[0].Text); n > longestLine+2*len(long) {
		t.Errorf("a line without end takes %d bytes", n)
	}
}

func TestBars(t *testing.T) {
	if got := bars([]float64{0, 0.01, 50, 100, 200}, 100, 2); !slices.Equal(got, []string{"   ██", " ▁███"}) {
		t.Errorf("%q", got)
	}
}

// A graph moves on by whole columns: those drawn before stay as they were.
func TestGraphColumnsStay(t *testing.T) {
	g := graphs[0]
	var kept []docker.Stat
	var before []float64
	for i := range 40 {
		kept = append(kept, docker.Stat{CPU: float64(i * 7 % 11)})
		points, _ := g.points(kept, len(kept), 4, 100)
		if n := len(before); n > 1 && !slices.Equal(points[:n-1], before[:n-1]) {
			t.Fatalf("columns changed after %d samples: %v, %v", i, before, points)
		}
		before = points
	}
	points, peak := g.points(kept[10:], 40, 4, 3)
	if len(points) != 3 || peak != 10 {
		t.Errorf("%v, peak %v", points, peak)
	}
}

func TestCopiedText(t *testing.T) {
	c := docker.Copied{Files: 2, Bytes: 2000, Skipped: []docker.Skipped{{Path: "a", Reason: "symbolic link"}, {Path: "b", Reason: "device"}, {Path: "c", Reason: "symbolic link"}}}
	if got, want := copiedText(c, "/tmp"), "2 files, 2.0 kB, to /tmp; skipped 1 device, 2 symbolic links (a …)"; got != want {
		t.Errorf("%q", got)
	}
}
