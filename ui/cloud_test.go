package ui_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"gantry/aws"
	"gantry/aws/exec"
	"gantry/internal/diagnose"
)

// then is a fixed time long ago, so that golden screens show dates.
var then = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// cloud is an AWS in memory: always the same, and as slow or broken as a test
// wants it.
type cloud struct {
	ecr
	mu       sync.Mutex
	clusters []aws.Cluster
	services map[string][]aws.Service // by cluster ARN
	tasks    map[string][]aws.Task    // by cluster ARN
	*fakeLogs
	runs     runs
	scaled   []string
	stopped  []string
	enabled  []string
	deployed []string
	asked    int // calls that read
	listed   int // lists of tasks among them

	// hold, when set, is asked before an answer about a cluster is given.
	hold func(ctx context.Context, cluster string)
}

var scope = aws.Scope{Account: "000000000000", Region: "us-east-1"}

func arn(kind, name string) string { return "arn:aws:ecs:us-east-1:000000000000:" + kind + "/" + name }

// demoCloud looks like the sandbox's demo world, at rest.
func demoCloud() *cloud {
	c := &cloud{fakeLogs: newFakeLogs(), services: map[string][]aws.Service{}, tasks: map[string][]aws.Task{}}
	c.demo()
	c.addCluster("batch")
	c.addCluster("shop")
	c.addService("shop", "web", 3, 3)
	c.addService("shop", "api", 2, 2)
	c.addService("shop", "worker", 2, 1)
	c.addService("shop", "checkout", 1, 0)
	c.addTask("shop", "web", 1, "RUNNING")
	c.addTask("shop", "web", 2, "RUNNING")
	c.addTask("shop", "web", 3, "STOPPED")
	c.addTask("batch", "", 4, "STOPPED")
	return c
}

func (c *cloud) addCluster(name string) {
	c.clusters = append(c.clusters, aws.Cluster{
		Scope: scope, ARN: arn("cluster", name), Name: name, Status: "ACTIVE", RunningTasks: 2, ActiveServices: 4,
		CapacityProviders: []string{"FARGATE"}, Tags: map[string]string{"team": name},
	})
}

func (c *cloud) addService(cluster, name string, desired, running int) {
	s := aws.Service{
		Scope: scope, ARN: arn("service", cluster+"/"+name), Name: name, Cluster: cluster, ClusterARN: arn("cluster", cluster),
		Status: "ACTIVE", Desired: desired, Running: running, TaskDefinition: name + ":7", LaunchType: "FARGATE", PlatformVersion: "1.4.0",
		ExecEnabled: true, CircuitBreaker: true, Rollback: true, MinPercent: 100, MaxPercent: 200, Created: then,
		Subnets: []string{"subnet-1"}, SecurityGroups: []string{"sg-1"},
		Deployments: []aws.Deployment{{ID: "ecs-svc/1", Status: "PRIMARY", TaskDefinition: name + ":7", Desired: desired, Running: running, RolloutState: "COMPLETED", RolloutReason: "ECS deployment ecs-svc/1 completed.", Created: then}},
		Events: []aws.Event{
			{ID: "2", At: then.Add(time.Minute), Message: fmt.Sprintf("(service %s) has reached a steady state.", name)},
			{ID: "1", At: then, Message: fmt.Sprintf("(service %s) has started 3 tasks: (task 1) (task 2) (task 3).", name)},
		},
	}
	c.services[s.ClusterARN] = append(c.services[s.ClusterARN], s)
}

func (c *cloud) addTask(cluster, service string, n int, status string) {
	id := fmt.Sprintf("%032x", n*0x1111111)
	id = id[24:] + id[:24]
	t := aws.Task{
		Scope: scope, ARN: arn("task", cluster+"/"+id), ID: id, Cluster: cluster, ClusterARN: arn("cluster", cluster), Service: service,
		Group: "family:import", LastStatus: status, DesiredStatus: "RUNNING", TaskDefinition: "web:7", LaunchType: "FARGATE", PlatformVersion: "1.4.0",
		CPU: "256", Memory: "512", PrivateIP: "10.0.0.7", AZ: "us-east-1a", Created: then, Started: then, ExecEnabled: true,
		Containers: []aws.Container{{Name: "app", Image: "gantry/demo:1", LastStatus: status, RuntimeID: "r1", Ports: []aws.Port{{Container: 8080, Protocol: "tcp"}}}},
	}
	if service != "" {
		t.Group = "service:" + service
	}
	if status == "STOPPED" {
		code := 137
		t.DesiredStatus, t.StopCode, t.StopReason, t.Stopped = "STOPPED", "EssentialContainerExited", "Essential container in task exited", then.Add(time.Hour)
		t.Containers[0].ExitCode, t.Containers[0].Reason = &code, "OutOfMemoryError: Container killed due to memory usage"
	}
	c.tasks[t.ClusterARN] = append(c.tasks[t.ClusterARN], t)
}

// askedCount is how many calls have read something so far.
func (c *cloud) askedCount() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

func (c *cloud) taskLists() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.listed
}

func (c *cloud) count() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
}

func (c *cloud) wait(ctx context.Context, cluster string) error {
	if c.hold != nil {
		c.hold(ctx, cluster)
	}
	return ctx.Err()
}

