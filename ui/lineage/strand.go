package lineage

import (
	"cmp"
	"slices"
	"time"

	"gantry/aws"
	"gantry/docker"
)

// Strand is one image with all its places: what one container of a task or a
// service runs, or an image by itself.
type Strand struct {
	Container string // "" for an image by itself
	Reference string // as the definition or the task has it
	Digest    string // "" where none is known
	Count     int    // of a service's tasks that run it

	Local       []docker.Image // a row for each name
	Stored      []aws.RepositoryImage
	Definitions []DefinitionUse
	Services    []ServiceUse
	Running     []Use

	// Told is what is worth knowing about it, the worst first.
	Told []Finding
	// Wants are the URIs of the repositories that must be read for all this.
	Wants []string
	// Elsewhere is the repository where it is none of this account and region.
	Elsewhere string
}

// DefinitionUse is a revision of a task definition that names the image.
type DefinitionUse struct {
	Definition string // family:revision
	Reference  string
	// Moved says that it names the image by a tag that is another one now: the
	// next task gets that one.
	Moved bool
}

// ServiceUse is a service that wants a revision which names the image.
type ServiceUse struct {
	Cluster, Name, Definition string
	Desired                   int
}

// Finding is a sentence about an image.
type Finding struct {
	Level Level
	Text  string
	Do    string // "" where there is nothing to do
}

// Level is how much a finding matters.
type Level int

// The levels, the worst first.
const (
	Trouble Level = iota // something is lost, or will fail
	Behind               // something newer exists
	Note
	Good
)

// OfTask is a strand for each container of the task.
func (x *Index) OfTask(t aws.Task) []Strand {
	strands := make([]Strand, 0, len(t.Containers))
	for _, c := range t.Containers {
		r := runner{
			ref: Parse(c.Image), digest: c.Digest, who: "this task", runs: "runs",
			first: cmp.Or(t.Started, t.Created), last: cmp.Or(t.Started, t.Created),
			service: t.Service, stopped: t.IsStopped(),
		}
		if r.stopped {
			r.runs = "ran"
		}
		s := x.strand(r)
		s.Container, s.Reference = c.Name, c.Image
		strands = append(strands, s)
	}
	return strands
}

// OfService is a strand for each image that the service's tasks run, and for
// each that its definition names where no task runs.
func (x *Index) OfService(s aws.Service) []Strand {
	crew := x.crews[crewOf(s.ClusterARN, s.Name)]
	var runners []*runner
	var names []string
	for _, i := range crew {
		t := &x.world.Tasks[i]
		for j := range t.Containers {
			c := &t.Containers[j]
			at := slices.IndexFunc(runners, func(r *runner) bool {
				return r.container == c.Name && r.digest == c.Digest && r.image == c.Image
			})
			if at < 0 {
				at = len(runners)
				runners = append(runners, &runner{
					container: c.Name, image: c.Image, ref: Parse(c.Image), digest: c.Digest, service: s.Name, mine: true, moving: s.Moving(),
				})
				names = append(names, c.Name)
			}
			runners[at].add(cmp.Or(t.Started, t.Created))
		}
	}
	strands := make([]Strand, 0, len(runners))
	for _, r := range runners {
		r.word(len(crew))
		one := x.strand(*r)
		one.Container, one.Reference, one.Count = r.container, r.image, r.count
		strands = append(strands, one)
	}
	slices.SortStableFunc(strands, func(a, b Strand) int {
		return cmp.Or(cmp.Compare(a.Container, b.Container), cmp.Compare(b.Count, a.Count))
	})
	tellMixed(strands, s)
	return append(strands, x.wanted(s, names)...)
}

// wanted is a strand for each container of the service's definition that no
// task runs.
func (x *Index) wanted(s aws.Service, running []string) []Strand {
	i, ok := x.defined[s.TaskDefinition]
	if !ok {
		return nil
	}
	var strands []Strand
	for _, c := range x.world.Definitions[i].Containers {
		if slices.Contains(running, c.Name) {
			continue
		}
		one := x.meant(c)
		one.tell(x.tellWanted(Parse(c.Image), s)...)
		strands = append(strands, one)
	}
	return strands
}

// OfDefinition is a strand for each container of a revision.
func (x *Index) OfDefinition(d aws.Definition) []Strand {
	strands := make([]Strand, 0, len(d.Containers))
	for _, c := range d.Containers {
		one := x.meant(c)
		one.tell(x.tellNamed(Parse(c.Image), d.Name())...)
		strands = append(strands, one)
	}
	return strands
}

// meant is the strand of the image that a container's definition means now,
// without a word about it.
func (x *Index) meant(c aws.DefinedContainer) Strand {
	ref := Parse(c.Image)
	digest := ref.Digest
	if now := x.tagged(ref); now != nil && digest == "" {
		digest = now.Digest
	}
	s := x.found(digest, ref)
	s.Container, s.Reference = c.Name, c.Image
	return s
}

// OfStored is the strand of an image in a repository.
func (x *Index) OfStored(r aws.RepositoryImage) Strand {
	s := x.found(r.Digest)
	s.want(x, r.URI)
	s.Reference = r.Reference()
	s.tell(x.tellStored(r)...)
	return s
}

