// Package aws is gantry's adapter to AWS: domain types as plain structs, and
// the calls that fill them. It alone imports the AWS SDK on behalf of the user
// interface, so that no pane depends on the shape of an SDK type.
//
// Everything here is meant for a screen that must never freeze or lie: lists
// are read to their last page, describes run side by side and are merged in
// the order of the list, what could not be read stays as a row that says so,
// every call has a deadline, and every failure is a *diagnose.Error.
package aws

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Options says which account, region and endpoint a Client speaks to. The zero
// value follows the environment and the shared configuration files, as every
// AWS tool does.
type Options struct {
	// Profile is a name of the shared configuration; "" follows AWS_PROFILE.
	Profile string
	// Region is a region's name; "" follows the environment and the profile.
	Region string
	// Endpoint is the URL of another AWS, such as the sandbox; "" follows
	// AWS_ENDPOINT_URL, and without that it is AWS itself.
	Endpoint string

	// AccessKeyID and SecretAccessKey are set for the built-in sandbox. With
	// them nothing of the environment or the user's files is read.
	AccessKeyID, SecretAccessKey string

	// ReadOnly refuses every call that changes something, before it is sent.
	ReadOnly bool
	// Unlimited turns the client-side limiter off. For load benchmarks.
	Unlimited bool
	// Timeout bounds one attempt of a call, 10 s if zero. A whole call with
	// its retries ends within three times that; the pauses between them are in
	// proportion, 0.2 s and more for 10 s.
	Timeout time.Duration
	// Log receives one line per attempt at level debug: operation, duration
	// and error class, never a value. Nil discards them.
	Log *slog.Logger
}

const defaultTimeout = 10 * time.Second

// Client makes the calls. It is safe for concurrent use.
type Client struct {
	opts  Options
	calls atomic.Int64

	// session is made by the first call, and anew after a failure of the
	// configuration or the credentials, so that a login made meanwhile is
	// found. gate is the lock for making it, one that a waiting caller can
	// leave when its context ends.
	session atomic.Pointer[session]
	gate    chan struct{}

	logins      *loginCache
	registries  sync.Map // hosts that ECR has named, for RegistryLoginAt
	platforms   platformCache
	definitions sync.Map // Definition by family:revision
}

// session is what the first call sets up.
type session struct {
	cfg  sdk.Config
	http *transport
	ecs  *ecs.Client
	logs *cloudwatchlogs.Client
	ecr  *ecr.Client
	ec2  *ec2.Client
	iam  *iam.Client
	sts  *sts.Client
	ssm  *ssm.Client
	kms  *kms.Client
}

// New returns a client. It does no I/O: configuration, credentials and
// connections are made by the first call, which reports what is wrong with
// them.
func New(o Options) *Client {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Client{opts: o, gate: make(chan struct{}, 1), logins: newLoginCache()}
}

// Calls is the number of HTTP requests sent so far, retries included.
func (c *Client) Calls() int64 { return c.calls.Load() }

// ReadOnly reports whether the client refuses to change anything.
func (c *Client) ReadOnly() bool { return c.opts.ReadOnly }

// Close drops the idle connections. The client can still be used.
func (c *Client) Close() {
	if s := c.session.Load(); s != nil {
		s.http.CloseIdleConnections()
	}
}

// forget drops the session, so that the next call reads the configuration and
// the credentials anew.
func (c *Client) forget() {
	if s := c.session.Swap(nil); s != nil {
		s.http.CloseIdleConnections()
	}
}

// connect returns the session, setting it up if there is none yet.
func (c *Client) connect(ctx context.Context) (*session, error) {
	if s := c.session.Load(); s != nil {
		return s, nil
	}
	select {
	case c.gate <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-c.gate }()
	if s := c.session.Load(); s != nil {
		return s, nil
	}
	cfg, err := c.configure(ctx)
	if err != nil {
		return nil, err
	}
	s := c.open(cfg)
	c.session.Store(s)
	return s, nil
}

