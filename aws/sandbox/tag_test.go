package sandbox

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func TestTags(t *testing.T) {
	b, clock := newTestECS(t)
	createService(t, b, "serve", 1, nil)
	clock.Advance(time.Second)
	const prefix = "arn:aws:ecs:us-east-1:000000000000:"
	for _, arn := range []string{
		prefix + "cluster/shop", prefix + "service/shop/web", prefix + "task-definition/web:1",
		listTasks(t, b, &ecs.ListTasksInput{Cluster: aws.String("shop")})[0],
	} {
		add := &ecs.TagResourceInput{ResourceArn: &arn, Tags: []types.Tag{{Key: aws.String("x"), Value: aws.String("1")}, {Key: aws.String("y")}}}
		if _, err := b.TagResource(t.Context(), add); err != nil {
			t.Fatalf("tag %s: %v", arn, err)
		}
		if _, err := b.UntagResource(t.Context(), &ecs.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"y", "none"}}); err != nil {
			t.Fatalf("untag %s: %v", arn, err)
		}
		out, err := b.ListTagsForResource(t.Context(), &ecs.ListTagsForResourceInput{ResourceArn: &arn})
		if err != nil {
			t.Fatal(err)
		}
		tags := make(map[string]string)
		for _, tag := range out.Tags {
			tags[*tag.Key] = aws.ToString(tag.Value)
		}
		if _, gone := tags["y"]; tags["x"] != "1" || gone {
			t.Errorf("%s: tags %v", arn, tags)
		}
	}
	shop := aws.String(prefix + "cluster/shop")
	for _, tags := range [][]types.Tag{
		{{Key: aws.String("aws:x")}},
		{{}},
		{{Key: aws.String(strings.Repeat("k", 129))}},
		{{Key: aws.String("a")}, {Key: aws.String("a")}},
		make([]types.Tag, 51),
	} {
		_, err := b.TagResource(t.Context(), &ecs.TagResourceInput{ResourceArn: shop, Tags: tags})
		var invalid *types.InvalidParameterException
		if !asError(err, &invalid) {
			t.Errorf("%d tags: %v, want InvalidParameterException", len(tags), err)
		}
	}
	for _, arn := range []string{"", "shop", prefix + "cluster/ghost", prefix + "nothing/x", "arn:aws:s3:::bucket"} {
		if _, err := b.ListTagsForResource(t.Context(), &ecs.ListTagsForResourceInput{ResourceArn: &arn}); err == nil {
			t.Errorf("tags of %q: no error", arn)
		}
	}
}
