package aws

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// networkPerPage is AWS's limit (DescribeSubnets and DescribeSecurityGroups API
// reference).
const networkPerPage = 1000

// Subnets is every subnet of the region that this account sees.
func (c *Client) Subnets(ctx context.Context) ([]Subnet, error) {
	const what = "list subnets"
	s, err := c.connect(ctx)
	if err != nil {
		return nil, c.explain(what, err)
	}
	var rows []Subnet
	err = eachPage(func(token *string) (*string, error) {
		out, err := s.ec2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{MaxResults: sdk.Int32(networkPerPage), NextToken: token})
		if err != nil {
			return nil, err
		}
		for i := range out.Subnets {
			rows = append(rows, subnet(&out.Subnets[i]))
		}
		return out.NextToken, nil
	})
	return rows, c.explain(what, err)
}

func subnet(k *types.Subnet) Subnet {
	return Subnet{
		ID:       sdk.ToString(k.SubnetId),
		VPC:      sdk.ToString(k.VpcId),
		AZ:       sdk.ToString(k.AvailabilityZone),
		CIDR:     sdk.ToString(k.CidrBlock),
		Name:     nameTag(k.Tags),
		PublicIP: sdk.ToBool(k.MapPublicIpOnLaunch),
	}
}

// SecurityGroups is every security group of the region that this account sees.
func (c *Client) SecurityGroups(ctx context.Context) ([]SecurityGroup, error) {
	const what = "list security groups"
	s, err := c.connect(ctx)
	if err != nil {
		return nil, c.explain(what, err)
	}
	var rows []SecurityGroup
	err = eachPage(func(token *string) (*string, error) {
		out, err := s.ec2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{MaxResults: sdk.Int32(networkPerPage), NextToken: token})
		if err != nil {
			return nil, err
		}
		for i := range out.SecurityGroups {
			k := &out.SecurityGroups[i]
			rows = append(rows, SecurityGroup{
				ID: sdk.ToString(k.GroupId), VPC: sdk.ToString(k.VpcId), Name: sdk.ToString(k.GroupName), Description: sdk.ToString(k.Description),
			})
		}
		return out.NextToken, nil
	})
	return rows, c.explain(what, err)
}

// nameTag is the name that people give to what has none of its own.
func nameTag(tags []types.Tag) string {
	for _, t := range tags {
		if sdk.ToString(t.Key) == "Name" {
			return sdk.ToString(t.Value)
		}
	}
	return ""
}
