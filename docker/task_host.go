package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

// host is the engine's other half of a container: what it may use.
func (t TaskContainer) host(bindings network.PortMap) *container.HostConfig {
	h := &container.HostConfig{
		PortBindings: bindings, NetworkMode: container.NetworkMode(t.Network), PidMode: container.PidMode(t.PID),
		ReadonlyRootfs: t.ReadOnlyRoot, Tmpfs: t.Tmpfs, ShmSize: t.SharedMemory, CapDrop: t.DropCapabilities,
		// The engine's own default may be a driver whose log cannot be read back.
		LogConfig: container.LogConfig{Type: "json-file", Config: t.LogOptions},
		Resources: container.Resources{
			// No swap: a task that needs more memory than it has must be told so.
			Memory: t.Memory, MemorySwap: t.Memory, MemoryReservation: t.MemoryReservation, CPUShares: t.CPUShares, NanoCPUs: t.NanoCPUs,
		},
	}
	if t.Init {
		h.Init = &t.Init
	}
	for _, u := range t.Ulimits {
		h.Ulimits = append(h.Ulimits, &container.Ulimit{Name: u.Name, Soft: u.Soft, Hard: u.Hard})
	}
	for _, v := range t.Volumes {
		h.Mounts = append(h.Mounts, mount.Mount{Type: mount.TypeVolume, Source: v.Source, Target: v.Destination, ReadOnly: v.ReadOnly})
	}
	return h
}

// ImportImage makes an image of a root filesystem in a tar. changes are lines
// of a Dockerfile, such as ENTRYPOINT and LABEL.
func (c *Client) ImportImage(ctx context.Context, ref string, root io.Reader, changes []string) error {
	what := "import the image " + clean(ref)
	api, err := c.mutable(ctx, what)
	if err != nil {
		return err
	}
	repository, tag := splitTag(ref)
	answer, err := api.ImageImport(ctx, client.ImageImportSource{Source: root, SourceName: "-"}, repository, client.ImageImportOptions{Tag: tag, Changes: changes})
	if err != nil {
		return c.explain(what, err)
	}
	defer answer.Close()
	said, err := io.ReadAll(io.LimitReader(answer, 64<<10))
	if err == nil && strings.Contains(string(said), `"errorDetail"`) {
		err = errors.New(string(said))
	}
	return c.explain(what, err)
}

// Labeled is a container or an image that has a label.
type Labeled struct {
	ID     string
	Labels map[string]string
}

// Labeled lists the containers, running or not, and the images that have a
// label.
func (c *Client) Labeled(ctx context.Context, label string) (containers, images []Labeled, err error) {
	what := "list what has the label " + clean(label)
	ctx, cancel := c.within(ctx)
	defer cancel()
	api, err := c.api(ctx)
	if err != nil {
		return nil, nil, c.explain(what, err)
	}
	has := client.Filters{}.Add("label", label)
	running, err := api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: has})
	if err != nil {
		return nil, nil, c.explain(what, fmt.Errorf("containers: %w", err))
	}
	for _, s := range running.Items {
		containers = append(containers, Labeled{ID: s.ID, Labels: s.Labels})
	}
	here, err := api.ImageList(ctx, client.ImageListOptions{Filters: has})
	if err != nil {
		return nil, nil, c.explain(what, fmt.Errorf("images: %w", err))
	}
	for _, s := range here.Items {
		images = append(images, Labeled{ID: s.ID, Labels: s.Labels})
	}
	return containers, images, nil
}
