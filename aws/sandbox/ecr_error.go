package sandbox

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// The messages are ECR's own where they are known (AWS documentation and public
// issue threads), and in its manner elsewhere.

func ecrInvalid(format string, args ...any) error {
	return &types.InvalidParameterException{Message: aws.String(fmt.Sprintf(format, args...))}
}

// ecrConstraint is how ECR words a parameter that breaks a rule of its model.
func ecrConstraint(parameter, rule string) error {
	return ecrInvalid("Invalid parameter at '%s' failed to satisfy constraint: '%s'", parameter, rule)
}

func ecrNotEmulated(what string) error {
	return ecrInvalid("The sandbox does not emulate %s.", what)
}

func repositoryNotFound(name, registry string) error {
	return &types.RepositoryNotFoundException{Message: aws.String(
		fmt.Sprintf("The repository with name '%s' does not exist in the registry with id '%s'", name, registry))}
}

// within says where something is that a message speaks of.
func (r *repository) within() string {
	return fmt.Sprintf("the repository with name '%s' in the registry with id '%s'", r.name, account)
}

func (r *repository) imageNotFound(id types.ImageIdentifier) error {
	return &types.ImageNotFoundException{Message: aws.String(
		fmt.Sprintf("The image with imageId %s does not exist within %s", spellImageID(id), r.within()))}
}

// spellImageID writes an image's id as ECR's messages do.
func spellImageID(id types.ImageIdentifier) string {
	text := func(s *string) string {
		if s == nil {
			return "null"
		}
		return *s
	}
	return fmt.Sprintf("{imageDigest:'%s', imageTag:'%s'}", text(id.ImageDigest), text(id.ImageTag))
}

func (r *repository) tagTaken(tag string) error {
	what := "repository"
	if len(r.exclusions) > 0 {
		what = "tag"
	}
	return &types.ImageTagAlreadyExistsException{Message: aws.String(fmt.Sprintf(
		"The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the %s is immutable.", tag, r.name, what))}
}

func (r *repository) layersNotFound(digests []string) error {
	return &types.LayersNotFoundException{Message: aws.String(fmt.Sprintf(
		"Layers with digests '[%s]' required for pushing image into repository with name '%s' in the registry with id '%s' do not exist",
		strings.Join(digests, ", "), r.name, account))}
}

func (r *repository) imagesNotFound(digests []string) error {
	return &types.ReferencedImagesNotFoundException{Message: aws.String(fmt.Sprintf(
		"Images with digests '[%s]' required for pushing image into repository with name '%s' in the registry with id '%s' do not exist",
		strings.Join(digests, ", "), r.name, account))}
}
