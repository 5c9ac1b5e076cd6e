package sandbox

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// checkExecutionRole refuses a definition for Fargate that lacks the role by
// which images are pulled from ECR, our own registry, and logs are written.
func (b *ecsBackend) checkExecutionRole(in *ecs.RegisterTaskDefinitionInput) error {
	if aws.ToString(in.ExecutionRoleArn) != "" || !slices.Contains(in.RequiresCompatibilities, types.CompatibilityFargate) {
		return nil
	}
	for _, c := range in.ContainerDefinitions {
		switch {
		case b.registry != "" && strings.HasPrefix(*c.Image, b.registry+"/"):
			return clientError("Fargate requires task definition to have execution role ARN to support ECR images.")
		case c.LogConfiguration != nil && c.LogConfiguration.LogDriver == types.LogDriverAwslogs:
			return clientError("Fargate requires task definition to have execution role ARN to support log driver awslogs.")
		}
	}
	return nil
}