func (c *cloud) Identity(context.Context) (aws.Identity, error) {
	return aws.Identity{Account: "000000000000", ARN: arn("user", "sandbox"), Region: "us-east-1"}, nil
}

func (c *cloud) Clusters(ctx context.Context, page func([]aws.Cluster)) error {
	c.count()
	page(slices.Clone(c.clusters))
	return ctx.Err()
}

func (c *cloud) ClusterIDs(context.Context) ([]string, error) {
	c.count()
	return ids(c.clusters, func(k aws.Cluster) string { return k.ARN }), nil
}

func (c *cloud) DescribeClusters(_ context.Context, want []string) ([]aws.Cluster, error) {
	c.count()
	return pick(c.clusters, want, func(k aws.Cluster) string { return k.ARN }, func(k aws.Cluster) string { return k.Name }), nil
}

func (c *cloud) ClusterDocument(_ context.Context, k aws.Cluster) (any, error) {
	return map[string]any{"clusterName": k.Name, "status": k.Status}, nil
}

func (c *cloud) Services(ctx context.Context, cluster string, page func([]aws.Service)) error {
	c.count()
	if err := c.wait(ctx, cluster); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	page(slices.Clone(c.services[clusterARN(cluster)]))
	return nil
}

func (c *cloud) ServiceIDs(_ context.Context, cluster string) ([]string, error) {
	c.count()
	c.mu.Lock()
	defer c.mu.Unlock()
	return ids(c.services[clusterARN(cluster)], func(s aws.Service) string { return s.ARN }), nil
}

func (c *cloud) DescribeServices(ctx context.Context, cluster string, want []string) ([]aws.Service, error) {
	c.count()
	if err := c.wait(ctx, cluster); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return pick(c.services[clusterARN(cluster)], want, func(s aws.Service) string { return s.ARN }, func(s aws.Service) string { return s.Name }), nil
}

func (c *cloud) ServiceDocument(_ context.Context, s aws.Service) (any, error) {
	return map[string]any{"serviceName": s.Name, "desiredCount": s.Desired, "deploymentConfiguration": map[string]any{"maximumPercent": 200}}, nil
}

func (c *cloud) Scale(_ context.Context, s aws.Service, desired int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scaled = append(c.scaled, fmt.Sprintf("%s/%s %d", s.Cluster, s.Name, desired))
	rows := c.services[s.ClusterARN]
	for i := range rows {
		if rows[i].ARN == s.ARN {
			rows[i].Desired, rows[i].Running = desired, desired
		}
	}
	return nil
}

func (c *cloud) scalings() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.scaled)
}

func (c *cloud) Tasks(ctx context.Context, cluster, service string, page func([]aws.Task)) error {
	c.count()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listed++
	page(c.of(cluster, service))
	return ctx.Err()
}

func (c *cloud) of(cluster, service string) []aws.Task {
	rows := slices.Clone(c.tasks[clusterARN(cluster)])
	return slices.DeleteFunc(rows, func(t aws.Task) bool { return service != "" && t.Service != service })
}

func (c *cloud) TaskIDs(_ context.Context, cluster, service string) ([]string, error) {
	c.count()
	c.mu.Lock()
	defer c.mu.Unlock()
	return ids(c.of(cluster, service), func(t aws.Task) string { return t.ARN }), nil
}

func (c *cloud) DescribeTasks(_ context.Context, cluster string, want []string) ([]aws.Task, error) {
	c.count()
	c.mu.Lock()
	defer c.mu.Unlock()
	return pick(c.tasks[clusterARN(cluster)], want, func(t aws.Task) string { return t.ARN }, func(t aws.Task) string { return t.ID }), nil
}

func (c *cloud) TaskDocument(_ context.Context, t aws.Task) (any, error) {
	return map[string]any{"taskArn": t.ARN, "lastStatus": t.LastStatus}, nil
}

func (c *cloud) StopTask(_ context.Context, t aws.Task, _ string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = append(c.stopped, t.ID)
	return nil
}

// clusterARN takes a cluster by name or ARN, as ECS does.
func clusterARN(cluster string) string {
	if strings.HasPrefix(cluster, "arn:") {
		return cluster
	}
	return arn("cluster", cluster)
}

func ids[T any](rows []T, id func(T) string) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = id(r)
	}
	return out
}

func pick[T any](rows []T, want []string, keys ...func(T) string) []T {
	var out []T
	for _, r := range rows {
		for _, key := range keys {
			if slices.Contains(want, key(r)) {
				out = append(out, r)
				break
			}
		}
	}
	return out
}

func (c *cloud) OpenShell(context.Context, aws.Task, string, string, int, int) (*exec.Session, error) {
	return nil, &diagnose.Error{What: "open a shell", Cause: "this cloud has none"}
}

func (c *cloud) OpenForward(context.Context, aws.Task, string, string, int, int) (*exec.Forward, error) {
	return nil, &diagnose.Error{What: "forward a port", Cause: "this cloud has none"}
}

func (c *cloud) ExplainExec(context.Context, aws.Task, string) error { return nil }

func (c *cloud) EnableExec(_ context.Context, s aws.Service) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.enabled = append(c.enabled, s.Name)
	return nil
}
