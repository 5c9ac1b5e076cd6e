package aws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/smithy-go/middleware"
)

// workers is how many describes run at once. Measured on the sandbox with
// 40 ms a call: beyond eight the serial chain of list pages is the floor.
const workers = 8

// transport sends the requests of the service clients and counts them.
type transport struct {
	*http.Client
	calls *atomic.Int64
}

// newHTTPClient is the client before the SDK's configuration has added what it
// finds, such as the roots of AWS_CA_BUNDLE. The credential providers use it as
// it is, and fetch on behalf of every caller at once with nobody's deadline; the
// timeout is theirs.
func newHTTPClient(perAttempt time.Duration) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithTimeout(perAttempt).
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = 5 * time.Second }).
		WithTransportOptions(func(t *http.Transport) {
			// Eight workers, the lister and a few panes share one host; with
			// fewer idle slots every burst dials anew.
			t.MaxIdleConnsPerHost = 2 * workers
			t.IdleConnTimeout = 90 * time.Second
		})
}

// newTransport wraps the client that the configuration ended up with.
func newTransport(configured sdk.HTTPClient, calls *atomic.Int64) *transport {
	t := &transport{Client: http.DefaultClient, calls: calls}
	if b, ok := configured.(*awshttp.BuildableClient); ok {
		if c, ok := b.Freeze().(*http.Client); ok {
			c.Timeout = 0 // each attempt has a deadline, which tells more
			t.Client = c
		}
	}
	return t
}

// Do sends one attempt.
func (t *transport) Do(r *http.Request) (*http.Response, error) {
	t.calls.Add(1)
	if r.Body != nil && r.Body != http.NoBody {
		// The SDK's body is an io.WriterTo that reports io.EOF once it is
		// closed. Against a server that answers before net/http's write loop
		// has finished, the answer is then lost as "use of closed network
		// connection" (aws-sdk-go-v2 issues 1825, 2737; 26 of 2000 calls on
		// loopback). Hiding WriterTo avoids that path.
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return t.Client.Do(r)
}

// silence is the error of an attempt that got no answer in time.
type silence struct {
	after time.Duration
	url   string // what was called, "" if no connection was tried
}

func (s *silence) Error() string { return fmt.Sprintf("no answer within %s", s.after) }

// Timeout makes it a timeout to whoever asks in the way of package net.
func (s *silence) Timeout() bool { return true }

// RetryableError tells the SDK's retryer to try again.
func (s *silence) RetryableError() bool { return true }

// attempts is what the deadline of the whole call tells of them. They follow
// one another, so nothing guards it.
type attempts struct{ last error }

type attemptsKey struct{}

// deadlines bounds a call and each of its attempts. The whole call, waiting
// for the limiter included, has three attempts' time.
func deadlines(perAttempt time.Duration, lim *limiter, log *slog.Logger) func(*middleware.Stack) error {
	whole := middleware.InitializeMiddlewareFunc("gantry.call",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
			middleware.InitializeOutput, middleware.Metadata, error,
		) {
			var made attempts
			limited, cancel := context.WithTimeout(context.WithValue(ctx, attemptsKey{}, &made), 3*perAttempt)
			defer cancel()
			out, md, err := next.HandleInitialize(limited, in)
			err = told(ctx, limited, err, 3*perAttempt)
			var s *silence
			if made.last != nil && errors.As(err, &s) {
				// Time ran out in a pause or in the last of several attempts:
				// what the others met says more.
				err = made.last
			}
			return out, md, err
		})
	attempt := middleware.FinalizeMiddlewareFunc("gantry.attempt",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
			middleware.FinalizeOutput, middleware.Metadata, error,
		) {
			operation := middleware.GetOperationName(ctx)
			if err := lim.wait(ctx, middleware.GetServiceID(ctx), operation); err != nil {
				return middleware.FinalizeOutput{}, middleware.Metadata{}, err
			}
			limited, cancel := context.WithTimeout(ctx, perAttempt)
			defer cancel()
			start := time.Now()
			out, md, err := next.HandleFinalize(limited, in)
			err = told(ctx, limited, err, perAttempt)
			if made, ok := ctx.Value(attemptsKey{}).(*attempts); ok && err != nil && ctx.Err() == nil {
				made.last = err
			}
			log.LogAttrs(ctx, slog.LevelDebug, "aws call", slog.String("operation", operation),
				slog.Duration("took", time.Since(start)), slog.String("error", class(err)))
			return out, md, err
		})
	return func(s *middleware.Stack) error {
		if err := s.Initialize.Add(whole, middleware.Before); err != nil {
			return err
		}
		return s.Finalize.Insert(attempt, "Retry", middleware.After)
	}
}

// told replaces the SDK's "canceled" by a silence where it was our deadline
// that ended the call, and not the caller.
func told(caller, limited context.Context, err error, after time.Duration) error {
	if err == nil || caller.Err() != nil || limited.Err() == nil {
		return err
	}
	var s *silence
	if errors.As(err, &s) {
		return err
	}
	// The error itself is left behind: it says "canceled", which nobody did.
	quiet := &silence{after: after}
	var u *url.Error
	if errors.As(err, &u) {
		quiet.url = u.URL
	}
	return quiet
}

// newRetryer tries a call up to five times. ECS refills its buckets at 20
// calls a second, so a throttled call succeeds after a short pause; one that
// nobody can answer (refused, unknown host) fails at once, because the screen
// will ask again anyway and an error is more use than a pause.
func newRetryer(perAttempt time.Duration) sdk.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 5
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
			return backoff(attempt, perAttempt/50), nil
		})
		o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(nobodyThere)}, o.Retryables...)
	})
}

// backoff is the pause after an attempt, the first of which is 0. It doubles
// from first to sixteen times that, with jitter over the upper half so that
// eight workers throttled together do not come back together.
func backoff(attempt int, first time.Duration) time.Duration {
	d := first << min(max(attempt, 0), 4)
	return d/2 + rand.N(d/2+1) //nolint:gosec // jitter, not a secret
}

// nobodyThere ends the retries where they help nobody: nothing listens, or the
// credentials could not be had, whose providers have retried by themselves.
func nobodyThere(err error) sdk.Ternary {
	if refused(err) || strings.Contains(err.Error(), "get identity: ") {
		return sdk.FalseTernary
	}
	return sdk.UnknownTernary
}

// impatientInstanceRole asks the EC2 instance metadata once. It answers within
// a millisecond on EC2; on a laptop nothing listens at its address, and the
// SDK's three patient attempts there are what users know as "stuck at start".
func impatientInstanceRole(o *ec2rolecreds.Options) { o.Client = newInstanceMetadata() }

func newInstanceMetadata() *imds.Client {
	return imds.New(imds.Options{Retryer: sdk.NopRetryer{}})
}

// instanceRegion is the region of the EC2 instance that gantry runs on, or ""
// where there is none. Asked only when nothing else names a region.
func instanceRegion(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	out, err := newInstanceMetadata().GetRegion(ctx, &imds.GetRegionInput{})
	if err != nil {
		return ""
	}
	return out.Region
}
