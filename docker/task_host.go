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
		h.Mounts = append(h.Mounts, mount.Mount{Type: mount.TypeVolume, Source: v.Source, Target: v.Destination, ReadOnly: v.ReadOnly, VolumeOptions: &mount.VolumeOptions{Labels: t.VolumeLabels}})
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

// Labeled is a container, an image or a volume that has a label. The ID of a
// volume is its name.
type Labeled struct {
	ID     string
	Labels map[string]string
}

// LabeledThings are what has a label on an engine.
type LabeledThings struct{ Containers, Images, Volumes []Labeled }

// Labeled lists what has a label. Containers need not run.
func (c *Client) Labeled(ctx context.Context, label string) (LabeledThings, error) {
	what := "list what has the label " + clean(label)
	ctx, cancel := c.within(ctx)
	defer cancel()
	var found LabeledThings
	api, err := c.api(ctx)
	if err != nil {
		return found, c.explain(what, err)
	}
	has := client.Filters{}.Add("label", label)
	containers, err := api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: has})
	if err != nil {
		return found, c.explain(what, fmt.Errorf("containers: %w", err))
	}
	for _, s := range containers.Items {
		found.Containers = append(found.Containers, Labeled{ID: s.ID, Labels: s.Labels})
	}
	images, err := api.ImageList(ctx, client.ImageListOptions{Filters: has})
	if err != nil {
		return found, c.explain(what, fmt.Errorf("images: %w", err))
	}
	for _, s := range images.Items {
		found.Images = append(found.Images, Labeled{ID: s.ID, Labels: s.Labels})
	}
	volumes, err := api.VolumeList(ctx, client.VolumeListOptions{Filters: has})
	if err != nil {
		return found, c.explain(what, fmt.Errorf("volumes: %w", err))
	}
	for _, v := range volumes.Items {
		found.Volumes = append(found.Volumes, Labeled{ID: v.Name, Labels: v.Labels})
	}
	return found, nil
}

// RemoveVolume removes a volume that no container uses.
func (c *Client) RemoveVolume(ctx context.Context, name string) error {
	return c.act(ctx, "remove the volume "+clean(name), func(api *client.Client) error {
		_, err := api.VolumeRemove(ctx, name, client.VolumeRemoveOptions{})
		return err
	})
}
