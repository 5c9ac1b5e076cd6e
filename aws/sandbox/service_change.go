package sandbox

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// CreateService makes a service and starts its tasks.
func (b *ecsBackend) CreateService(_ context.Context, in *ecs.CreateServiceInput) (*ecs.CreateServiceOutput, error) {
	b.lock()
	defer b.unlock()
	c, err := b.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	d, err := b.checkNewService(in)
	if err != nil {
		return nil, err
	}
	if s := c.services[*in.ServiceName]; s != nil {
		if s.status == statusDraining {
			return nil, invalidParameter("Unable to Start a service that is still Draining.")
		}
		if s.status == statusActive && s.repeats(in, d) {
			return &ecs.CreateServiceOutput{Service: new(s.describe())}, nil
		}
		if s.status == statusActive {
			return nil, invalidParameter("Creation of service was not idempotent.")
		}
	}
	now := b.clock.Now()
	s := &service{
		number: b.next(), cluster: c, name: *in.ServiceName, arn: b.arn("service", c.name, *in.ServiceName),
		status: statusActive, desired: aws.ToInt32(in.DesiredCount),
		launchType:  cmp.Or(in.LaunchType, types.LaunchTypeFargate),
		deploying:   fillDeploying(in.DeploymentConfiguration),
		propagate:   cmp.Or(in.PropagateTags, types.PropagateTagsNone),
		exec:        in.EnableExecuteCommand,
		managedTags: in.EnableECSManagedTags,
		rebalancing: cmp.Or(in.AvailabilityZoneRebalancing, types.AvailabilityZoneRebalancingEnabled),
		grace:       clone(in.HealthCheckGracePeriodSeconds),
		created:     now, createdBy: "arn:aws:iam::" + b.account + ":root",
		tags: mergeTags(nil, in.Tags),
	}
	s.promote(newDeployment(d, clone(in.NetworkConfiguration), cmp.Or(aws.ToString(in.PlatformVersion), latestPlatform), now))
	c.services[s.name] = s
	b.reconcile(s)
	return &ecs.CreateServiceOutput{Service: new(s.describe())}, nil
}

// repeats reports whether a request asks for what the service already is.
func (s *service) repeats(in *ecs.CreateServiceInput, d *definition) bool {
	return s.primary().definition == d && s.desired == aws.ToInt32(in.DesiredCount) &&
		s.launchType == cmp.Or(in.LaunchType, types.LaunchTypeFargate) && s.exec == in.EnableExecuteCommand
}

func newDeployment(d *definition, network *types.NetworkConfiguration, platform string, now time.Time) *deployment {
	id := deploymentID()
	return &deployment{
		id: id, definition: d, network: network, platform: platform, created: now, updated: now,
		rollout: types.DeploymentRolloutStateInProgress,
		reason:  fmt.Sprintf("ECS deployment %s in progress.", id),
	}
}

// fillDeploying adds ECS's defaults: 100 to 200 percent, no circuit breaker.
func fillDeploying(in *types.DeploymentConfiguration) types.DeploymentConfiguration {
	var out types.DeploymentConfiguration
	if in != nil {
		out = clone(*in)
	}
	if out.MinimumHealthyPercent == nil {
		out.MinimumHealthyPercent = aws.Int32(100)
	}
	if out.MaximumPercent == nil {
		out.MaximumPercent = aws.Int32(200)
	}
	if out.DeploymentCircuitBreaker == nil {
		out.DeploymentCircuitBreaker = &types.DeploymentCircuitBreaker{}
	}
	out.Strategy = types.DeploymentStrategyRolling
	if out.BakeTimeInMinutes == nil {
		out.BakeTimeInMinutes = aws.Int32(0)
	}
	return out
}

// activeService finds a service that can be changed.
func (b *ecsBackend) activeService(clusterRef, ref *string) (*service, error) {
	if aws.ToString(ref) == "" {
		return nil, invalidParameter("Service can not be blank.")
	}
	c, err := b.cluster(clusterRef)
	if err != nil {
		return nil, err
	}
	s, err := b.service(c, *ref)
	if err != nil {
		return nil, err
	}
	if s.status != statusActive {
		return nil, serviceNotActive()
	}
	return s, nil
}

