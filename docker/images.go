package docker

import (
	"context"
	"strings"
	"time"

	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"gantry/internal/diagnose"
	"gantry/internal/secret"
)

// Image is a row of `docker images`: one per tag, and one for an image without
// any.
type Image struct {
	ID         string // sha256:…
	Parent     string // ID of the image it was built on by the classic builder, else ""
	Repository string // "" if it has no name
	Tag        string // "" if it has no tag
	Digests    []string
	Created    time.Time
	Size       int64 // bytes, with all layers
	Containers int   // containers made from it, running or not
	Labels     map[string]string
}

// Dangling reports whether the image has no name, as an image has whose tag has
// moved to a newer build.
func (i Image) Dangling() bool { return i.Repository == "" }

// Reference is what names the image in a command: repository:tag, else the
// digest, else the ID.
func (i Image) Reference() string {
	switch {
	case i.Repository != "" && i.Tag != "":
		return i.Repository + ":" + i.Tag
	case len(i.Digests) > 0:
		return i.Digests[0]
	}
	return i.ID
}

// ImageScope says which images to list.
type ImageScope int

const (
	// TopImages are those with a tag, and those that no other is built on.
	TopImages ImageScope = iota
	// AllImages are the intermediate ones of the classic builder as well.
	AllImages
)

// Images lists images, in the engine's order: the newest first.
func (c *Client) Images(ctx context.Context, scope ImageScope) ([]Image, error) {
	const what = "list images"
	ctx, cancel := c.within(ctx)
	defer cancel()
	api, err := c.api(ctx)
	if err != nil {
		return nil, c.explain(what, err)
	}
	var images client.ImageListResult
	var containers client.ContainerListResult
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() (err error) {
		images, err = api.ImageList(ctx, client.ImageListOptions{All: scope == AllImages})
		return err
	})
	both.Go(func() (err error) {
		containers, err = api.ContainerList(ctx, client.ContainerListOptions{All: true})
		return err
	})
	if err := both.Wait(); err != nil {
		return nil, c.explain(what, err)
	}
	return imageRows(images.Items, users(containers.Items)), nil
}

// users counts the containers of each image.
func users(containers []container.Summary) map[string]int {
	count := make(map[string]int, len(containers))
	for _, c := range containers {
		count[c.ImageID]++
	}
	return count
}

// imageRows makes one row per tag.
func imageRows(images []image.Summary, users map[string]int) []Image {
	rows := make([]Image, 0, len(images))
	for _, s := range images {
		row := Image{
			ID: s.ID, Parent: s.ParentID, Created: time.Unix(s.Created, 0), Size: s.Size,
			Containers: users[s.ID], Labels: s.Labels, Digests: named(s.RepoDigests),
		}
		tags := named(s.RepoTags)
		for _, tag := range tags {
			row.Repository, row.Tag = splitTag(familiar(tag))
			rows = append(rows, row)
		}
		if len(tags) > 0 {
			continue
		}
		if len(row.Digests) > 0 {
			row.Repository, _, _ = strings.Cut(row.Digests[0], "@")
		}
		rows = append(rows, row)
	}
	return rows
}

// named drops the stand-ins <none>:<none> and <none>@<none> of older engines.
func named(references []string) []string {
	var kept []string
	for _, r := range references {
		if !strings.HasPrefix(r, "<none>") {
			kept = append(kept, r)
		}
	}
	return kept
}

// familiar is a name as the docker command shows it: Podman lists docker.io and
// library as well.
func familiar(tagged string) string {
	name, hub := strings.CutPrefix(tagged, "docker.io/")
	if !hub {
		return tagged
	}
	return strings.TrimPrefix(name, "library/")
}

// splitTag parts repository and tag. A colon before the last slash belongs to
// the registry's port.
func splitTag(tagged string) (repository, tag string) {
	if i := strings.LastIndexByte(tagged, ':'); i > strings.LastIndexByte(tagged, '/') {
		return tagged[:i], tagged[i+1:]
	}
	return tagged, ""
}

// ImageSize is how much of an image's size it shares with others.
type ImageSize struct {
	Shared int64 // bytes in layers that another image has too
	Unique int64 // bytes that go when it is removed
}

// ImageSizes reads the shared and unique sizes of all images, by ID. The engine
// walks every layer for it, which can take seconds: call it on demand.
func (c *Client) ImageSizes(ctx context.Context) (map[string]ImageSize, error) {
	const what = "read the sizes of images"
	api, err := c.api(ctx)
	if err != nil {
		return nil, c.explain(what, err)
	}
	usage, err := api.DiskUsage(ctx, client.DiskUsageOptions{Images: true, Verbose: true})
	if err != nil {
		return nil, c.explain(what, err)
	}
	sizes := make(map[string]ImageSize, len(usage.Images.Items))
	for _, i := range usage.Images.Items {
		shared := max(i.SharedSize, 0)
		sizes[i.ID] = ImageSize{Shared: shared, Unique: i.Size - shared}
	}
	return sizes, nil
}

