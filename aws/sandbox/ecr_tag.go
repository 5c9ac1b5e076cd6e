package sandbox

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
)

// repositoryTags are the tags of a repository. The rules are those of ECS's
// tags, so they are kept as such.
type repositoryTags []ecstypes.Tag

// with adds tags; a key that is there gets the new value.
func (t repositoryTags) with(added []types.Tag) (repositoryTags, error) {
	more := make([]ecstypes.Tag, len(added))
	for i, a := range added {
		more[i] = ecstypes.Tag{Key: aws.String(aws.ToString(a.Key)), Value: aws.String(aws.ToString(a.Value))}
	}
	if err := checkTags(more); err != nil {
		return nil, invalidTags(err)
	}
	merged := mergeTags(t, more)
	if err := checkTags(merged); err != nil {
		return nil, invalidTags(err)
	}
	return merged, nil
}

// invalidTags gives ECR's name to what the rules of tags say.
func invalidTags(err error) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		return &types.InvalidTagParameterException{Message: aws.String(api.ErrorMessage())}
	}
	return err
}

func (t repositoryTags) list() []types.Tag {
	all := make([]types.Tag, len(t))
	for i, tag := range t {
		all[i] = types.Tag{Key: aws.String(*tag.Key), Value: aws.String(*tag.Value)}
	}
	return all
}

// tagged finds the repository that an ARN names.
func (b *ecrBackend) tagged(arn *string) (*repository, error) {
	name, ours := strings.CutPrefix(aws.ToString(arn), repositoryARN)
	if !ours {
		return nil, ecrConstraint("resourceArn", "Invalid ARN")
	}
	return b.find(nil, &name)
}

// TagResource adds tags to a repository.
func (b *ecrBackend) TagResource(_ context.Context, in *ecr.TagResourceInput) (*ecr.TagResourceOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	tags, err := r.tags.with(in.Tags)
	if err != nil {
		return nil, err
	}
	r.tags = tags
	return &ecr.TagResourceOutput{}, nil
}

// UntagResource removes tags; keys that are not there are ignored.
func (b *ecrBackend) UntagResource(_ context.Context, in *ecr.UntagResourceInput) (*ecr.UntagResourceOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	r.tags = slices.DeleteFunc(r.tags, func(t ecstypes.Tag) bool { return slices.Contains(in.TagKeys, *t.Key) })
	return &ecr.UntagResourceOutput{}, nil
}

// ListTagsForResource returns all tags of a repository.
func (b *ecrBackend) ListTagsForResource(_ context.Context, in *ecr.ListTagsForResourceInput) (*ecr.ListTagsForResourceOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &ecr.ListTagsForResourceOutput{Tags: r.tags.list()}, nil
}

// ecrSpellings are the names that ECR writes with a capital, other than the
// rest of its own.
var ecrSpellings = map[string]string{"Tag.Key": "Key", "Tag.Value": "Value"}
