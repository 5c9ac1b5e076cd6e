package ui_test

import (
	"context"
	"fmt"

	"gantry/aws"
	"gantry/internal/diagnose"
)

func (c *cloud) Definition(_ context.Context, ref string) (aws.Definition, error) {
	var family string
	var n int
	for i := range ref {
		if ref[i] == ':' {
			family = ref[:i]
			_, _ = fmt.Sscan(ref[i+1:], &n)
		}
	}
	if n == 6 {
		return aws.Definition{}, &diagnose.Error{What: "describe " + ref, Cause: "there is no such revision"}
	}
	return aws.Definition{
		Scope: scope, ARN: arn("task-definition", ref), Family: family, Revision: n, Status: "ACTIVE",
		Containers: []aws.DefinedContainer{{Name: "app", Image: fmt.Sprintf("%s:%d", family, n)}, {Name: "envoy", Image: "envoy:1"}},
	}, nil
}

func (c *cloud) Deploy(_ context.Context, s aws.Service, definition string) (aws.Service, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deployed = append(c.deployed, s.Name+" "+definition)
	return s, nil
}

func (c *cloud) Redeploy(_ context.Context, s aws.Service) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deployed = append(c.deployed, s.Name+" anew")
	return nil
}

// What shipping needs beyond that; its tests have a shipyard.

func (c *cloud) Service(_ context.Context, s aws.Service) (aws.Service, error) { return s, nil }

func (c *cloud) RegisterRevision(_ context.Context, from aws.Definition, _ map[string]string) (aws.Definition, error) {
	return from, nil
}

func (c *cloud) RegisterDefinition(context.Context, aws.Scope, aws.NewDefinition) (aws.Definition, error) {
	return aws.Definition{}, nil
}

func (c *cloud) CreateService(context.Context, aws.Scope, aws.NewService) (aws.Service, error) {
	return aws.Service{}, nil
}

func (c *cloud) Subnets(context.Context) ([]aws.Subnet, error)               { return nil, nil }
func (c *cloud) SecurityGroups(context.Context) ([]aws.SecurityGroup, error) { return nil, nil }
func (c *cloud) TaskRoles(context.Context) ([]aws.Role, error)               { return nil, nil }
