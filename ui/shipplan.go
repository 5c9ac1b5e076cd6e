package ui

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"gantry/aws"
	"gantry/docker"
	"gantry/ui/lineage"
)

// shipPlan is what an order will do, by what there is now.
type shipPlan struct {
	order        shipOrder
	definition   aws.Definition // that the service runs now; zero for a new one
	repository   aws.Repository // without a URI it is created on the way
	repositories []string       // the names of all
	digest       string         // of an image that the repository has already
	tagged       string         // the digest that the tag is at now
	facts        docker.ImageFacts
	warnings     []shipWarning

	// platformSaid: that the image is for another platform stands in the plan,
	// or was told since.
	platformSaid bool
}

// shipWarning is something to know before it is done.
type shipWarning struct{ what, do string }

// stages are those that the plan needs, in their order.
func (p *shipPlan) stages() []shipStage {
	var stages []shipStage
	if p.order.build != nil {
		stages = append(stages, stageBuild)
	}
	if p.digest == "" {
		if p.repository.URI == "" {
			stages = append(stages, stageRepository)
		}
		if p.order.image != p.repository.URI+":"+p.order.tag {
			stages = append(stages, stageTag)
		}
		stages = append(stages, stagePush)
	}
	return append(stages, stageRegister, stageUpdate, stageWatch)
}

// intent is what a stage will do.
func (p *shipPlan) intent(stage shipStage) string {
	o := &p.order
	switch stage {
	case stageBuild:
		return o.build.Dir + " as " + o.image
	case stageRepository:
		return "creates " + o.repository
	case stageTag:
		return o.image + " as " + o.repository + ":" + o.tag
	case stagePush:
		return "to " + o.repository
	case stageRegister:
		if o.fresh != nil {
			return "the first of " + o.fresh.definition.Family
		}
		return "the next of " + p.definition.Family
	case stageUpdate:
		if o.fresh != nil {
			return "creates " + o.target()
		}
		return "updates " + o.target()
	case stageWatch, stageBack, stageWatchBack:
	}
	return "until steady or rolled back"
}

// platform is what tasks of the service run on.
func (p *shipPlan) platform() string {
	if p.order.fresh != nil {
		return cmp.Or(p.order.fresh.definition.Platform, defaultPlatform)
	}
	return cmp.Or(p.definition.Platform, defaultPlatform)
}

// defaultPlatform is what ECS runs a definition on that names none.
const defaultPlatform = "linux/amd64"

// samePlatform compares os and architecture. What is not known fits.
func samePlatform(image, wanted string) bool {
	if image == "" || wanted == "" {
		return true
	}
	return osAndArch(image) == osAndArch(wanted)
}

func osAndArch(platform string) string {
	parts := strings.Split(platform, "/")
	parts = parts[:min(len(parts), 2)]
	if arch, found := map[string]string{"x86_64": "amd64", "aarch64": "arm64"}[parts[len(parts)-1]]; found {
		parts[len(parts)-1] = arch
	}
	return strings.Join(parts, "/")
}

// present is the image that the container has now.
func (p *shipPlan) present() string { return containerOf(p.definition, p.order.container).Image }

// coming is the image that it will have, as far as that is known, with its tag
// beside it: the digest is known once the image is in a repository.
func (p *shipPlan) coming() string {
	text := cmp.Or(p.repository.URI, p.order.repository) + "@" + cmp.Or(p.digest, "sha256:…")
	if p.order.tag != "" {
		text += " (tag " + p.order.tag + ")"
	}
	return text
}

