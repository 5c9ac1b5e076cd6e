package aws

import (
	"context"
	"fmt"

	"gantry/internal/diagnose"
)

// maxDesired is the most tasks that a service may run (ECS service quotas:
// tasks per service, 5,000). AWS has the last word on the account's own quota.
const maxDesired = 5000

// mutable returns the session for a call that changes something in scope. It
// refuses in read-only mode, and where the row came from another profile or
// region than this client's.
func (c *Client) mutable(ctx context.Context, what string, scope Scope) (*session, error) {
	if c.opts.ReadOnly {
		return nil, &diagnose.Error{
			What:  what,
			Cause: "gantry was started read-only",
			Do:    "start it without --read-only",
			Err:   ErrReadOnly,
		}
	}
	s, err := c.connect(ctx)
	if err != nil {
		return nil, c.explain(what, err)
	}
	if err := c.sameScope(what, s, scope); err != nil {
		return nil, err
	}
	return s, nil
}

// sameScope refuses a row of another profile or region than the session's.
func (c *Client) sameScope(what string, s *session, scope Scope) error {
	mine := c.profile()
	if scope.Profile == mine && (scope.Region == "" || scope.Region == s.cfg.Region) {
		return nil
	}
	return &diagnose.Error{
		What:  what,
		Cause: fmt.Sprintf("it belongs to profile %q in %s, the connection is to %q in %s", scope.Profile, scope.Region, mine, s.cfg.Region),
		Do:    "switch to its profile and region first",
		Err:   ErrOtherScope,
	}
}

func outOfRange(what string, desired int) error {
	return &diagnose.Error{
		What:  what,
		Cause: fmt.Sprintf("%d is not a count of tasks", desired),
		Do:    fmt.Sprintf("give a number from 0 to %d", maxDesired),
	}
}
