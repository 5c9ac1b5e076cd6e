package sandbox

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// maxImageIDs is how many images one call can name.
const maxImageIDs = 100

// image is a manifest in a repository, and the tags that are on it.
type image struct {
	manifest
	number uint64
	pushed time.Time
	pulled time.Time // zero if never
	tags   []placedTag
}

func (i *image) place() uint64 { return i.number }

// placedTag is a tag and its place in lists.
type placedTag struct {
	number uint64
	name   string
}

// imageRow is an image under one of its tags, or under none: what ListImages lists.
type imageRow struct {
	number uint64
	id     types.ImageIdentifier
}

func (r imageRow) place() uint64 { return r.number }

// lookUp finds the image that an id names, by tag, digest or both.
func (r *repository) lookUp(id types.ImageIdentifier) (*image, *types.ImageFailure) {
	failure := func(code types.ImageFailureCode, reason string) (*image, *types.ImageFailure) {
		return nil, &types.ImageFailure{ImageId: &id, FailureCode: code, FailureReason: aws.String(reason)}
	}
	digest, tag := aws.ToString(id.ImageDigest), aws.ToString(id.ImageTag)
	switch {
	case digest == "" && tag == "":
		return failure(types.ImageFailureCodeMissingDigestAndTag, "Invalid request parameters: both tag and digest cannot be null")
	case digest != "" && !imageDigest().MatchString(digest):
		return failure(types.ImageFailureCodeInvalidImageDigest, "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'")
	case tag != "" && !imageTag().MatchString(tag):
		return failure(types.ImageFailureCodeInvalidImageTag, "Invalid request parameters: image tag should satisfy the regex '[a-zA-Z0-9-_.]{1,128}'")
	}
	found := r.images[digest]
	if digest == "" {
		found = r.byTag[tag]
	}
	switch {
	case found == nil || tag != "" && r.byTag[tag] == nil:
		return failure(types.ImageFailureCodeImageNotFound, "Requested image not found")
	case tag != "" && r.byTag[tag] != found:
		return failure(types.ImageFailureCodeImageTagDoesNotMatchDigest, "The image tag does not match the image digest")
	}
	return found, nil
}

// rows are a repository's images as a filter lets them through, once for each
// tag.
func (r *repository) rows(status types.TagStatus) []imageRow {
	var rows []imageRow
	for _, i := range r.images {
		if !hasTagStatus(i, status) {
			continue
		}
		digest := aws.String(i.digest)
		if len(i.tags) == 0 {
			rows = append(rows, imageRow{i.number, types.ImageIdentifier{ImageDigest: digest}})
		}
		for _, t := range i.tags {
			rows = append(rows, imageRow{t.number, types.ImageIdentifier{ImageDigest: digest, ImageTag: aws.String(t.name)}})
		}
	}
	return inOrder(rows)
}

func hasTagStatus(i *image, status types.TagStatus) bool {
	switch status {
	case types.TagStatusTagged:
		return len(i.tags) > 0
	case types.TagStatusUntagged:
		return len(i.tags) == 0
	default:
		return true
	}
}

// imageFilter is what a list of images is narrowed to. An image here is always
// ACTIVE: there is no archive.
type imageFilter struct {
	tags   types.TagStatus
	status types.ImageStatusFilter
}

func (f imageFilter) check() error {
	if f.tags != "" && !slices.Contains(f.tags.Values(), f.tags) {
		return ecrConstraint("filter.tagStatus", "Member must satisfy enum value set: [ANY, TAGGED, UNTAGGED]")
	}
	if f.status != "" && !slices.Contains(f.status.Values(), f.status) {
		return ecrConstraint("filter.imageStatus", "Member must satisfy enum value set: [ACTIVE, ARCHIVED, ACTIVATING, ANY]")
	}
	return nil
}

func (f imageFilter) admitsActive() bool {
	return f.status == "" || f.status == types.ImageStatusFilterActive || f.status == types.ImageStatusFilterAny
}

