package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gantry/internal/diagnose"
	"gantry/internal/pattern"
)

// The kinds of a failed push or pull, for errors.Is.
var (
	// ErrUnauthorized: the registry wants a login, does not take the one given
	// (any more), or the login may not do this.
	ErrUnauthorized = errors.New("registry login not sufficient")
	// ErrRepositoryMissing: the registry has no such repository, and does not
	// make one by itself.
	ErrRepositoryMissing = errors.New("no such repository")
	// ErrTagImmutable: the tag belongs to another image and must not move.
	ErrTagImmutable = errors.New("tag is immutable")
	// ErrRegistry: the registry cannot be reached from the engine.
	ErrRegistry = errors.New("registry not reachable")
	// ErrPlatform: the registry has no image for the platform asked for.
	ErrPlatform = errors.New("no image for this platform")
)

// explainTransfer is explain for a push or a pull, whose failures are mostly
// the registry's, told in the engine's words.
func (c *Client) explainTransfer(ctx context.Context, p passage, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	f := transferFailure{failure: failure{err: err, at: c.at(), text: words(err)}, passage: p}
	if f.disconnected() {
		return c.explain(p.what, err)
	}
	for _, rule := range transferRules {
		if found := rule(f); found.kind != nil {
			return &diagnose.Error{What: p.what, Cause: found.cause, Do: found.do, Err: fmt.Errorf("%w: %w", found.kind, err)}
		}
	}
	return c.explain(p.what, err)
}

// transferFailure is what the rules look at.
type transferFailure struct {
	failure
	passage
}

// transferRules are asked in this order; the special ones stand first. What
// ECR denies by policy begins with the same word as what it denies for want of
// a login.
var transferRules = []func(transferFailure) finding{
	notLocal, noRoom, immutableTag, repositoryMissing, noSuchPlatform,
	expiredLogin, deniedByPolicy, notLoggedIn, tooManyRequests, manifestUnknown, registryUnreachable, registryBroken,
}

// notLocal: what to push is not on the engine, or went away meanwhile.
func notLocal(f transferFailure) finding {
	if !f.says("an image does not exist locally with the tag", "tag does not exist", "no such image", "does not exist locally") {
		return finding{}
	}
	return finding{ErrImageGone, "there is no " + f.ref.String() + " on this engine (any more)", "tag the image with this name first, or build it"}
}

func noRoom(f transferFailure) finding {
	if !f.says("no space left on device", "disk quota exceeded", "not enough space") {
		return finding{}
	}
	return finding{ErrNoSpace, "the disk of the engine or the registry is full: " + f.text, "remove what is not needed: docker system df, docker system prune"}
}

// immutableTag: ECR says "because the tag is immutable", in older words "the
// repository".
func immutableTag(f transferFailure) finding {
	if !f.says("cannot be overwritten because the", "tag is immutable", "imagetagalreadyexistsexception") {
		return finding{}
	}
	return finding{
		ErrTagImmutable, fmt.Sprintf("%s has an image with the tag %s already, and its tags do not move", f.repository(), f.tag()),
		"push under a new tag, such as the commit's",
	}
}

// registryID is the account in ECR's text.
var registryID = pattern.Late(`registry with id '(\d+)'`)

func repositoryMissing(f transferFailure) finding {
	ecr := f.says("the repository with name") && f.says("does not exist")
	if !ecr && !f.says("name unknown", "name_unknown", "repositorynotfoundexception", "repository name not known to registry") {
		return finding{}
	}
	where := f.host()
	if m := registryID().FindStringSubmatch(f.text); m != nil {
		where += " (account " + m[1] + ")"
	}
	return finding{
		ErrRepositoryMissing, fmt.Sprintf("there is no repository %s in %s", f.repository(), where),
		"create it, or check that the host is the registry of the account and region that you mean",
	}
}

func noSuchPlatform(f transferFailure) finding {
	if !f.says("no matching manifest for", "no match for platform", "does not match the specified platform", "does not provide the specified platform", "no matching entries in manifest list") {
		return finding{}
	}
	wanted := f.platform
	if wanted == "" {
		wanted = "the engine's platform"
	}
	return finding{ErrPlatform, fmt.Sprintf("%s has no image for %s: %s", f.ref.String(), wanted, f.text), "choose a platform that it has, or build it for this one"}
}

