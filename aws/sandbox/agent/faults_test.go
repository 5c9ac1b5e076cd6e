package agent

import (
	"slices"
	"testing"
)

func TestLanes(t *testing.T) {
	for name, c := range map[string]struct {
		faults Faults
		want   []string
	}{
		"clean":     {Faults{}, []string{"1", "2", "3", "4", "5", "6"}},
		"drop":      {Faults{DropEvery: 3}, []string{"1", "2", "4", "5"}},
		"duplicate": {Faults{DuplicateEvery: 4}, []string{"1", "2", "3", "4", "4", "5", "6"}},
		"swap":      {Faults{SwapEvery: 2}, []string{"1", "3", "2", "5", "4"}},
		"drop all":  {Faults{DropEvery: 1}, nil},
	} {
		l := lane{faults: c.faults}
		var got []string
		for _, m := range []string{"1", "2", "3", "4", "5", "6"} {
			for _, b := range l.pass([]byte(m)) {
				got = append(got, string(b))
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
