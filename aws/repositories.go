package aws

import (
	"context"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// AWS's limits (DescribeRepositories and DescribeImages API reference). Each
// repository of a describe costs a count of its own, so that a batch is kept
// small enough for the workers to share.
const (
	repositoriesPerPage     = 1000
	repositoriesPerDescribe = 10
	imagesPerPage           = 1000
)

// NewRepository says what repository to create.
type NewRepository struct {
	Name       string
	Immutable  bool // a tag, once given, stays with its image
	ScanOnPush bool
}

// RepositoryRemoval says how to delete a repository.
type RepositoryRemoval struct {
	Force bool // with the images in it
}

// Repositories reads every repository of the region's private registry, a page
// at a time from the calling goroutine. The rows are not counted: ECR lists no
// counts, and each would cost a call.
func (c *Client) Repositories(ctx context.Context, page func([]Repository)) error {
	const what = "list repositories"
	s, err := c.connect(ctx)
	if err != nil {
		return c.explain(what, err)
	}
	return c.explain(what, eachPage(func(token *string) (*string, error) {
		out, err := s.ecr.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{
			MaxResults: sdk.Int32(repositoriesPerPage), NextToken: token,
		})
		if err != nil {
			return nil, err
		}
		rows := make([]Repository, len(out.Repositories))
		for i := range out.Repositories {
			rows[i] = c.repository(&out.Repositories[i])
		}
		if len(rows) > 0 {
			page(rows)
		}
		return out.NextToken, nil
	}))
}

// RepositoryIDs is the ARNs of every repository of the region.
func (c *Client) RepositoryIDs(ctx context.Context) ([]string, error) {
	var arns []string
	err := c.Repositories(ctx, func(rows []Repository) {
		for i := range rows {
			arns = append(arns, rows[i].ARN)
		}
	})
	return arns, err
}

// DescribeRepositories describes repositories and counts their images, one row
// for each, in the order of the ARNs. Where only the images may not be listed,
// the row is not Counted.
func (c *Client) DescribeRepositories(ctx context.Context, arns []string) ([]Repository, error) {
	s, err := c.connect(ctx)
	if err != nil {
		return nil, c.explain("describe repositories", err)
	}
	return listing[Repository]{size: repositoriesPerDescribe, describe: c.describeRepositories(s)}.these(ctx, arns)
}

func (c *Client) describeRepositories(s *session) func(context.Context, []string) ([]Repository, error) {
	return func(ctx context.Context, arns []string) ([]Repository, error) {
		rows, err := c.namedRepositories(ctx, s, arns)
		if hasCode(err, "RepositoryNotFoundException") {
			return apart(ctx, arns, c.describeRepositories(s), c.missingRepository)
		}
		if err != nil {
			err = c.explain("describe repositories", err)
			return unread(arns, err, c.missingRepository), err
		}
		for i := range rows {
			if rows[i].Failure == "" {
				c.count(ctx, s, &rows[i])
			}
		}
		return rows, ctx.Err()
	}
}

// namedRepositories describes repositories of one registry, in the order of the
// ARNs.
func (c *Client) namedRepositories(ctx context.Context, s *session, arns []string) ([]Repository, error) {
	names := make([]string, len(arns))
	for i, arn := range arns {
		names[i] = repositoryName(arn)
	}
	out, err := s.ecr.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{
		RepositoryNames: names, RegistryId: registryOf(scopeOf("", arns[0])),
	})
	if err != nil {
		return nil, err
	}
	known := make(map[string]Repository, len(out.Repositories))
	for i := range out.Repositories {
		row := c.repository(&out.Repositories[i])
		known[row.Name] = row
	}
	rows := make([]Repository, len(arns))
	for i, name := range names {
		row, ok := known[name]
		if !ok {
			row = c.missingRepository(arns[i], "MISSING")
		}
		rows[i] = row
	}
	return rows, nil
}