// ListImages pages through the tags and digests of a repository.
func (b *ecrBackend) ListImages(_ context.Context, in *ecr.ListImagesInput) (*ecr.ListImagesOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.find(in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	var f imageFilter
	if in.Filter != nil {
		f = imageFilter{in.Filter.TagStatus, in.Filter.ImageStatus}
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	var all []imageRow
	if f.admitsActive() {
		all = r.rows(f.tags)
	}
	name := question("ListImages", r.name, string(f.tags), string(f.status))
	found, next, err := page(b.pager, ecrQuery(name, in.MaxResults, in.NextToken), all)
	if err != nil {
		return nil, err
	}
	out := &ecr.ListImagesOutput{ImageIds: []types.ImageIdentifier{}, NextToken: next}
	for _, row := range found {
		out.ImageIds = append(out.ImageIds, row.id)
	}
	return out, nil
}

// DescribeImages tells of the images asked for, or pages through all of a
// repository's.
func (b *ecrBackend) DescribeImages(_ context.Context, in *ecr.DescribeImagesInput) (*ecr.DescribeImagesOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.find(in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	var f imageFilter
	if in.Filter != nil {
		f = imageFilter{in.Filter.TagStatus, in.Filter.ImageStatus}
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	var found []*image
	var next *string
	if len(in.ImageIds) > 0 {
		if err := checkNamed("imageIds", len(in.ImageIds), maxImageIDs, in.MaxResults, in.NextToken); err != nil {
			return nil, err
		}
		found, err = r.named(in.ImageIds)
	} else {
		name := question("DescribeImages", r.name, string(f.tags), string(f.status))
		found, next, err = page(b.pager, ecrQuery(name, in.MaxResults, in.NextToken), r.filtered(f))
	}
	if err != nil {
		return nil, err
	}
	out := &ecr.DescribeImagesOutput{ImageDetails: []types.ImageDetail{}, NextToken: next}
	for _, i := range found {
		out.ImageDetails = append(out.ImageDetails, r.detail(i))
	}
	return out, nil
}

func (r *repository) filtered(f imageFilter) []*image {
	var all []*image
	for _, i := range r.images {
		if f.admitsActive() && hasTagStatus(i, f.tags) {
			all = append(all, i)
		}
	}
	return inOrder(all)
}

// named finds the images of ids, each once.
func (r *repository) named(ids []types.ImageIdentifier) ([]*image, error) {
	var found []*image
	for _, id := range ids {
		i, failure := r.lookUp(id)
		switch {
		case failure == nil:
		case failure.FailureCode == types.ImageFailureCodeImageNotFound || failure.FailureCode == types.ImageFailureCodeImageTagDoesNotMatchDigest:
			return nil, r.imageNotFound(id)
		default:
			return nil, ecrInvalid("%s", *failure.FailureReason)
		}
		if !slices.Contains(found, i) {
			found = append(found, i)
		}
	}
	return found, nil
}

func (r *repository) detail(i *image) types.ImageDetail {
	d := types.ImageDetail{
		RegistryId: aws.String(account), RepositoryName: aws.String(r.name),
		ImageDigest: aws.String(i.digest), ImagePushedAt: aws.Time(i.pushed),
		ImageSizeInBytes:       aws.Int64(r.size(i)),
		ImageManifestMediaType: aws.String(i.mediaType),
		ImageStatus:            types.ImageStatusActive,
	}
	for _, t := range i.tags {
		d.ImageTags = append(d.ImageTags, t.name)
	}
	if i.artifact != "" {
		d.ArtifactMediaType = aws.String(i.artifact)
	}
	if i.subject != "" {
		d.SubjectManifestDigest = aws.String(i.subject)
	}
	if !i.pulled.IsZero() {
		d.LastRecordedPullTime = aws.Time(i.pulled)
	}
	return d
}

// size is an image's size in bytes; that of an index is its largest image's, as
// ECR has it.
func (r *repository) size(i *image) int64 {
	size := i.bytes
	for _, digest := range i.images {
		if part := r.images[digest]; part != nil && part != i {
			size = max(size, part.bytes)
		}
	}
	return size
}

// DescribeImageScanFindings has nothing to tell: nothing is scanned here, and
// made-up findings would be a lie, "none found" most of all.
func (b *ecrBackend) DescribeImageScanFindings(_ context.Context, in *ecr.DescribeImageScanFindingsInput) (*ecr.DescribeImageScanFindingsOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.find(in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if in.ImageId == nil {
		return nil, ecrConstraint("imageId", "Member must not be null")
	}
	if _, err := r.named([]types.ImageIdentifier{*in.ImageId}); err != nil {
		return nil, err
	}
	return nil, &types.ScanNotFoundException{Message: aws.String(
		fmt.Sprintf("Image scan does not exist for the image with '%s' in %s", spellImageID(*in.ImageId), r.within()))}
}

// BatchGetImage gives manifests as they were pushed.
func (b *ecrBackend) BatchGetImage(_ context.Context, in *ecr.BatchGetImageInput) (*ecr.BatchGetImageOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.find(in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if err := checkImageIDs(in.ImageIds); err != nil {
		return nil, err
	}
	out := &ecr.BatchGetImageOutput{Images: []types.Image{}, Failures: []types.ImageFailure{}}
	for _, id := range in.ImageIds {
		i, failure := r.lookUp(id)
		if failure != nil {
			out.Failures = append(out.Failures, *failure)
			continue
		}
		out.Images = append(out.Images, r.answer(i, id.ImageTag))
	}
	return out, nil
}

func checkImageIDs(ids []types.ImageIdentifier) error {
	switch {
	case len(ids) == 0:
		return ecrConstraint("imageIds", "Member must have length greater than or equal to 1")
	case len(ids) > maxImageIDs:
		return ecrConstraint("imageIds", fmt.Sprintf("Member must have length less than or equal to %d", maxImageIDs))
	}
	return nil
}

func (r *repository) answer(i *image, tag *string) types.Image {
	return types.Image{
		RegistryId: aws.String(account), RepositoryName: aws.String(r.name),
		ImageId:       &types.ImageIdentifier{ImageDigest: aws.String(i.digest), ImageTag: tag},
		ImageManifest: aws.String(string(i.body)), ImageManifestMediaType: aws.String(i.mediaType),
	}
}
