package ui

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gantry/aws"
	"gantry/docker"
	"gantry/ui/lineage"
)

// lineageCloud is what lineage reads of AWS.
type lineageCloud interface {
	Clusters(ctx context.Context, page func([]aws.Cluster)) error
	Services(ctx context.Context, cluster string, page func([]aws.Service)) error
	Tasks(ctx context.Context, cluster, service string, page func([]aws.Task)) error
	Definition(ctx context.Context, ref string) (aws.Definition, error)
	Repositories(ctx context.Context, page func([]aws.Repository)) error
	RepositoryImages(ctx context.Context, r aws.Repository, page func([]aws.RepositoryImage)) error
	DescribeRepositoryImages(ctx context.Context, r aws.Repository, digests []string) ([]aws.RepositoryImage, error)
}

// lineageEngine is what lineage reads of Docker.
type lineageEngine interface {
	Images(ctx context.Context, scope docker.ImageScope) ([]docker.Image, error)
}

// mostJoined is how many indexes of a repository are asked what they join, the
// youngest first.
const mostJoined = 50

// reading is a world while it is read. Its methods are called outside the event
// loop, several at once.
type reading struct {
	mu    sync.Mutex
	world lineage.World
}

func newReading() *reading {
	return &reading{world: lineage.World{Parts: map[lineage.Part]lineage.State{}}}
}

// index is one of what is there by now.
func (r *reading) index() *lineage.Index {
	r.mu.Lock()
	w := r.world
	w.Parts = maps.Clone(r.world.Parts)
	r.mu.Unlock()
	return lineage.New(w, clock)
}

// part reads one part, and notes how that went.
func (r *reading) part(p lineage.Part, read func() error) error {
	state := lineage.State{At: time.Now()}
	r.set(p, state)
	state.Err = read()
	state.Read = state.Err == nil
	r.set(p, state)
	return state.Err
}

// began tells whether the part was asked for.
func (r *reading) began(p lineage.Part) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.world.Parts[p]
	return ok
}

func (r *reading) set(p lineage.Part, s lineage.State) {
	r.mu.Lock()
	r.world.Parts[p] = s
	r.mu.Unlock()
}

// local reads the local images.
func (r *reading) local(ctx context.Context, e lineageEngine) {
	_ = r.part(lineage.Part{Kind: lineage.LocalImages}, func() error {
		rows, err := e.Images(ctx, docker.TopImages)
		if err == nil {
			r.mu.Lock()
			r.world.Local = rows
			r.mu.Unlock()
		}
		return err
	})
}

// all reads what is not of one repository alone: who runs what, and which
// repositories there are. more is called whenever there is more to see.
func (r *reading) all(ctx context.Context, c lineageCloud, more func()) {
	var crew sync.WaitGroup
	defer crew.Wait()
	crew.Go(func() {
		r.repositories(ctx, c)
		more()
	})
	var clusters []aws.Cluster
	_ = r.part(lineage.Part{Kind: lineage.Clusters}, func() error {
		return c.Clusters(ctx, func(page []aws.Cluster) {
			clusters = append(clusters, page...)
			r.mu.Lock()
			for _, k := range page { // said before they are read: until then, nothing is known of them
				r.world.Parts[lineage.Part{Kind: lineage.Tasks, Name: k.ARN}] = lineage.State{At: time.Now()}
			}
			r.mu.Unlock()
		})
	})
	more()
	atOnce(len(clusters), func(i int) {
		r.cluster(ctx, c, clusters[i].ARN, more)
		more()
	})
	r.definitions(ctx, c)
	more()
}

func (r *reading) repositories(ctx context.Context, c lineageCloud) {
	_ = r.part(lineage.Part{Kind: lineage.Repositories}, func() error {
		return c.Repositories(ctx, func(page []aws.Repository) {
			r.mu.Lock()
			r.world.Repositories = append(r.world.Repositories, page...)
			r.mu.Unlock()
		})
	})
}

// cluster reads the services and then the tasks of a cluster.
func (r *reading) cluster(ctx context.Context, c lineageCloud, arn string, more func()) {
	_ = r.part(lineage.Part{Kind: lineage.Services, Name: arn}, func() error {
		var failed failures
		err := c.Services(ctx, arn, func(page []aws.Service) {
			for i := range page {
				failed.note(page[i].Failure)
			}
			r.mu.Lock()
			r.world.Services = append(r.world.Services, page...)
			r.mu.Unlock()
			more()
		})
		return failed.or(err, "service")
	})
	_ = r.part(lineage.Part{Kind: lineage.Tasks, Name: arn}, func() error {
		var failed failures
		err := c.Tasks(ctx, arn, "", func(page []aws.Task) {
			for i := range page {
				failed.note(page[i].Failure)
			}
			r.mu.Lock()
			r.world.Tasks = append(r.world.Tasks, page...)
			r.mu.Unlock()
			more()
		})
		return failed.or(err, "task")
	})
}