// count adds up the images of a repository. A count that cannot be had leaves
// the rest of the row as it is.
func (c *Client) count(ctx context.Context, s *session, r *Repository) {
	images, size := 0, int64(0)
	err := eachPage(func(token *string) (*string, error) {
		out, err := s.ecr.DescribeImages(ctx, &ecr.DescribeImagesInput{
			RepositoryName: &r.Name, RegistryId: registryOf(r.Scope), MaxResults: sdk.Int32(imagesPerPage), NextToken: token,
		})
		if err != nil {
			return nil, err
		}
		images += len(out.ImageDetails)
		for i := range out.ImageDetails {
			size += sdk.ToInt64(out.ImageDetails[i].ImageSizeInBytes)
		}
		return out.NextToken, nil
	})
	if err == nil {
		r.Counted, r.Images, r.Size = true, images, size
	}
}

// CreateRepository creates a repository in the account and region of this
// client.
func (c *Client) CreateRepository(ctx context.Context, n NewRepository) (Repository, error) {
	what := "create repository " + clean(n.Name)
	s, err := c.mutable(ctx, what, Scope{Profile: c.profile()})
	if err != nil {
		return Repository{}, err
	}
	in := &ecr.CreateRepositoryInput{
		RepositoryName:             &n.Name,
		ImageTagMutability:         types.ImageTagMutabilityMutable,
		ImageScanningConfiguration: &types.ImageScanningConfiguration{ScanOnPush: n.ScanOnPush},
	}
	if n.Immutable {
		in.ImageTagMutability = types.ImageTagMutabilityImmutable
	}
	out, err := s.ecr.CreateRepository(ctx, in)
	if err != nil {
		return Repository{}, c.explain(what, err)
	}
	row := c.repository(out.Repository)
	row.Counted = true // it is new, and so it is empty
	return row, nil
}

// DeleteRepository deletes a repository. Without Force ECR refuses one that
// holds images.
func (c *Client) DeleteRepository(ctx context.Context, r Repository, how RepositoryRemoval) error {
	what := "delete repository " + r.Name
	s, err := c.mutable(ctx, what, r.Scope)
	if err != nil {
		return err
	}
	_, err = s.ecr.DeleteRepository(ctx, &ecr.DeleteRepositoryInput{
		RepositoryName: &r.Name, RegistryId: registryOf(r.Scope), Force: how.Force,
	})
	return c.explain(what, err)
}

// registryOf is the registry that a row is in: an account has one for each
// region. nil is the caller's own.
func registryOf(scope Scope) *string {
	if scope.Account == "" {
		return nil
	}
	return &scope.Account
}

// repositoryName is the name in an ARN, which may hold slashes.
func repositoryName(arn string) string {
	if _, name, ok := strings.Cut(arn, ":repository/"); ok {
		return name
	}
	return arn
}

func (c *Client) missingRepository(id, why string) Repository {
	return Repository{Scope: scopeOf(c.profile(), id), ARN: id, Name: repositoryName(id), Failure: why}
}

func (c *Client) repository(k *types.Repository) Repository {
	row := Repository{
		Scope:         scopeOf(c.profile(), sdk.ToString(k.RepositoryArn)),
		ARN:           sdk.ToString(k.RepositoryArn),
		Name:          sdk.ToString(k.RepositoryName),
		URI:           sdk.ToString(k.RepositoryUri),
		Created:       sdk.ToTime(k.CreatedAt),
		TagMutability: string(k.ImageTagMutability),
	}
	if host, _, ok := strings.Cut(row.URI, "/"); ok {
		c.registries.Store(host, true)
	}
	if scan := k.ImageScanningConfiguration; scan != nil {
		row.ScanOnPush = scan.ScanOnPush
	}
	if lock := k.EncryptionConfiguration; lock != nil {
		row.Encryption, row.KMSKey = string(lock.EncryptionType), sdk.ToString(lock.KmsKey)
	}
	return row
}
