package ui_test

import (
	"fmt"
	"slices"
	"testing"

	"gantry/docker"
	"gantry/internal/diagnose"
)

func sizeName(w, h int) string { return fmt.Sprintf("%dx%d", w, h) }

func refusal(text string) error {
	return &diagnose.Error{What: "remove image web:1", Cause: text, Do: "remove the containers that use it", Err: docker.ErrConflict}
}

func TestDeleteByForceOnlyWhereItHelps(t *testing.T) {
	e := newFakeImages()
	e.refuse = refusal("conflict: unable to remove repository reference \"web:1\" (must force) - container 12 is using its referenced image 34")
	s := showImages(t, e, 120, 40)
	s.Wait("web:1")
	s.Type("GD")
	s.Wait("docker rmi web:1")
	s.Type("y")
	s.Wait("Delete by force?")
	s.Wait("docker rmi --force web:1")
	s.Type("n")
	s.Gone("Delete by force?")
	if gone := e.gone(); len(gone) > 0 {
		t.Fatalf("removed %v without a yes", gone)
	}
	s.Type("Dy")
	s.Wait("Delete by force?")
	s.Type("y")
	s.Wait("deleted web:1")
	s.Type("k") // the engine's events are not there to tell
	if gone := e.gone(); !slices.Equal(gone, []string{"web:1"}) {
		t.Errorf("removed %v", gone)
	}
}

func TestDeleteIsNotForcedWhereThatIsOfNoUse(t *testing.T) {
	e := newFakeImages()
	e.refuse = refusal("conflict: unable to delete 34 (cannot be forced) - image is being used by running container 12")
	s := showImages(t, e, 120, 40)
	s.Wait("web:1")
	s.Type("GDy")
	s.Wait("cannot be forced")
	s.Settle()
	s.Gone("by force?")
	s.Type("D")
	s.Wait("Delete web:1?")
}

func TestImageOverviewTellsSizesAndUsers(t *testing.T) {
	s := showImages(t, newFakeImages(), 120, 40)
	s.Wait("web:1")
	s.Type("G")
	s.Wait("of which 500.0 kB its own and 1.5 MB shared")
	s.Wait("shop-web (running)")
}

func TestCopyTheDockerCommand(t *testing.T) {
	s := showImages(t, newFakeImages(), 120, 40)
	s.Wait("web:1")
	s.Type("GY")
	s.Wait("docker history --no-trunc web:1")
	s.Type("hist\r")
	s.Wait("copied docker history --no-trunc web:1")
}
