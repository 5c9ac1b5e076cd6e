package sandbox

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

const (
	latestPlatform = "LATEST"
	maxDesired     = 5000 // tasks per service, the account quota
	maxSubnets     = 16
	maxGroups      = 5
)

// notEmulated refuses what the sandbox would have to pretend.
func notEmulated(what string) error {
	return invalidParameter("The sandbox does not emulate %s.", what)
}

// extras are the parts of a service that are not emulated.
type extras struct {
	balancers  []types.LoadBalancer
	registries []types.ServiceRegistry
	connect    *types.ServiceConnectConfiguration
	volumes    []types.ServiceVolumeConfiguration
	providers  []types.CapacityProviderStrategyItem
	lattice    []types.VpcLatticeConfiguration
}

func (e extras) check() error {
	switch {
	case len(e.balancers) > 0:
		return notEmulated("load balancers")
	case len(e.registries) > 0:
		return notEmulated("service discovery")
	case e.connect != nil && e.connect.Enabled:
		return notEmulated("Service Connect")
	case len(e.volumes) > 0:
		return notEmulated("managed volumes")
	case len(e.providers) > 0:
		return notEmulated("capacity providers")
	case len(e.lattice) > 0:
		return notEmulated("VPC Lattice")
	}
	return nil
}

// checkNewService refuses what ECS refuses, and what is not emulated.
func (b *ecsBackend) checkNewService(in *ecs.CreateServiceInput) (*definition, error) {
	name := aws.ToString(in.ServiceName)
	switch {
	case name == "":
		return nil, invalidParameter("ServiceName can not be blank.")
	case !isResourceName(name):
		return nil, invalidParameter("Invalid service name %q: use up to 255 letters, numbers, hyphens and underscores.", name)
	case in.SchedulingStrategy == types.SchedulingStrategyDaemon:
		return nil, notEmulated("the DAEMON scheduling strategy")
	case in.DesiredCount == nil:
		return nil, invalidParameter("DesiredCount can not be blank.")
	case in.DeploymentController != nil && in.DeploymentController.Type != types.DeploymentControllerTypeEcs:
		return nil, notEmulated("deployment controllers other than ECS")
	}
	asked := extras{in.LoadBalancers, in.ServiceRegistries, in.ServiceConnectConfiguration, in.VolumeConfigurations, in.CapacityProviderStrategy, in.VpcLatticeConfigurations}
	if err := asked.check(); err != nil {
		return nil, err
	}
	if err := checkCount(*in.DesiredCount); err != nil {
		return nil, err
	}
	if err := checkDeploying(in.DeploymentConfiguration); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	d, err := b.usableDefinition(in.TaskDefinition)
	if err != nil {
		return nil, err
	}
	if in.EnableExecuteCommand && d.TaskRoleArn == nil {
		return nil, invalidParameter("The service couldn't be created because a valid taskRoleArn is not being used. Specify a valid task role in your task definition and try again.")
	}
	return d, checkPlacing(d, in.LaunchType, in.PlatformVersion, in.NetworkConfiguration)
}

// checkServiceUpdate returns the definition that the service is to run.
func (b *ecsBackend) checkServiceUpdate(s *service, in *ecs.UpdateServiceInput) (*definition, error) {
	asked := extras{in.LoadBalancers, in.ServiceRegistries, in.ServiceConnectConfiguration, in.VolumeConfigurations, in.CapacityProviderStrategy, in.VpcLatticeConfigurations}
	if err := asked.check(); err != nil {
		return nil, err
	}
	if in.DesiredCount != nil {
		if err := checkCount(*in.DesiredCount); err != nil {
			return nil, err
		}
	}
	if err := checkDeploying(in.DeploymentConfiguration); err != nil {
		return nil, err
	}
	d := s.primary().definition
	if in.TaskDefinition != nil {
		named, err := b.usableDefinition(in.TaskDefinition)
		if err != nil {
			return nil, err
		}
		d = named
	}
	exec := s.exec
	if in.EnableExecuteCommand != nil {
		exec = *in.EnableExecuteCommand
	}
	if exec && d.TaskRoleArn == nil {
		return nil, invalidParameter("The service couldn't be updated because a valid taskRoleArn is not being used. Specify a valid task role in your task definition and try again.")
	}
	network := in.NetworkConfiguration
	if network == nil {
		network = s.primary().network
	}
	return d, checkPlacing(d, s.launchType, in.PlatformVersion, network)
}

func checkCount(desired int32) error {
	if desired < 0 || desired > maxDesired {
		return invalidParameter("Invalid desired count: %d. It must be between 0 and %d.", desired, maxDesired)
	}
	return nil
}

func checkDeploying(c *types.DeploymentConfiguration) error {
	if c == nil {
		return nil
	}
	if c.Strategy != "" && c.Strategy != types.DeploymentStrategyRolling {
		return notEmulated("the deployment strategy " + string(c.Strategy))
	}
	if breaker := c.DeploymentCircuitBreaker; breaker != nil && breaker.ThresholdConfiguration != nil && breaker.ThresholdConfiguration.Value < 1 {
		return invalidParameter("The value of the circuit breaker's thresholdConfiguration must be at least 1.")
	}
	least, most := int32(100), int32(200)
	if c.MinimumHealthyPercent != nil {
		least = *c.MinimumHealthyPercent
	}
	if c.MaximumPercent != nil {
		most = *c.MaximumPercent
	}
	switch {
	case least < 0 || least > 100:
		return invalidParameter("minimumHealthyPercent must be between 0 and 100.")
	case most < 100:
		return invalidParameter("maximumPercent must be at least 100.")
	case least == 100 && most == 100:
		return invalidParameter("Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.")
	}
	return nil
}

// checkPlacing checks where tasks of a definition are to run.
func checkPlacing(d *definition, launch types.LaunchType, platform *string, network *types.NetworkConfiguration) error {
	if launch == types.LaunchTypeExternal || launch == types.LaunchTypeManagedInstances {
		return notEmulated("the launch type " + string(launch))
	}
	if launch != types.LaunchTypeEc2 && !slices.Contains(d.Compatibilities, types.CompatibilityFargate) {
		return invalidParameter("Task definition does not support launch_type FARGATE.")
	}
	switch aws.ToString(platform) {
	case "", latestPlatform, fargateVersion:
	default:
		return &types.PlatformUnknownException{Message: aws.String("The specified platform does not exist.")}
	}
	return checkNetwork(d, network)
}

func checkNetwork(d *definition, network *types.NetworkConfiguration) error {
	if d.NetworkMode != types.NetworkModeAwsvpc {
		if network != nil && network.AwsvpcConfiguration != nil {
			return invalidParameter("Network Configuration is not valid for the given networkMode of this task definition.")
		}
		return nil
	}
	if network == nil || network.AwsvpcConfiguration == nil {
		return invalidParameter("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
	}
	switch v := network.AwsvpcConfiguration; {
	case len(v.Subnets) == 0:
		return invalidParameter("subnets can not be empty.")
	case len(v.Subnets) > maxSubnets:
		return invalidParameter("subnets can have at most %d items.", maxSubnets)
	case len(v.SecurityGroups) > maxGroups:
		return invalidParameter("securityGroups can have at most %d items.", maxGroups)
	}
	return nil
}
