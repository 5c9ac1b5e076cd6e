package aws

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/smithy-go"
)

// LifecyclePolicy is the rules by which ECR removes images of the repository,
// JSON as AWS has it; "" if there are none.
func (c *Client) LifecyclePolicy(ctx context.Context, r Repository) (string, error) {
	what := "read the lifecycle policy of " + r.Name
	s, err := c.connect(ctx)
	if err != nil {
		return "", c.explain(what, err)
	}
	out, err := s.ecr.GetLifecyclePolicy(ctx, &ecr.GetLifecyclePolicyInput{RepositoryName: &r.Name, RegistryId: registryOf(r.Scope)})
	switch {
	case hasCode(err, "LifecyclePolicyNotFoundException"):
		return "", nil
	case err != nil:
		return "", c.explain(what, err)
	}
	return sdk.ToString(out.LifecyclePolicyText), nil
}

// RepositoryPolicy says who else may use the repository, JSON as AWS has it; ""
// if there is none.
func (c *Client) RepositoryPolicy(ctx context.Context, r Repository) (string, error) {
	what := "read the policy of repository " + r.Name
	s, err := c.connect(ctx)
	if err != nil {
		return "", c.explain(what, err)
	}
	out, err := s.ecr.GetRepositoryPolicy(ctx, &ecr.GetRepositoryPolicyInput{RepositoryName: &r.Name, RegistryId: registryOf(r.Scope)})
	switch {
	case hasCode(err, "RepositoryPolicyNotFoundException"):
		return "", nil
	case err != nil:
		return "", c.explain(what, err)
	}
	return sdk.ToString(out.PolicyText), nil
}

// hasCode reports whether AWS answered with this error.
func hasCode(err error, code string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == code
}

// RepositoryDocument is everything ECR says about a repository, with its
// policies. One that cannot be read says why in its place.
func (c *Client) RepositoryDocument(ctx context.Context, r Repository) (any, error) {
	what := "describe repository " + r.Name
	s, err := c.connect(ctx)
	if err != nil {
		return nil, c.explain(what, err)
	}
	out, err := s.ecr.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{
		RepositoryNames: []string{r.Name}, RegistryId: registryOf(r.Scope),
	})
	if err != nil {
		return nil, c.explain(what, err)
	}
	if len(out.Repositories) == 0 {
		return nil, gone(what)
	}
	return map[string]any{
		"repository":       document(out.Repositories[0]),
		"lifecyclePolicy":  jsonPart(c.LifecyclePolicy(ctx, r)),
		"repositoryPolicy": jsonPart(c.RepositoryPolicy(ctx, r)),
	}, nil
}

// jsonPart is a policy or a manifest as a part of a document: a tree where it is
// JSON.
func jsonPart(text string, err error) any {
	if err != nil {
		return "not read: " + briefly(err)
	}
	if text == "" {
		return nil
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var tree any
	if decoder.Decode(&tree) != nil {
		return text
	}
	return mask(whole(tree))
}

// whole turns the numbers of a decoded JSON into plain ones, in place: the sizes
// in a manifest are whole and may be large.
func whole(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key := range v {
			v[key] = whole(v[key])
		}
	case []any:
		for i := range v {
			v[i] = whole(v[i])
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		return v.String()
	}
	return v
}

// RepositoryImageDocument is everything ECR says about an image, with its
// manifest.
func (c *Client) RepositoryImageDocument(ctx context.Context, i RepositoryImage) (any, error) {
	what := "describe image " + i.Digest
	s, err := c.connect(ctx)
	if err != nil {
		return nil, c.explain(what, err)
	}
	ids := []types.ImageIdentifier{{ImageDigest: &i.Digest}}
	out, err := s.ecr.DescribeImages(ctx, &ecr.DescribeImagesInput{
		RepositoryName: &i.Repository, RegistryId: registryOf(i.Scope), ImageIds: ids,
	})
	if err != nil {
		return nil, c.explain(what, err)
	}
	if len(out.ImageDetails) == 0 {
		return nil, gone(what)
	}
	return map[string]any{
		"image":    document(out.ImageDetails[0]),
		"manifest": jsonPart(c.manifest(ctx, s, i)),
	}, nil
}

// manifest is the text of an image's manifest.
func (c *Client) manifest(ctx context.Context, s *session, i RepositoryImage) (string, error) {
	manifests, err := c.manifests(ctx, s, i.Scope, i.Repository, []string{i.Digest})
	return manifests[i.Digest], err
}