// next is the revision that will be registered.
func (p *shipPlan) next() aws.Definition {
	if f := p.order.fresh; f != nil {
		d := f.definition
		c := aws.DefinedContainer{Name: d.Container, Image: p.coming(), Essential: true}
		if d.Port > 0 {
			c.Ports = []int{d.Port}
		}
		return aws.Definition{
			Family: d.Family, CPU: d.CPU, Memory: d.Memory, NetworkMode: "awsvpc", Platform: p.platform(),
			ExecutionRole: d.ExecutionRole, TaskRole: d.TaskRole, Containers: []aws.DefinedContainer{c},
		}
	}
	n := p.definition
	n.Containers = slices.Clone(n.Containers)
	for i := range n.Containers {
		if n.Containers[i].Name == p.order.container {
			n.Containers[i].Image = p.coming()
		}
	}
	return n
}

// touched says what happens to tasks.
func (p *shipPlan) touched() string {
	if p.order.fresh != nil {
		return plural(p.order.fresh.service.Desired, "task") + verb(p.order.fresh.service.Desired, "start")
	}
	return touchedTasks(p.order.service)
}

// planner reads what a plan needs.
type planner struct {
	cloud  shipCloud
	engine shipEngine
	// changes says what in a folder is not committed, "" for nothing.
	changes func(ctx context.Context, dir string) string
	// builtIn is the folder that the image was built from here, "" if it was not.
	builtIn string
}

// plan completes an order and reads what it will meet.
func (r *planner) plan(ctx context.Context, o shipOrder) (shipPlan, error) {
	p := shipPlan{order: o}
	for _, read := range []func(context.Context, *shipPlan) error{r.readService, r.readImage, r.readRepository, r.readStock} {
		if err := read(ctx, &p); err != nil {
			return p, err
		}
	}
	p.warn()
	r.warnOfChanges(ctx, &p)
	return p, nil
}

// readService reads the service as it is now, and its definition.
func (r *planner) readService(ctx context.Context, p *shipPlan) error {
	o := &p.order
	if o.fresh != nil {
		o.container = o.fresh.definition.Container
		id, err := r.cloud.Identity(ctx)
		o.scope = aws.Scope{Profile: id.Profile, Account: id.Account, Region: id.Region}
		return err
	}
	var err error
	if o.service, err = r.cloud.Service(ctx, o.service); err != nil {
		return err
	}
	o.scope = o.service.Scope
	if p.definition, err = r.cloud.Definition(ctx, o.service.TaskDefinition); err != nil {
		return err
	}
	if p.present() == "" {
		o.container = p.likely()
	}
	if last, err := r.cloud.Definition(ctx, p.definition.Family); err == nil && last.Revision > p.definition.Revision {
		p.warnings = append(p.warnings, shipWarning{
			fmt.Sprintf("%s is newer than the %s that the service runs", last.Name(), p.definition.Name()), "the new revision copies " + p.definition.Name(),
		})
	}
	return nil
}

// likely is the container whose image an order means: the one of the same
// repository, else the first that is essential.
func (p *shipPlan) likely() string {
	name := shortName(p.order.name())
	best := ""
	for _, c := range p.definition.Containers {
		if shortName(c.Image) == name {
			return c.Name
		}
		if best == "" && c.Essential {
			best = c.Name
		}
	}
	if best == "" && len(p.definition.Containers) > 0 {
		best = p.definition.Containers[0].Name
	}
	return best
}

// shortName is the last part of an image's name, without tag and digest.
func shortName(image string) string {
	return lineage.Base(lineage.Parse(image).Repository)
}

// readImage reads what must be known of the image.
func (r *planner) readImage(ctx context.Context, p *shipPlan) error {
	o := &p.order
	switch {
	case o.stock != nil:
		p.digest = o.stock.Digest
		p.facts.Platform = p.fitting(r.platforms(ctx, o.stock))
		return nil
	case o.build != nil:
		p.facts.Platform = o.build.Platform
		if p.facts.Platform == "" {
			if e, err := r.engine.Engine(ctx); err == nil {
				p.facts.Platform = e.OS + "/" + e.Arch
			}
		}
		return nil
	}
	var err error
	p.facts, err = r.engine.ImageFacts(ctx, o.image)
	return err
}

