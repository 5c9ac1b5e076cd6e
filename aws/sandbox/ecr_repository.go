package sandbox

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"gantry/internal/pattern"
)

// ECR's rule for the name of a repository, from its API reference.
const repositoryNameRule = `(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*`

const (
	shortestRepositoryName = 2
	longestRepositoryName  = 256
	maxRepositoryNames     = 100 // in one describe
	maxExclusions          = 5
)

var (
	repositoryName  = pattern.Late(`^` + repositoryNameRule + `$`)
	exclusionFilter = pattern.Late(`^[0-9a-zA-Z._*-]{1,128}$`)
)

func checkRepositoryName(name string) error {
	const parameter = "repositoryName"
	switch length := utf8.RuneCountInString(name); {
	case length < shortestRepositoryName:
		return ecrConstraint(parameter, fmt.Sprintf("Member must have length greater than or equal to %d", shortestRepositoryName))
	case length > longestRepositoryName:
		return ecrConstraint(parameter, fmt.Sprintf("Member must have length less than or equal to %d", longestRepositoryName))
	case !repositoryName().MatchString(name):
		return ecrConstraint(parameter, fmt.Sprintf("must satisfy regular expression '%s'", repositoryNameRule))
	}
	return nil
}

// CreateRepository makes an empty repository.
func (b *ecrBackend) CreateRepository(_ context.Context, in *ecr.CreateRepositoryInput) (*ecr.CreateRepositoryOutput, error) {
	name := aws.ToString(in.RepositoryName)
	if err := checkRepositoryName(name); err != nil {
		return nil, err
	}
	mutability, err := tagMutability(in.ImageTagMutability, in.ImageTagMutabilityExclusionFilters)
	if err != nil {
		return nil, err
	}
	tags, err := repositoryTags{}.with(in.Tags)
	if err != nil {
		return nil, err
	}
	switch e := in.EncryptionConfiguration; {
	case in.RegistryId != nil && *in.RegistryId != account:
		return nil, ecrInvalid("Registry with id '%s' is not yours.", *in.RegistryId)
	case e != nil && e.EncryptionType != types.EncryptionTypeAes256:
		return nil, ecrNotEmulated("repositories that are encrypted with " + string(e.EncryptionType))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.repositories[name] != nil {
		return nil, &types.RepositoryAlreadyExistsException{Message: aws.String(
			fmt.Sprintf("The repository with name '%s' already exists in the registry with id '%s'", name, account))}
	}
	r := &repository{
		number: b.next(), name: name, created: b.clock.Now(),
		mutability: mutability, exclusions: clone(in.ImageTagMutabilityExclusionFilters),
		scanOnPush: in.ImageScanningConfiguration != nil && in.ImageScanningConfiguration.ScanOnPush,
		tags:       tags,
		images:     make(map[string]*image),
		byTag:      make(map[string]*image),
		wanted:     make(map[string]time.Time),
	}
	r.layers = b.disk.of(r.number)
	r.contents = newContents(r.layers)
	b.repositories[name] = r
	return &ecr.CreateRepositoryOutput{Repository: b.describe(r)}, nil
}

// tagMutability fills in the default and refuses what ECR refuses.
func tagMutability(asked types.ImageTagMutability, exclusions []types.ImageTagMutabilityExclusionFilter) (types.ImageTagMutability, error) {
	if asked == "" {
		asked = types.ImageTagMutabilityMutable
	}
	if !slices.Contains(asked.Values(), asked) {
		return "", ecrConstraint("imageTagMutability", "Member must satisfy enum value set: [MUTABLE, IMMUTABLE, IMMUTABLE_WITH_EXCLUSION, MUTABLE_WITH_EXCLUSION]")
	}
	excludes := strings.HasSuffix(string(asked), "_WITH_EXCLUSION")
	switch {
	case excludes && len(exclusions) == 0, !excludes && len(exclusions) > 0:
		return "", ecrInvalid("Image tag mutability exclusion filters are for %s and %s, which need at least one.",
			types.ImageTagMutabilityImmutableWithExclusion, types.ImageTagMutabilityMutableWithExclusion)
	case len(exclusions) > maxExclusions:
		return "", ecrConstraint("imageTagMutabilityExclusionFilters", fmt.Sprintf("Member must have length less than or equal to %d", maxExclusions))
	}
	for _, e := range exclusions {
		if e.FilterType != types.ImageTagMutabilityExclusionFilterTypeWildcard || !exclusionFilter().MatchString(aws.ToString(e.Filter)) {
			return "", ecrConstraint("imageTagMutabilityExclusionFilters", "must be WILDCARD filters that satisfy regular expression '[0-9a-zA-Z._*-]{1,128}'")
		}
	}
	return asked, nil
}

// immutable reports whether a tag, once given, stays with its image.
func (r *repository) immutable(tag string) bool {
	excluded := slices.ContainsFunc(r.exclusions, func(e types.ImageTagMutabilityExclusionFilter) bool {
		matches, err := path.Match(*e.Filter, tag) // a tag has no slash, and the filters no other wildcard than *
		return err == nil && matches
	})
	switch r.mutability {
	case types.ImageTagMutabilityImmutable, types.ImageTagMutabilityImmutableWithExclusion:
		return !excluded
	default:
		return excluded
	}
}

func (b *ecrBackend) describe(r *repository) *types.Repository {
	return &types.Repository{
		RegistryId:                         aws.String(account),
		RepositoryName:                     aws.String(r.name),
		RepositoryArn:                      aws.String(repositoryARN + r.name),
		RepositoryUri:                      aws.String(b.host + "/" + r.name),
		CreatedAt:                          aws.Time(r.created),
		ImageTagMutability:                 r.mutability,
		ImageTagMutabilityExclusionFilters: clone(r.exclusions),
		ImageScanningConfiguration:         &types.ImageScanningConfiguration{ScanOnPush: r.scanOnPush},
		EncryptionConfiguration:            &types.EncryptionConfiguration{EncryptionType: types.EncryptionTypeAes256},
	}
}

// repositoryARN is what every repository's ARN begins with.
const repositoryARN = "arn:aws:ecr:" + region + ":" + account + ":repository/"

// DescribeRepositories tells of the repositories asked for, or pages through
// all of them.
func (b *ecrBackend) DescribeRepositories(_ context.Context, in *ecr.DescribeRepositoriesInput) (*ecr.DescribeRepositoriesOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := &ecr.DescribeRepositoriesOutput{Repositories: []types.Repository{}}
	if len(in.RepositoryNames) > 0 {
		if err := checkNamed("repositoryNames", len(in.RepositoryNames), maxRepositoryNames, in.MaxResults, in.NextToken); err != nil {
			return nil, err
		}
		for i := range in.RepositoryNames {
			r, err := b.find(in.RegistryId, &in.RepositoryNames[i])
			if err != nil {
				return nil, err
			}
			out.Repositories = append(out.Repositories, *b.describe(r))
		}
		return out, nil
	}
	var all []*repository
	if in.RegistryId == nil || *in.RegistryId == account {
		for _, r := range b.repositories {
			all = append(all, r)
		}
	}
	found, next, err := page(b.pager, ecrQuery("DescribeRepositories", in.MaxResults, in.NextToken), inOrder(all))
	if err != nil {
		return nil, err
	}
	for _, r := range found {
		out.Repositories = append(out.Repositories, *b.describe(r))
	}
	out.NextToken = next
	return out, nil
}

// ecrQuery is a list request with the page sizes that all of ECR's have.
func ecrQuery(name string, asked *int32, token *string) query {
	return query{name: name, fallback: 100, limit: 1000, asked: asked, token: token}
}

// checkNamed refuses to page through what was named one by one, or too many of
// it.
func checkNamed(parameter string, count, limit int, asked *int32, token *string) error {
	switch {
	case asked != nil || token != nil:
		return ecrInvalid("Invalid parameter: maxResults and nextToken cannot be used together with %s.", parameter)
	case count > limit:
		return ecrConstraint(parameter, fmt.Sprintf("Member must have length less than or equal to %d", limit))
	}
	return nil
}

// DeleteRepository removes a repository, and with force the images in it.
func (b *ecrBackend) DeleteRepository(_ context.Context, in *ecr.DeleteRepositoryInput) (*ecr.DeleteRepositoryOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.find(in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if len(r.images) > 0 && !in.Force {
		return nil, &types.RepositoryNotEmptyException{Message: aws.String(fmt.Sprintf(
			"The repository with name '%s' in registry with id '%s' cannot be deleted because it still contains images", r.name, account))}
	}
	delete(b.repositories, r.name)
	if err := r.layers.removeAll(); err != nil {
		return nil, fmt.Errorf("remove the layers of %s: %w", r.name, err)
	}
	return &ecr.DeleteRepositoryOutput{Repository: b.describe(r)}, nil
}

// PutImageTagMutability decides whether tags may move from now on.
func (b *ecrBackend) PutImageTagMutability(_ context.Context, in *ecr.PutImageTagMutabilityInput) (*ecr.PutImageTagMutabilityOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.find(in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	mutability, err := tagMutability(in.ImageTagMutability, in.ImageTagMutabilityExclusionFilters)
	if err != nil {
		return nil, err
	}
	r.mutability, r.exclusions = mutability, clone(in.ImageTagMutabilityExclusionFilters)
	return &ecr.PutImageTagMutabilityOutput{
		RegistryId: aws.String(account), RepositoryName: aws.String(r.name),
		ImageTagMutability: r.mutability, ImageTagMutabilityExclusionFilters: clone(r.exclusions),
	}, nil
}

// PutImageScanningConfiguration keeps the setting. Nothing is ever scanned here.
func (b *ecrBackend) PutImageScanningConfiguration(_ context.Context, in *ecr.PutImageScanningConfigurationInput) (*ecr.PutImageScanningConfigurationOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.find(in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if in.ImageScanningConfiguration == nil {
		return nil, ecrConstraint("imageScanningConfiguration", "Member must not be null")
	}
	r.scanOnPush = in.ImageScanningConfiguration.ScanOnPush
	return &ecr.PutImageScanningConfigurationOutput{
		RegistryId: aws.String(account), RepositoryName: aws.String(r.name),
		ImageScanningConfiguration: &types.ImageScanningConfiguration{ScanOnPush: r.scanOnPush},
	}, nil
}
