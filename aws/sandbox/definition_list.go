package sandbox

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// ListTaskDefinitions pages through revisions, by family and revision.
// FamilyPrefix is the whole family name, as in ECS.
func (b *ecsBackend) ListTaskDefinitions(_ context.Context, in *ecs.ListTaskDefinitionsInput) (*ecs.ListTaskDefinitionsOutput, error) {
	b.lock()
	defer b.unlock()
	status := cmp.Or(in.Status, types.TaskDefinitionStatusActive)
	var all []*definition
	for _, f := range b.families {
		if in.FamilyPrefix != nil && f.name != *in.FamilyPrefix {
			continue
		}
		for _, d := range f.revisions {
			if d.Status == status {
				all = append(all, d)
			}
		}
	}
	slices.SortFunc(all, func(x, y *definition) int {
		return cmp.Or(cmp.Compare(*x.Family, *y.Family), cmp.Compare(x.Revision, y.Revision))
	})
	if in.Sort == types.SortOrderDesc {
		slices.Reverse(all)
	}
	name := question("ListTaskDefinitions", aws.ToString(in.FamilyPrefix), string(status), string(in.Sort))
	found, next, err := page(b.pager, query{name: name, fallback: 100, limit: 100, asked: in.MaxResults, token: in.NextToken}, rank(all))
	if err != nil {
		return nil, err
	}
	out := &ecs.ListTaskDefinitionsOutput{TaskDefinitionArns: make([]string, 0, len(found)), NextToken: next}
	for _, d := range found {
		out.TaskDefinitionArns = append(out.TaskDefinitionArns, d.item.arn())
	}
	return out, nil
}

// ListTaskDefinitionFamilies pages through family names in order. A family is
// ACTIVE as long as one of its revisions is.
func (b *ecsBackend) ListTaskDefinitionFamilies(_ context.Context, in *ecs.ListTaskDefinitionFamiliesInput) (*ecs.ListTaskDefinitionFamiliesOutput, error) {
	b.lock()
	defer b.unlock()
	status := cmp.Or(in.Status, types.TaskDefinitionFamilyStatusAll)
	var all []string
	for _, f := range b.families {
		active := f.latest() != nil
		if !strings.HasPrefix(f.name, aws.ToString(in.FamilyPrefix)) ||
			status == types.TaskDefinitionFamilyStatusActive && !active ||
			status == types.TaskDefinitionFamilyStatusInactive && active {
			continue
		}
		all = append(all, f.name)
	}
	slices.Sort(all)
	name := question("ListTaskDefinitionFamilies", aws.ToString(in.FamilyPrefix), string(status))
	found, next, err := page(b.pager, query{name: name, fallback: 100, limit: 100, asked: in.MaxResults, token: in.NextToken}, rank(all))
	if err != nil {
		return nil, err
	}
	out := &ecs.ListTaskDefinitionFamiliesOutput{Families: make([]string, 0, len(found)), NextToken: next}
	for _, f := range found {
		out.Families = append(out.Families, f.item)
	}
	return out, nil
}