// platforms are those of an image in a repository; a list does not tell them.
// That they cannot be read leaves them unknown.
func (r *planner) platforms(ctx context.Context, i *aws.RepositoryImage) []string {
	if len(i.Platforms) > 0 {
		return i.Platforms
	}
	rows, err := r.cloud.DescribeRepositoryImages(ctx, aws.Repository{Scope: i.Scope, Name: i.Repository, URI: i.URI}, []string{i.Digest})
	if err != nil || len(rows) == 0 {
		return nil
	}
	return rows[0].Platforms
}

// fitting is the platform of an image for several that the service takes, else
// its first.
func (p *shipPlan) fitting(platforms []string) string {
	for _, platform := range platforms {
		if samePlatform(platform, p.platform()) {
			return platform
		}
	}
	if len(platforms) == 0 {
		return ""
	}
	return platforms[0]
}

// readRepository finds the repository that the order names, or the one that
// suits it.
func (r *planner) readRepository(ctx context.Context, p *shipPlan) error {
	o := &p.order
	if o.stock != nil {
		p.repository = aws.Repository{Scope: o.stock.Scope, Name: o.stock.Repository, URI: o.stock.URI}
		o.repository = o.stock.Repository
		if len(o.stock.Tags) > 0 {
			o.tag = o.stock.Tags[0]
		}
		return nil
	}
	var all []aws.Repository
	err := r.cloud.Repositories(ctx, func(page []aws.Repository) { all = append(all, page...) })
	image, present := lineage.Parse(o.image), lineage.Parse(p.present()).Repository
	_, own, _ := strings.Cut(present, "/")
	switch {
	case o.repository != "":
	case err != nil && own != "":
		o.repository = own
	default:
		o.repository = repositoryFor(all, slices.Concat([]string{present}, pushedTo(p.facts.Digests), []string{image.Repository}))
	}
	o.tag = cmp.Or(o.tag, image.Tag, "latest")
	for _, known := range all {
		p.repositories = append(p.repositories, known.Name)
		if known.Name == o.repository {
			p.repository = known
		}
	}
	if err == nil || p.repository.URI != "" {
		return nil
	}
	if own != "" && own == o.repository { // no permission to list: the definition knows where it is
		p.repository = aws.Repository{Scope: o.scope, Name: o.repository, URI: present}
		return nil
	}
	return err
}

// pushedTo are the names by which an image was pushed or pulled, as its digests
// tell.
func pushedTo(digests []string) []string {
	names := make([]string, len(digests))
	for i, d := range digests {
		names[i] = lineage.Parse(d).Repository
	}
	return names
}

// repositoryFor is the name of the repository that suits an image best: the
// first of its names that is one of a repository. Without any, the last name
// says what to create.
func repositoryFor(all []aws.Repository, names []string) string {
	for _, uri := range names {
		for _, r := range all {
			if r.URI == uri {
				return r.Name
			}
		}
	}
	return lineage.Path(names[len(names)-1])
}

// mostStock is how many images of a repository are looked through for the one
// to ship.
const mostStock = 5000

// readStock looks whether the repository has the image, and the tag, already.
// That it cannot be looked through changes nothing but what is known.
func (r *planner) readStock(ctx context.Context, p *shipPlan) error {
	o := &p.order
	if o.stock != nil || p.repository.ARN == "" {
		return ctx.Err()
	}
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	seen, have := 0, ""
	_ = r.cloud.RepositoryImages(ctx, p.repository, func(page []aws.RepositoryImage) {
		for _, i := range page {
			if slices.Contains(i.Tags, o.tag) {
				p.tagged = i.Digest
			}
			if slices.Contains(p.facts.Digests, p.repository.URI+"@"+i.Digest) {
				have = i.Digest
			}
		}
		if seen += len(page); seen > mostStock {
			enough()
		}
	})
	if o.build == nil {
		p.digest = have
	}
	return nil
}
