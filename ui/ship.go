package ui

import (
	"context"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/docker"
	"gantry/ui/lineage"
	"gantry/ui/pane"
)

// shipping is what every S leads to: an image's way to a service. The panes of
// both sides share it, and it follows the profile and the engine in use. A
// shipment keeps those that it began with.
type shipping struct {
	cloud  shipCloud
	engine shipEngine // nil where there is none
	builds *builds    // of the images pane

	now     func() time.Time
	pace    func(since time.Duration) time.Duration
	changes func(ctx context.Context, dir string) string
	last    map[string]string // image's short name → ARN of the service it went to
}

func newShipping(cloud shipCloud) *shipping {
	return &shipping{cloud: cloud, now: time.Now, pace: shipPace, changes: gitChanges, last: map[string]string{}}
}

// from takes the engine that images come from now.
func (s *shipping) from(engine shipEngine, b *builds) {
	s.engine, s.builds, b.ships = engine, b, s
}

// ready says that something can be shipped. There may be no shipping at all.
func (s *shipping) ready() bool { return s != nil && s.cloud != nil }

// local ships a local image.
func (s *shipping) local(h pane.Host, image string) tea.Cmd {
	return s.open(h, shipOrder{image: image})
}

// stock ships an image that ECR has already.
func (s *shipping) stock(h pane.Host, image aws.RepositoryImage) tea.Cmd {
	return s.open(h, shipOrder{stock: &image})
}

// to ships something to a service.
func (s *shipping) to(h pane.Host, service aws.Service) tea.Cmd {
	return s.open(h, shipOrder{service: service})
}

// built ships what a Dockerfile makes.
func (s *shipping) built(h pane.Host, o docker.BuildOptions) tea.Cmd {
	return s.open(h, shipOrder{build: &o, image: o.Tags[0]})
}

func (s *shipping) open(h pane.Host, o shipOrder) tea.Cmd {
	h.Open(newShip(s, o))
	return nil
}

// builtIn is the folder that an image was built from while gantry runs.
func (s *shipping) builtIn(image string) string {
	if s.builds == nil {
		return ""
	}
	for _, r := range s.builds.recent {
		if strings.TrimSpace(r.values[buildTag]) == image {
			return r.dir
		}
	}
	return ""
}

// shipTarget is a service that something can be shipped to, by its ARN; without
// one, a new service in the cluster.
type shipTarget struct{ cluster, arn string }

func (t shipTarget) name() string { return clusterName(t.cluster) + "/" + clusterName(t.arn) }

// shipTargets are all of them, and why some may be missing.
type shipTargets struct {
	all []shipTarget
	err error
}

// readTargets lists the services of all clusters by name, which costs a call or
// a few for a cluster however many services it has.
func (s *ship) readTargets() tea.Cmd {
	cloud := s.cloud
	return s.targets.Start("targets", func(ctx context.Context, _ func(shipTargets)) (shipTargets, error) {
		clusters, err := cloud.ClusterIDs(ctx)
		if err != nil {
			return shipTargets{}, err
		}
		slices.Sort(clusters)
		arns, errs := make([][]string, len(clusters)), make([]error, len(clusters))
		atOnce(len(clusters), func(i int) { arns[i], errs[i] = cloud.ServiceIDs(ctx, clusters[i]) })
		var found shipTargets
		for i, cluster := range clusters {
			slices.Sort(arns[i])
			for _, arn := range arns[i] {
				found.all = append(found.all, shipTarget{cluster, arn})
			}
			if errs[i] != nil {
				found.err = errs[i]
			}
		}
		for _, cluster := range clusters {
			found.all = append(found.all, shipTarget{cluster: cluster})
		}
		return found, ctx.Err()
	})
}

// shipSources is what can be shipped to a service.
type shipSources struct {
	service aws.Service
	names   []string              // the short names of the images that it runs
	stock   []aws.RepositoryImage // of the repository that it runs from, the newest first
	local   []docker.Image
	err     error // why some may be missing
}

// mostSources is how many images are offered of one repository.
const mostSources = 300

// readSources reads the images that a service may run next.
func (s *ship) readSources() tea.Cmd {
	cloud, engine, service := s.cloud, s.engine, s.order.service
	return s.sources.Start("sources", func(ctx context.Context, _ func(shipSources)) (shipSources, error) {
		var found shipSources
		var err error
		if found.service, err = cloud.Service(ctx, service); err != nil {
			return found, err
		}
		if engine != nil {
			if found.local, err = engine.Images(ctx, docker.TopImages); err != nil {
				found.err = err
			}
		}
		definition, err := cloud.Definition(ctx, found.service.TaskDefinition)
		if err != nil {
			return found, err
		}
		for _, c := range definition.Containers {
			found.names = append(found.names, shortName(c.Image))
		}
		if found.stock, err = stockOf(ctx, cloud, definition); err != nil {
			found.err = err
		}
		return found, ctx.Err()
	})
}

// stockOf are the images of the repositories that a definition's containers
// come from.
func stockOf(ctx context.Context, cloud shipCloud, d aws.Definition) ([]aws.RepositoryImage, error) {
	var mine []aws.Repository
	err := cloud.Repositories(ctx, func(page []aws.Repository) {
		for _, r := range page {
			if slices.ContainsFunc(d.Containers, func(c aws.DefinedContainer) bool { return lineage.Parse(c.Image).Repository == r.URI }) {
				mine = append(mine, r)
			}
		}
	})
	var stock []aws.RepositoryImage
	for _, r := range mine {
		var images []aws.RepositoryImage
		if failed := cloud.RepositoryImages(ctx, r, func(page []aws.RepositoryImage) { images = append(images, page...) }); failed != nil {
			err = failed
		}
		slices.SortFunc(images, func(a, b aws.RepositoryImage) int { return b.Pushed.Compare(a.Pushed) })
		stock = append(stock, images[:min(len(images), mostSources)]...)
	}
	return stock, err
}
