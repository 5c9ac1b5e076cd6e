package aws

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"gantry/internal/diagnose"
)

// AWS's limits (DescribeImages, BatchGetImage and BatchDeleteImage API
// reference: imageIds).
const (
	imagesPerDescribe = 100
	imagesPerDelete   = 100
)

// RepositoryImages reads every image of a repository, a page at a time from the
// calling goroutine. Their platforms are not known then.
func (c *Client) RepositoryImages(ctx context.Context, r Repository, page func([]RepositoryImage)) error {
	what := "list images of " + r.Name
	s, err := c.connect(ctx)
	if err != nil {
		return c.explain(what, err)
	}
	return c.explain(what, eachPage(func(token *string) (*string, error) {
		out, err := s.ecr.DescribeImages(ctx, &ecr.DescribeImagesInput{
			RepositoryName: &r.Name, RegistryId: registryOf(r.Scope), MaxResults: sdk.Int32(imagesPerPage), NextToken: token,
		})
		if err != nil {
			return nil, err
		}
		rows := make([]RepositoryImage, len(out.ImageDetails))
		for i := range out.ImageDetails {
			rows[i] = repositoryImage(r, &out.ImageDetails[i])
		}
		if len(rows) > 0 {
			page(rows)
		}
		return out.NextToken, nil
	}))
}

// DescribeRepositoryImages describes images of one repository with their
// platforms, one row for each, in the order of the digests.
func (c *Client) DescribeRepositoryImages(ctx context.Context, r Repository, digests []string) ([]RepositoryImage, error) {
	s, err := c.connect(ctx)
	if err != nil {
		return nil, c.explain("describe images of "+r.Name, err)
	}
	return listing[RepositoryImage]{size: imagesPerDescribe, describe: c.describeImages(s, r)}.these(ctx, digests)
}

func (c *Client) describeImages(s *session, r Repository) func(context.Context, []string) ([]RepositoryImage, error) {
	missing := func(digest, why string) RepositoryImage {
		return RepositoryImage{Scope: r.Scope, Repository: r.Name, URI: r.URI, Digest: digest, Failure: why}
	}
	return func(ctx context.Context, digests []string) ([]RepositoryImage, error) {
		ids := make([]types.ImageIdentifier, len(digests))
		for i := range digests {
			ids[i].ImageDigest = &digests[i]
		}
		out, err := s.ecr.DescribeImages(ctx, &ecr.DescribeImagesInput{
			RepositoryName: &r.Name, RegistryId: registryOf(r.Scope), ImageIds: ids,
		})
		if hasCode(err, "ImageNotFoundException") {
			return apart(ctx, digests, c.describeImages(s, r), missing)
		}
		if err != nil {
			err = c.explain("describe images of "+r.Name, err)
			return unread(digests, err, missing), err
		}
		rows := make([]RepositoryImage, len(out.ImageDetails))
		for i := range out.ImageDetails {
			rows[i] = repositoryImage(r, &out.ImageDetails[i])
		}
		rows = arrange(digests, rows, func(i *RepositoryImage) string { return i.Digest }, nil, missing)
		c.addPlatforms(ctx, s, r, rows)
		return rows, ctx.Err()
	}
}

// apart describes the halves of what cannot be described together: ECR fails a
// whole call for one id that is gone. That one ends as a row that says so.
func apart[T any](ctx context.Context, ids []string, describe func(context.Context, []string) ([]T, error), missing func(id, why string) T) ([]T, error) {
	if len(ids) == 1 {
		return []T{missing(ids[0], "MISSING")}, nil
	}
	half := len(ids) / 2
	first, err := describe(ctx, ids[:half])
	if err != nil && ctx.Err() != nil {
		return nil, err
	}
	second, err := describe(ctx, ids[half:])
	if err != nil && ctx.Err() != nil {
		return nil, err
	}
	return append(first, second...), nil
}

