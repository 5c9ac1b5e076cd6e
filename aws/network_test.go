package aws_test

import (
	"slices"
	"testing"

	"gantry/aws"
)

// What a new service is offered: the sandbox has a network and roles as an
// account has them.
func TestOffers(t *testing.T) {
	w := newWorld(t)
	c := w.client(nil)
	subnets, err := c.Subnets(t.Context())
	w.must(err)
	if len(subnets) == 0 || subnets[0].ID == "" || subnets[0].VPC == "" || subnets[0].AZ == "" || subnets[0].CIDR == "" {
		t.Errorf("subnets %+v", subnets)
	}
	groups, err := c.SecurityGroups(t.Context())
	w.must(err)
	if len(groups) == 0 || groups[0].ID == "" || groups[0].VPC != subnets[0].VPC || groups[0].Name == "" {
		t.Errorf("groups %+v", groups)
	}
	roles, err := c.TaskRoles(t.Context())
	w.must(err)
	if !slices.ContainsFunc(roles, func(r aws.Role) bool { return r.Name == "ecsTaskExecutionRole" && r.ARN != "" }) {
		t.Errorf("roles %+v", roles)
	}
}
