package lineage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"gantry/aws"
)

// Index finds the places of a digest in a World. It never changes, so it may be
// read from any goroutine.
type Index struct {
	world World
	clock func(time.Time) string

	local  map[string][]int // digest → world.Local
	named  map[string]int   // NAME:TAG → world.Local
	ids    map[string][]int // ID → world.Local, a row for each name
	uris   map[string]int   // URI → world.Repositories
	stored map[string][]int // digest → world.Images
	tags   map[string]int   // URI:TAG → world.Images
	kin    map[string][]string

	runs    map[string][]place // digest → containers of tasks that have not stopped
	asks    map[string][]place // NAME:TAG → the same
	crews   map[string][]int   // service → its tasks that have not stopped
	defined map[string]int     // family:revision → world.Definitions
	refers  map[string][]place // digest or NAME:TAG → containers of definitions
	serve   map[string][]int   // family:revision → world.Services that want it
}

// place is a container of a task or a definition.
type place struct{ row, container int }

// New makes the index. clock writes times for the sentences.
func New(w World, clock func(time.Time) string) *Index {
	x := &Index{
		world: w, clock: clock,
		local: make(map[string][]int, len(w.Local)), named: make(map[string]int, len(w.Local)), ids: make(map[string][]int, len(w.Local)),
		uris:   make(map[string]int, len(w.Repositories)),
		stored: make(map[string][]int, len(w.Images)), tags: make(map[string]int, len(w.Images)), kin: map[string][]string{},
		runs: map[string][]place{}, asks: map[string][]place{}, crews: map[string][]int{},
		defined: make(map[string]int, len(w.Definitions)), refers: map[string][]place{}, serve: map[string][]int{},
	}
	x.addLocal()
	x.addStored()
	x.addRunning()
	return x
}

// World is what the index was made of.
func (x *Index) World() *World { return &x.world }

func (x *Index) addLocal() {
	for i := range x.world.Local {
		r := &x.world.Local[i]
		x.ids[r.ID] = append(x.ids[r.ID], i)
		if r.Repository != "" && r.Tag != "" {
			x.named[r.Repository+":"+r.Tag] = i
		}
		for _, d := range r.Digests {
			if digest := digestOf(d); !slices.Contains(x.local[digest], i) {
				x.local[digest] = append(x.local[digest], i)
			}
		}
	}
}

func (x *Index) addStored() {
	for i := range x.world.Repositories {
		x.uris[x.world.Repositories[i].URI] = i
	}
	for i := range x.world.Images {
		r := &x.world.Images[i]
		x.stored[r.Digest] = append(x.stored[r.Digest], i)
		for _, tag := range r.Tags {
			x.tags[r.URI+":"+tag] = i
		}
		for _, m := range r.Manifests {
			x.kin[m] = append(x.kin[m], r.Digest)
			x.kin[r.Digest] = append(x.kin[r.Digest], m)
		}
	}
}

func (x *Index) addRunning() {
	for i := range x.world.Tasks {
		t := &x.world.Tasks[i]
		if t.Failure != "" || t.IsStopped() {
			continue
		}
		if t.Service != "" {
			key := crewOf(t.ClusterARN, t.Service)
			x.crews[key] = append(x.crews[key], i)
		}
		for j := range t.Containers {
			at := place{i, j}
			if d := t.Containers[j].Digest; d != "" {
				x.runs[d] = append(x.runs[d], at)
			}
			if name := Parse(t.Containers[j].Image); name.Digest == "" {
				x.asks[name.Name()] = append(x.asks[name.Name()], at)
			}
		}
	}
	for i := range x.world.Definitions {
		d := &x.world.Definitions[i]
		x.defined[d.Name()] = i
		for j := range d.Containers {
			key := Parse(d.Containers[j].Image)
			to := cmp.Or(key.Digest, key.Name())
			x.refers[to] = append(x.refers[to], place{i, j})
		}
	}
	for i := range x.world.Services {
		if s := &x.world.Services[i]; s.Failure == "" && s.TaskDefinition != "" {
			x.serve[s.TaskDefinition] = append(x.serve[s.TaskDefinition], i)
		}
	}
}

