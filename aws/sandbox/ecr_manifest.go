package sandbox

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"gantry/internal/pattern"
)

var (
	imageTag    = pattern.Late(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)
	imageDigest = pattern.Late(`^sha256:[0-9a-f]{64}$`)
)

// manifest is what the registry has to know of one: of an image, or of an
// index of images for several platforms.
type manifest struct {
	body      []byte
	digest    string
	mediaType string
	artifact  string   // what the image is, by the media type of its configuration
	bytes     int64    // bytes of configuration and layers; 0 for an index
	layers    []string // digests of what has to be there before it, configuration included
	images    []string // digests of the images that an index names
	subject   string   // digest of what it is attached to, "" if nothing
}

// readManifest reads a manifest of a media type; without one, the manifest's
// own word counts.
func readManifest(body []byte, mediaType string) (manifest, error) {
	var own struct {
		MediaType    string         `json:"mediaType"`
		ArtifactType string         `json:"artifactType"`
		Subject      *v1.Descriptor `json:"subject"`
		Config       *v1.Descriptor
		Layers       []v1.Descriptor
		Manifests    []v1.Descriptor
	}
	if err := json.Unmarshal(body, &own); err != nil {
		return manifest{}, fmt.Errorf("the manifest is no JSON of its kind: %w", err)
	}
	sum := sha256.Sum256(body)
	m := manifest{
		body: body, digest: "sha256:" + hex.EncodeToString(sum[:]),
		mediaType: cmp.Or(mediaType, own.MediaType), artifact: own.ArtifactType,
	}
	if own.Subject != nil {
		m.subject = own.Subject.Digest.String()
	}
	kind := types.MediaType(m.mediaType)
	switch {
	case own.MediaType != "" && own.MediaType != m.mediaType:
		return manifest{}, fmt.Errorf("the manifest says that it is %s, and the request that it is %s", own.MediaType, m.mediaType)
	case kind.IsIndex():
		for _, d := range own.Manifests {
			m.images = append(m.images, d.Digest.String())
		}
	case kind.IsImage() && own.Config != nil:
		m.artifact = cmp.Or(m.artifact, string(own.Config.MediaType))
		m.add(*own.Config)
		for _, d := range own.Layers {
			m.add(d)
		}
	case kind.IsImage():
		return manifest{}, errors.New("the manifest names no configuration")
	default:
		return manifest{}, fmt.Errorf("manifests of the type %q are not supported", m.mediaType)
	}
	return m, nil
}

// add counts a part of an image. A layer that must not be distributed is
// fetched from elsewhere, so it is neither here nor part of the size.
func (m *manifest) add(d v1.Descriptor) {
	if !d.MediaType.IsDistributable() {
		return
	}
	m.bytes += d.Size
	if digest := d.Digest.String(); !slices.Contains(m.layers, digest) {
		m.layers = append(m.layers, digest)
	}
}
