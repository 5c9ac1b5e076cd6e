package docker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/moby/client"

	"gantry/internal/diagnose"
)

// BuildOptions says what to build.
type BuildOptions struct {
	// Dir is the context: the folder that COPY copies from.
	Dir string
	// Dockerfile is its path, relative to Dir or absolute. "" is Dockerfile, or
	// Containerfile where only that exists.
	Dockerfile string
	// Tags are names for the image: "web:1", "123.dkr.ecr.…/web:1".
	Tags []string
	// Platform is "linux/amd64"; "" is the engine's own.
	Platform string
	// Target is the name or number of the stage to end with, "" the last one.
	Target  string
	Args    map[string]string // values for ARG
	Labels  map[string]string
	NoCache bool
	// Auth gives the account for a registry that a base image comes from. It
	// may be asked several times. Nil, or the zero RegistryAuth as an answer,
	// leaves it to the user's docker configuration.
	Auth func(ctx context.Context, host string) (RegistryAuth, error)
}

// RegistryAuth is an account at a registry. It stays in memory.
type RegistryAuth struct {
	Username, Password string
	IdentityToken      string // instead of a password
}

// BuildResult is what a build made.
type BuildResult struct {
	ImageID string // "sha256:…"
	// Digest is the manifest's, which a task definition can pin. Engines that
	// keep images in their classic store have none before a push.
	Digest string
}

// The kinds of a failed build, for errors.Is.
var (
	// ErrDockerfile: there is none, or it says something that cannot be built.
	ErrDockerfile = errors.New("no usable Dockerfile")
	// ErrBuildStep: a command of the Dockerfile ended with an error.
	ErrBuildStep = errors.New("build step failed")
	// ErrBuildContext: a file to copy is not in the context.
	ErrBuildContext = errors.New("file not in the build context")
	// ErrBaseImage: an image to build on cannot be had.
	ErrBaseImage = errors.New("base image not available")
	// ErrNoSpace: the engine's disk is full.
	ErrNoSpace = errors.New("no space left")
)

// buildPlan is a build that passed what can be checked without an engine.
type buildPlan struct {
	BuildOptions
	file   string // absolute path of the Dockerfile
	source []byte // what is in it
	tags   []string
	refuse *refusal
}

// refusal keeps why the caller's Auth had no account. The error reaches the
// builder as a bare text, through a session in the engine, and what the user
// should do about it would be lost on the way.
type refusal struct {
	mu   sync.Mutex
	host string
	err  error
}

func (r *refusal) set(host string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.host, r.err = host, err
}

// explain is the error to tell, nil when no account was refused.
func (r *refusal) explain(what string) error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		return nil
	}
	e := &diagnose.Error{What: what, Cause: "no account for " + clean(r.host) + ": " + words(r.err), Err: fmt.Errorf("%w: %w", ErrBaseImage, r.err)}
	var told *diagnose.Error
	if errors.As(r.err, &told) {
		e.Cause, e.Do = "no account for "+clean(r.host)+": "+told.Cause, told.Do
	}
	return e
}

// Build builds an image and reports the graph as it grows: the latest state,
// at most twenty times a second, from one goroutine, the last one when the
// build has ended. A slow receiver slows no build.
//
// The end of ctx stops the build in the engine; the error is ctx's then. Any
// other failure is a *diagnose.Error, and in the last progress the step that
// failed carries its lines of the Dockerfile.
func (c *Client) Build(ctx context.Context, o BuildOptions, progress func(BuildProgress)) (BuildResult, error) {
	return c.build(ctx, o, progress, buildWith)
}

// builder builds a plan, reports to d, and returns the image's id.
type builder func(ctx context.Context, api *client.Client, plan buildPlan, d *buildDelivery) (imageID string, err error)

func (c *Client) build(ctx context.Context, o BuildOptions, progress func(BuildProgress), with builder) (BuildResult, error) {
	api, err := c.mutable(ctx, o.what())
	if err != nil {
		return BuildResult{}, err
	}
	plan, err := o.plan()
	if err != nil {
		return BuildResult{}, err
	}
	d := deliver(newGraph(), progress)
	defer d.close()
	id, err := with(ctx, api, plan, d)
	if err != nil {
		return BuildResult{}, c.endBuild(ctx, plan, d, err)
	}
	d.update(func(g *graph) { g.finish(nil) })
	return c.built(ctx, api, plan, id)
}

// buildWith builds with BuildKit, or with the classic builder where an engine
// has none: Podman, Windows containers.
func buildWith(ctx context.Context, api *client.Client, plan buildPlan, d *buildDelivery) (imageID string, err error) {
	imageID, err = buildWithBuildKit(ctx, api, plan, d)
	if errors.Is(err, errNoBuildKit) {
		imageID, err = buildClassic(ctx, api, plan, d)
	}
	return imageID, err
}

// endBuild settles the graph of a build that failed and explains why it did.
func (c *Client) endBuild(ctx context.Context, plan buildPlan, d *buildDelivery, err error) error {
	if ctx.Err() != nil {
		d.update(func(g *graph) { g.finish(err) })
		return ctx.Err()
	}
	var told error
	d.update(func(g *graph) {
		g.finish(err)
		told = explainBuild(plan, g, err)
	})
	return c.explain(plan.what(), told)
}

