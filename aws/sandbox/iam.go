package sandbox

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"gantry/aws/sandbox/wire"
)

// trustsTasks is the trust policy of every role here: tasks of ECS may take it.
const trustsTasks = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

// rolePath is the path of every role here.
const rolePath = "/"

// iamBackend is AWS IAM, as far as telling which roles a task can be given.
// Nothing here asks what a role may do.
type iamBackend struct{ roles []*role }

type role struct {
	number            uint64
	name, description string
	created           time.Time
}

func (r *role) place() uint64 { return r.number }

// newIAM makes the roles of the ECS console's own naming, and those named
// besides.
func newIAM(now time.Time, more ...*role) iamBackend {
	all := append([]*role{
		{name: "ecsTaskExecutionRole", description: "Allows ECS to pull images and write logs on a task's behalf"},
		{name: "ecsTaskRole", description: "Allows ECS tasks to call AWS services on your behalf"},
	}, more...)
	for i, r := range all {
		r.number, r.created = uint64(i+1), now
	}
	return iamBackend{all}
}

func (i iamBackend) operations() []wire.Operation {
	return []wire.Operation{wire.Op(i.ListRoles), wire.Op(i.GetRole)}
}

// iamPager cuts lists of roles, whose tokens IAM calls markers.
var iamPager = newPager(func(format string, args ...any) error { return validation(fmt.Sprintf(format, args...)) })

// ListRoles pages through the roles.
func (i iamBackend) ListRoles(_ context.Context, in *iam.ListRolesInput) (*iam.ListRolesOutput, error) {
	out := &iam.ListRolesOutput{Roles: []types.Role{}}
	prefix := aws.ToString(in.PathPrefix)
	var all []*role
	if prefix == "" || prefix == rolePath {
		all = i.roles
	}
	found, next, err := page(iamPager, query{name: question("ListRoles", prefix), fallback: 100, limit: 1000, asked: in.MaxItems, token: in.Marker}, all)
	if err != nil {
		return nil, err
	}
	for _, r := range found {
		out.Roles = append(out.Roles, r.describe())
	}
	out.Marker, out.IsTruncated = next, next != nil
	return out, nil
}

// GetRole tells of one role.
func (i iamBackend) GetRole(_ context.Context, in *iam.GetRoleInput) (*iam.GetRoleOutput, error) {
	name := aws.ToString(in.RoleName)
	for _, r := range i.roles {
		if r.name == name {
			described := r.describe()
			return &iam.GetRoleOutput{Role: &described}, nil
		}
	}
	return nil, &types.NoSuchEntityException{Message: aws.String(fmt.Sprintf("The role with name %s cannot be found.", name))}
}

func (r *role) describe() types.Role {
	const hour = 3600
	return types.Role{
		Arn: aws.String("arn:aws:iam::" + account + ":role/" + r.name), RoleName: aws.String(r.name),
		RoleId: aws.String(fmt.Sprintf("AROASANDBOX%010d", r.number)), Path: aws.String(rolePath),
		CreateDate: aws.Time(r.created), MaxSessionDuration: aws.Int32(hour), Description: aws.String(r.description),
		AssumeRolePolicyDocument: aws.String(url.PathEscape(trustsTasks)),
	}
}
