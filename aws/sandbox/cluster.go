package sandbox

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

const (
	statusActive   = "ACTIVE"
	statusDraining = "DRAINING"
	statusInactive = "INACTIVE"
	statusPrimary  = "PRIMARY"
)

// defaultCluster is the one that is meant when a request names none.
const defaultCluster = "default"

const maxDescribedClusters = 100

var everyClusterField = types.ClusterField("").Values()

type cluster struct {
	number        uint64
	name, arn     string
	status        string
	settings      []types.ClusterSetting
	configuration *types.ClusterConfiguration
	providers     []string
	strategy      []types.CapacityProviderStrategyItem
	tags          []types.Tag
	services      map[string]*service
	tasks         []*task // in the order of their making
	byID          map[string]*task
}

func (c *cluster) place() uint64 { return c.number }

// cluster finds an active cluster by name or ARN; none given means "default".
func (b *ecsBackend) cluster(ref *string) (*cluster, error) {
	c, err := b.anyCluster(ref)
	if err != nil {
		return nil, err
	}
	if c.status != statusActive {
		return nil, clusterNotFound()
	}
	return c, nil
}

// anyCluster finds a cluster whatever its status.
func (b *ecsBackend) anyCluster(ref *string) (*cluster, error) {
	name := cmp.Or(aws.ToString(ref), defaultCluster)
	if isARN(name) {
		kind, path, ok := b.resource(name)
		if !ok || kind != "cluster" || len(path) != 1 {
			return nil, clusterNotFound()
		}
		name = path[0]
	}
	if !isResourceName(name) {
		return nil, invalidParameter("Invalid identifier: Identifier is not a valid cluster name: %q.", name)
	}
	c := b.clusters[name]
	if c == nil {
		return nil, clusterNotFound()
	}
	return c, nil
}

// task finds a task by id or ARN, nil if there is none.
func (c *cluster) task(ref string) *task {
	if t := c.byID[ref]; t != nil {
		return t
	}
	prefix := c.taskPrefix()
	if len(ref) > len(prefix) && ref[:len(prefix)] == prefix {
		return c.byID[ref[len(prefix):]]
	}
	return nil
}

// taskPrefix is what the ARNs of the cluster's tasks begin with.
func (c *cluster) taskPrefix() string {
	const kind = ":cluster/"
	head := c.arn[:len(c.arn)-len(kind)-len(c.name)]
	return head + ":task/" + c.name + "/"
}

// drop forgets a task.
func (c *cluster) drop(t *task) {
	delete(c.byID, t.id)
	at, found := slices.BinarySearchFunc(c.tasks, t.number, func(x *task, n uint64) int { return cmp.Compare(x.number, n) })
	if found {
		c.tasks = slices.Delete(c.tasks, at, at+1)
	}
}

