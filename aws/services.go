package aws

import (
	"context"
	"fmt"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// AWS's limits: a describe takes ten services (DescribeServices API reference);
// a list page holds up to a hundred, but only ten unless asked (ListServices).
const (
	servicesPerDescribe = 10
	servicesPerPage     = 100
)

// Services reads every service of a cluster, given by name or ARN. See
// listing.run for the order in which pages come.
func (c *Client) Services(ctx context.Context, cluster string, page func([]Service)) error {
	l, err := c.serviceListing(ctx, cluster)
	if err != nil {
		return err
	}
	return l.run(ctx, page)
}

// ServiceIDs is the ARNs of every service of a cluster.
func (c *Client) ServiceIDs(ctx context.Context, cluster string) ([]string, error) {
	l, err := c.serviceListing(ctx, cluster)
	if err != nil {
		return nil, err
	}
	return l.next.all(ctx)
}

// DescribeServices describes services of one cluster, one row for each, in the
// order of the ARNs. Names do as well as ARNs.
func (c *Client) DescribeServices(ctx context.Context, cluster string, arns []string) ([]Service, error) {
	l, err := c.serviceListing(ctx, cluster)
	if err != nil {
		return nil, err
	}
	return l.these(ctx, arns)
}

func (c *Client) serviceListing(ctx context.Context, cluster string) (listing[Service], error) {
	s, err := c.connect(ctx)
	if err != nil {
		return listing[Service]{}, c.explain("list services of "+nameOf(cluster), err)
	}
	return listing[Service]{
		next:     c.servicePages(s, cluster),
		size:     servicesPerDescribe,
		describe: c.describeServices(s, cluster),
	}, nil
}

// Scale sets how many tasks the service should run. Asking for the present
// count changes nothing.
func (c *Client) Scale(ctx context.Context, service Service, desired int) error {
	what := fmt.Sprintf("scale %s to %d", service.Name, desired)
	if desired < 0 || desired > maxDesired {
		return outOfRange(what, desired)
	}
	count := int32(desired)
	return c.updateService(ctx, what, service, &ecs.UpdateServiceInput{DesiredCount: &count})
}

// EnableExec turns ECS Exec on for the service and starts a new deployment,
// because tasks that run already never get it.
func (c *Client) EnableExec(ctx context.Context, service Service) error {
	return c.updateService(ctx, "enable exec on "+service.Name, service, &ecs.UpdateServiceInput{
		EnableExecuteCommand: sdk.Bool(true), ForceNewDeployment: true,
	})
}

// updateService sends a change of the service itself.
func (c *Client) updateService(ctx context.Context, what string, service Service, change *ecs.UpdateServiceInput) error {
	s, err := c.mutable(ctx, what, service.Scope)
	if err != nil {
		return err
	}
	change.Cluster, change.Service = &service.ClusterARN, &service.ARN
	_, err = s.ecs.UpdateService(ctx, change)
	return c.explain(what, err)
}

func (c *Client) servicePages(s *session, cluster string) nextPage {
	return func(ctx context.Context, token *string) ([]string, *string, error) {
		out, err := s.ecs.ListServices(ctx, &ecs.ListServicesInput{
			Cluster: sdk.String(cluster), MaxResults: sdk.Int32(servicesPerPage), NextToken: token,
		})
		if err != nil {
			return nil, nil, c.explain("list services of "+nameOf(cluster), err)
		}
		return out.ServiceArns, out.NextToken, nil
	}
}

func (c *Client) describeServices(s *session, cluster string) func(context.Context, []string) ([]Service, error) {
	missing := func(id, why string) Service { return c.missingService(cluster, id, why) }
	return func(ctx context.Context, ids []string) ([]Service, error) {
		out, err := s.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{
			Cluster: sdk.String(cluster), Services: ids, Include: []types.ServiceField{types.ServiceFieldTags},
		})
		if err != nil {
			err = c.explain("describe services of "+nameOf(cluster), err)
			return unread(ids, err, missing), err
		}
		rows := make([]Service, len(out.Services))
		for i := range out.Services {
			rows[i] = c.service(&out.Services[i])
		}
		return arrange(ids, rows, (*Service).id, reasons(out.Failures), missing), nil
	}
}

func (r *Service) id() string { return r.ARN }