// service reads the tasks of one service, and what it wants, anew. Indexes may
// be of the slices that are there: they are replaced.
func (r *reading) service(ctx context.Context, c lineageCloud, s aws.Service) error {
	var tasks []aws.Task
	if err := c.Tasks(ctx, s.ClusterARN, s.Name, func(page []aws.Task) { tasks = append(tasks, page...) }); err != nil {
		return err
	}
	d, err := c.Definition(ctx, s.TaskDefinition)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.world.Tasks {
		if t.ClusterARN != s.ClusterARN || t.Service != s.Name {
			tasks = append(tasks, t)
		}
	}
	r.world.Tasks = tasks
	services := []aws.Service{s}
	for _, other := range r.world.Services {
		if other.ARN != s.ARN {
			services = append(services, other)
		}
	}
	r.world.Services = services
	if err == nil && !slices.ContainsFunc(r.world.Definitions, func(k aws.Definition) bool { return k.ARN == d.ARN }) {
		r.world.Definitions = append(r.world.Definitions, d)
	}
	return err
}

// failures counts rows that could not be described.
type failures struct {
	n   int
	why string // of the first
}

func (f *failures) note(why string) {
	if why == "" {
		return
	}
	if f.n++; f.n == 1 {
		f.why = why
	}
}

// or is the error, else that there were failures.
func (f *failures) or(err error, noun string) error {
	if err != nil || f.n == 0 {
		return err
	}
	return fmt.Errorf("%s could not be described: %s", plural(f.n, noun), f.why)
}

// definitions reads the revisions that services want. What else runs tells its
// images itself.
func (r *reading) definitions(ctx context.Context, c lineageCloud) {
	var names []string
	r.mu.Lock()
	for i := range r.world.Services {
		s := &r.world.Services[i]
		names = append(names, s.TaskDefinition)
		for j := range s.Deployments {
			names = append(names, s.Deployments[j].TaskDefinition)
		}
	}
	r.mu.Unlock()
	slices.Sort(names)
	names = slices.DeleteFunc(slices.Compact(names), func(n string) bool { return n == "" })
	var denied atomic.Pointer[error] // one denial is every denial: it is not asked for again
	atOnce(len(names), func(i int) {
		_ = r.part(lineage.Part{Kind: lineage.Definitions, Name: names[i]}, func() error {
			if err := denied.Load(); err != nil {
				return *err
			}
			d, err := c.Definition(ctx, names[i])
			if errors.Is(err, aws.ErrDenied) {
				denied.Store(&err)
			}
			if err == nil {
				r.mu.Lock()
				r.world.Definitions = append(r.world.Definitions, d)
				r.mu.Unlock()
			}
			return err
		})
	})
}

// images reads what is in one repository.
func (r *reading) images(ctx context.Context, c lineageCloud, of aws.Repository) {
	var rows []aws.RepositoryImage
	err := r.part(lineage.Part{Kind: lineage.RepositoryImages, Name: of.URI}, func() error {
		err := c.RepositoryImages(ctx, of, func(page []aws.RepositoryImage) { rows = append(rows, page...) })
		if err != nil {
			return err
		}
		joined(ctx, c, of, rows)
		r.put(of.URI, rows)
		return nil
	})
	if err != nil { // what was read of it before that still shows
		r.put(of.URI, rows)
	}
}

// put takes the images of a repository in the place of those that were known.
// Indexes may be of the slice that is there.
func (r *reading) put(uri string, rows []aws.RepositoryImage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	images := slices.Clone(rows)
	for _, i := range r.world.Images {
		if i.URI != uri {
			images = append(images, i)
		}
	}
	r.world.Images = images
}

// unknown are digests of local images that a repository which was read does not
// have, as URI@DIGEST: they were pushed since, or are gone from it.
func (r *reading) unknown() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	stored := map[string]bool{}
	for i := range r.world.Images {
		stored[r.world.Images[i].Reference()] = true
	}
	var missing []string
	for i := range r.world.Local {
		for _, d := range r.world.Local[i].Digests {
			if r.world.Read(lineage.Part{Kind: lineage.RepositoryImages, Name: lineage.Parse(d).Repository}) && !stored[d] {
				missing = append(missing, d)
			}
		}
	}
	return missing
}

// forget lets a part be asked for again.
func (r *reading) forget(p lineage.Part) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.world.Parts, p)
}

// joined fills in what indexes join. Where that cannot be read they stay as
// they are: nothing is claimed of them then.
func joined(ctx context.Context, c lineageCloud, of aws.Repository, rows []aws.RepositoryImage) {
	var digests []string
	slices.SortFunc(rows, func(a, b aws.RepositoryImage) int { return b.Pushed.Compare(a.Pushed) })
	for i := range rows {
		if lineage.Joins(rows[i].MediaType) && len(rows[i].Manifests) == 0 && len(digests) < mostJoined {
			digests = append(digests, rows[i].Digest)
		}
	}
	if len(digests) == 0 {
		return
	}
	told, _ := c.DescribeRepositoryImages(ctx, of, digests)
	for i := range rows {
		for j := range told {
			if told[j].Digest == rows[i].Digest && told[j].Failure == "" {
				rows[i].Manifests, rows[i].Platforms = told[j].Manifests, told[j].Platforms
			}
		}
	}
}

// gapText says which part is missing.
func gapText(p lineage.Part) string {
	name := p.Name
	switch p.Kind {
	case lineage.LocalImages:
		return "the local images"
	case lineage.Repositories:
		return "the list of repositories"
	case lineage.RepositoryImages:
		return "the images in " + name[strings.IndexByte(name, '/')+1:]
	case lineage.Clusters:
		return "the clusters"
	case lineage.Services:
		return "the services of " + clusterName(name)
	case lineage.Tasks:
		return "the tasks of " + clusterName(name)
	}
	return "task definition " + name
}
