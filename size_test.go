//go:build unix

package main

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Users must get what the tests run.
func TestMakefileBuildsWhatIsTested(t *testing.T) {
	plan, err := exec.CommandContext(t.Context(), "make", "-n", "build").Output()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("no make here")
	}
	if err != nil {
		t.Fatal(err)
	}
	flags, err := releaseFlags()
	if err != nil {
		t.Fatal(err)
	}
	said := " " + strings.ReplaceAll(string(plan), `"`, "")
	for _, flag := range flags {
		if !strings.Contains(said, " "+flag+" ") {
			t.Errorf("the Makefile does not build with %s", flag)
		}
		said = strings.Replace(said, " "+flag+" ", " ", 1)
	}
	if strings.Contains(said, "-gcflags") || strings.Contains(said, "-tags") {
		t.Errorf("the Makefile builds with more: %s", said)
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
