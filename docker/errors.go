package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/moby/moby/client"

	"gantry/internal/diagnose"
)

// The kinds of failure, for errors.Is. Every error of this package that is not
// the end of the caller's context is a *diagnose.Error.
var (
	// ErrNoEngine: nothing is at the endpoint: no socket, no such host.
	ErrNoEngine = errors.New("no engine")
	// ErrStopped: the endpoint exists and nobody answers, or the engine went
	// away in the middle of a call.
	ErrStopped = errors.New("engine stopped")
	// ErrPermission: this user may not open the socket.
	ErrPermission = errors.New("no permission")
	// ErrContext: the context or host asked for is missing or wrong.
	ErrContext = errors.New("docker context not usable")
	// ErrTLS: the two sides do not agree on certificates.
	ErrTLS = errors.New("TLS not usable")
	// ErrSSH: the ssh command did not get through.
	ErrSSH = errors.New("ssh failed")
	// ErrVersion: engine and gantry have no API version in common.
	ErrVersion = errors.New("API version not supported")
	// ErrNotFound: what the call names does not exist, or not any more.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the thing is in a state that does not allow the call.
	ErrConflict = errors.New("conflict")
	// ErrInvalid: the engine understood the call and does not take it.
	ErrInvalid = errors.New("invalid")
	// ErrPortTaken: a port to publish belongs to somebody else.
	ErrPortTaken = errors.New("port taken")
	// ErrNameTaken: another container has the name.
	ErrNameTaken = errors.New("name taken")
	// ErrImageGone: the image is not on this engine.
	ErrImageGone = errors.New("image not here")
	// ErrBadCommand: the command to run is not in the image, or is not one.
	ErrBadCommand = errors.New("command not runnable")
	// ErrNoShell: the container has none of the shells tried.
	ErrNoShell = errors.New("no shell")
	// ErrUnsupported: this engine does not know the call.
	ErrUnsupported = errors.New("not supported by this engine")
	// ErrReadOnly: gantry itself refused, nothing was sent.
	ErrReadOnly = errors.New("read-only")
)

// failure is what the rules look at.
type failure struct {
	err  error
	at   endpoint
	text string // the engine's or the transport's words, cleaned
}

// finding is what a rule says; a nil kind means that it says nothing.
type finding struct {
	kind      error
	cause, do string
}

// explain tells an error in the user's terms: what was being done, the likely
// cause, what to do. nil stays nil, and the end of the caller's context passes
// unchanged, since nobody waits for an explanation then.
func (c *Client) explain(what string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	var told *diagnose.Error
	if errors.As(err, &told) {
		return err
	}
	found := examine(failure{err: err, at: c.at(), text: words(err)})
	if stale(found.kind) {
		c.forget()
	}
	if found.kind == nil {
		return &diagnose.Error{What: what, Cause: words(err), Err: err}
	}
	return &diagnose.Error{What: what, Cause: found.cause, Do: found.do, Err: fmt.Errorf("%w: %w", found.kind, err)}
}

// stale reports whether the engine may come back as another version after such
// a failure.
func stale(kind error) bool {
	return errors.Is(kind, ErrNoEngine) || errors.Is(kind, ErrStopped) || errors.Is(kind, ErrVersion)
}

// examine asks the rules in their order.
func examine(f failure) finding {
	for _, rule := range rules {
		if found := rule(f); found.kind != nil {
			return found
		}
	}
	return finding{}
}

// says reports whether the error text contains one of the phrases. The engine
// has no codes: its words are all there is, and they differ by version.
func (f failure) says(phrases ...string) bool {
	text := strings.ToLower(f.err.Error())
	for _, p := range phrases {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
}

// disconnected reports whether the call failed on its way, so that the engine
// has said nothing.
func (f failure) disconnected() bool {
	return client.IsErrConnectionFailed(f.err) || errors.Is(f.err, context.DeadlineExceeded) || broken(f.err)
}

const maxMessage = 400 // runes of a text from outside that are kept

// words is an error's own text without the frame that the client puts round
// the engine's message, fit for one line.
func words(err error) string {
	return clean(strings.TrimPrefix(err.Error(), "Error response from daemon: "))
}

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
