// Package docker is gantry's adapter to a container engine that speaks the
// Docker Engine API, 1.40 and later: domain types as plain structs, and the
// calls that fill them. It alone imports the Docker and BuildKit modules, so
// that no pane depends on the shape of an engine type.
//
// Nothing is pinned: the API version is negotiated with every connection, the
// endpoint is found as the docker command finds it, and every failure is a
// *diagnose.Error that says which of the usual things is wrong.
package docker

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/moby/moby/client"

	"gantry/internal/diagnose"
)

// Options says which engine a Client speaks to. The zero value finds it as the
// docker command does.
type Options struct {
	// Context is a name of the docker context store; it wins over DOCKER_HOST,
	// DOCKER_CONTEXT and the current context.
	Context string
	// Host is an engine's address, such as unix:///run/docker.sock, tcp://… or
	// ssh://…. It excludes Context.
	Host string
	// ReadOnly refuses every call that changes something, before it is sent.
	ReadOnly bool
	// Timeout bounds a call that lists or describes, 20 s if zero: an engine
	// that is stuck takes calls and never answers.
	Timeout time.Duration
	// Log receives one line per request at level debug: method, path, status,
	// never a body. Nil discards them.
	Log *slog.Logger
}

const defaultTimeout = 20 * time.Second

// Client makes the calls. It is safe for concurrent use.
type Client struct {
	opts Options

	mu sync.Mutex
	// endpoint stays once it is found: after an engine's restart rows and
	// actions must not move to another engine because a file has changed.
	endpoint *endpoint
	engine   *client.Client
}

// New returns a client. It does no I/O: the endpoint is found by the first
// call, which reports what is wrong with it.
func New(o Options) *Client {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Client{opts: o}
}

// ReadOnly reports whether the client refuses to change anything.
func (c *Client) ReadOnly() bool { return c.opts.ReadOnly }

// Close drops the idle connections. The client can still be used.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.engine != nil {
		_ = c.engine.Close()
	}
}

// api returns the engine client, making it if there is none. It reads files
// and the environment, and connects to nothing: the first request does, and
// negotiates the API version. Errors are for explain.
func (c *Client) api(ctx context.Context) (*client.Client, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.engine != nil {
		return c.engine, nil
	}
	if c.endpoint == nil {
		found, err := resolve(c.opts)
		if err != nil {
			return nil, err
		}
		c.endpoint = &found
	}
	engine, err := c.open(*c.endpoint)
	if err != nil {
		return nil, err
	}
	c.engine = engine
	return engine, nil
}

// mutable is api for a call that changes something. It refuses in read-only
// mode.
func (c *Client) mutable(ctx context.Context, what string) (*client.Client, error) {
	if c.opts.ReadOnly {
		return nil, &diagnose.Error{
			What:  what,
			Cause: "gantry was started read-only",
			Do:    "start it without --read-only",
			Err:   ErrReadOnly,
		}
	}
	api, err := c.api(ctx)
	return api, c.explain(what, err)
}

// within gives a call that lists or describes its deadline.
func (c *Client) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.opts.Timeout)
}

// open makes an engine client for an endpoint.
func (c *Client) open(at endpoint) (*client.Client, error) {
	opts, err := at.options()
	if err != nil {
		return nil, err
	}
	if headers := customHeaders(); len(headers) > 0 {
		opts = append(opts, client.WithHTTPHeaders(headers))
	}
	opts = append(opts, client.WithUserAgent("gantry"), client.WithHTTPResponseHook(c.log))
	engine, err := client.New(opts...)
	if err != nil {
		return nil, err
	}
	return engine, nil
}

// log writes one line for an answer.
func (c *Client) log(r *http.Response) {
	if r.Request != nil {
		c.opts.Log.Debug("docker", "method", r.Request.Method, "path", r.Request.URL.Path, "status", r.StatusCode)
	}
}

// forget drops the engine client and with it the API version negotiated: an
// engine that went away may come back as another version. The endpoint stays.
func (c *Client) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.engine != nil {
		_ = c.engine.Close()
	}
	c.engine = nil
}

// at is the endpoint in use, the zero value before one is found.
func (c *Client) at() endpoint {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.endpoint == nil {
		return endpoint{}
	}
	return *c.endpoint
}
