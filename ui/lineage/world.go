// Package lineage tells where an image is: the same digest as a local image, in
// a repository, in revisions of task definitions, in services and in running
// tasks, and where its ways part. It is pure: it knows what was read, and of
// what was not it claims nothing.
package lineage

import (
	"cmp"
	"slices"
	"time"

	"gantry/aws"
	"gantry/docker"
)

// World is what has been read so far. An Index of it may be used while more is
// appended to its slices.
type World struct {
	Local        []docker.Image
	Repositories []aws.Repository
	Images       []aws.RepositoryImage
	Definitions  []aws.Definition
	Services     []aws.Service
	Tasks        []aws.Task
	// Parts tells how far each part has come; one that is not in it was never
	// asked for.
	Parts map[Part]State
}

// Part is what is read in one go, and may fail apart from the rest.
type Part struct {
	Kind Kind
	Name string // of the cluster, repository URI or definition; "" for the others
}

// Kind is what a part holds.
type Kind int

// The kinds of parts, in the order in which gaps are told.
const (
	LocalImages Kind = iota
	Repositories
	RepositoryImages // of one repository, by URI
	Clusters
	Services    // of one cluster, by ARN
	Tasks       // of one cluster, by ARN
	Definitions // one revision
)

// State is how far a part has come: read, failed with Err, or under way.
type State struct {
	Read bool
	Err  error
	At   time.Time // when it was asked for
}

// Gap is a part that is missing or not whole, and why; Err is nil while it is
// still being read.
type Gap struct {
	Part Part
	Err  error
}

// Read reports whether the whole part is known.
func (w *World) Read(p Part) bool { return w.Parts[p].Read }

// Gaps are the parts that were asked for and are not whole.
func (w *World) Gaps() []Gap {
	var gaps []Gap
	for p, s := range w.Parts {
		if !s.Read {
			gaps = append(gaps, Gap{p, s.Err})
		}
	}
	slices.SortFunc(gaps, func(a, b Gap) int {
		return cmp.Or(cmp.Compare(a.Part.Kind, b.Part.Kind), cmp.Compare(a.Part.Name, b.Part.Name))
	})
	return gaps
}

// Oldest is when the oldest part was asked for; zero if nothing was.
func (w *World) Oldest() time.Time {
	var oldest time.Time
	for _, s := range w.Parts {
		if oldest.IsZero() || s.At.Before(oldest) {
			oldest = s.At
		}
	}
	return oldest
}

// tasksWhole reports whether the tasks of every cluster are known, so that
// "nothing runs it" can be said.
func (w *World) tasksWhole() bool {
	if !w.Read(Part{Kind: Clusters}) {
		return false
	}
	for p, s := range w.Parts {
		if p.Kind == Tasks && !s.Read {
			return false
		}
	}
	return true
}

// tasksFailed reports whether the tasks of some cluster could not be read.
func (w *World) tasksFailed() bool {
	for p, s := range w.Parts {
		if (p.Kind == Clusters || p.Kind == Tasks) && s.Err != nil {
			return true
		}
	}
	return false
}
