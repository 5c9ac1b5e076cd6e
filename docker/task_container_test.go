package docker

import (
	"errors"
	"fmt"
	"testing"

	"gantry/internal/diagnose"
)

func TestWordsAreTheEngines(t *testing.T) {
	engine := errors.New("Error response from daemon: manifest for a:1 not found:\nmanifest unknown")
	told := &diagnose.Error{What: "pull a:1", Cause: "there is no tag 1", Err: fmt.Errorf("%w: %w", ErrNotFound, engine)}
	const want = "manifest for a:1 not found: manifest unknown"
	for name, err := range map[string]error{
		"an error of the engine": engine,
		"one with a kind":        fmt.Errorf("%w: %w", ErrNotFound, engine),
		"a diagnosis":            told,
		"a diagnosis wrapped":    fmt.Errorf("once more: %w", told),
		"one without a kind":     &diagnose.Error{What: "x", Cause: "y", Err: engine},
	} {
		if got := Words(err); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := Words(nil); got != "" {
		t.Errorf("nil: %q", got)
	}
	if got := Words(&diagnose.Error{What: "choose", Cause: "it is none"}); got == "" {
		t.Error("a diagnosis of our own has no words")
	}
}
