package aws

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// rolesPerPage is AWS's limit (ListRoles API reference).
const rolesPerPage = 1000

// tasksPrincipal is who takes the roles of a task.
const tasksPrincipal = "ecs-tasks.amazonaws.com"

// TaskRoles is the roles of the account that trust the tasks of ECS: those that
// a definition may name.
func (c *Client) TaskRoles(ctx context.Context) ([]Role, error) {
	const what = "list roles"
	s, err := c.connect(ctx)
	if err != nil {
		return nil, c.explain(what, err)
	}
	var rows []Role
	err = eachPage(func(token *string) (*string, error) {
		out, err := s.iam.ListRoles(ctx, &iam.ListRolesInput{MaxItems: sdk.Int32(rolesPerPage), Marker: token})
		if err != nil {
			return nil, err
		}
		for i := range out.Roles {
			if k := &out.Roles[i]; trustsTasks(sdk.ToString(k.AssumeRolePolicyDocument)) {
				rows = append(rows, Role{ARN: sdk.ToString(k.Arn), Name: sdk.ToString(k.RoleName), Description: sdk.ToString(k.Description)})
			}
		}
		if !out.IsTruncated {
			return nil, nil
		}
		return out.Marker, nil
	})
	return rows, c.explain(what, err)
}

// trust is a trust policy, as far as it says who may take a role.
type trust struct{ Statement several[trustStatement] }

type trustStatement struct {
	Effect    string
	Principal principal
	Action    several[string]
}

// principal is {"Service": …}, or "*" for everybody.
type principal struct{ Service several[string] }

func (p *principal) UnmarshalJSON(data []byte) error {
	var everybody string
	if json.Unmarshal(data, &everybody) == nil {
		p.Service = several[string]{everybody}
		return nil
	}
	type plain principal
	return json.Unmarshal(data, (*plain)(p))
}

// several is a list that may be written as its one element.
type several[T any] []T

func (l *several[T]) UnmarshalJSON(data []byte) error {
	if strings.HasPrefix(strings.TrimSpace(string(data)), "[") {
		return json.Unmarshal(data, (*[]T)(l))
	}
	var one T
	if err := json.Unmarshal(data, &one); err != nil {
		return err
	}
	*l = several[T]{one}
	return nil
}

// trustsTasks reads a trust policy, which IAM sends escaped as in a URL.
func trustsTasks(policy string) bool {
	if !strings.HasPrefix(strings.TrimSpace(policy), "{") {
		plain, err := url.QueryUnescape(policy)
		if err != nil {
			return false
		}
		policy = plain
	}
	var t trust
	if json.Unmarshal([]byte(policy), &t) != nil {
		return false
	}
	return slices.ContainsFunc(t.Statement, func(s trustStatement) bool {
		return s.Effect == "Allow" && (slices.Contains(s.Principal.Service, tasksPrincipal) || slices.Contains(s.Principal.Service, "*")) &&
			slices.ContainsFunc(s.Action, func(a string) bool { return a == "sts:AssumeRole" || a == "sts:*" || a == "*" })
	})
}