// ImageConfig is what an image says about how it runs.
type ImageConfig struct {
	ID         string
	Platform   string // os/architecture[/variant]
	Ports      []Port // exposed, with no host side
	Env        []string
	Entrypoint []string
	Command    []string
	User       string
	WorkingDir string
	Volumes    []string
}

// ImageConfig reads an image's configuration, for the offers of a run dialog.
// Env is not masked: it is for use and not to be shown.
func (c *Client) ImageConfig(ctx context.Context, ref string) (ImageConfig, error) {
	what := "inspect image " + ref
	ctx, cancel := c.within(ctx)
	defer cancel()
	api, err := c.api(ctx)
	if err != nil {
		return ImageConfig{}, c.explain(what, err)
	}
	out, err := api.ImageInspect(ctx, ref)
	if err != nil {
		return ImageConfig{}, c.explain(what, err)
	}
	config := ImageConfig{ID: out.ID, Platform: out.Os + "/" + out.Architecture}
	if out.Variant != "" {
		config.Platform += "/" + out.Variant
	}
	if out.Config == nil {
		return config, nil
	}
	config.Env, config.Entrypoint, config.Command = out.Config.Env, out.Config.Entrypoint, out.Config.Cmd
	config.User, config.WorkingDir = out.Config.User, out.Config.WorkingDir
	config.Ports = exposed(out.Config.ExposedPorts)
	config.Volumes = sortedKeys(out.Config.Volumes)
	return config, nil
}

// Layer is a step of an image's history.
type Layer struct {
	ID        string // "" where the engine keeps no image for the step
	Created   time.Time
	CreatedBy string // the instruction, secrets masked
	Comment   string
	Size      int64 // bytes it adds, 0 for one that only sets metadata
	Tags      []string
}

// History lists the layers of an image, the newest first.
func (c *Client) History(ctx context.Context, ref string) ([]Layer, error) {
	what := "read the history of " + ref
	ctx, cancel := c.within(ctx)
	defer cancel()
	api, err := c.api(ctx)
	if err != nil {
		return nil, c.explain(what, err)
	}
	out, err := api.ImageHistory(ctx, ref)
	if err != nil {
		return nil, c.explain(what, err)
	}
	layers := make([]Layer, 0, len(out.Items))
	for _, item := range out.Items {
		layers = append(layers, Layer{
			ID: strings.TrimPrefix(item.ID, "<missing>"), Created: time.Unix(item.Created, 0), Size: item.Size,
			CreatedBy: secret.Line(item.CreatedBy), Comment: item.Comment, Tags: item.Tags,
		})
	}
	return layers, nil
}

// Tag gives an image another name, repository[:tag].
func (c *Client) Tag(ctx context.Context, source, target string) error {
	what := "tag " + source + " as " + target
	if _, err := reference.ParseNormalizedNamed(target); err != nil {
		return badReference(what, target, err)
	}
	api, err := c.mutable(ctx, what)
	if err != nil {
		return err
	}
	_, err = api.ImageTag(ctx, client.ImageTagOptions{Source: source, Target: target})
	return c.explain(what, err)
}

func badReference(what, name string, err error) error {
	return &diagnose.Error{
		What:  what,
		Cause: "\"" + clean(name) + "\" is no name of an image: " + words(err),
		Do:    "write it as repository:tag, in lower case",
		Err:   err,
	}
}

// ImageRemoval says how to remove an image.
type ImageRemoval struct {
	// Force removes it although it has several tags or stopped containers.
	Force bool
}

// ImageRemoved is what a removal did.
type ImageRemoved struct {
	Untagged []string // references
	Deleted  []string // IDs of images and layers
}

// RemoveImage removes a tag, and the image when that was its last.
func (c *Client) RemoveImage(ctx context.Context, ref string, how ImageRemoval) (ImageRemoved, error) {
	what := "remove image " + ref
	api, err := c.mutable(ctx, what)
	if err != nil {
		return ImageRemoved{}, err
	}
	out, err := api.ImageRemove(ctx, ref, client.ImageRemoveOptions{Force: how.Force, PruneChildren: true})
	var removed ImageRemoved
	for _, item := range out.Items {
		if item.Untagged != "" {
			removed.Untagged = append(removed.Untagged, item.Untagged)
		}
		if item.Deleted != "" {
			removed.Deleted = append(removed.Deleted, item.Deleted)
		}
	}
	return removed, c.explain(what, err)
}
