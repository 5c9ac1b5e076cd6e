package sandbox

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

const maxDescribedServices = 10

// service finds a service by name or ARN, whatever its status.
func (b *ecsBackend) service(c *cluster, ref string) (*service, error) {
	name := ref
	if isARN(ref) {
		kind, path, ok := b.resource(ref)
		if !ok || kind != "service" || len(path) != 2 || path[0] != c.name {
			return nil, serviceNotFound()
		}
		name = path[1]
	}
	if s := c.services[name]; s != nil {
		return s, nil
	}
	return nil, serviceNotFound()
}

// ListServices pages through the ARNs of a cluster's active services.
func (b *ecsBackend) ListServices(_ context.Context, in *ecs.ListServicesInput) (*ecs.ListServicesOutput, error) {
	b.lock()
	defer b.unlock()
	c, err := b.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	var all []*service
	for _, s := range c.services {
		if s.status != statusInactive &&
			(in.LaunchType == "" || s.launchType == in.LaunchType) &&
			(in.SchedulingStrategy == "" || in.SchedulingStrategy == types.SchedulingStrategyReplica) {
			all = append(all, s)
		}
	}
	name := question("ListServices", c.arn, string(in.LaunchType), string(in.SchedulingStrategy))
	found, next, err := page(b.pager, query{name: name, fallback: 10, limit: 100, asked: in.MaxResults, token: in.NextToken}, inOrder(all))
	if err != nil {
		return nil, err
	}
	out := &ecs.ListServicesOutput{ServiceArns: make([]string, 0, len(found)), NextToken: next}
	for _, s := range found {
		out.ServiceArns = append(out.ServiceArns, s.arn)
	}
	return out, nil
}

// DescribeServices describes up to 10 services of a cluster.
func (b *ecsBackend) DescribeServices(_ context.Context, in *ecs.DescribeServicesInput) (*ecs.DescribeServicesOutput, error) {
	b.lock()
	defer b.unlock()
	c, err := b.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	switch {
	case len(in.Services) == 0:
		return nil, invalidParameter("Services cannot be empty.")
	case len(in.Services) > maxDescribedServices:
		return nil, invalidParameter("Services cannot have more than %d elements.", maxDescribedServices)
	}
	out := &ecs.DescribeServicesOutput{Services: []types.Service{}, Failures: []types.Failure{}}
	for _, ref := range in.Services {
		s, err := b.service(c, ref)
		if err != nil {
			out.Failures = append(out.Failures, missing(b.asARN("service", c.name, ref)))
			continue
		}
		described := s.describe()
		if !slices.Contains(in.Include, types.ServiceFieldTags) {
			described.Tags = []types.Tag{}
		}
		out.Services = append(out.Services, described)
	}
	return out, nil
}

// describe is the service as ECS answers, with its tags.
func (s *service) describe() types.Service {
	d := s.primary()
	out := types.Service{
		ServiceArn:                    aws.String(s.arn),
		ServiceName:                   aws.String(s.name),
		ClusterArn:                    aws.String(s.cluster.arn),
		Status:                        aws.String(s.status),
		DesiredCount:                  s.desired,
		LaunchType:                    s.launchType,
		PlatformVersion:               aws.String(d.platform),
		PlatformFamily:                aws.String(fargateFamily),
		TaskDefinition:                aws.String(d.definition.arn()),
		DeploymentConfiguration:       new(clone(s.deploying)),
		DeploymentController:          &types.DeploymentController{Type: types.DeploymentControllerTypeEcs},
		SchedulingStrategy:            types.SchedulingStrategyReplica,
		NetworkConfiguration:          clone(d.network),
		RoleArn:                       aws.String(s.linkedRole()),
		CreatedAt:                     aws.Time(s.created),
		CreatedBy:                     aws.String(s.createdBy),
		EnableECSManagedTags:          s.managedTags,
		EnableExecuteCommand:          s.exec,
		PropagateTags:                 s.propagate,
		AvailabilityZoneRebalancing:   s.rebalancing,
		HealthCheckGracePeriodSeconds: clone(s.grace),
		Events:                        append([]types.ServiceEvent{}, clone(s.events)...),
		Deployments:                   make([]types.Deployment, 0, len(s.deployments)),
		LoadBalancers:                 []types.LoadBalancer{},
		ServiceRegistries:             []types.ServiceRegistry{},
		PlacementConstraints:          []types.PlacementConstraint{},
		PlacementStrategy:             []types.PlacementStrategy{},
		Tags:                          append([]types.Tag{}, clone(s.tags)...),
	}
	for _, t := range s.tasks {
		switch {
		case t.last == taskRunning:
			out.RunningCount++
		case t.last.starting() && t.wanted():
			out.PendingCount++
		}
	}
	if s.status == statusInactive {
		return out
	}
	for _, d := range s.deployments {
		out.Deployments = append(out.Deployments, d.describe(s))
	}
	return out
}

// linkedRole is the service-linked role that ECS shows for awsvpc services.
func (s *service) linkedRole() string {
	account := strings.Split(s.cluster.arn, ":")[4]
	return "arn:aws:iam::" + account + ":role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
}
