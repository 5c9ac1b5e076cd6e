package aws

import (
	"strings"

	"gantry/internal/pattern"
)

// aboutRegistry: what ECR answers by code.
func (f failure) aboutRegistry() finding {
	switch f.code {
	case "RepositoryNotFoundException":
		return finding{ErrNotFound, "there is no such repository in the registry of " + f.place(), "create it, or check its name, the region and the profile"}
	case "RepositoryAlreadyExistsException":
		return finding{ErrExists, "there is a repository of this name already", "use it, or choose another name"}
	case "RepositoryNotEmptyException":
		return finding{ErrRefused, "the repository holds images", "delete it with its images, or empty it first"}
	case "ImageTagAlreadyExistsException":
		return finding{ErrRefused, "the tag belongs to another image, and the tags of this repository do not move", "choose a new tag"}
	case "ImageNotFoundException":
		return finding{ErrNotFound, "there is no such image in the repository", "it may have been deleted: refresh"}
	case "ImageAlreadyExistsException":
		return finding{ErrExists, "the repository has this image already", ""}
	case "KmsException":
		return finding{ErrRefused, "the repository's KMS key cannot be used: " + f.fallback(), "check the state and the policy of the key"}
	case "InvalidParameterException":
		if f.service == "ECR" && f.says("'repositoryName'") {
			return finding{ErrRefused, "that is no name for a repository", "2 to 256 lower-case letters, digits, and . _ - / between them"}
		}
	}
	return finding{}
}

// aboutDeployment: what ECS answers to a revision or a service that it does not
// take.
func (f failure) aboutDeployment() finding {
	switch f.code {
	case "PlatformTaskDefinitionIncompatibilityException":
		return finding{ErrRefused, "this version of the Fargate platform cannot run the task definition", "use the platform version LATEST, or take out what it cannot do"}
	case "PlatformUnknownException":
		return finding{ErrRefused, "there is no such version of the Fargate platform", "use LATEST"}
	case "LimitExceededException":
		return finding{ErrRefused, "a quota of the account is reached: " + f.fallback(), "remove what is not needed, or ask for more in Service Quotas"}
	case "UpdateInProgressException":
		return finding{ErrRefused, "another change of it is under way", "wait until it has ended"}
	case "ClientException", "InvalidParameterException":
		return f.aboutRefusedDeployment()
	}
	return finding{}
}

var wantsExecutionRole = pattern.Late(`execution role ARN to support ([^.]+)`)

// aboutRefusedDeployment: texts that are all ECS gives for quite different
// causes.
func (f failure) aboutRefusedDeployment() finding {
	if m := wantsExecutionRole().FindStringSubmatch(f.message); m != nil {
		return finding{ErrRefused, "Fargate needs an execution role for " + m[1], "choose an execution role, such as ecsTaskExecutionRole with AmazonECSTaskExecutionRolePolicy"}
	}
	switch {
	case f.says("No Fargate configuration exists"):
		return finding{ErrRefused, "Fargate does not offer this CPU with this memory: " + f.fallback(), "256 takes 512 to 2048 MiB, 512 takes 1024 to 4096, 1024 takes 2048 to 8192, 2048 takes 4096 to 16384"}
	case f.says("service linked role"):
		return finding{ErrRefused, "ECS cannot take its service-linked role", "aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com"}
	case f.says("nable to assume"), f.says("Role is not valid"):
		return finding{ErrRefused, "ECS may not take the role: " + f.fallback(), "its trust policy must allow ecs-tasks.amazonaws.com, and you must be allowed iam:PassRole"}
	case f.says("not idempotent"):
		return finding{ErrExists, "there is a service of this name in the cluster already", "deploy to it, or choose another name"}
	case f.says("TaskDefinition not found", "Unable to describe task definition"):
		return finding{ErrNotFound, "there is no such task definition", "check family and revision; it may have been deregistered"}
	case f.says("TaskDefinition is inactive"):
		return finding{ErrRefused, "the task definition is deregistered", "choose an active revision, or register it anew"}
	case f.says("InvalidSubnetID", "InvalidSubnet"):
		return finding{ErrNotFound, "a subnet does not exist in " + f.place() + ": " + f.fallback(), "choose subnets of the region"}
	case f.says("InvalidGroup", "InvalidSecurityGroup"):
		return finding{ErrNotFound, "a security group does not exist in " + f.place() + ": " + f.fallback(), "choose groups of the subnets' VPC"}
	case f.says("CODE_DEPLOY deployment controller"):
		return finding{ErrRefused, "the service is deployed by CodeDeploy", "start the deployment there"}
	case strings.HasPrefix(f.operation, "Register"):
		return finding{ErrRefused, f.fallback(), "correct the task definition"}
	}
	return finding{}
}
