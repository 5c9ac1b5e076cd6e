package aws

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"gantry/internal/diagnose"
)

// renewBefore is how long before its end a login is made anew, so that one that
// is handed out outlives the transfer that begins with it. ECR gives twelve
// hours.
const renewBefore = 10 * time.Minute

// String hides the password, wherever the value is printed.
func (l RegistryLogin) String() string {
	return fmt.Sprintf("login of %s at %s until %s", l.Username, l.Host, l.Expires.Format(time.RFC3339))
}

// GoString hides it from %#v too.
func (l RegistryLogin) GoString() string { return l.String() }

// LogValue hides it from the log.
func (l RegistryLogin) LogValue() slog.Value { return slog.StringValue(l.String()) }

// loginCache holds the login in use. gate is the lock for making one, which a
// waiting caller can leave when its context ends.
type loginCache struct {
	gate chan struct{}
	mu   sync.Mutex
	now  RegistryLogin
}

func newLoginCache() *loginCache { return &loginCache{gate: make(chan struct{}, 1)} }

// fresh is the login in use if it lasts long enough.
func (k *loginCache) fresh() (RegistryLogin, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now, k.now.Password != "" && time.Until(k.now.Expires) > renewBefore
}

func (k *loginCache) set(l RegistryLogin) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now = l
}

// RegistryLogin is a login for the registries that these credentials may use.
// It is made once for many callers and kept in memory until ten minutes before
// its end; what it may do, the credentials may. scope is the row's whose
// registry is meant.
func (c *Client) RegistryLogin(ctx context.Context, scope Scope) (RegistryLogin, error) {
	const what = "log in to the registry"
	s, err := c.connect(ctx)
	if err != nil {
		return RegistryLogin{}, c.explain(what, err)
	}
	if err := c.sameScope(what, s, scope); err != nil {
		return RegistryLogin{}, err
	}
	if l, ok := c.logins.fresh(); ok {
		return l, nil
	}
	select {
	case c.logins.gate <- struct{}{}:
	case <-ctx.Done():
		return RegistryLogin{}, ctx.Err()
	}
	defer func() { <-c.logins.gate }()
	if l, ok := c.logins.fresh(); ok {
		return l, nil // another caller made it meanwhile
	}
	out, err := s.ecr.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		return RegistryLogin{}, c.explain(what, err)
	}
	l, err := decodeLogin(out)
	if err != nil {
		return RegistryLogin{}, &diagnose.Error{What: what, Cause: err.Error(), Do: "check the endpoint", Err: fmt.Errorf("%w: %w", ErrRefused, err)}
	}
	c.logins.set(l)
	return l, nil
}

// RegistryLoginAt is the login for a host if it is one of ECR's that was seen in
// the URI of a repository, else the zero RegistryLogin: AWS is not asked, and
// told nothing, about any other.
func (c *Client) RegistryLoginAt(ctx context.Context, host string) (RegistryLogin, error) {
	if _, ours := c.registries.Load(host); !ours {
		return RegistryLogin{}, nil
	}
	return c.RegistryLogin(ctx, Scope{Profile: c.profile()})
}

// ForgetRegistryLogin drops the login in use: the registry does not take it any
// more. The next RegistryLogin makes a new one.
func (c *Client) ForgetRegistryLogin(Scope) { c.logins.set(RegistryLogin{}) }

var errNoLogin = errors.New("the answer of ECR holds no login")

// decodeLogin reads the answer: base64 of USER:PASSWORD. No error repeats any
// of it.
func decodeLogin(out *ecr.GetAuthorizationTokenOutput) (RegistryLogin, error) {
	if len(out.AuthorizationData) == 0 {
		return RegistryLogin{}, errNoLogin
	}
	data := out.AuthorizationData[0]
	plain, err := base64.StdEncoding.DecodeString(sdk.ToString(data.AuthorizationToken))
	user, password, ok := strings.Cut(string(plain), ":")
	if err != nil || !ok || password == "" {
		return RegistryLogin{}, errNoLogin
	}
	at, err := url.Parse(sdk.ToString(data.ProxyEndpoint))
	if err != nil || at.Host == "" {
		return RegistryLogin{}, errNoLogin
	}
	return RegistryLogin{Host: at.Host, Username: user, Password: password, Expires: sdk.ToTime(data.ExpiresAt)}, nil
}
