package aws

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"gantry/internal/diagnose"
)

// The kinds of failure, for errors.Is. Every error of this package that is not
// the end of the caller's context is a *diagnose.Error.
var (
	// ErrCredentials: there are none, or AWS does not take them (any more).
	ErrCredentials = errors.New("credentials not usable")
	// ErrConfiguration: profile, region or endpoint are missing or wrong.
	ErrConfiguration = errors.New("configuration not usable")
	// ErrUnreachable: no answer, or none that came from AWS.
	ErrUnreachable = errors.New("endpoint not reachable")
	// ErrDenied: the credentials are good and lack the permission.
	ErrDenied = errors.New("access denied")
	// ErrThrottled: too many calls, even after retries.
	ErrThrottled = errors.New("throttled")
	// ErrNotFound: what the call names does not exist, or not any more.
	ErrNotFound = errors.New("not found")
	// ErrExists: what the call would create is there already.
	ErrExists = errors.New("exists already")
	// ErrRefused: AWS understood the call and does not take it.
	ErrRefused = errors.New("refused")
	// ErrUnsupported: the endpoint does not know the operation.
	ErrUnsupported = errors.New("operation not known")
	// ErrNotConnected: the agent of ECS Exec in the container does not answer.
	ErrNotConnected = errors.New("exec agent not connected")
	// ErrNoLog: nothing is kept in CloudWatch Logs, by the task's definition.
	ErrNoLog = errors.New("no log in CloudWatch")
	// ErrNoStream: a log stream does not exist, or not yet.
	ErrNoStream = errors.New("no log stream")
	// ErrReadOnly: gantry itself refused, nothing was sent.
	ErrReadOnly = errors.New("read-only")
	// ErrOtherScope: the row belongs to another profile or region.
	ErrOtherScope = errors.New("row of another profile or region")
)

// failure is what the rules look at.
type failure struct {
	err       error
	code      string // of an error that AWS itself sent, else ""
	message   string // AWS's text, cleaned
	status    int    // HTTP status, 0 if nothing came back
	service   string // the service's id: "ECS"
	operation string
	profile   string
	region    string
	endpoint  string // URL of an endpoint that is not AWS, else ""
}

// finding is what a rule says; a nil kind means that it says nothing.
type finding struct {
	kind      error
	cause, do string
}

// explain tells an error in the user's terms. nil stays nil, and the end of the
// caller's context passes unchanged, since nobody waits for an explanation then.
func (c *Client) explain(what string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	var told *diagnose.Error
	if errors.As(err, &told) {
		return err
	}
	f := c.examine(err)
	for _, rule := range rules {
		if found := rule(f); found.kind != nil {
			if found.kind == ErrCredentials { //nolint:errorlint // a kind is never wrapped
				c.forget()
			}
			return &diagnose.Error{What: what, Cause: found.cause, Do: found.do, Err: fmt.Errorf("%w: %w", found.kind, err)}
		}
	}
	return &diagnose.Error{What: what, Cause: f.fallback(), Err: err}
}

// noCode is the SDK's stand-in for an error answer without a code, as proxies
// send with an empty body.
const noCode = "UnknownError"

// examine takes an SDK error apart.
func (c *Client) examine(err error) failure {
	f := failure{err: err, profile: c.profile(), region: c.region(), endpoint: c.endpoint()}
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() != noCode {
		f.code, f.message = api.ErrorCode(), clean(api.ErrorMessage())
	}
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) {
		f.status = response.HTTPStatusCode()
	}
	var op *smithy.OperationError
	if errors.As(err, &op) {
		f.service, f.operation = op.ServiceID, op.OperationName
	}
	return f
}

// fallback is the cause of a failure that no rule knows.
func (f failure) fallback() string {
	switch {
	case f.message != "":
		return f.message
	case f.code != "":
		return f.code
	}
	return clean(innermost(f.err).Error())
}

// where is the address that was called, as far as the error tells.
func (f failure) where() string {
	var u *url.Error
	var s *silence
	called := ""
	switch {
	case errors.As(f.err, &u):
		called = u.URL
	case errors.As(f.err, &s):
		called = s.url
	}
	if at, err := url.Parse(called); err == nil && at.Host != "" {
		return at.Scheme + "://" + at.Host
	}
	if f.endpoint != "" {
		return f.endpoint
	}
	return "AWS"
}

// says reports whether the whole error text contains one of the phrases. Used
// only where the SDK has no type or code to ask for.
func (f failure) says(phrases ...string) bool {
	text := f.err.Error()
	for _, p := range phrases {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
}

// innermost unwraps an error to the one it began with.
func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

const maxMessage = 400 // runes of AWS's text that are kept

// clean makes text from outside fit for one line of a terminal: no control
// characters, single spaces, a bounded length.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > maxMessage {
		s = string(r[:maxMessage]) + "…"
	}
	return s
}

// class names a failure for the debug log, without any text from outside.
func class(err error) string {
	if err == nil {
		return ""
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		return clean(api.ErrorCode())
	}
	return fmt.Sprintf("%T", innermost(err))
}
