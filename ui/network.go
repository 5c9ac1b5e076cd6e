package ui

import (
	"context"
	"fmt"
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

// subnetChoices offers what the neighbours have, then each subnet; nil where
// nothing is known, which makes the field one of free text.
func (o *networkOffer) subnetChoices() func(typed string) []pane.Choice {
	if len(o.subnets)+len(o.services) == 0 {
		return nil
	}
	return func(typed string) []pane.Choice {
		near := o.neighbours(typed, func(r aws.Service) string { s, _ := networkOf(r); return s })
		return append(near, adding(o.allSubnets(), typed)...)
	}
}

// groupChoices is subnetChoices for security groups.
func (o *networkOffer) groupChoices() func(typed string) []pane.Choice {
	if len(o.groups)+len(o.services) == 0 {
		return nil
	}
	return func(typed string) []pane.Choice {
		near := o.neighbours(typed, func(r aws.Service) string { _, g := networkOf(r); return g })
		return append(near, adding(o.allGroups(), typed)...)
	}
}

func (o *networkOffer) allSubnets() []pane.Choice {
	var all []pane.Choice
	for _, n := range o.subnets {
		all = append(all, pane.Choice{Value: n.ID, Note: strings.Join(strings.Fields(n.Name+" "+n.AZ+" "+n.CIDR), " · ")})
	}
	return all
}

func (o *networkOffer) allGroups() []pane.Choice {
	var all []pane.Choice
	for _, g := range o.groups {
		all = append(all, pane.Choice{Value: g.ID, Note: g.Name})
	}
	return all
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

// adding offers those that fit the last word typed behind the words before it.
func adding(all []pane.Choice, typed string) []pane.Choice {
	before, start := "", typed
	if i := strings.LastIndexByte(typed, ' '); i >= 0 {
		before, start = typed[:i+1], typed[i+1:]
	}
	var cs []pane.Choice
	for _, c := range all {
		if !saysOf(c, start) || slices.Contains(strings.Fields(before), c.Value) {
			continue
		}
		cs = append(cs, pane.Choice{Value: before + c.Value, Label: c.Value, Note: c.Note})
	}
	return cs
}

// saysOf tells whether a word is in what is shown of a choice.
func saysOf(c pane.Choice, word string) bool {
	return strings.Contains(strings.ToLower(c.Value+" "+c.Note), strings.ToLower(word))
}

// meant are the values that words stand for. A word that is in just one of
// those offered stands for it.
func meant(words string, all []pane.Choice) []string {
	var values []string
	for _, word := range strings.Fields(words) {
		var fit []string
		for _, c := range all {
			if saysOf(c, word) {
				fit = append(fit, c.Value)
			}
		}
		if len(fit) == 1 {
			word = fit[0]
		}
		values = append(values, word)
	}
	return values
}

// chosen are the subnets and groups that two fields of a dialog mean.
func (o *networkOffer) chosen(subnets, groups string) (ids, groupIDs []string) {
	return meant(subnets, o.allSubnets()), meant(groups, o.allGroups())
}

// refuses says why tasks cannot run in what two fields of a dialog mean, and
// what to do; nothing if they can.
func (o *networkOffer) refuses(subnets, groups string) (cause, do string) {
	ids, groupIDs := o.chosen(subnets, groups)
	if len(ids) == 0 {
		return "it has no subnet", "choose at least one"
	}
	for _, id := range ids {
		if !strings.HasPrefix(id, "subnet-") {
			return fmt.Sprintf("%q is no subnet", id), "choose one that is offered, or type its ID: subnet-…"
		}
	}
	for _, id := range groupIDs {
		if !strings.HasPrefix(id, "sg-") {
			return fmt.Sprintf("%q is no security group", id), "choose one that is offered, or type its ID: sg-…"
		}
	}
	if len(o.vpcs(ids, groupIDs)) > 1 {
		return "subnets and groups are of several VPCs", "choose those of one"
	}
	return "", ""
}

// vpcs are those that subnets and groups are of, as far as that is known.
func (o *networkOffer) vpcs(subnets, groups []string) map[string]bool {
	vpcs := map[string]bool{}
	for _, n := range o.subnets {
		if slices.Contains(subnets, n.ID) {
			vpcs[n.VPC] = true
		}
	}
	for _, g := range o.groups {
		if slices.Contains(groups, g.ID) {
			vpcs[g.VPC] = true
		}
	}
	return vpcs
}
