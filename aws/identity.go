package aws

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Identity is who the calls are made as.
type Identity struct {
	Account string // twelve digits
	ARN     string // of the user or assumed role
	UserID  string
	Region  string
	Profile string
}

// Identity asks STS who the credentials belong to. Region and Profile are
// filled as far as they are known even when it fails.
func (c *Client) Identity(ctx context.Context) (Identity, error) {
	id := Identity{Region: c.region(), Profile: c.profile()}
	s, err := c.connect(ctx)
	if err != nil {
		return id, c.explain("read the AWS configuration", err)
	}
	id.Region = s.cfg.Region
	out, err := s.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return id, c.explain("ask AWS who you are", err)
	}
	id.Account, id.ARN, id.UserID = sdk.ToString(out.Account), sdk.ToString(out.Arn), sdk.ToString(out.UserId)
	return id, nil
}