// configure finds region, endpoint and the source of credentials. It does not
// ask for the credentials themselves.
func (c *Client) configure(ctx context.Context) (sdk.Config, error) {
	if c.opts.AccessKeyID != "" {
		return c.fixed(), nil
	}
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithSharedConfigProfile(c.opts.Profile),
		config.WithRegion(c.opts.Region),
		config.WithHTTPClient(newHTTPClient(c.opts.Timeout)),
		config.WithEC2RoleCredentialOptions(impatientInstanceRole),
	)
	if err != nil {
		return sdk.Config{}, err
	}
	if cfg.Region == "" {
		cfg.Region = instanceRegion(ctx)
	}
	if cfg.Region == "" {
		return sdk.Config{}, errNoRegion
	}
	return cfg, nil
}

// fixed is the configuration of the sandbox: fixed keys, nothing read.
func (c *Client) fixed() sdk.Config {
	region := c.opts.Region
	if region == "" {
		region = "us-east-1"
	}
	return sdk.Config{
		Region:      region,
		HTTPClient:  newHTTPClient(c.opts.Timeout),
		Credentials: credentials.NewStaticCredentialsProvider(c.opts.AccessKeyID, c.opts.SecretAccessKey, ""),
	}
}

// open makes the service clients, with deadlines, limiter, retries and the
// body wrapper. These come after the configuration, so that the calls that
// fetch credentials neither pass through the limiter nor are counted. An
// endpoint of the options wins over AWS_ENDPOINT_URL_<SERVICE>.
func (c *Client) open(cfg sdk.Config) *session {
	http := newTransport(cfg.HTTPClient, &c.calls)
	cfg.HTTPClient = http
	cfg.Retryer = func() sdk.Retryer { return newRetryer(c.opts.Timeout) }
	var lim *limiter
	if !c.opts.Unlimited {
		lim = newLimiter()
	}
	cfg.APIOptions = append(cfg.APIOptions, deadlines(c.opts.Timeout, lim, c.opts.Log))
	if c.opts.Endpoint != "" {
		cfg.BaseEndpoint = &c.opts.Endpoint
		cfg.ConfigSources = nil
	}
	return &session{
		cfg:  cfg,
		http: http,
		ecs:  ecs.NewFromConfig(cfg),
		logs: cloudwatchlogs.NewFromConfig(cfg),
		ecr:  ecr.NewFromConfig(cfg),
		ec2:  ec2.NewFromConfig(cfg),
		iam:  iam.NewFromConfig(cfg),
		sts:  sts.NewFromConfig(cfg),
		ssm:  ssm.NewFromConfig(cfg),
		kms:  kms.NewFromConfig(cfg),
	}
}

// profile is the name of the configuration in use: the option, else what the
// environment names, else "env" for keys in the environment, else "default".
// It is "" with fixed keys and no name.
func (c *Client) profile() string {
	if c.opts.Profile != "" || c.opts.AccessKeyID != "" {
		return c.opts.Profile
	}
	for _, name := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE"} {
		if p := os.Getenv(name); p != "" {
			return p
		}
	}
	if os.Getenv("AWS_ACCESS_KEY_ID") != "" {
		return "env"
	}
	return "default"
}

// region is the region in use as far as it is known.
func (c *Client) region() string {
	if s := c.session.Load(); s != nil {
		return s.cfg.Region
	}
	for _, r := range []string{c.opts.Region, os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION")} {
		if r != "" {
			return r
		}
	}
	return ""
}

// endpoint is the URL of the other AWS in use, "" for AWS itself.
func (c *Client) endpoint() string {
	switch s := c.session.Load(); {
	case s != nil:
		return sdk.ToString(s.cfg.BaseEndpoint)
	case c.opts.Endpoint != "" || c.opts.AccessKeyID != "":
		return c.opts.Endpoint
	}
	return os.Getenv("AWS_ENDPOINT_URL")
}
