package aws

import (
	"context"
	"crypto/rand"
	"fmt"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"gantry/internal/diagnose"
)

// Service describes one service anew.
func (c *Client) Service(ctx context.Context, service Service) (Service, error) {
	what := "describe service " + service.Name
	rows, err := c.DescribeServices(ctx, service.ClusterARN, []string{service.ARN})
	if err != nil {
		return Service{}, c.explain(what, err)
	}
	if len(rows) == 0 || rows[0].Failure != "" {
		return Service{}, gone(what)
	}
	return rows[0], nil
}

// Deploy makes a service run another revision, given by family:revision or ARN,
// and returns the service as ECS answers: with the new deployment, of which
// nothing runs yet.
func (c *Client) Deploy(ctx context.Context, service Service, definition string) (Service, error) {
	what := fmt.Sprintf("deploy %s to %s", nameOf(definition), service.Name)
	s, err := c.mutable(ctx, what, service.Scope)
	if err != nil {
		return Service{}, err
	}
	out, err := s.ecs.UpdateService(ctx, &ecs.UpdateServiceInput{
		Cluster: &service.ClusterARN, Service: &service.ARN, TaskDefinition: &definition,
	})
	if err != nil {
		return Service{}, c.explain(what, err)
	}
	return c.service(out.Service), nil
}

// Redeploy replaces the service's tasks by new ones of the same revision, which
// pull their images anew.
func (c *Client) Redeploy(ctx context.Context, service Service) error {
	return c.updateService(ctx, "redeploy "+service.Name, service, &ecs.UpdateServiceInput{ForceNewDeployment: true})
}

// CreateService creates a service on Fargate whose circuit breaker takes a
// failing deployment back.
func (c *Client) CreateService(ctx context.Context, scope Scope, n NewService) (Service, error) {
	what := "create service " + clean(n.Name)
	if n.Desired < 0 || n.Desired > maxDesired {
		return Service{}, outOfRange(what, n.Desired)
	}
	if len(n.Subnets) == 0 {
		return Service{}, noSubnet(what)
	}
	s, err := c.mutable(ctx, what, scope)
	if err != nil {
		return Service{}, err
	}
	desired := int32(n.Desired)
	out, err := s.ecs.CreateService(ctx, &ecs.CreateServiceInput{
		Cluster: &n.Cluster, ServiceName: &n.Name, TaskDefinition: &n.Definition, DesiredCount: &desired,
		LaunchType:           types.LaunchTypeFargate,
		NetworkConfiguration: network(n.Subnets, n.SecurityGroups, publicIP[n.PublicIP]),
		DeploymentConfiguration: &types.DeploymentConfiguration{
			DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: true, Rollback: true},
		},
		EnableExecuteCommand: n.ExecEnabled,
		// An attempt that is sent again after its answer was lost creates
		// nothing twice.
		ClientToken: sdk.String(rand.Text()),
	})
	if err != nil {
		return Service{}, c.explain(what, err)
	}
	return c.service(out.Service), nil
}

func noSubnet(what string) error {
	return &diagnose.Error{What: what, Cause: "no subnet is given, and Fargate needs one", Do: "choose one or more of the VPC", Err: ErrRefused}
}

var publicIP = map[bool]types.AssignPublicIp{true: types.AssignPublicIpEnabled, false: types.AssignPublicIpDisabled}

func network(subnets, groups []string, ip types.AssignPublicIp) *types.NetworkConfiguration {
	return &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
		Subnets: subnets, SecurityGroups: groups, AssignPublicIp: ip,
	}}
}
