package sandbox

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

func TestDenyRefusesOneOperationInAWSsWords(t *testing.T) {
	s := startServer(t, nil)
	s.Faults().Deny("DescribeClusters", "GetCallerIdentity")
	client, whoami := ecs.NewFromConfig(client(t, s)), sts.NewFromConfig(client(t, s))

	_, err := client.DescribeClusters(t.Context(), nil)
	var denied *types.AccessDeniedException
	if !errors.As(err, &denied) {
		t.Fatalf("got %v", err)
	}
	const want = "User: arn:aws:iam::000000000000:user/sandbox is not authorized to perform: ecs:DescribeClusters on resource: * because no identity-based policy allows the ecs:DescribeClusters action"
	if denied.ErrorMessage() != want {
		t.Errorf("got  %s\nwant %s", denied.ErrorMessage(), want)
	}
	_, err = whoami.GetCallerIdentity(t.Context(), nil)
	wantCode(t, err, "AccessDenied")
	if _, err := client.ListClusters(t.Context(), nil); err != nil {
		t.Errorf("another operation: %v", err)
	}
	s.Faults().Allow("DescribeClusters")
	if _, err := client.DescribeClusters(t.Context(), nil); err != nil {
		t.Errorf("after Allow: %v", err)
	}
}

func TestThrottleEveryNthCall(t *testing.T) {
	s := startServer(t, nil)
	client := ecs.NewFromConfig(client(t, s))
	s.Faults().ThrottleEvery(3)
	var got strings.Builder
	for range 9 {
		_, err := client.ListClusters(t.Context(), nil)
		var api smithy.APIError
		switch {
		case err == nil:
			got.WriteString("ok ")
		case errors.As(err, &api) && api.ErrorCode() == "ThrottlingException" && api.ErrorMessage() == "Rate exceeded":
			got.WriteString("throttled ")
			if retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == 0 {
				t.Error("the SDK does not take it for throttling")
			}
		default:
			t.Fatal(err)
		}
	}
	if want := "ok ok throttled ok ok throttled ok ok throttled "; got.String() != want {
		t.Errorf("got %s", &got)
	}
	s.Faults().ThrottleEvery(0)
	if _, err := client.ListClusters(t.Context(), nil); err != nil {
		t.Errorf("after the end: %v", err)
	}
}

func TestLatencyEndsWhenTheClientLeaves(t *testing.T) {
	s := startServer(t, nil)
	client := ecs.NewFromConfig(client(t, s))
	s.Faults().LatencyOf("ListClusters", time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := client.ListClusters(ctx, nil)
		done <- err
	}()
	eventually(t, func() bool { return s.Faults().Calls()["ListClusters"] == 1 })
	if _, err := client.DescribeClusters(t.Context(), nil); err != nil {
		t.Errorf("another operation: %v", err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestLatencySlowsEveryCall(t *testing.T) {
	s := startServer(t, nil)
	const latency = 30 * time.Millisecond
	s.Faults().Latency(latency)
	began := time.Now()
	if _, err := ecs.NewFromConfig(client(t, s)).ListClusters(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < latency {
		t.Errorf("took %v, less than the latency", took)
	}
}

func TestSilentHoldsCallsUntilTheClientLeaves(t *testing.T) {
	s := startServer(t, nil)
	client := ecs.NewFromConfig(client(t, s))
	s.Faults().Silent(true)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := client.ListClusters(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	s.Faults().Silent(false)
	if _, err := client.ListClusters(t.Context(), nil); err != nil {
		t.Errorf("after the end: %v", err)
	}
}

func TestExpireToken(t *testing.T) {
	s := startServer(t, nil)
	s.Faults().ExpireToken(true)
	_, err := ecs.NewFromConfig(client(t, s)).ListClusters(t.Context(), nil)
	wantCode(t, err, "ExpiredTokenException")
	_, err = sts.NewFromConfig(client(t, s)).GetCallerIdentity(t.Context(), nil)
	wantCode(t, err, "ExpiredToken")
	s.Faults().Clear()
	if _, err := ecs.NewFromConfig(client(t, s)).ListClusters(t.Context(), nil); err != nil {
		t.Errorf("after Clear: %v", err)
	}
}

func TestCallsCountsEachOperation(t *testing.T) {
	s := startServer(t, nil)
	client := ecs.NewFromConfig(client(t, s))
	s.Faults().Deny("DescribeClusters")
	for range 3 {
		_, _ = client.ListClusters(t.Context(), nil)
		_, _ = client.DescribeClusters(t.Context(), nil)    // counted, though denied
		_, _ = client.ListAccountSettings(t.Context(), nil) // not emulated
	}
	if got, want := s.Faults().Calls(), map[string]int{"ListClusters": 3, "DescribeClusters": 3}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	s.Faults().ResetCalls()
	if got := s.Faults().Calls(); len(got) != 0 {
		t.Errorf("after ResetCalls: %v", got)
	}
}
