//go:build unix

package main

import (
	"os"
	"testing"
)

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
