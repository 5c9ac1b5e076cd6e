package docker

import "context"

// ImageFacts reads what a deployment must know of an image of this engine,
// named by tag, digest or ID.
func (c *Client) ImageFacts(ctx context.Context, ref string) (ImageFacts, error) {
	what := "inspect image " + clean(ref)
	ctx, cancel := c.within(ctx)
	defer cancel()
	api, err := c.api(ctx)
	if err != nil {
		return ImageFacts{}, c.explain(what, err)
	}
	out, err := api.ImageInspect(ctx, ref)
	if err != nil {
		return ImageFacts{}, c.explain(what, err)
	}
	facts := ImageFacts{ID: out.ID, Platform: out.Os + "/" + out.Architecture, Digests: named(out.RepoDigests)}
	if out.Variant != "" {
		facts.Platform += "/" + out.Variant
	}
	if out.Config == nil {
		return facts, nil
	}
	for _, p := range exposed(out.Config.ExposedPorts) {
		if p.Proto == "tcp" {
			facts.Ports = append(facts.Ports, p.Container)
		}
	}
	return facts, nil
}
