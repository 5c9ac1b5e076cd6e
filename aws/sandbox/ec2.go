package sandbox

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"gantry/aws/sandbox/wire"
)

// The sandbox has one network: a default VPC with a subnet in each of three
// zones, and its default security group. Nothing is routed through it; it is
// there to be named by a service.
const (
	defaultVPC   = "vpc-0a1b2c3d4e5f60001"
	defaultGroup = "sg-0a1b2c3d4e5f60001"
	vpcCIDR      = "10.0.0.0/16"
)

// network is a subnet of the default VPC.
type network struct {
	id, zone, zoneID, cidr string
	base                   uint64 // third byte of its first address
}

var defaultSubnets = []network{
	{"subnet-0a1b2c3d4e5f60001", region + "a", "use1-az1", "10.0.0.0/18", 0},
	{"subnet-0a1b2c3d4e5f60002", region + "b", "use1-az2", "10.0.64.0/18", 64},
	{"subnet-0a1b2c3d4e5f60003", region + "c", "use1-az3", "10.0.128.0/18", 128},
}

// ec2Backend is Amazon EC2 as far as telling what network there is.
type ec2Backend struct{}

func (e ec2Backend) operations() []wire.Operation {
	return []wire.Operation{
		wire.Op(e.DescribeVpcs), wire.Op(e.DescribeSubnets),
		wire.Op(e.DescribeSecurityGroups), wire.Op(e.DescribeAvailabilityZones),
	}
}

// ec2Spellings are the names that EC2's XML has for what the operations above
// take and give, where they differ from the SDK's.
var ec2Spellings = map[string]string{
	"Filter.Values":            "value",
	"DescribeVpcsInput.VpcIds": "vpcId", "DescribeVpcsInput.Filters": "filter", "DescribeVpcsOutput.Vpcs": "vpcSet",
	"DescribeSubnetsInput.SubnetIds": "subnetId", "DescribeSubnetsInput.Filters": "filter", "DescribeSubnetsOutput.Subnets": "subnetSet",
	"DescribeSecurityGroupsInput.GroupIds": "groupId", "DescribeSecurityGroupsInput.GroupNames": "groupName",
	"DescribeSecurityGroupsInput.Filters": "filter", "DescribeSecurityGroupsOutput.SecurityGroups": "securityGroupInfo",
	"DescribeAvailabilityZonesInput.ZoneNames": "zoneName", "DescribeAvailabilityZonesInput.ZoneIds": "zoneId",
	"DescribeAvailabilityZonesInput.Filters": "filter", "DescribeAvailabilityZonesOutput.AvailabilityZones": "availabilityZoneInfo",
	"SecurityGroup.Description":     "groupDescription",
	"AvailabilityZone.State":        "zoneState",
	"IpPermission.UserIdGroupPairs": "groups",
}

// facts are what filters can ask of a resource, by the filter's name.
type facts map[string]string

// selection is which resources a describe asks for.
type selection struct {
	ids     []string // none: all
	filters []types.Filter
	dryRun  *bool
	id      string // name of the filter that has the id
	kind    string // in the name of the error for an id that is unknown: "InvalidSubnetID"
	words   string // in its message: "subnet ID"
}

// of picks resources by their facts. An id or a filter that is unknown is an
// error.
func (s selection) of(all []facts) ([]int, error) {
	if aws.ToBool(s.dryRun) {
		return nil, &smithy.GenericAPIError{Code: "DryRunOperation", Message: "Request would have succeeded, but DryRun flag is set."}
	}
	for _, id := range s.ids {
		if !slices.ContainsFunc(all, func(f facts) bool { return f[s.id] == id }) {
			return nil, &smithy.GenericAPIError{Code: s.kind + ".NotFound", Message: fmt.Sprintf("The %s '%s' does not exist", s.words, id)}
		}
	}
	var picked []int
	for i, f := range all {
		matches := len(s.ids) == 0 || slices.Contains(s.ids, f[s.id])
		for _, filter := range s.filters {
			have, known := f[aws.ToString(filter.Name)]
			if !known {
				return nil, &smithy.GenericAPIError{Code: "InvalidParameterValue", Message: fmt.Sprintf("The filter '%s' is invalid, or one that the sandbox does not emulate", aws.ToString(filter.Name))}
			}
			matches = matches && slices.Contains(filter.Values, have)
		}
		if matches {
			picked = append(picked, i)
		}
	}
	return picked, nil
}

// DescribeVpcs tells of the default VPC.
func (ec2Backend) DescribeVpcs(_ context.Context, in *ec2.DescribeVpcsInput) (*ec2.DescribeVpcsOutput, error) {
	picked, err := selection{in.VpcIds, in.Filters, in.DryRun, "vpc-id", "InvalidVpcID", "vpc ID"}.of([]facts{
		{"vpc-id": defaultVPC, "is-default": "true", "isDefault": "true", "state": "available", "cidr": vpcCIDR, "owner-id": account},
	})
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeVpcsOutput{Vpcs: []types.Vpc{}}
	for range picked {
		out.Vpcs = append(out.Vpcs, types.Vpc{
			VpcId: aws.String(defaultVPC), CidrBlock: aws.String(vpcCIDR), IsDefault: aws.Bool(true),
			State: types.VpcStateAvailable, OwnerId: aws.String(account), InstanceTenancy: types.TenancyDefault,
		})
	}
	return out, nil
}