// CreateCluster makes a cluster, or returns the active one of that name.
func (b *ecsBackend) CreateCluster(_ context.Context, in *ecs.CreateClusterInput) (*ecs.CreateClusterOutput, error) {
	b.lock()
	defer b.unlock()
	name := cmp.Or(aws.ToString(in.ClusterName), defaultCluster)
	if !isResourceName(name) {
		return nil, invalidParameter("Identifier was longer than 255 characters or contained invalid characters: %q.", name)
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	c := b.clusters[name]
	if c == nil || c.status != statusActive {
		c = &cluster{
			number: b.next(), name: name, arn: b.arn("cluster", name), status: statusActive,
			settings:      clone(in.Settings),
			configuration: clone(in.Configuration),
			providers:     clone(in.CapacityProviders),
			strategy:      clone(in.DefaultCapacityProviderStrategy),
			tags:          mergeTags(nil, in.Tags),
			services:      make(map[string]*service),
			byID:          make(map[string]*task),
		}
		if len(c.settings) == 0 {
			c.settings = []types.ClusterSetting{{Name: types.ClusterSettingNameContainerInsights, Value: aws.String("disabled")}}
		}
		b.clusters[name] = c
	}
	return &ecs.CreateClusterOutput{Cluster: new(c.describe(everyClusterField))}, nil
}

// UpdateCluster changes the settings and the configuration of a cluster.
func (b *ecsBackend) UpdateCluster(_ context.Context, in *ecs.UpdateClusterInput) (*ecs.UpdateClusterOutput, error) {
	b.lock()
	defer b.unlock()
	if aws.ToString(in.Cluster) == "" {
		return nil, invalidParameter("Cluster can not be blank.")
	}
	c, err := b.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	for _, s := range in.Settings {
		c.settings = slices.DeleteFunc(c.settings, func(have types.ClusterSetting) bool { return have.Name == s.Name })
		c.settings = append(c.settings, clone(s))
	}
	if in.Configuration != nil {
		c.configuration = clone(in.Configuration)
	}
	return &ecs.UpdateClusterOutput{Cluster: new(c.describe(everyClusterField))}, nil
}

// DeleteCluster makes a cluster INACTIVE; it must not have services or tasks.
func (b *ecsBackend) DeleteCluster(_ context.Context, in *ecs.DeleteClusterInput) (*ecs.DeleteClusterOutput, error) {
	b.lock()
	defer b.unlock()
	if aws.ToString(in.Cluster) == "" {
		return nil, invalidParameter("Cluster can not be blank.")
	}
	c, err := b.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	count := c.count()
	if count.services > 0 {
		return nil, &types.ClusterContainsServicesException{Message: aws.String("The Cluster cannot be deleted while Services are active.")}
	}
	if count.running+count.pending > 0 {
		return nil, &types.ClusterContainsTasksException{Message: aws.String("The Cluster cannot be deleted while Tasks are active.")}
	}
	c.status = statusInactive
	return &ecs.DeleteClusterOutput{Cluster: new(c.describe(everyClusterField))}, nil
}

// ListClusters pages through the ARNs of the active clusters.
func (b *ecsBackend) ListClusters(_ context.Context, in *ecs.ListClustersInput) (*ecs.ListClustersOutput, error) {
	b.lock()
	defer b.unlock()
	var all []*cluster
	for _, c := range b.clusters {
		if c.status == statusActive {
			all = append(all, c)
		}
	}
	found, next, err := page(b.pager, query{name: "ListClusters", fallback: 100, limit: 100, asked: in.MaxResults, token: in.NextToken}, inOrder(all))
	if err != nil {
		return nil, err
	}
	out := &ecs.ListClustersOutput{ClusterArns: make([]string, 0, len(found)), NextToken: next}
	for _, c := range found {
		out.ClusterArns = append(out.ClusterArns, c.arn)
	}
	return out, nil
}

// DescribeClusters describes up to 100 clusters; none given means "default".
func (b *ecsBackend) DescribeClusters(_ context.Context, in *ecs.DescribeClustersInput) (*ecs.DescribeClustersOutput, error) {
	b.lock()
	defer b.unlock()
	refs := in.Clusters
	if len(refs) == 0 {
		refs = []string{defaultCluster}
	}
	if len(refs) > maxDescribedClusters {
		return nil, invalidParameter("Clusters cannot have more than %d elements.", maxDescribedClusters)
	}
	out := &ecs.DescribeClustersOutput{Clusters: []types.Cluster{}, Failures: []types.Failure{}}
	for _, ref := range refs {
		c, err := b.anyCluster(&ref)
		if err != nil {
			out.Failures = append(out.Failures, missing(b.asARN("cluster", ref)))
			continue
		}
		out.Clusters = append(out.Clusters, c.describe(in.Include))
	}
	return out, nil
}

// asARN is how ECS names what it did not find: by ARN, even if the request
// used a name.
func (b *ecsBackend) asARN(kind string, path ...string) string {
	if last := path[len(path)-1]; isARN(last) {
		return last
	}
	return b.arn(kind, path...)
}

// counts are the numbers that a cluster shows.
type counts struct {
	services, draining int32
	running, pending   int32
}

func (c *cluster) count() counts {
	var n counts
	for _, s := range c.services {
		switch s.status {
		case statusActive:
			n.services++
		case statusDraining:
			n.draining++
		}
	}
	for _, t := range c.tasks {
		switch {
		case t.last == taskRunning:
			n.running++
		case t.last.starting():
			n.pending++
		}
	}
	return n
}

// describe is the cluster as ECS answers; what is not always told comes with
// the fields that include names.
func (c *cluster) describe(include []types.ClusterField) types.Cluster {
	n := c.count()
	out := types.Cluster{
		ClusterArn:                        aws.String(c.arn),
		ClusterName:                       aws.String(c.name),
		Status:                            aws.String(c.status),
		ActiveServicesCount:               n.services,
		RunningTasksCount:                 n.running,
		PendingTasksCount:                 n.pending,
		RegisteredContainerInstancesCount: 0,
		CapacityProviders:                 append([]string{}, c.providers...),
		DefaultCapacityProviderStrategy:   append([]types.CapacityProviderStrategyItem{}, clone(c.strategy)...),
		Settings:                          []types.ClusterSetting{},
		Statistics:                        []types.KeyValuePair{},
		Tags:                              []types.Tag{},
	}
	for _, field := range include {
		switch field {
		case types.ClusterFieldTags:
			out.Tags = append([]types.Tag{}, clone(c.tags)...)
		case types.ClusterFieldSettings:
			out.Settings = clone(c.settings)
		case types.ClusterFieldConfigurations:
			out.Configuration = clone(c.configuration)
		case types.ClusterFieldStatistics:
			out.Statistics = n.statistics()
		}
	}
	return out
}

// statistics lists the counts by launch type; everything here is FARGATE.
func (n counts) statistics() []types.KeyValuePair {
	pair := func(name string, value int32) types.KeyValuePair {
		return types.KeyValuePair{Name: aws.String(name), Value: aws.String(strconv.Itoa(int(value)))}
	}
	return []types.KeyValuePair{
		pair("runningEC2TasksCount", 0),
		pair("runningFargateTasksCount", n.running),
		pair("pendingEC2TasksCount", 0),
		pair("pendingFargateTasksCount", n.pending),
		pair("activeEC2ServiceCount", 0),
		pair("activeFargateServiceCount", n.services),
		pair("drainingEC2ServiceCount", 0),
		pair("drainingFargateServiceCount", n.draining),
	}
}
