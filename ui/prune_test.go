package ui_test

import (
	"testing"

	"gantry/docker"
)

func prunable() *fakeImages {
	e := newFakeImages()
	e.plan = docker.PrunePlan{
		{Kind: docker.PruneContainers, Items: []docker.PruneItem{{ID: "a1", Name: "old-web", Detail: "Exited (0) 2 days ago", Bytes: 1_000_000}}},
		{Kind: docker.PruneDanglingImages, Items: []docker.PruneItem{{ID: "sha256:b", Name: "<none>", Bytes: 5_000_000}, {ID: "sha256:c", Name: "<none>", Bytes: 1_000_000}}},
		{Kind: docker.PruneNamedVolumes, Items: []docker.PruneItem{{ID: "database", Name: "database", Bytes: 900_000_000}}},
	}
	return e
}

func TestPruneScreens(t *testing.T) {
	for _, size := range sizes {
		t.Run(sizeName(size.w, size.h), func(t *testing.T) {
			s := showImages(t, prunable(), size.w, size.h)
			s.Wait("base:1")
			s.Type("X")
			s.Wait("chosen: 3 things, about 7.0 MB")
			s.Type("j\r")
			s.Wait("5.0 MB")
			s.Settle()
			s.Golden()
		})
	}
}

func TestPruneWhatIsChosen(t *testing.T) {
	e := prunable()
	s := showImages(t, e, 120, 40)
	s.Wait("base:1")
	s.Type("X")
	s.Wait("chosen: 3 things")
	s.Wait("[ ]    1  named volumes") // may hold what somebody wants
	s.Type(" ")
	s.Wait("chosen: 2 things")
	s.Type("X")
	s.Wait("2 things will be removed for good, about 6.0 MB")
	s.Type("yes\r")
	s.Wait(`type "prune" to go on`)
	if e.lastPruned() != nil {
		t.Fatal("pruned without the word")
	}
	s.Type("\x15prune\r")
	s.Wait("✓ removed 3 things, freed 7.0 MB")
	if plan := e.lastPruned(); len(plan) != 1 || plan[0].Kind != docker.PruneDanglingImages {
		t.Errorf("pruned %+v", plan)
	}
	s.Gone("dangling images")
	s.Wait("stopped containers")
	s.Type("x")
	s.Gone("stopped containers")
}

func TestPruneNothing(t *testing.T) {
	s := showImages(t, newFakeImages(), 120, 40)
	s.Wait("base:1")
	s.Type("X")
	s.Wait("there is nothing to prune")
	s.Type("Xjk \r") // what cannot be done does nothing
	s.Type("x")
	s.Gone("there is nothing to prune")
}
