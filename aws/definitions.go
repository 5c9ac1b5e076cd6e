package aws

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// DefinitionDocument is a whole task definition, given by ARN or
// family:revision, as a tree with secrets masked.
func (c *Client) DefinitionDocument(ctx context.Context, definition string) (any, error) {
	what := "describe task definition " + nameOf(definition)
	s, err := c.connect(ctx)
	if err != nil {
		return nil, c.explain(what, err)
	}
	out, err := s.ecs.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{
		TaskDefinition: sdk.String(definition), Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags},
	})
	if err != nil {
		return nil, c.explain(what, err)
	}
	doc := map[string]any{"taskDefinition": document(out.TaskDefinition)}
	if len(out.Tags) > 0 {
		doc["tags"] = document(out.Tags)
	}
	return doc, nil
}

// definition is the task definition as a part of another document. Where it
// cannot be read the part says why, so that the rest is still of use.
func (c *Client) definition(ctx context.Context, s *session, arn *string) any {
	if arn == nil {
		return nil
	}
	out, err := s.ecs.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: arn})
	if err != nil {
		return "not read: " + briefly(c.explain("describe task definition "+nameOf(*arn), err))
	}
	return document(out.TaskDefinition)
}