// OfLocal is the strand of a local image.
func (x *Index) OfLocal(r docker.Image) Strand {
	var digests []string
	for _, d := range r.Digests {
		digests = append(digests, digestOf(d))
	}
	s := x.found(cmp.Or(digests...))
	if len(digests) > 1 {
		s.places(x, digests)
	}
	if len(s.Local) == 0 {
		s.Local = x.namesOf(r)
	}
	s.Reference = r.Reference()
	for _, d := range r.Digests {
		s.want(x, Parse(d).Repository)
	}
	for _, uri := range x.homes(r) {
		s.want(x, uri)
	}
	s.Elsewhere = ""
	s.tell(x.tellLocal(r)...)
	return s
}

// namesOf is the image under all its names.
func (x *Index) namesOf(r docker.Image) []docker.Image {
	if rows := x.locals(x.ids[r.ID]); len(rows) > 0 {
		return rows
	}
	return []docker.Image{r}
}

// strand is what is known of what runs.
func (x *Index) strand(r runner) Strand {
	s := x.found(r.digest, r.ref)
	s.tell(x.tellRunner(r)...)
	return s
}

// found is the strand of a digest, without a word about it. Its references say
// which repositories have to be read.
func (x *Index) found(digest string, refs ...Reference) Strand {
	s := Strand{Digest: digest}
	s.places(x, []string{digest})
	for _, ref := range refs {
		s.want(x, ref.Repository)
	}
	return s
}

// want notes that a repository has to be read, if it is one of this account.
func (s *Strand) want(x *Index, uri string) {
	_, ours := x.uris[uri]
	switch {
	case ours && !slices.Contains(s.Wants, uri):
		s.Wants = append(s.Wants, uri)
	case !ours && x.world.Read(Part{Kind: Repositories}):
		s.Elsewhere = uri
	}
}

// tell adds findings, the worst first.
func (s *Strand) tell(told ...Finding) {
	s.Told = append(s.Told, told...)
	slices.SortStableFunc(s.Told, func(a, b Finding) int { return cmp.Compare(a.Level, b.Level) })
}

// places fills in where these digests are.
func (s *Strand) places(x *Index, digests []string) {
	var local, stored []int
	for _, digest := range digests {
		for _, d := range x.relatives(digest) {
			local, stored = append(local, x.local[d]...), append(stored, x.stored[d]...)
		}
	}
	s.Local = x.locals(once(local))
	s.Stored = nil
	for _, i := range once(stored) {
		s.Stored = append(s.Stored, x.world.Images[i])
	}
	at := x.places(digests...)
	s.Running = x.uses(at)
	s.Definitions = x.definitions(at, digests, s.Stored)
	s.Services = x.services(s.Definitions)
}

func (x *Index) locals(rows []int) []docker.Image {
	images := make([]docker.Image, 0, len(rows))
	for _, i := range rows {
		images = append(images, x.world.Local[i])
	}
	return images
}

// once sorts and drops what is there twice.
func once(rows []int) []int {
	slices.Sort(rows)
	return slices.Compact(rows)
}

// definitions are the revisions that name the image: by digest, by a tag that
// it has, or as its tasks were started.
func (x *Index) definitions(at []place, digests []string, stored []aws.RepositoryImage) []DefinitionUse {
	var uses []DefinitionUse
	for _, p := range at {
		t := &x.world.Tasks[p.row]
		c := &t.Containers[p.container]
		now := x.tagged(Parse(c.Image))
		moved := now != nil && !x.same(now.Digest, c.Digest) && !x.unsure(now)
		uses = append(uses, DefinitionUse{t.TaskDefinition, c.Image, moved})
	}
	var keys []string
	for _, d := range digests {
		keys = append(keys, x.relatives(d)...)
	}
	for i := range stored {
		for _, tag := range stored[i].Tags {
			keys = append(keys, stored[i].URI+":"+tag)
		}
	}
	for _, key := range keys {
		for _, p := range x.refers[key] {
			d := &x.world.Definitions[p.row]
			uses = append(uses, DefinitionUse{d.Name(), d.Containers[p.container].Image, false})
		}
	}
	slices.SortFunc(uses, func(a, b DefinitionUse) int {
		return cmp.Or(cmp.Compare(familyOf(a.Definition), familyOf(b.Definition)),
			cmp.Compare(len(b.Definition), len(a.Definition)), cmp.Compare(b.Definition, a.Definition), cmp.Compare(a.Reference, b.Reference))
	})
	return slices.Compact(uses)
}

// services are those that want one of the revisions.
func (x *Index) services(definitions []DefinitionUse) []ServiceUse {
	var uses []ServiceUse
	for _, d := range definitions {
		for _, i := range x.serve[d.Definition] {
			s := &x.world.Services[i]
			uses = append(uses, ServiceUse{s.Cluster, s.Name, s.TaskDefinition, s.Desired})
		}
	}
	slices.SortFunc(uses, func(a, b ServiceUse) int {
		return cmp.Or(cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Name, b.Name))
	})
	return slices.Compact(uses)
}

// runner is who runs an image: a task, or the tasks of a service that run the
// same one.
type runner struct {
	container, image string
	ref              Reference
	digest           string
	count            int
	first, last      time.Time // when they started
	service          string    // "" for a task by itself
	mine             bool      // the service is what is looked at
	stopped          bool
	moving           bool   // a deployment of the service is under way
	who, runs        string // "this task", "runs"
}

// add counts one more task.
func (r *runner) add(started time.Time) {
	r.count++
	if r.first.IsZero() || started.Before(r.first) {
		r.first = started
	}
	if started.After(r.last) {
		r.last = started
	}
}
