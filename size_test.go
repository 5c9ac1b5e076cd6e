//go:build unix

package main

import (
	"os"
	"strings"
	"testing"
)

// Users must get what the tests run.
func TestMakefileBuildsWhatIsTested(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range releaseFlags {
		name, value, _ := strings.Cut(flag, "=")
		if !strings.Contains(string(makefile), flag) && !strings.Contains(string(makefile), name+`="`+value+`"`) {
			t.Errorf("the Makefile does not build with %s", flag)
		}
	}
}

// TestSize keeps the stripped binary at 30 MB or less.
func TestSize(t *testing.T) {
	const limit = 30e6
	info, err := os.Stat(build(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the stripped binary has %.1f MB", float64(info.Size())/1e6)
	if info.Size() > limit {
		t.Errorf("%d bytes, want %d at most", info.Size(), int64(limit))
	}
}