// DescribeSubnets tells of the default VPC's subnets.
func (ec2Backend) DescribeSubnets(_ context.Context, in *ec2.DescribeSubnetsInput) (*ec2.DescribeSubnetsOutput, error) {
	var all []facts
	for _, s := range defaultSubnets {
		all = append(all, facts{
			"subnet-id": s.id, "vpc-id": defaultVPC, "availability-zone": s.zone, "availability-zone-id": s.zoneID,
			"default-for-az": "true", "state": "available", "cidr-block": s.cidr, "owner-id": account, "map-public-ip-on-launch": "true",
		})
	}
	picked, err := selection{in.SubnetIds, in.Filters, in.DryRun, "subnet-id", "InvalidSubnetID", "subnet ID"}.of(all)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeSubnetsOutput{Subnets: []types.Subnet{}}
	for _, i := range picked {
		s := defaultSubnets[i]
		const addresses = 16379 // of a /18, without the five that AWS keeps
		out.Subnets = append(out.Subnets, types.Subnet{
			SubnetId: aws.String(s.id), VpcId: aws.String(defaultVPC), CidrBlock: aws.String(s.cidr),
			AvailabilityZone: aws.String(s.zone), AvailabilityZoneId: aws.String(s.zoneID),
			AvailableIpAddressCount: aws.Int32(addresses), DefaultForAz: aws.Bool(true), MapPublicIpOnLaunch: aws.Bool(true),
			State: types.SubnetStateAvailable, OwnerId: aws.String(account),
			SubnetArn: aws.String("arn:aws:ec2:" + region + ":" + account + ":subnet/" + s.id),
		})
	}
	return out, nil
}

// DescribeSecurityGroups tells of the default VPC's default group.
func (ec2Backend) DescribeSecurityGroups(_ context.Context, in *ec2.DescribeSecurityGroupsInput) (*ec2.DescribeSecurityGroupsOutput, error) {
	const name, description = "default", "default VPC security group"
	if len(in.GroupNames) > 0 {
		in.Filters = append(in.Filters, types.Filter{Name: aws.String("group-name"), Values: in.GroupNames})
	}
	picked, err := selection{in.GroupIds, in.Filters, in.DryRun, "group-id", "InvalidGroup", "security group"}.of([]facts{
		{"group-id": defaultGroup, "group-name": name, "description": description, "vpc-id": defaultVPC, "owner-id": account},
	})
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeSecurityGroupsOutput{SecurityGroups: []types.SecurityGroup{}}
	for range picked {
		out.SecurityGroups = append(out.SecurityGroups, types.SecurityGroup{
			GroupId: aws.String(defaultGroup), GroupName: aws.String(name), Description: aws.String(description),
			VpcId: aws.String(defaultVPC), OwnerId: aws.String(account),
			SecurityGroupArn: aws.String("arn:aws:ec2:" + region + ":" + account + ":security-group/" + defaultGroup),
			IpPermissions: []types.IpPermission{{
				IpProtocol:       aws.String("-1"),
				UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: aws.String(defaultGroup), UserId: aws.String(account)}},
			}},
			IpPermissionsEgress: []types.IpPermission{{
				IpProtocol: aws.String("-1"), IpRanges: []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}},
			}},
		})
	}
	return out, nil
}

// DescribeAvailabilityZones tells of the zones that the subnets are in.
func (ec2Backend) DescribeAvailabilityZones(_ context.Context, in *ec2.DescribeAvailabilityZonesInput) (*ec2.DescribeAvailabilityZonesOutput, error) {
	var all []facts
	for _, s := range defaultSubnets {
		all = append(all, facts{"zone-name": s.zone, "zone-id": s.zoneID, "region-name": region, "state": "available", "zone-type": "availability-zone"})
	}
	if len(in.ZoneIds) > 0 {
		in.Filters = append(in.Filters, types.Filter{Name: aws.String("zone-id"), Values: in.ZoneIds})
	}
	picked, err := selection{in.ZoneNames, in.Filters, in.DryRun, "zone-name", "InvalidParameterValue", "zone"}.of(all)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeAvailabilityZonesOutput{AvailabilityZones: []types.AvailabilityZone{}}
	for _, i := range picked {
		out.AvailabilityZones = append(out.AvailabilityZones, types.AvailabilityZone{
			ZoneName: aws.String(defaultSubnets[i].zone), ZoneId: aws.String(defaultSubnets[i].zoneID),
			RegionName: aws.String(region), GroupName: aws.String(region), NetworkBorderGroup: aws.String(region),
			State: types.AvailabilityZoneStateAvailable, ZoneType: aws.String("availability-zone"),
			OptInStatus: types.AvailabilityZoneOptInStatusOptInNotRequired,
		})
	}
	return out, nil
}
