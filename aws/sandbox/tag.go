package sandbox

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

const maxTags = 50

// checkTags applies ECS's rules: at most 50, keys of 1 to 128 characters that
// do not begin with "aws:", values of up to 256.
func checkTags(tags []types.Tag) error {
	if len(tags) > maxTags {
		return invalidParameter("The maximum number of tags is %d.", maxTags)
	}
	seen := make(map[string]bool, len(tags))
	for _, t := range tags {
		key := aws.ToString(t.Key)
		switch length := utf8.RuneCountInString(key); {
		case length < 1 || length > 128:
			return invalidParameter("Tag keys must have between 1 and 128 characters.")
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return invalidParameter("Tag keys must not begin with 'aws:'.")
		case utf8.RuneCountInString(aws.ToString(t.Value)) > 256:
			return invalidParameter("Tag values must have at most 256 characters.")
		case seen[key]:
			return invalidParameter("Tag keys must be unique.")
		}
		seen[key] = true
	}
	return nil
}

// mergeTags adds tags to those there are; a key that is there gets the new value.
func mergeTags(there, added []types.Tag) []types.Tag {
	merged := clone(there)
	for _, t := range added {
		at := slices.IndexFunc(merged, func(m types.Tag) bool { return *m.Key == *t.Key })
		if at < 0 {
			merged = append(merged, clone(t))
			continue
		}
		merged[at] = clone(t)
	}
	slices.SortFunc(merged, func(x, y types.Tag) int { return cmp.Compare(*x.Key, *y.Key) })
	return merged
}

// tagged finds the tags of the resource that an ARN names.
func (b *ecsBackend) tagged(resourceARN *string) (*[]types.Tag, error) {
	kind, path, ok := b.resource(aws.ToString(resourceARN))
	if !ok {
		return nil, invalidParameter("Invalid identifier: Identifier is for %s. Your accountId is %s", aws.ToString(resourceARN), b.account)
	}
	switch {
	case kind == "cluster" && len(path) == 1:
		c, err := b.cluster(&path[0])
		if err != nil {
			return nil, err
		}
		return &c.tags, nil
	case kind == "service" && len(path) == 2:
		c, err := b.cluster(&path[0])
		if err != nil {
			return nil, err
		}
		if s := c.services[path[1]]; s != nil {
			return &s.tags, nil
		}
		return nil, serviceNotFound()
	case kind == "task" && len(path) == 2:
		c, err := b.cluster(&path[0])
		if err != nil {
			return nil, err
		}
		if t := c.task(path[1]); t != nil {
			return &t.tags, nil
		}
		return nil, invalidParameter("The referenced task was not found.")
	case kind == "task-definition" && len(path) == 1:
		d, err := b.definition(path[0])
		if err != nil {
			return nil, err
		}
		return &d.tags, nil
	}
	return nil, invalidParameter("The resource type %q can not be tagged.", kind)
}

// TagResource adds tags to a cluster, service, task or task definition.
func (b *ecsBackend) TagResource(_ context.Context, in *ecs.TagResourceInput) (*ecs.TagResourceOutput, error) {
	b.lock()
	defer b.unlock()
	tags, err := b.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	merged := mergeTags(*tags, in.Tags)
	if err := checkTags(merged); err != nil {
		return nil, err
	}
	*tags = merged
	return &ecs.TagResourceOutput{}, nil
}

// UntagResource removes tags; keys that are not there are ignored.
func (b *ecsBackend) UntagResource(_ context.Context, in *ecs.UntagResourceInput) (*ecs.UntagResourceOutput, error) {
	b.lock()
	defer b.unlock()
	tags, err := b.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	*tags = slices.DeleteFunc(clone(*tags), func(t types.Tag) bool { return slices.Contains(in.TagKeys, *t.Key) })
	return &ecs.UntagResourceOutput{}, nil
}

// ListTagsForResource returns all tags of a resource.
func (b *ecsBackend) ListTagsForResource(_ context.Context, in *ecs.ListTagsForResourceInput) (*ecs.ListTagsForResourceOutput, error) {
	b.lock()
	defer b.unlock()
	tags, err := b.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &ecs.ListTagsForResourceOutput{Tags: clone(*tags)}, nil
}
