package text

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

func TestEntryIsAsLargeAsItIsCounted(t *testing.T) {
	if n := unsafe.Sizeof(entry{}); n != entryBytes {
		t.Errorf("an entry has %d bytes, counted are %d", n, entryBytes)
	}
}

// The ring must hold exactly the lines that a slice would, of the numbers it
// says, within its bytes, whatever is appended and prepended.
func TestRingKeepsTheLastLines(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, limit := range []int{1, 1 << 10, 20 << 10} {
		r := newRing(limit)
		all := map[int64]string{}
		for i := range 3000 {
			text := strings.Repeat(string(rune('a'+i%26)), random.IntN(40))
			if random.IntN(20) == 0 {
				text = strings.Repeat(text, 20)
			}
			text = text[:min(len(text), limit/2)]
			if random.IntN(300) == 0 {
				first := r.first()
				r.prepend([]Line{{Text: text}, {Text: text + "2"}})
				all[first-2], all[first-1] = text, text+"2"
			} else {
				all[r.end] = text
				r.append(Line{Text: text, Stderr: i%2 == 0, Source: fmt.Sprint(i % 3)})
			}
			if r.bytes > limit && len(r.blocks) > 1 {
				t.Fatalf("%d bytes in a ring of %d", r.bytes, limit)
			}
		}
		sum, n := 0, r.first()
		each(r.snapshot(r.first(), r.end), r.first(), r.end, func(at int64, _ entry, text []byte) bool {
			if at != n || string(text) != all[at][:min(len(all[at]), max(limit/2, 0))] {
				t.Fatalf("line %d is %q, want %d, %q", at, text, n, all[n])
			}
			if _, same := r.at(at); string(same) != string(text) {
				t.Fatalf("at(%d) is %q, want %q", at, same, text)
			}
			n++
			return true
		})
		for _, b := range r.blocks {
			sum += b.bytes()
		}
		if n != r.end || sum != r.bytes {
			t.Errorf("went to %d of %d; %d bytes counted, %d there", n, r.end, r.bytes, sum)
		}
	}
}

func TestRingCutsLinesItCannotKeep(t *testing.T) {
	r := newRing(defaultBytes)
	r.append(Line{Text: strings.Repeat("x", 3<<20)})
	if e, text := r.at(0); len(text) != maxLine || !e.is(halved) {
		t.Errorf("kept %d bytes, halved %v", len(text), e.is(halved))
	}
}

// A snapshot stays as it was while the ring goes on; the race detector watches.
func TestSnapshotStaysTrue(t *testing.T) {
	r := newRing(64 << 10)
	for _, l := range numbered(0, 1000) {
		r.append(l)
	}
	from, to := r.first(), r.end
	blocks := r.snapshot(from, to)
	p, _ := compile("line 99")
	done := make(chan []int64)
	go func() {
		f, _ := scan(context.Background(), blocks, from, to, p, cleaned)
		done <- f.lines
	}()
	for _, l := range numbered(1000, 5000) {
		r.append(l)
	}
	if got, want := <-done, []int64{99, 990, 991, 992, 993, 994, 995, 996, 997, 998, 999}; !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}

func TestFoundFollowsTheRing(t *testing.T) {
	r := newRing(32 << 10)
	p, _ := compile("7")
	f, _ := scan(context.Background(), nil, 0, 0, p, cleaned)
	check := func() {
		t.Helper()
		f.cover(r)
		anew, _ := scan(context.Background(), r.snapshot(r.first(), r.end), r.first(), r.end, p, cleaned)
		if !slices.Equal(f.lines, anew.lines) {
			t.Errorf("found %d lines, anew %d", len(f.lines), len(anew.lines))
		}
	}
	check()
	for i := range 50 {
		for _, l := range numbered(i*100, 100) {
			r.append(l)
		}
		check()
	}
	r.prepend(numbered(-300, 300))
	check()
	r.prepend(numbered(-5000, 4000)) // drops what was there
	check()
}

func TestPattern(t *testing.T) {
	for _, c := range []struct {
		typed, line string
		want        []span
		match       bool
	}{
		{"err", "an ERROR, err", []span{{3, 6}, {10, 13}}, true},
		{"ERR", "an ERROR, err", []span{{3, 6}}, true},
		{"grün", "GRÜN grün", []span{{0, 5}, {6, 11}}, true},
		{"x", "abc", nil, false},
		{"re:o[0-9]+", "O12 o3", []span{{0, 3}, {4, 6}}, true},
		{"re:O[0-9]+", "O12 o3", []span{{0, 3}}, true},
		{`re:\S+b`, "AB ab", []span{{0, 2}, {3, 5}}, true},
		{"re:^$", "", nil, true},
		{"!abc", "xyz", nil, true},
		{"!re:a.c", "abc", []span{{0, 3}}, false},
		{"(", "f(x)", []span{{1, 2}}, true},
	} {
		p, err := compileFilter(c.typed)
		if err != nil {
			t.Fatal(err)
		}
		var scratch []byte
		if got := p.match([]byte(c.line), &scratch); got != c.match {
			t.Errorf("%q matches %q: %v", c.typed, c.line, got)
		}
		if got := p.spans(c.line); !slices.Equal(got, c.want) {
			t.Errorf("%q in %q is at %v, want %v", c.typed, c.line, got, c.want)
		}
	}
	if _, err := compile("re:("); err == nil {
		t.Error("took a broken expression")
	}
}

func TestParseSince(t *testing.T) {
	now := then.AddDate(0, 0, 3)
	for in, want := range map[string]Mark{
		"5m": {At: now.Add(-5 * 60e9)}, " 2h30m ": {At: now.Add(-150 * 60e9)}, "3d": {At: then}, "all": {},
		"05:00": {At: now.Truncate(3600e9)}, "23:00": {At: now.Truncate(3600e9).Add(-6 * 3600e9)},
		"2026-03-04": {At: then.Truncate(24 * 3600e9)}, "2026-03-04T05:06:07Z": {At: then}, "2026-03-04 05:06": {At: then.Truncate(60e9)},
	} {
		got, err := parseSince(in, now)
		if err != nil || !got.At.Equal(want.At) || got.Tail != want.Tail {
			t.Errorf("parseSince(%q) = %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "soon", "-5m", "0d", "99999999d", "25:00"} {
		if got, err := parseSince(in, now); err == nil {
			t.Errorf("parseSince(%q) = %v", in, got)
		}
	}
}
