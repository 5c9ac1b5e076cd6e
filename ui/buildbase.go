package ui

import (
	"context"
	"errors"

	"gantry/aws"
	"gantry/docker"
)

// baseRegistrar gives accounts at the registries that base images come from.
// One that is not ours has none, and nobody is asked about it.
type baseRegistrar interface {
	RegistryLoginAt(ctx context.Context, host string) (aws.RegistryLogin, error)
	ForgetRegistryLogin(scope aws.Scope)
}

// buildFrom builds, and lets the engine pull base images from our registries,
// with nothing in the user's docker configuration. c is nil where there is no
// AWS.
func buildFrom(ctx context.Context, engine builder, c baseRegistrar, o docker.BuildOptions, progress func(docker.BuildProgress)) (docker.BuildResult, error) {
	if c == nil {
		return engine.Build(ctx, o, progress)
	}
	o.Auth = func(ctx context.Context, host string) (docker.RegistryAuth, error) {
		login, err := c.RegistryLoginAt(ctx, host)
		return docker.RegistryAuth{Username: login.Username, Password: login.Password}, err
	}
	result, err := engine.Build(ctx, o, progress)
	if errors.Is(err, docker.ErrBaseImage) {
		c.ForgetRegistryLogin(aws.Scope{}) // it may be that one: the next try has another
	}
	return result, err
}
