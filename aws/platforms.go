package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"golang.org/x/sync/errgroup"
)

// The forms of manifests. An answer holds only what was asked for.
const (
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerIndex    = "application/vnd.docker.distribution.manifest.list.v2+json"
	ociManifest    = "application/vnd.oci.image.manifest.v1+json"
	ociIndex       = "application/vnd.oci.image.index.v1+json"
	dockerConfig   = "application/vnd.docker.container.image.v1+json"
	ociConfig      = "application/vnd.oci.image.config.v1+json"
)

// maxConfig bounds an image's configuration: one of a thousand layers has some
// 300 KB.
const maxConfig = 4 << 20

func isIndex(mediaType string) bool { return mediaType == dockerIndex || mediaType == ociIndex }

// built is what a manifest tells of the image: for which platforms it is, and
// for an index the digests of their manifests.
type built struct{ platforms, manifests []string }

// platformCache knows that by digest, for ever: a digest is its content.
type platformCache struct{ byDigest sync.Map }

func (p *platformCache) get(digest string) (built, bool) {
	v, ok := p.byDigest.Load(digest)
	if !ok {
		return built{}, false
	}
	b, ok := v.(built)
	return b, ok
}

func (p *platformCache) put(digest string, b built) {
	p.byDigest.Store(digest, b)
}

// addPlatforms fills the platforms of rows of one repository. Whatever is odd
// leaves a row without: it is no reason to show nothing of it.
func (c *Client) addPlatforms(ctx context.Context, s *session, r Repository, rows []RepositoryImage) {
	var unknown []string
	for i := range rows {
		b, known := c.platforms.get(rows[i].Digest)
		rows[i].Platforms, rows[i].Manifests = b.platforms, b.manifests
		if !known && rows[i].Failure == "" {
			unknown = append(unknown, rows[i].Digest)
		}
	}
	if len(unknown) == 0 {
		return
	}
	manifests, err := c.manifests(ctx, s, r.Scope, r.Name, unknown)
	if err != nil {
		return
	}
	crew, crewed := errgroup.WithContext(ctx)
	crew.SetLimit(workers)
	for digest, text := range manifests {
		crew.Go(func() error {
			b, err := c.builtFor(crewed, s, r, text)
			if err == nil {
				c.platforms.put(digest, b)
			}
			return nil // another image may still tell its own
		})
	}
	_ = crew.Wait()
	for i := range rows {
		b, _ := c.platforms.get(rows[i].Digest)
		rows[i].Platforms, rows[i].Manifests = b.platforms, b.manifests
	}
}

// manifests are the texts of manifests by digest; one that is gone is missing.
func (c *Client) manifests(ctx context.Context, s *session, scope Scope, repository string, digests []string) (map[string]string, error) {
	ids := make([]types.ImageIdentifier, len(digests))
	for i := range digests {
		ids[i].ImageDigest = &digests[i]
	}
	out, err := s.ecr.BatchGetImage(ctx, &ecr.BatchGetImageInput{
		RepositoryName: &repository, RegistryId: registryOf(scope), ImageIds: ids,
		AcceptedMediaTypes: []string{dockerManifest, dockerIndex, ociManifest, ociIndex},
	})
	if err != nil {
		return nil, c.explain("read manifests of "+repository, err)
	}
	texts := make(map[string]string, len(out.Images))
	for i := range out.Images {
		if id := out.Images[i].ImageId; id != nil {
			texts[sdk.ToString(id.ImageDigest)] = sdk.ToString(out.Images[i].ImageManifest)
		}
	}
	return texts, nil
}

// imageManifest is what is of use of an index or a manifest of one image.
type imageManifest struct {
	Manifests []struct {
		Digest   string
		Platform imagePlatform
	}
	Config struct{ MediaType, Digest string }
}

// imagePlatform is the platform in an index, and in an image's configuration.
type imagePlatform struct{ OS, Architecture, Variant string }

// String is os/architecture[/variant], "" for what is no platform, as the
// attestations in an index say of themselves.
func (p imagePlatform) String() string {
	if p.OS == "" || p.OS == "unknown" || p.Architecture == "" {
		return ""
	}
	name := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		name += "/" + p.Variant
	}
	return clean(name)
}

// builtFor reads a manifest. What is an error may go better another time.
func (c *Client) builtFor(ctx context.Context, s *session, r Repository, manifest string) (built, error) {
	var m imageManifest
	if json.Unmarshal([]byte(manifest), &m) != nil {
		return built{}, nil
	}
	var b built
	for _, part := range m.Manifests {
		name := part.Platform.String()
		if name == "" {
			continue
		}
		b.manifests = append(b.manifests, part.Digest)
		if !slices.Contains(b.platforms, name) {
			b.platforms = append(b.platforms, name)
		}
	}
	if len(b.platforms) > 0 || m.Config.MediaType != dockerConfig && m.Config.MediaType != ociConfig {
		return b, nil // a chart, a signature: no image
	}
	if known, ok := c.platforms.get(m.Config.Digest); ok {
		return known, nil // another manifest of the same image
	}
	config, err := c.blob(ctx, s, r, m.Config.Digest)
	if err != nil {
		return built{}, err
	}
	var one imagePlatform
	if json.Unmarshal(config, &one) == nil && one.String() != "" {
		b.platforms = []string{one.String()}
	}
	c.platforms.put(m.Config.Digest, b)
	return b, nil
}

var errTooLarge = errors.New("the image's configuration is too large")

// blob fetches a small blob of a repository from where ECR says that it is. The
// address is signed, and so is not to be logged.
func (c *Client) blob(ctx context.Context, s *session, r Repository, digest string) ([]byte, error) {
	out, err := s.ecr.GetDownloadUrlForLayer(ctx, &ecr.GetDownloadUrlForLayerInput{
		RepositoryName: &r.Name, RegistryId: registryOf(r.Scope), LayerDigest: &digest,
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, sdk.ToString(out.DownloadUrl), http.NoBody)
	if err != nil {
		return nil, err
	}
	answer, err := s.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", answer.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(answer.Body, maxConfig+1))
	if len(data) > maxConfig {
		return nil, errTooLarge
	}
	return data, err
}