func repositoryImage(r Repository, k *types.ImageDetail) RepositoryImage {
	row := RepositoryImage{
		Scope:      r.Scope,
		Repository: r.Name,
		URI:        r.URI,
		Digest:     sdk.ToString(k.ImageDigest),
		Tags:       k.ImageTags,
		Pushed:     sdk.ToTime(k.ImagePushedAt),
		LastPulled: sdk.ToTime(k.LastRecordedPullTime),
		Size:       sdk.ToInt64(k.ImageSizeInBytes),
		MediaType:  sdk.ToString(k.ImageManifestMediaType),
	}
	if k.ImageScanStatus != nil {
		row.ScanStatus = string(k.ImageScanStatus.Status)
	}
	if found := k.ImageScanFindingsSummary; found != nil {
		row.Findings = make(map[string]int, len(found.FindingSeverityCounts))
		for severity, n := range found.FindingSeverityCounts {
			row.Findings[severity] = int(n)
		}
	}
	return row
}

// DeleteRepositoryImages deletes images of one repository with all their tags.
// What could not be deleted is told with ECR's reason; the rest is gone.
func (c *Client) DeleteRepositoryImages(ctx context.Context, images []RepositoryImage) error {
	if len(images) == 0 {
		return nil
	}
	first := images[0]
	what := fmt.Sprintf("delete %d images of %s", len(images), first.Repository)
	if len(images) == 1 {
		what = fmt.Sprintf("delete %s of %s", shortDigest(first.Digest), first.Repository)
	}
	s, err := c.mutable(ctx, what, first.Scope)
	if err != nil {
		return err
	}
	var left []types.ImageFailure
	for _, batch := range deletions(images) {
		out, err := s.ecr.BatchDeleteImage(ctx, &ecr.BatchDeleteImageInput{
			RepositoryName: &first.Repository, RegistryId: registryOf(first.Scope), ImageIds: batch,
		})
		if err != nil {
			return c.explain(what, err)
		}
		left = append(left, out.Failures...)
	}
	return notDeleted(what, len(images), left)
}

// deletions parts images into calls, an index before the images that it lists:
// ECR keeps an image as long as an index refers to it.
func deletions(images []RepositoryImage) [][]types.ImageIdentifier {
	var indexes, rest []types.ImageIdentifier
	for i := range images {
		id := types.ImageIdentifier{ImageDigest: &images[i].Digest}
		if isIndex(images[i].MediaType) {
			indexes = append(indexes, id)
			continue
		}
		rest = append(rest, id)
	}
	return append(slices.Collect(slices.Chunk(indexes, imagesPerDelete)), slices.Collect(slices.Chunk(rest, imagesPerDelete))...)
}

// notDeleted tells the images that stayed. One that was gone already is what
// was wanted.
func notDeleted(what string, all int, left []types.ImageFailure) error {
	var reasons []string
	for _, f := range left {
		if f.FailureCode == types.ImageFailureCodeImageNotFound {
			continue
		}
		digest := ""
		if f.ImageId != nil {
			digest = shortDigest(sdk.ToString(f.ImageId.ImageDigest)) + ": "
		}
		reason := clean(sdk.ToString(f.FailureReason))
		if f.FailureCode == types.ImageFailureCodeImageReferencedByManifestList {
			reason = "an index of several platforms refers to it"
		}
		reasons = append(reasons, digest+reason)
	}
	if len(reasons) == 0 {
		return nil
	}
	const shown = 3
	cause := fmt.Sprintf("%d of %d stayed: %s", len(reasons), all, strings.Join(reasons[:min(shown, len(reasons))], "; "))
	if len(reasons) > shown {
		cause += fmt.Sprintf("; and %d more", len(reasons)-shown)
	}
	joined := make([]error, 0, len(reasons)+1)
	joined = append(joined, ErrRefused)
	for _, r := range reasons {
		joined = append(joined, errors.New(r))
	}
	return &diagnose.Error{What: what, Cause: cause, Do: "delete the indexes that refer to them first, and refresh", Err: errors.Join(joined...)}
}

// shortDigest is enough of a digest to know it by.
func shortDigest(digest string) string {
	const hexShown = 12
	algorithm, hex, ok := strings.Cut(digest, ":")
	if !ok || len(hex) <= hexShown {
		return digest
	}
	return algorithm + ":" + hex[:hexShown]
}