func crewOf(cluster, service string) string { return cluster + " " + service }

// relatives are the digest itself, the indexes that it is a platform of, and
// the platforms that it is an index of: the same image to whoever runs it.
func (x *Index) relatives(digest string) []string {
	if digest == "" {
		return nil
	}
	return append([]string{digest}, x.kin[digest]...)
}

// same tells whether two digests are one image, one of them perhaps for a
// single platform.
func (x *Index) same(a, b string) bool { return slices.Contains(x.relatives(a), b) }

// Use is who runs an image: a service, or tasks of a family that no service
// started.
type Use struct {
	Cluster string // name
	Service string // "" where no service started them
	Family  string
	Tasks   int // that have not stopped
}

// Name is the service, else the family.
func (u Use) Name() string { return cmp.Or(u.Service, u.Family) }

// String is "web in shop ×3", or "family import in batch ×1".
func (u Use) String() string {
	name := u.Service
	if name == "" {
		name = "family " + u.Family
	}
	return fmt.Sprintf("%s in %s ×%d", name, u.Cluster, u.Tasks)
}

// Running tells who runs this digest now, by cluster and name, as far as tasks
// were read.
func (x *Index) Running(digest string) []Use {
	return x.uses(x.places(digest))
}

// RunningKnown reports whether the tasks of every cluster were read: only then
// does an empty Running mean that nothing runs it.
func (x *Index) RunningKnown() bool { return x.world.tasksWhole() }

// RunningComing reports whether tasks that are not known yet will be: none that
// was asked for has failed.
func (x *Index) RunningComing() bool { return !x.RunningKnown() && !x.world.tasksFailed() }

// places are the containers that run one of the digests or their relatives.
func (x *Index) places(digests ...string) []place {
	var all []place
	seen := map[string]bool{}
	for _, digest := range digests {
		for _, d := range x.relatives(digest) {
			if !seen[d] {
				seen[d] = true
				all = append(all, x.runs[d]...)
			}
		}
	}
	return all
}

// uses counts the tasks of these places, each once.
func (x *Index) uses(at []place) []Use {
	count := map[Use]int{}
	seen := map[int]bool{}
	for _, p := range at {
		if seen[p.row] {
			continue
		}
		seen[p.row] = true
		t := &x.world.Tasks[p.row]
		u := Use{Cluster: t.Cluster, Service: t.Service}
		if u.Service == "" {
			u.Family = familyOf(t.TaskDefinition)
		}
		count[u]++
	}
	uses := make([]Use, 0, len(count))
	for u, n := range count {
		u.Tasks = n
		uses = append(uses, u)
	}
	slices.SortFunc(uses, func(a, b Use) int {
		return cmp.Or(cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Name(), b.Name()), cmp.Compare(a.Service, b.Service))
	})
	return uses
}

// familyOf is the family in family:revision.
func familyOf(definition string) string {
	family, _, _ := strings.Cut(definition, ":")
	return family
}

// repositoryRead reports whether the whole repository is known.
func (x *Index) repositoryRead(uri string) bool {
	return x.world.Read(Part{RepositoryImages, uri})
}

// storedIn is the image of that digest in one repository; nil if it is not
// there, or not read yet.
func (x *Index) storedIn(uri, digest string) *aws.RepositoryImage {
	for _, i := range x.stored[digest] {
		if r := &x.world.Images[i]; r.URI == uri {
			return r
		}
	}
	return nil
}

// tagged is what the tag is now; nil if there is none, or it is not read yet.
func (x *Index) tagged(r Reference) *aws.RepositoryImage {
	if i, ok := x.tags[r.Name()]; ok {
		return &x.world.Images[i]
	}
	return nil
}
