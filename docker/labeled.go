package docker

import (
	"context"
	"fmt"

	"github.com/moby/moby/client"
)

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
