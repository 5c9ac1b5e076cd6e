//go:build unix

package main

import (
	"context"
	"fmt"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"gantry/aws/sandbox"
)

// world is a local AWS that keeps states only, in the test's own process, so
// that a benchmark can count the calls of a gantry that runs in another.
type world struct {
	tb     testing.TB
	server *sandbox.Server
	raw    *ecs.Client
}

func newWorld(tb testing.TB, config sandbox.Config) *world {
	tb.Helper()
	config.Runtime, config.RunDir = sandbox.None(), tb.TempDir()+"/run"
	server, err := sandbox.Start(context.Background(), config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := server.Close(); err != nil {
			tb.Error(err)
		}
	})
	return &world{tb: tb, server: server, raw: ecs.NewFromConfig(sdk.Config{
		Region: server.Region(), BaseEndpoint: sdk.String(server.URL()),
		Credentials: credentials.NewStaticCredentialsProvider(server.AccessKeyID(), server.SecretAccessKey(), ""),
	})}
}

// env points a gantry at this world.
func (w *world) env() []string {
	return []string{
		"AWS_ENDPOINT_URL=" + w.server.URL(), "AWS_REGION=" + w.server.Region(),
		"AWS_ACCESS_KEY_ID=" + w.server.AccessKeyID(), "AWS_SECRET_ACCESS_KEY=" + w.server.SecretAccessKey(),
	}
}

// fill makes the cluster "big" with services of some tasks each, and waits
// until all of them run.
func (w *world) fill(services int, each int32) {
	w.tb.Helper()
	ctx := context.Background()
	_, err := w.raw.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: sdk.String("big")})
	w.must(err)
	_, err = w.raw.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: sdk.String("app"), Cpu: sdk.String("256"), Memory: sdk.String("512"), NetworkMode: types.NetworkModeAwsvpc,
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		ContainerDefinitions:    []types.ContainerDefinition{{Name: sdk.String("app"), Image: sdk.String("gantry/demo"), Essential: sdk.Bool(true)}},
	})
	w.must(err)
	for i := range services {
		_, err := w.raw.CreateService(ctx, &ecs.CreateServiceInput{
			Cluster: sdk.String("big"), ServiceName: sdk.String(fmt.Sprintf("svc-%04d", i)), TaskDefinition: sdk.String("app"),
			DesiredCount: sdk.Int32(each), LaunchType: types.LaunchTypeFargate,
			NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}},
		})
		w.must(err)
	}
	waitFor(w.tb, "the tasks of big", func() bool {
		out, err := w.raw.DescribeClusters(ctx, &ecs.DescribeClustersInput{Clusters: []string{"big"}})
		w.must(err)
		return out.Clusters[0].RunningTasksCount == int32(services)*each
	})
}

// settled waits until every rollout is complete: nothing moves any more.
func (w *world) settled(services int) {
	w.tb.Helper()
	waitFor(w.tb, "the end of every rollout", func() bool {
		for i := range services {
			out, err := w.raw.DescribeServices(context.Background(), &ecs.DescribeServicesInput{
				Cluster: sdk.String("big"), Services: []string{fmt.Sprintf("svc-%04d", i)},
			})
			w.must(err)
			if out.Services[0].Deployments[0].RolloutState != types.DeploymentRolloutStateCompleted {
				return false
			}
		}
		return true
	})
}

func (w *world) must(err error) {
	w.tb.Helper()
	if err != nil {
		w.tb.Fatal(err)
	}
}
