package aws

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Cluster is an ECS cluster.
type Cluster struct {
	Scope
	ARN, Name, Status  string // Status: ACTIVE, PROVISIONING, FAILED, INACTIVE …
	RunningTasks       int
	PendingTasks       int
	ActiveServices     int
	ContainerInstances int
	CapacityProviders  []string
	ExecLogging        string // NONE, DEFAULT, OVERRIDE; "" where nothing is configured
	KMSKey             string // encrypts exec sessions; "" for none
	Tags               map[string]string

	// Failure says why the cluster could not be described; then only ARN and
	// Name are known.
	Failure string
}

// clustersPerDescribe is AWS's limit (DescribeClusters API reference).
const clustersPerDescribe = 100

// clusterDetails asks for the fields that ECS leaves out unless told.
var clusterDetails = []types.ClusterField{types.ClusterFieldConfigurations, types.ClusterFieldTags}

// Clusters reads every cluster of the region. See listing.run for the order in
// which pages come.
func (c *Client) Clusters(ctx context.Context, page func([]Cluster)) error {
	l, err := c.clusterListing(ctx)
	if err != nil {
		return err
	}
	return l.run(ctx, page)
}

// ClusterIDs is the ARNs of every cluster of the region.
func (c *Client) ClusterIDs(ctx context.Context) ([]string, error) {
	l, err := c.clusterListing(ctx)
	if err != nil {
		return nil, err
	}
	return l.next.all(ctx)
}

// DescribeClusters describes the clusters, one row for each, in the order of
// the ARNs. Names do as well as ARNs.
func (c *Client) DescribeClusters(ctx context.Context, arns []string) ([]Cluster, error) {
	l, err := c.clusterListing(ctx)
	if err != nil {
		return nil, err
	}
	return l.these(ctx, arns)
}

func (c *Client) clusterListing(ctx context.Context) (listing[Cluster], error) {
	s, err := c.connect(ctx)
	if err != nil {
		return listing[Cluster]{}, c.explain("list clusters", err)
	}
	return listing[Cluster]{
		next:     c.clusterPages(s),
		size:     clustersPerDescribe,
		describe: c.describeClusters(s),
	}, nil
}

func (c *Client) clusterPages(s *session) nextPage {
	return func(ctx context.Context, token *string) ([]string, *string, error) {
		out, err := s.ecs.ListClusters(ctx, &ecs.ListClustersInput{MaxResults: sdk.Int32(100), NextToken: token})
		if err != nil {
			return nil, nil, c.explain("list clusters", err)
		}
		return out.ClusterArns, out.NextToken, nil
	}
}

func (c *Client) describeClusters(s *session) func(context.Context, []string) ([]Cluster, error) {
	return func(ctx context.Context, ids []string) ([]Cluster, error) {
		out, err := s.ecs.DescribeClusters(ctx, &ecs.DescribeClustersInput{Clusters: ids, Include: clusterDetails})
		if err != nil {
			err = c.explain("describe clusters", err)
			return unread(ids, err, c.missingCluster), err
		}
		rows := make([]Cluster, len(out.Clusters))
		for i := range out.Clusters {
			rows[i] = c.cluster(&out.Clusters[i])
		}
		return arrange(ids, rows, (*Cluster).id, reasons(out.Failures), c.missingCluster), nil
	}
}

func (r *Cluster) id() string { return r.ARN }

func (c *Client) missingCluster(id, why string) Cluster {
	return Cluster{Scope: scopeOf(c.profile(), id), ARN: id, Name: nameOf(id), Failure: why}
}

func (c *Client) cluster(k *types.Cluster) Cluster {
	row := Cluster{
		Scope:              scopeOf(c.profile(), sdk.ToString(k.ClusterArn)),
		ARN:                sdk.ToString(k.ClusterArn),
		Name:               sdk.ToString(k.ClusterName),
		Status:             sdk.ToString(k.Status),
		RunningTasks:       int(k.RunningTasksCount),
		PendingTasks:       int(k.PendingTasksCount),
		ActiveServices:     int(k.ActiveServicesCount),
		ContainerInstances: int(k.RegisteredContainerInstancesCount),
		CapacityProviders:  k.CapacityProviders,
		Tags:               tags(k.Tags),
	}
	if k.Configuration != nil && k.Configuration.ExecuteCommandConfiguration != nil {
		exec := k.Configuration.ExecuteCommandConfiguration
		row.ExecLogging, row.KMSKey = string(exec.Logging), sdk.ToString(exec.KmsKeyId)
	}
	return row
}

// tags is nil where there are none.
func tags(list []types.Tag) map[string]string {
	if len(list) == 0 {
		return nil
	}
	m := make(map[string]string, len(list))
	for _, t := range list {
		m[sdk.ToString(t.Key)] = sdk.ToString(t.Value)
	}
	return m
}

// reasons maps the name of each failure in a describe's answer to what ECS says
// of it, such as MISSING.
func reasons(failures []types.Failure) map[string]string {
	if len(failures) == 0 {
		return nil
	}
	m := make(map[string]string, len(failures))
	for _, f := range failures {
		why := sdk.ToString(f.Reason)
		if detail := sdk.ToString(f.Detail); detail != "" {
			why += ": " + detail
		}
		m[nameOf(sdk.ToString(f.Arn))] = why
	}
	return m
}