func expiredLogin(f transferFailure) finding {
	if !f.says("token has expired", "token is invalid", "expiredtoken", "token is expired") {
		return finding{}
	}
	return finding{ErrUnauthorized, "the login at " + f.host() + " has expired", "try again: it is renewed"}
}

// deniedAction is how AWS says what was not allowed.
var deniedAction = pattern.Late(`not authorized to perform: ([a-z0-9-]+:\w+)(?: on resource: (\S+))?`)

func deniedByPolicy(f transferFailure) finding {
	m := deniedAction().FindStringSubmatch(f.text)
	switch {
	case m != nil && f.says("explicit deny"):
		return finding{ErrUnauthorized, "a policy denies " + m[1] + " explicitly", "ask whoever keeps the repository's policy or the account's"}
	case m != nil:
		resource := strings.TrimRight(m[2], ".,")
		if resource == "" {
			resource = "*"
		}
		return finding{
			ErrUnauthorized, "no permission for " + m[1] + " on " + resource,
			fmt.Sprintf(`needs the policy statement {"Effect":"Allow","Action":%q,"Resource":%q}`, m[1], resource),
		}
	case f.says("requested access to the resource is denied") && f.host() == "docker.io":
		return finding{ErrUnauthorized, "Docker Hub lets this account not do it", "docker login, or tag the image with the registry it is meant for: HOST/NAME:TAG"}
	case f.says("denied: ", "403 forbidden", "http 403"):
		return finding{ErrUnauthorized, f.host() + " denies it: " + strings.TrimPrefix(f.text, "denied: "), "check the repository's policy and the permissions of this account"}
	}
	return finding{}
}

func notLoggedIn(f transferFailure) finding {
	if !f.says("no basic auth credentials", "unauthorized", "authentication required", "insufficient_scope", "authorization failed", "access denied", "incorrect username or password") {
		return finding{}
	}
	if f.anonym {
		return finding{ErrUnauthorized, f.host() + " wants a login, and none is known", "docker login " + f.host() + ", or for ECR choose the profile that may use it"}
	}
	return finding{ErrUnauthorized, f.host() + " does not take the login: " + f.text, "log in anew; the login must be this registry's"}
}

func tooManyRequests(f transferFailure) finding {
	if !f.says("toomanyrequests", "too many requests", "rate exceeded", "rate limit") {
		return finding{}
	}
	return finding{ErrRegistry, f.host() + " refuses more requests for now", "wait a little and try again"}
}

func manifestUnknown(f transferFailure) finding {
	if !f.says("manifest unknown", "requested image not found", ": not found", "not found: ") {
		return finding{}
	}
	return finding{ErrNotFound, fmt.Sprintf("%s in %s has no image %s", f.repository(), f.host(), f.tag()), "check the tag; it may have been deleted or replaced"}
}

// lookedUp is the name that the engine could not resolve.
var lookedUp = pattern.Late(`lookup (\S+?)(?: on [^ ]+)?: `)

func registryUnreachable(f transferFailure) finding {
	switch {
	case f.says("no such host", "server misbehaving", "name resolution"):
		host := f.host()
		if m := lookedUp().FindStringSubmatch(f.text); m != nil {
			host = m[1]
		}
		return finding{ErrRegistry, "the engine cannot resolve the name " + host, "check account and region in the registry's name, and the engine's network"}
	case f.says("connection refused"):
		return finding{ErrRegistry, "nothing listens at " + f.host() + " as the engine sees it", "check the address; localhost is the engine's own machine"}
	case f.says("http response to https client", "x509: ", "tls: "):
		return finding{ErrRegistry, "the engine does not trust the registry " + f.host() + ": " + f.text, "give the engine its certificate, or name it in insecure-registries of the engine's daemon.json"}
	case f.says("i/o timeout", "tls handshake timeout", "context deadline exceeded", "network is unreachable", "no route to host", "request canceled while waiting", "connection reset", "broken pipe", ": eof", "unexpected eof"):
		return finding{ErrRegistry, "the connection of the engine to " + f.host() + " failed: " + f.text, "check the engine's network, proxy and VPN, then try again: layers that arrived stay"}
	}
	return finding{}
}

// registryBroken: the registry answered with an error of its own.
func registryBroken(f transferFailure) finding {
	if !f.says("received unexpected http status: 5", "500 internal server error", "502 bad gateway", "503 service unavailable", "504 gateway") {
		return finding{}
	}
	return finding{ErrRegistry, f.host() + " had an internal error: " + f.text, "try again; layers that arrived stay"}
}
