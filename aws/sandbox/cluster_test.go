package sandbox

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func TestClusterIsFoundByNameARNAndDefault(t *testing.T) {
	b, _ := newTestECS(t)
	_, err := b.ListTasks(t.Context(), &ecs.ListTasksInput{})
	wantError[*types.ClusterNotFoundException](t, err, "Cluster not found.")
	out, err := b.CreateCluster(t.Context(), &ecs.CreateClusterInput{})
	if err != nil || *out.Cluster.ClusterName != "default" || *out.Cluster.ClusterArn != "arn:aws:ecs:us-east-1:000000000000:cluster/default" {
		t.Fatalf("%v, %+v", err, out)
	}
	for _, ref := range []*string{nil, aws.String(""), aws.String("default"), out.Cluster.ClusterArn} {
		if _, err := b.ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: ref}); err != nil {
			t.Errorf("list tasks of %q: %v", aws.ToString(ref), err)
		}
	}
	for _, ref := range []string{"other", "arn:aws:ecs:eu-west-1:000000000000:cluster/default", "arn:aws:ecs:us-east-1:111111111111:cluster/default", "arn:aws:ecs:us-east-1:000000000000:service/default"} {
		_, err := b.ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: &ref})
		wantError[*types.ClusterNotFoundException](t, err, "Cluster not found.")
	}
	_, err = b.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String("a b")})
	var invalid *types.InvalidParameterException
	if !asError(err, &invalid) {
		t.Errorf("a cluster named %q: %v", "a b", err)
	}
}

func TestARNsNameRegionAndAccount(t *testing.T) {
	b := newECS("eu-central-1", "111122223333", newManualClock(), nil, nil)
	out, err := b.CreateCluster(t.Context(), &ecs.CreateClusterInput{})
	if err != nil || *out.Cluster.ClusterArn != "arn:aws:ecs:eu-central-1:111122223333:cluster/default" {
		t.Errorf("%v, %+v", err, out)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

func TestDescribeClusters(t *testing.T) {
	b, clock := newTestECS(t)
	if err := b.seedDemo(t.Context()); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Second)
	in := &ecs.DescribeClustersInput{Clusters: []string{"shop", "nowhere", "batch"}}
	out, err := b.DescribeClusters(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Failures) != 1 || *out.Failures[0].Arn != "arn:aws:ecs:us-east-1:000000000000:cluster/nowhere" || *out.Failures[0].Reason != "MISSING" {
		t.Errorf("failures %+v", out.Failures)
	}
	shop := out.Clusters[0]
	if shop.ActiveServicesCount != 4 || shop.RunningTasksCount != 8 || len(shop.Tags) != 0 || len(shop.Statistics) != 0 {
		t.Errorf("shop: %d services, %d running, tags %v, statistics %v", shop.ActiveServicesCount, shop.RunningTasksCount, shop.Tags, shop.Statistics)
	}
	in.Include = []types.ClusterField{types.ClusterFieldTags, types.ClusterFieldStatistics, types.ClusterFieldSettings}
	out, err = b.DescribeClusters(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	shop = out.Clusters[0]
	running := slices.ContainsFunc(shop.Statistics, func(p types.KeyValuePair) bool {
		return *p.Name == "runningFargateTasksCount" && *p.Value == "8"
	})
	if len(shop.Tags) != 2 || !running || len(shop.Settings) != 1 {
		t.Errorf("shop with all: tags %v, statistics %v, settings %v", shop.Tags, shop.Statistics, shop.Settings)
	}
	_, err = b.DescribeClusters(t.Context(), &ecs.DescribeClustersInput{Clusters: make([]string, 101)})
	wantError[*types.InvalidParameterException](t, err, "Clusters cannot have more than 100 elements.")
}

func TestDeleteClusterInUse(t *testing.T) {
	b, clock := newTestECS(t)
	if err := b.seedDemo(t.Context()); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Second)
	_, err := b.DeleteCluster(t.Context(), &ecs.DeleteClusterInput{Cluster: aws.String("shop")})
	wantError[*types.ClusterContainsServicesException](t, err, "The Cluster cannot be deleted while Services are active.")
	_, err = b.DeleteCluster(t.Context(), &ecs.DeleteClusterInput{Cluster: aws.String("batch")})
	wantError[*types.ClusterContainsTasksException](t, err, "The Cluster cannot be deleted while Tasks are active.")
}

// TestPaging walks every list with small pages while items vanish.
func TestPaging(t *testing.T) {
	b, _ := newTestECS(t)
	for i := range 25 {
		if _, err := b.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String(fmt.Sprintf("c%02d", i))}); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	in := &ecs.ListClustersInput{MaxResults: aws.Int32(10)}
	for {
		out, err := b.ListClusters(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, out.ClusterArns...)
		if out.NextToken == nil {
			break
		}
		in.NextToken = out.NextToken
		// One that was listed goes: the next page must not skip one for it.
		if _, err := b.DeleteCluster(t.Context(), &ecs.DeleteClusterInput{Cluster: &out.ClusterArns[0]}); err != nil {
			t.Fatal(err)
		}
	}
	if len(names) != 25 || !slices.IsSorted(names) || len(slices.Compact(names)) != 25 {
		t.Errorf("listed %d: %v", len(names), names)
	}
}

func TestPagingRefusesWhatIsWrong(t *testing.T) {
	b, _ := newTestECS(t)
	createService(t, b, "serve", 0, nil)
	for i := range 12 {
		in := demoService{family: "web"}.input()
		in.ServiceName = aws.String(fmt.Sprintf("s%02d", i))
		if _, err := b.CreateService(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	shop := aws.String("shop")
	first, err := b.ListServices(t.Context(), &ecs.ListServicesInput{Cluster: shop})
	if err != nil || len(first.ServiceArns) != 10 || first.NextToken == nil {
		t.Fatalf("the default page: %v, %+v", err, first)
	}
	token := []byte(*first.NextToken)
	token[len(token)/2] ^= 1
	for what, in := range map[string]*ecs.ListServicesInput{
		"a tampered token":           {Cluster: shop, NextToken: aws.String(string(token))},
		"a truncated token":          {Cluster: shop, NextToken: aws.String(string(token[:7]))},
		"a token that is none":       {Cluster: shop, NextToken: aws.String("not a token")},
		"a token of other filters":   {Cluster: shop, NextToken: first.NextToken, LaunchType: types.LaunchTypeFargate},
		"maxResults 0":               {Cluster: shop, MaxResults: aws.Int32(0)},
		"maxResults 101":             {Cluster: shop, MaxResults: aws.Int32(101)},
		"maxResults below all sense": {Cluster: shop, MaxResults: aws.Int32(-1)},
	} {
		_, err := b.ListServices(t.Context(), in)
		var invalid *types.InvalidParameterException
		if !asError(err, &invalid) {
			t.Errorf("%s: %v, want InvalidParameterException", what, err)
		}
	}
	all, err := b.ListServices(t.Context(), &ecs.ListServicesInput{Cluster: shop, MaxResults: aws.Int32(100)})
	if err != nil || len(all.ServiceArns) != 13 || all.NextToken != nil {
		t.Errorf("a page of 100: %v, %d, %v", err, len(all.ServiceArns), all.NextToken)
	}
}
