package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// PutImage stores a manifest whose layers are there, which is how an image gets
// another tag.
func (b *ecrBackend) PutImage(_ context.Context, in *ecr.PutImageInput) (*ecr.PutImageOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.find(in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	tag := aws.ToString(in.ImageTag)
	if tag != "" && !imageTag().MatchString(tag) {
		return nil, ecrConstraint("imageTag", "must satisfy regular expression '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}'")
	}
	m, err := readManifest([]byte(aws.ToString(in.ImageManifest)), aws.ToString(in.ImageManifestMediaType))
	if err != nil {
		return nil, ecrConstraint("ImageManifest", "Invalid JSON syntax or manifest: "+err.Error())
	}
	if in.ImageDigest != nil && *in.ImageDigest != m.digest {
		return nil, &types.ImageDigestDoesNotMatchException{Message: aws.String(fmt.Sprintf(
			"The provided digest '%s' does not match the manifest's, '%s'", *in.ImageDigest, m.digest))}
	}
	if known := r.images[m.digest]; known != nil && (tag == "" || r.byTag[tag] == known) {
		return nil, &types.ImageAlreadyExistsException{Message: aws.String(fmt.Sprintf(
			"Image with digest '%s' and tag '%s' already exists in the repository with name '%s' in registry with id '%s'", m.digest, tag, r.name, account))}
	}
	i, err := b.put(r, m, tag)
	if err != nil {
		return nil, err
	}
	answer := r.answer(i, in.ImageTag)
	return &ecr.PutImageOutput{Image: &answer}, nil
}

// put stores a manifest, under a tag unless that is empty. The same once more
// is no error.
func (b *ecrBackend) put(r *repository, m manifest, tag string) (*image, error) {
	before := r.byTag[tag]
	if before != nil && before.digest != m.digest && r.immutable(tag) {
		return nil, r.tagTaken(tag)
	}
	if err := r.complete(m); err != nil {
		return nil, err
	}
	target := m.digest
	if tag != "" {
		target = tag
	}
	if status := r.change(http.MethodPut, target, m); status != http.StatusCreated {
		return nil, fmt.Errorf("the registry answered %d to a manifest for %s", status, r.name)
	}
	i := r.images[m.digest]
	if i == nil {
		i = &image{manifest: m, number: b.next(), pushed: b.clock.Now()}
		r.images[m.digest] = i
	}
	if tag != "" && before != i {
		if before != nil {
			before.untag(tag)
		}
		i.tags = append(i.tags, placedTag{b.next(), tag})
		r.byTag[tag] = i
	}
	return i, nil
}

// complete refuses a manifest some part of which is not in the repository.
func (r *repository) complete(m manifest) error {
	var layers, images []string
	for _, digest := range m.layers {
		if !r.layers.has(digest) {
			layers = append(layers, digest)
		}
	}
	for _, digest := range m.images {
		if r.images[digest] == nil {
			images = append(images, digest)
		}
	}
	switch {
	case len(layers) > 0:
		return r.layersNotFound(layers)
	case len(images) > 0:
		return r.imagesNotFound(images)
	}
	return nil
}

func (i *image) untag(tag string) {
	i.tags = slices.DeleteFunc(i.tags, func(t placedTag) bool { return t.name == tag })
}

// BatchDeleteImage removes tags, images by digest with all their tags, and
// images whose last tag goes.
func (b *ecrBackend) BatchDeleteImage(_ context.Context, in *ecr.BatchDeleteImageInput) (*ecr.BatchDeleteImageOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.find(in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if err := checkImageIDs(in.ImageIds); err != nil {
		return nil, err
	}
	out := &ecr.BatchDeleteImageOutput{ImageIds: []types.ImageIdentifier{}, Failures: []types.ImageFailure{}}
	for _, id := range in.ImageIds {
		removed, failure := r.remove(id)
		if failure != nil {
			out.Failures = append(out.Failures, *failure)
			continue
		}
		out.ImageIds = append(out.ImageIds, removed...)
	}
	b.forgetLayers(r)
	return out, nil
}

func (r *repository) remove(id types.ImageIdentifier) ([]types.ImageIdentifier, *types.ImageFailure) {
	i, failure := r.lookUp(id)
	if failure != nil {
		return nil, failure
	}
	digest := aws.String(i.digest)
	if id.ImageTag != nil && len(i.tags) > 1 {
		r.untag(i, *id.ImageTag)
		return []types.ImageIdentifier{{ImageDigest: digest, ImageTag: id.ImageTag}}, nil
	}
	if indexes := r.indexesOf(i); len(indexes) > 0 {
		return nil, &types.ImageFailure{
			ImageId: &id, FailureCode: types.ImageFailureCodeImageReferencedByManifestList,
			FailureReason: aws.String("Requested image referenced by manifest list: [" + strings.Join(indexes, ", ") + "]"),
		}
	}
	var removed []types.ImageIdentifier
	for _, t := range slices.Clone(i.tags) {
		r.untag(i, t.name)
		removed = append(removed, types.ImageIdentifier{ImageDigest: digest, ImageTag: aws.String(t.name)})
	}
	if removed == nil {
		removed = []types.ImageIdentifier{{ImageDigest: digest}}
	}
	r.change(http.MethodDelete, i.digest, i.manifest)
	delete(r.images, i.digest)
	return removed, nil
}

func (r *repository) untag(i *image, tag string) {
	r.change(http.MethodDelete, tag, i.manifest)
	delete(r.byTag, tag)
	i.untag(tag)
}

// indexesOf are the digests of the indexes that name an image.
func (r *repository) indexesOf(i *image) []string {
	var digests []string
	for _, other := range r.images {
		if slices.Contains(other.images, i.digest) {
			digests = append(digests, other.digest)
		}
	}
	slices.Sort(digests)
	return digests
}

// layerGrace is how long a layer stays that no image has: a push names it in a
// manifest only after it found it or sent it.
const layerGrace = 5 * time.Minute

// want notes that somebody is about to make use of a layer.
func (b *ecrBackend) want(r *repository, digest string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r.wanted[digest] = b.clock.Now()
}

// forgetLayers removes the layers that no image has and nobody wanted of late.
func (b *ecrBackend) forgetLayers(r *repository) {
	used := make(map[string]bool)
	for _, i := range r.images {
		for _, digest := range i.layers {
			used[digest] = true
		}
	}
	for digest, at := range r.wanted {
		if !used[digest] && b.clock.Now().Sub(at) >= layerGrace {
			r.layers.remove(digest)
			delete(r.wanted, digest)
		}
	}
}
