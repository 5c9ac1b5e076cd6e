package aws

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

func TestBuckets(t *testing.T) {
	for _, tt := range []struct {
		service, operation string
		want               *bucket
	}{
		{"ECS", "ListTasks", &resourceRead},
		{"ECS", "DescribeTasks", &resourceRead},
		{"ECS", "ListServices", &serviceRead},
		{"ECS", "UpdateService", &serviceModify},
		{"ECS", "SomethingNew", &clusterRead},
		{"ECS", "RegisterTaskDefinition", &definitionModify},
		{"ECS", "ListTaskDefinitionFamilies", &definitionRead},
		{"STS", "GetCallerIdentity", &identityRead},
		{ecr.ServiceID, "DescribeImages", &ecrRead},
		{ecr.ServiceID, "BatchGetImage", &ecrPull},
		{ecr.ServiceID, "GetAuthorizationToken", &ecrLogin},
		{ecr.ServiceID, "BatchDeleteImage", &ecrModify},
		{ec2.ServiceID, "DescribeSubnets", &networkRead},
		{iam.ServiceID, "ListRoles", &roleRead},
		{"SSM", "StartSession", &sessionModify},
		{"KMS", "GenerateDataKey", &sessionModify},
	} {
		if got := bucketOf(tt.service, tt.operation); got != tt.want {
			t.Errorf("%s %s draws on %+v", tt.service, tt.operation, *got)
		}
		if newLimiter().buckets[tt.want] == nil {
			t.Errorf("%s %s has no limit", tt.service, tt.operation)
		}
	}
}

func TestLimiterStaysBelowAWSsLimit(t *testing.T) {
	lim := newLimiter()
	now := time.Now()
	for b, l := range lim.buckets {
		if float64(l.Limit()) >= b.refill || l.Burst() >= b.burst {
			t.Errorf("%+v: %v a second, burst %d", *b, l.Limit(), l.Burst())
		}
		taken := 0
		for l.AllowN(now, 1) {
			taken++
		}
		if taken != l.Burst() {
			t.Errorf("%+v: %d at once, want %d", *b, taken, l.Burst())
		}
	}
}

func TestLimiterBucketsAreApart(t *testing.T) {
	lim := newLimiter()
	for lim.buckets[&serviceRead].Allow() {
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := lim.wait(ctx, "ECS", "ListServices"); err == nil {
		t.Error("an empty bucket let a call through")
	}
	if err := lim.wait(t.Context(), "ECS", "ListTasks"); err != nil {
		t.Error(err)
	}
}

func TestUnlimitedNeverWaits(t *testing.T) {
	var lim *limiter
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 1000 {
		if err := lim.wait(ctx, "ECS", "ListTasks"); err != nil {
			t.Fatal(err)
		}
	}
}
