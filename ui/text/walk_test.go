package text

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"gantry/ui/pane"
)

// TestLogSurvivesAnything presses random keys while random lines come, and
// wants a sound screen and a bounded ring after every one of them.
func TestLogSurvivesAnything(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { walk(t, rand.New(rand.NewPCG(seed, 7))) })
	}
}

func walk(t *testing.T, random *rand.Rand) {
	const limit = 24 << 10
	w := &writer{head: "json-file", older: func(before time.Time, _ int) ([]Line, error) {
		first := int(before.Sub(then) / time.Second)
		n := max(first, -first) % 120
		return numbered(first-n, n), nil
	}}
	drive(t, w, LogOptions{Bytes: limit}, func(d *driver) {
		next := 0
		for step := range 3000 {
			did := d.randomly(random, &next)
			if random.IntN(3) == 0 {
				d.settleAll()
			}
			if wrong := safe(d.View(), d.Log.w, d.h); wrong != "" {
				t.Fatalf("step %d, %s: %s", step, did, wrong)
			}
			if d.ring.bytes > limit && len(d.ring.blocks) > 1 {
				t.Fatalf("step %d, %s: %d bytes in the ring", step, did, d.ring.bytes)
			}
			if n := d.total(); n > 0 && d.h > 2 && !slices.Contains(d.all(), d.top.line) {
				t.Fatalf("step %d, %s: the top line %d is none of %d", step, did, d.top.line, n)
			}
		}
	})
}

// all are the numbers of the lines that can be seen.
func (d *driver) all() []int64 {
	lines := make([]int64, d.total())
	for i := range lines {
		lines[i] = d.number(i)
	}
	return lines
}

// randomly does something, and says what.
func (d *driver) randomly(random *rand.Rand, next *int) string {
	switch random.IntN(10) {
	case 0, 1, 2:
		lines := numbered(*next, random.IntN(60))
		*next += len(lines)
		for i := range lines {
			if random.IntN(4) == 0 {
				lines[i].Text = nasty[random.IntN(len(nasty))]
			}
			lines[i].Source = []string{"", "a", "b"}[random.IntN(3)]
		}
		select {
		case d.w.lines <- lines:
		default: // held up, or not read at all
			*next -= len(lines)
		}
		return "write"
	case 3:
		d.run(d.Resize(random.IntN(60), random.IntN(14)))
		return fmt.Sprintf("resize to %dx%d", d.Log.w, d.h)
	}
	if d.Typing() {
		keys := []string{"l", "1", "7", "!", "enter", "esc", "backspace", "x"}
		k := keys[random.IntN(len(keys))]
		d.run(d.Update(key(k)))
		return "type " + k
	}
	cs := slices.DeleteFunc(d.Commands(), func(c pane.Command) bool { return c.Key == "t" || c.Key == "S" })
	c := cs[random.IntN(len(cs))]
	d.run(c.Run())
	return "press " + c.Key
}
