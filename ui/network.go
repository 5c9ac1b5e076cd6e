package ui

import (
	"context"
	"slices"
	"strings"

	"gantry/aws"
	"gantry/ui/pane"
)

// networkReader tells where tasks of a cluster can run.
type networkReader interface {
	ServiceIDs(ctx context.Context, cluster string) ([]string, error)
	DescribeServices(ctx context.Context, cluster string, ids []string) ([]aws.Service, error)
	Subnets(ctx context.Context) ([]aws.Subnet, error)
	SecurityGroups(ctx context.Context) ([]aws.SecurityGroup, error)
}

// networkOffer is where tasks can run: as the cluster's services do, or in any
// of the subnets and groups there are.
type networkOffer struct {
	services []aws.Service
	subnets  []aws.Subnet
	groups   []aws.SecurityGroup
}

// mostNeighbours is how many services of the cluster are asked for their
// network: as many as one call describes.
const mostNeighbours = 10

func neighbours(ctx context.Context, cloud networkReader, cluster string) ([]aws.Service, error) {
	ids, err := cloud.ServiceIDs(ctx, cluster)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	rows, err := cloud.DescribeServices(ctx, cluster, ids[:min(len(ids), mostNeighbours)])
	return slices.DeleteFunc(rows, func(r aws.Service) bool { return len(r.Subnets) == 0 }), err
}

// networkOf is a service's network as the form writes it.
func networkOf(r aws.Service) (subnets, groups string) {
	return strings.Join(r.Subnets, " "), strings.Join(r.SecurityGroups, " ")
}

// adding offers a value behind those that are typed already, for what is typed
// of the last.
func adding(typed, value string) (string, bool) {
	before, start := "", typed
	if i := strings.LastIndexByte(typed, ' '); i >= 0 {
		before, start = typed[:i+1], typed[i+1:]
	}
	if !strings.Contains(value, start) || slices.Contains(strings.Fields(before), value) {
		return "", false
	}
	return before + value, true
}

// subnetChoices offers what the neighbours have, then each subnet; nil where
// nothing is known, which makes the field one of free text.
func (o *networkOffer) subnetChoices() func(typed string) []pane.Choice {
	if len(o.subnets)+len(o.services) == 0 {
		return nil
	}
	return func(typed string) []pane.Choice {
		cs := o.neighbours(typed, func(r aws.Service) string { s, _ := networkOf(r); return s })
		for _, n := range o.subnets {
			if value, ok := adding(typed, n.ID); ok {
				cs = append(cs, pane.Choice{Value: value, Label: n.ID, Note: strings.Join(strings.Fields(n.Name+" "+n.AZ+" "+n.CIDR), " · ")})
			}
		}
		return cs
	}
}

// groupChoices is subnetChoices for security groups.
func (o *networkOffer) groupChoices() func(typed string) []pane.Choice {
	if len(o.groups)+len(o.services) == 0 {
		return nil
	}
	return func(typed string) []pane.Choice {
		cs := o.neighbours(typed, func(r aws.Service) string { _, g := networkOf(r); return g })
		for _, g := range o.groups {
			if value, ok := adding(typed, g.ID); ok {
				cs = append(cs, pane.Choice{Value: value, Label: g.ID, Note: g.Name})
			}
		}
		return cs
	}
}

// neighbours offers what the cluster's other services have, each once.
func (o *networkOffer) neighbours(typed string, of func(aws.Service) string) []pane.Choice {
	var cs []pane.Choice
	for _, r := range o.services {
		value := of(r)
		if value == "" || !strings.HasPrefix(value, typed) || slices.ContainsFunc(cs, func(c pane.Choice) bool { return c.Value == value }) {
			continue
		}
		cs = append(cs, pane.Choice{Value: value, Note: "as " + r.Name})
	}
	return cs
}

// refuses says why tasks cannot run in these subnets and groups, and what to
// do; nothing if they can.
func (o *networkOffer) refuses(subnets, groups string) (cause, do string) {
	chosen := strings.Fields(subnets + " " + groups)
	if strings.TrimSpace(subnets) == "" {
		return "it has no subnet", "choose at least one"
	}
	vpcs := map[string]bool{}
	for _, n := range o.subnets {
		if slices.Contains(chosen, n.ID) {
			vpcs[n.VPC] = true
		}
	}
	for _, g := range o.groups {
		if slices.Contains(chosen, g.ID) {
			vpcs[g.VPC] = true
		}
	}
	if len(vpcs) > 1 {
		return "subnets and groups are of several VPCs", "choose those of one"
	}
	return "", ""
}