func (c *Client) missingService(cluster, id, why string) Service {
	return Service{
		Scope: scopeOf(c.profile(), id), ARN: id, Name: nameOf(id),
		Cluster: nameOf(cluster), ClusterARN: clusterARN(id, cluster), Failure: why,
	}
}

func (c *Client) service(k *types.Service) Service {
	row := Service{
		Scope:           scopeOf(c.profile(), sdk.ToString(k.ServiceArn)),
		ARN:             sdk.ToString(k.ServiceArn),
		Name:            sdk.ToString(k.ServiceName),
		Cluster:         nameOf(sdk.ToString(k.ClusterArn)),
		ClusterARN:      sdk.ToString(k.ClusterArn),
		Status:          sdk.ToString(k.Status),
		Desired:         int(k.DesiredCount),
		Running:         int(k.RunningCount),
		Pending:         int(k.PendingCount),
		TaskDefinition:  nameOf(sdk.ToString(k.TaskDefinition)),
		LaunchType:      launchType(k.LaunchType, k.CapacityProviderStrategy),
		PlatformVersion: sdk.ToString(k.PlatformVersion),
		ExecEnabled:     k.EnableExecuteCommand,
		Deployments:     deployments(k.Deployments),
		Events:          events(k.Events),
		Created:         sdk.ToTime(k.CreatedAt),
		LoadBalancers:   targetGroups(k.LoadBalancers),
		Role:            sdk.ToString(k.RoleArn),
		Tags:            tags(k.Tags),
	}
	row.setRollout(k.DeploymentConfiguration)
	row.setNetwork(k.NetworkConfiguration)
	return row
}

// launchType names the capacity providers where a strategy takes the place of
// a launch type.
func launchType(t types.LaunchType, strategy []types.CapacityProviderStrategyItem) string {
	if t != "" || len(strategy) == 0 {
		return string(t)
	}
	names := sdk.ToString(strategy[0].CapacityProvider)
	for _, s := range strategy[1:] {
		names += "+" + sdk.ToString(s.CapacityProvider)
	}
	return names
}

func (r *Service) setRollout(d *types.DeploymentConfiguration) {
	if d == nil {
		return
	}
	r.MinPercent, r.MaxPercent = int(sdk.ToInt32(d.MinimumHealthyPercent)), int(sdk.ToInt32(d.MaximumPercent))
	if b := d.DeploymentCircuitBreaker; b != nil {
		r.CircuitBreaker, r.Rollback = b.Enable, b.Rollback
	}
}

func (r *Service) setNetwork(n *types.NetworkConfiguration) {
	if n == nil || n.AwsvpcConfiguration == nil {
		return
	}
	v := n.AwsvpcConfiguration
	r.Subnets, r.SecurityGroups = v.Subnets, v.SecurityGroups
	r.PublicIP = v.AssignPublicIp == types.AssignPublicIpEnabled
}

func deployments(list []types.Deployment) []Deployment {
	rows := make([]Deployment, len(list))
	for i := range list {
		d := &list[i]
		rows[i] = Deployment{
			ID:             sdk.ToString(d.Id),
			Status:         sdk.ToString(d.Status),
			TaskDefinition: nameOf(sdk.ToString(d.TaskDefinition)),
			Desired:        int(d.DesiredCount),
			Running:        int(d.RunningCount),
			Pending:        int(d.PendingCount),
			Failed:         int(d.FailedTasks),
			RolloutState:   string(d.RolloutState),
			RolloutReason:  sdk.ToString(d.RolloutStateReason),
			Created:        sdk.ToTime(d.CreatedAt),
			Updated:        sdk.ToTime(d.UpdatedAt),
		}
	}
	return rows
}

func events(list []types.ServiceEvent) []Event {
	rows := make([]Event, len(list))
	for i := range list {
		e := &list[i]
		rows[i] = Event{ID: sdk.ToString(e.Id), At: sdk.ToTime(e.CreatedAt), Message: sdk.ToString(e.Message)}
	}
	return rows
}

// targetGroups is the names of the target groups, or of the classic load
// balancers where there are none. A target group's ARN ends in name/id.
func targetGroups(list []types.LoadBalancer) []string {
	var names []string
	for _, b := range list {
		name := sdk.ToString(b.LoadBalancerName)
		if arn := sdk.ToString(b.TargetGroupArn); arn != "" {
			name = clusterOf(arn)
		}
		names = append(names, name)
	}
	return names
}