// built names the image that a build made.
func (c *Client) built(ctx context.Context, api *client.Client, plan buildPlan, id string) (BuildResult, error) {
	name := id
	if len(plan.tags) > 0 {
		name = plan.tags[0]
	}
	if name == "" {
		return BuildResult{}, &diagnose.Error{What: plan.what(), Cause: "the engine names no image", Do: "give the image a tag"}
	}
	image, err := api.ImageInspect(ctx, name)
	if err != nil {
		return BuildResult{}, c.explain("look at the image built", err)
	}
	result := BuildResult{ImageID: image.ID}
	if image.Descriptor != nil {
		result.Digest = image.Descriptor.Digest.String()
	}
	return result, nil
}

// what names the build in messages.
func (o BuildOptions) what() string {
	if len(o.Tags) > 0 {
		return "build " + clean(o.Tags[0])
	}
	return "build " + clean(o.Dir)
}

// plan checks what needs no engine. Every mistake here would come back from
// the engine much later, and in its own words.
func (o BuildOptions) plan() (buildPlan, error) {
	p := buildPlan{BuildOptions: o, refuse: &refusal{}}
	wrong := func(kind error, cause, do string) (buildPlan, error) {
		return p, &diagnose.Error{What: o.what(), Cause: cause, Do: do, Err: kind}
	}
	info, err := os.Stat(o.Dir)
	switch {
	case o.Dir == "":
		return wrong(ErrBuildContext, "no folder is given", "choose the folder that holds the Dockerfile, such as .")
	case err != nil:
		return wrong(ErrBuildContext, clean(reason(err)), "choose a folder that exists")
	case !info.IsDir():
		return wrong(ErrBuildContext, clean(o.Dir)+" is a file", "choose the folder "+clean(filepath.Dir(o.Dir)))
	}
	if p.Dir, err = filepath.Abs(o.Dir); err != nil {
		return wrong(ErrBuildContext, clean(err.Error()), "give the whole path")
	}
	for _, tag := range o.Tags {
		named, err := reference.ParseNormalizedNamed(tag)
		if err != nil {
			return wrong(ErrInvalid, fmt.Sprintf("%q is no image name: %s", clean(tag), clean(err.Error())), "write it as name:tag, in lower case")
		}
		p.tags = append(p.tags, reference.TagNameOnly(named).String())
	}
	if o.Platform != "" {
		if _, err := platforms.Parse(o.Platform); err != nil {
			return wrong(ErrInvalid, fmt.Sprintf("%q is no platform", clean(o.Platform)), "write it as linux/amd64 or linux/arm64")
		}
	}
	return p.withDockerfile()
}

// withDockerfile finds and reads the Dockerfile.
func (p buildPlan) withDockerfile() (buildPlan, error) {
	names := []string{p.Dockerfile}
	if p.Dockerfile == "" {
		names = []string{"Dockerfile", "Containerfile"}
	}
	var first error
	for _, name := range names {
		file := name
		if !filepath.IsAbs(file) {
			file = filepath.Join(p.Dir, name)
		}
		data, err := readDockerfile(file)
		if err == nil {
			p.file, p.source = file, data
			return p, p.checkDockerfile()
		}
		if first == nil {
			first = err
		}
	}
	return p, p.noDockerfile(names[0], first)
}

// noDockerfile is the error for a Dockerfile that cannot be read.
func (p buildPlan) noDockerfile(name string, err error) error {
	e := &diagnose.Error{What: p.what(), Cause: clean(reason(err)), Err: fmt.Errorf("%w: %w", ErrDockerfile, err)}
	if errors.Is(err, os.ErrNotExist) {
		e.Cause = fmt.Sprintf("there is no %s in %s", clean(name), clean(p.Dir))
	}
	e.Do = "choose another folder, or write one: FROM, COPY, ENTRYPOINT"
	if found, err := Dockerfiles(p.Dir); err == nil && len(found) > 0 {
		e.Do = "choose one of these: " + clean(strings.Join(found[:min(3, len(found))], ", "))
	}
	return e
}

// checkDockerfile refuses a Dockerfile that holds nothing to build, or whose
// target does not exist. What the parser of this build of gantry does not know
// is left to the engine's, which may be newer.
func (p buildPlan) checkDockerfile() error {
	if strings.TrimSpace(string(p.source)) == "" {
		return &diagnose.Error{What: p.what(), Cause: clean(p.file) + " is empty", Do: "begin it with FROM and a base image", Err: ErrDockerfile}
	}
	d, err := parseDockerfile(p.file, p.source)
	if err != nil || p.Target == "" {
		return nil
	}
	var names []string
	for i, s := range d.Stages {
		if strings.EqualFold(s.Name, p.Target) || fmt.Sprint(i) == p.Target {
			return nil
		}
		names = append(names, s.Name)
	}
	return &diagnose.Error{
		What:  p.what(),
		Cause: fmt.Sprintf("the Dockerfile has no stage %q", clean(p.Target)),
		Do:    "choose one of these as target: " + clean(strings.Join(names, ", ")),
		Err:   ErrDockerfile,
	}
}
