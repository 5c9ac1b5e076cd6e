package docker

import (
	"context"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/moby/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"gantry/internal/diagnose"
)

// Pull fetches an image, named REPOSITORY:TAG or REPOSITORY@DIGEST with the
// registry in the name, to this engine and returns its digest in the registry:
// the index's where the name stands for several platforms. platform is
// "linux/amd64", "" the engine's own. auth, progress, the end of ctx and errors
// are Push's.
func (c *Client) Pull(ctx context.Context, ref, platform string, auth RegistryAuth, progress func(TransferProgress)) (digest string, err error) {
	what := "pull " + clean(ref)
	api, err := c.mutable(ctx, what)
	if err != nil {
		return "", err
	}
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", badReference(what, ref, err)
	}
	p := passage{what: what, ref: reference.TagNameOnly(named), platform: platform}
	wanted, err := parsePlatform(what, platform)
	if err != nil {
		return "", err
	}
	var options client.ImagePullOptions
	if wanted != nil {
		options.Platforms = []ocispec.Platform{*wanted}
	}
	if options.RegistryAuth, err = p.header(auth); err != nil {
		return "", c.explain(what, err)
	}
	d := deliver(newTransfer(), progress)
	defer d.close()
	answer, err := api.ImagePull(ctx, p.ref.String(), options)
	if err == nil {
		defer answer.Close()
		err = follow(ctx, answer, d)
	}
	if err != nil {
		return "", c.explainTransfer(ctx, p, err)
	}
	d.update(func(t *transfer) {
		t.finish()
		digest = t.digest
	})
	return c.pulled(ctx, p, digest)
}

// pulled is the digest of what was pulled. Podman says none on its way.
func (c *Client) pulled(ctx context.Context, p passage, digest string) (string, error) {
	if byDigest, ok := p.ref.(reference.Digested); ok {
		return byDigest.Digest().String(), nil
	}
	if digest != "" {
		return digest, nil
	}
	facts, err := c.ImageFacts(ctx, p.ref.String())
	if err != nil {
		return "", err
	}
	for _, known := range facts.Digests {
		if named, err := reference.ParseNormalizedNamed(known); err == nil && named.Name() == p.ref.Name() {
			return known[strings.LastIndexByte(known, '@')+1:], nil
		}
	}
	return "", &diagnose.Error{What: p.what, Cause: "the engine names no digest of it", Do: "pull it again"}
}

// PullCommand is the equal of Pull.
func PullCommand(ref, platform string) Command {
	if platform == "" {
		return Command{"pull", ref}
	}
	return Command{"pull", "--platform", platform, ref}
}
