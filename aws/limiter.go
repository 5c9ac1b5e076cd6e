package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"golang.org/x/time/rate"
)

// bucket is one of AWS's throttle buckets: so many calls at once, and so many
// more each second, per account and region, shared by every tool that uses
// them. (ECS API reference, "Request throttling".)
type bucket struct {
	burst  int
	refill float64
}

// headroom is the share of a bucket that gantry takes for itself. The rest is
// for the deployments, autoscalers and colleagues that draw on the same one: a
// screen must never be what throttles a deployment.
const headroom = 0.75

var (
	clusterRead    = bucket{50, 20}
	definitionRead = bucket{50, 20}
	resourceRead   = bucket{100, 20}
	serviceRead    = bucket{100, 20}
	resourceModify = bucket{100, 40}
	serviceModify  = bucket{50, 5}
	sessionModify  = bucket{10, 3} // ssm and kms publish none for these; a person opens few
	identityRead   = bucket{10, 5} // sts:GetCallerIdentity, once per profile

	definitionModify = bucket{20, 1}

	// ECR publishes a rate for some operations, each with its own, 200 a second
	// and more (Amazon ECR user guide, "Service quotas"); what lists and changes
	// repositories has none that is known, and a low one here.
	ecrPull   = bucket{200, 200}
	ecrLogin  = bucket{200, 20} // user guide, "Common error codes": throttled at 20, bursts of 200
	ecrRead   = bucket{40, 20}
	ecrModify = bucket{20, 5}
	// Each EC2 operation that reads has a bucket of its own (EC2 developer
	// guide, "Request throttling for the Amazon EC2 API": non-mutating actions).
	networkRead = bucket{100, 20}
	roleRead    = bucket{20, 5} // IAM publishes none
	// The smallest of the regions' quotas for FilterLogEvents, 5 a second, counts
	// for GetLogEvents too, which has 10 and more (CloudWatch Logs quotas).
	logsRead = bucket{10, 5}
)

// ecrBuckets says which bucket an ECR operation draws on; any other is a read.
var ecrBuckets = map[string]*bucket{
	"BatchGetImage":          &ecrPull,
	"GetDownloadUrlForLayer": &ecrPull,
	"GetAuthorizationToken":  &ecrLogin,
	"CreateRepository":       &ecrModify,
	"DeleteRepository":       &ecrModify,
	"BatchDeleteImage":       &ecrModify,
}

// ecsBuckets says which bucket an ECS operation draws on.
var ecsBuckets = map[string]*bucket{
	"ListClusters":           &clusterRead,
	"DescribeClusters":       &clusterRead,
	"DescribeTaskDefinition": &definitionRead,
	"ListTaskDefinitions":    &definitionRead,

	"ListTaskDefinitionFamilies": &definitionRead,
	"RegisterTaskDefinition":     &definitionModify,
	"ListTasks":                  &resourceRead,
	"DescribeTasks":              &resourceRead,
	"ListServices":               &serviceRead,
	"DescribeServices":           &serviceRead,
	"StopTask":                   &resourceModify,
	"RunTask":                    &resourceModify,
	"ExecuteCommand":             &resourceModify,
	"UpdateService":              &serviceModify,
	"CreateService":              &serviceModify,
	"DeleteService":              &serviceModify,
}

// limiter keeps a client below AWS's limits, so that it is not throttled
// rather than throttled and retried. A nil limiter never waits.
type limiter struct {
	buckets map[*bucket]*rate.Limiter
}

// newLimiter returns a limiter whose buckets are full.
func newLimiter() *limiter {
	l := &limiter{buckets: map[*bucket]*rate.Limiter{}}
	for _, b := range []*bucket{
		&clusterRead, &definitionRead, &resourceRead, &serviceRead,
		&resourceModify, &serviceModify, &sessionModify, &identityRead,
		&definitionModify, &ecrPull, &ecrLogin, &ecrRead, &ecrModify, &networkRead, &roleRead, &logsRead,
	} {
		l.buckets[b] = rate.NewLimiter(rate.Limit(b.refill*headroom), max(1, int(float64(b.burst)*headroom)))
	}
	return l
}

// wait blocks until the operation may be sent, or the context ends.
func (l *limiter) wait(ctx context.Context, service, operation string) error {
	if l == nil {
		return nil
	}
	return l.buckets[bucketOf(service, operation)].Wait(ctx)
}

// bucketOf is the bucket of an operation. An ECS operation without an entry of
// its own is counted as a cluster read, the smallest of the read buckets.
func bucketOf(service, operation string) *bucket {
	switch service {
	case "ECS":
		if b, ok := ecsBuckets[operation]; ok {
			return b
		}
		return &clusterRead
	case "ECR":
		if b, ok := ecrBuckets[operation]; ok {
			return b
		}
		return &ecrRead
	case "EC2":
		return &networkRead
	case "IAM":
		return &roleRead
	case cloudwatchlogs.ServiceID:
		return &logsRead
	case "STS":
		return &identityRead
	}
	return &sessionModify
}
