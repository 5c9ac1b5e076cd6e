package sandbox

import (
	"context"
	"errors"

	"github.com/aws/smithy-go"

	"gantry/aws/sandbox/wire"
)

// ExpireRegistryLogins makes the registry take every login for one whose twelve
// hours are over, while it is on. A new token does not help.
func (f *Faults) ExpireRegistryLogins(on bool) { f.set(func() { f.loginsExpired = on }) }

func (f *Faults) registryExpired() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.loginsExpired
}

// beforeRegistry is what a request to the registry meets. It counts, waits and
// is denied as the API's action that it needs, "PutImage" for instance. That
// the credentials of the API are expired is nothing to the registry: its login
// was given out before.
func (f *Faults) beforeRegistry(ctx context.Context, action string) error {
	err := f.before(ctx, wire.Call{Service: "ecr", Operation: action})
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "ExpiredTokenException" {
		return nil
	}
	return err
}
