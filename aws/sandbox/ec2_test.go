package sandbox

import (
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

func TestEC2TellsTheDefaultNetwork(t *testing.T) {
	s := startServer(t, nil)
	api := ec2.NewFromConfig(client(t, s))
	vpcs, err := api.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{Filters: []ec2types.Filter{{Name: aws.String("is-default"), Values: []string{"true"}}}})
	if err != nil || len(vpcs.Vpcs) != 1 || *vpcs.Vpcs[0].VpcId != defaultVPC || !*vpcs.Vpcs[0].IsDefault {
		t.Fatalf("vpcs: %v, %+v", err, vpcs)
	}
	for name, c := range map[string]struct {
		in   ec2.DescribeSubnetsInput
		want []string
	}{
		"all":     {ec2.DescribeSubnetsInput{}, []string{"us-east-1a", "us-east-1b", "us-east-1c"}},
		"two ids": {ec2.DescribeSubnetsInput{SubnetIds: []string{defaultSubnets[2].id, defaultSubnets[0].id}}, []string{"us-east-1a", "us-east-1c"}},
		"of the vpc in a zone": {ec2.DescribeSubnetsInput{Filters: []ec2types.Filter{
			{Name: aws.String("vpc-id"), Values: []string{"vpc-other", defaultVPC}},
			{Name: aws.String("availability-zone"), Values: []string{"us-east-1b"}},
		}}, []string{"us-east-1b"}},
		"of another vpc": {ec2.DescribeSubnetsInput{Filters: []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{"vpc-other"}}}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := api.DescribeSubnets(t.Context(), &c.in)
			if err != nil {
				t.Fatal(err)
			}
			var zones []string
			for _, subnet := range out.Subnets {
				zones = append(zones, *subnet.AvailabilityZone)
				if *subnet.VpcId != defaultVPC || !*subnet.MapPublicIpOnLaunch || *subnet.AvailableIpAddressCount == 0 {
					t.Errorf("%+v", subnet)
				}
			}
			if strings.Join(zones, " ") != strings.Join(c.want, " ") {
				t.Errorf("zones %q, want %q", zones, c.want)
			}
		})
	}
	groups, err := api.DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{GroupNames: []string{"default"}})
	if err != nil || len(groups.SecurityGroups) != 1 {
		t.Fatalf("groups: %v, %+v", err, groups)
	}
	g := groups.SecurityGroups[0]
	if *g.GroupId != defaultGroup || *g.Description != "default VPC security group" || *g.IpPermissions[0].UserIdGroupPairs[0].GroupId != defaultGroup || *g.IpPermissionsEgress[0].IpRanges[0].CidrIp != "0.0.0.0/0" {
		t.Errorf("%+v", g)
	}
	zones, err := api.DescribeAvailabilityZones(t.Context(), nil)
	if err != nil || len(zones.AvailabilityZones) != 3 || zones.AvailabilityZones[1].State != ec2types.AvailabilityZoneStateAvailable {
		t.Errorf("zones: %v, %+v", err, zones)
	}
}

func TestEC2RefusesByName(t *testing.T) {
	s := startServer(t, nil)
	api := ec2.NewFromConfig(client(t, s))
	_, err := api.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{SubnetIds: []string{"subnet-nope"}})
	wantCode(t, err, "InvalidSubnetID.NotFound")
	_, err = api.DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{GroupIds: []string{"sg-nope"}})
	wantCode(t, err, "InvalidGroup.NotFound")
	_, err = api.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{Filters: []ec2types.Filter{{Name: aws.String("dhcp-options-id"), Values: []string{"x"}}}})
	wantCode(t, err, "InvalidParameterValue")
	_, err = api.DescribeInstances(t.Context(), nil)
	wantCode(t, err, "UnknownOperationException")
	s.Faults().Deny("DescribeVpcs")
	_, err = api.DescribeVpcs(t.Context(), nil)
	wantCode(t, err, "AccessDenied")
	stranger := client(t, s)
	stranger.Region = "eu-west-1"
	_, err = ec2.NewFromConfig(stranger).DescribeVpcs(t.Context(), nil)
	wantCode(t, err, "SignatureDoesNotMatch")
}

// TestTasksAreInTheNetwork holds the addresses of tasks against the subnets.
func TestTasksAreInTheNetwork(t *testing.T) {
	b, _ := newTestECS(t)
	for n := range uint64(100) {
		nic := b.newNIC(demoNetwork(), n)
		if want := map[string]string{defaultSubnets[0].id: "10.0.0.", defaultSubnets[1].id: "10.0.64."}[nic.subnet]; want == "" || !strings.HasPrefix(nic.ip, want) {
			t.Fatalf("address %s in %s", nic.ip, nic.subnet)
		}
	}
}

func TestIAMListsTheRolesOfTasks(t *testing.T) {
	s := startServer(t, func(c *Config) { c.Empty = false })
	api := iam.NewFromConfig(client(t, s))
	var names []string
	for p := iam.NewListRolesPaginator(api, &iam.ListRolesInput{MaxItems: aws.Int32(3)}); p.HasMorePages(); {
		out, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range out.Roles {
			names = append(names, *r.RoleName)
		}
	}
	if got := strings.Join(names, " "); got != "ecsTaskExecutionRole ecsTaskRole web-task api-task" {
		t.Errorf("roles %s", got)
	}
	out, err := api.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("ecsTaskExecutionRole")})
	if err != nil {
		t.Fatal(err)
	}
	trust, err := url.QueryUnescape(*out.Role.AssumeRolePolicyDocument)
	if err != nil || !strings.Contains(trust, `"Service":"ecs-tasks.amazonaws.com"`) || *out.Role.Arn != "arn:aws:iam::000000000000:role/ecsTaskExecutionRole" {
		t.Errorf("%s trusts %s", *out.Role.Arn, trust)
	}
	_, err = api.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("nope")})
	wantCode(t, err, "NoSuchEntity")
}

func TestAWSCLIReadsTheNetworkAndRoles(t *testing.T) {
	cli := findAWSCLI(t)
	s := startServer(t, nil)
	for _, c := range []struct {
		args string
		want string
	}{
		{"ec2 describe-subnets --subnet-ids " + defaultSubnets[1].id + " --query Subnets[0].AvailabilityZone", "us-east-1b"},
		{"ec2 describe-security-groups --filters Name=vpc-id,Values=" + defaultVPC + " --query SecurityGroups[0].GroupName", "default"},
		{"iam get-role --role-name ecsTaskRole --query Role.AssumeRolePolicyDocument.Statement[0].Principal.Service", "ecs-tasks.amazonaws.com"},
	} {
		args := append(strings.Fields(c.args), "--output", "text")
		if out, err := awsCLI(t, s, cli, args...); err != nil || strings.TrimSpace(out) != c.want {
			t.Errorf("aws %s: %v: %s", c.args, err, out)
		}
	}
}
