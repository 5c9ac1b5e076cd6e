package aws_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"gantry/aws"
	"gantry/aws/sandbox"
)

// world is a sandbox without the demo, a raw SDK client that fills it, and the
// clients under test that speak to it.
type world struct {
	t      testing.TB
	server *sandbox.Server
	raw    *ecs.Client
}

func newWorld(t testing.TB) *world {
	t.Helper()
	server, err := sandbox.Start(context.Background(), sandbox.Config{Empty: true, RunDir: t.TempDir() + "/run", RegistryDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return &world{t: t, server: server, raw: ecs.NewFromConfig(sdk.Config{
		Region: server.Region(), BaseEndpoint: sdk.String(server.URL()), HTTPClient: &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider(server.AccessKeyID(), server.SecretAccessKey(), ""),
	})}
}

// client is a client of the world.
func (w *world) client(change func(*aws.Options)) *aws.Client {
	o := aws.Options{
		Endpoint: w.server.URL(), Region: w.server.Region(), Unlimited: true,
		AccessKeyID: w.server.AccessKeyID(), SecretAccessKey: w.server.SecretAccessKey(),
	}
	if change != nil {
		change(&o)
	}
	c := aws.New(o)
	w.t.Cleanup(c.Close)
	return c
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// cluster makes a cluster and the task definition "app", of two containers.
func (w *world) cluster(name string) {
	w.t.Helper()
	_, err := w.raw.CreateCluster(w.t.Context(), &ecs.CreateClusterInput{ClusterName: sdk.String(name)})
	w.must(err)
	_, err = w.raw.RegisterTaskDefinition(w.t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: sdk.String("app"), Cpu: sdk.String("256"), Memory: sdk.String("512"), NetworkMode: types.NetworkModeAwsvpc,
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		ContainerDefinitions: []types.ContainerDefinition{
			{Name: sdk.String("app"), Image: sdk.String("gantry/demo"), Essential: sdk.Bool(true), Environment: []types.KeyValuePair{
				{Name: sdk.String("PORT"), Value: sdk.String("8080")},
				{Name: sdk.String("DB_PASSWORD"), Value: sdk.String("hunter2")},
			}},
			{Name: sdk.String("log"), Image: sdk.String("gantry/demo"), Essential: sdk.Bool(false)},
		},
	})
	w.must(err)
}

// services makes n services, eight at a time, and returns their names.
func (w *world) services(cluster string, n int, desired int32) []string {
	w.t.Helper()
	names := make([]string, n)
	var crew sync.WaitGroup
	slots := make(chan struct{}, 8)
	for i := range names {
		names[i] = fmt.Sprintf("svc-%04d", i)
		slots <- struct{}{}
		crew.Go(func() {
			defer func() { <-slots }()
			_, err := w.raw.CreateService(w.t.Context(), &ecs.CreateServiceInput{
				Cluster: sdk.String(cluster), ServiceName: sdk.String(names[i]), TaskDefinition: sdk.String("app"),
				DesiredCount: sdk.Int32(desired), LaunchType: types.LaunchTypeFargate, NetworkConfiguration: network(),
			})
			if err != nil {
				w.t.Error(err)
			}
		})
	}
	crew.Wait()
	return names
}

func network() *types.NetworkConfiguration {
	return &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
		Subnets: []string{"subnet-1"}, SecurityGroups: []string{"sg-1"}, AssignPublicIp: types.AssignPublicIpEnabled,
	}}
}

// run starts n tasks of no service.
func (w *world) run(cluster string, n int) (arns []string) {
	w.t.Helper()
	for n > 0 {
		some := min(n, 10)
		out, err := w.raw.RunTask(w.t.Context(), &ecs.RunTaskInput{
			Cluster: sdk.String(cluster), TaskDefinition: sdk.String("app"), Count: sdk.Int32(int32(some)),
			LaunchType: types.LaunchTypeFargate, NetworkConfiguration: network(),
		})
		w.must(err)
		for _, task := range out.Tasks {
			arns = append(arns, sdk.ToString(task.TaskArn))
		}
		n -= some
	}
	return arns
}

// until polls a condition, for a minute at most.
func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			w.t.Fatalf("never: %s", what)
		case <-tick.C:
		}
	}
}

// running waits until the cluster runs n tasks.
func (w *world) running(cluster string, n int) {
	w.t.Helper()
	w.until(fmt.Sprintf("%d tasks run", n), func() bool {
		out, err := w.raw.DescribeClusters(w.t.Context(), &ecs.DescribeClustersInput{Clusters: []string{cluster}})
		w.must(err)
		return int(out.Clusters[0].RunningTasksCount) == n
	})
}

// calls is how often an operation was called since the counts were reset.
func (w *world) calls(operation string) int {
	for name, n := range w.server.Faults().Calls() {
		if strings.HasSuffix(name, operation) {
			return n
		}
	}
	return 0
}