// UpdateService changes a service. Another definition, network or platform, and
// ForceNewDeployment, begin a deployment; the rest holds for tasks to come.
func (b *ecsBackend) UpdateService(_ context.Context, in *ecs.UpdateServiceInput) (*ecs.UpdateServiceOutput, error) {
	b.lock()
	defer b.unlock()
	s, err := b.activeService(in.Cluster, in.Service)
	if err != nil {
		return nil, err
	}
	d, err := b.checkServiceUpdate(s, in)
	if err != nil {
		return nil, err
	}
	if in.DesiredCount != nil && *in.DesiredCount != s.desired {
		s.desired = *in.DesiredCount
		s.steady = false
	}
	if in.DeploymentConfiguration != nil {
		s.deploying = fillDeploying(mergeDeploying(s.deploying, in.DeploymentConfiguration))
	}
	if in.EnableExecuteCommand != nil {
		s.exec = *in.EnableExecuteCommand
	}
	if in.EnableECSManagedTags != nil {
		s.managedTags = *in.EnableECSManagedTags
	}
	if in.HealthCheckGracePeriodSeconds != nil {
		s.grace = clone(in.HealthCheckGracePeriodSeconds)
	}
	s.propagate = cmp.Or(in.PropagateTags, s.propagate)
	s.rebalancing = cmp.Or(in.AvailabilityZoneRebalancing, s.rebalancing)
	b.redeploy(s, d, in)
	b.reconcile(s)
	return &ecs.UpdateServiceOutput{Service: new(s.describe())}, nil
}

// mergeDeploying is a configuration with what an update says about it.
func mergeDeploying(have types.DeploymentConfiguration, in *types.DeploymentConfiguration) *types.DeploymentConfiguration {
	merged := clone(have)
	if in.MinimumHealthyPercent != nil {
		merged.MinimumHealthyPercent = in.MinimumHealthyPercent
	}
	if in.MaximumPercent != nil {
		merged.MaximumPercent = in.MaximumPercent
	}
	if in.DeploymentCircuitBreaker != nil {
		merged.DeploymentCircuitBreaker = in.DeploymentCircuitBreaker
	}
	if in.Alarms != nil {
		merged.Alarms = in.Alarms
	}
	return &merged
}

// redeploy begins a deployment if an update asks for one. In any case it ends
// the back-off: that is what one does after mending the cause.
func (b *ecsBackend) redeploy(s *service, d *definition, in *ecs.UpdateServiceInput) {
	p := s.primary()
	p.attempt, p.notBefore = 0, time.Time{}
	network, platform := p.network, p.platform
	if in.NetworkConfiguration != nil {
		network = clone(in.NetworkConfiguration)
	}
	if in.PlatformVersion != nil {
		platform = *in.PlatformVersion
	}
	if d == p.definition && platform == p.platform && in.NetworkConfiguration == nil && !in.ForceNewDeployment {
		return
	}
	s.promote(newDeployment(d, network, platform, b.clock.Now()))
}

// DeleteService drains a service: its tasks stop, then it is INACTIVE. Without
// force it must have been scaled to 0.
func (b *ecsBackend) DeleteService(_ context.Context, in *ecs.DeleteServiceInput) (*ecs.DeleteServiceOutput, error) {
	b.lock()
	defer b.unlock()
	s, err := b.activeService(in.Cluster, in.Service)
	if err != nil {
		return nil, err
	}
	if s.desired > 0 && !aws.ToBool(in.Force) {
		return nil, invalidParameter("The service cannot be stopped while it is scaled above 0.")
	}
	s.desired = 0
	s.status = statusDraining
	out := new(s.describe())
	b.reconcile(s)
	return &ecs.DeleteServiceOutput{Service: out}, nil
}
