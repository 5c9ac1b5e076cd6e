package docker

import (
	"context"
	"slices"
	"strings"

	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"
)

// Engine is what answers at the endpoint.
type Engine struct {
	Version    string // "20.10.24"
	API        string // the highest API version it speaks
	MinAPI     string
	Negotiated string // the API version in use
	OS, Arch   string // of containers: linux, amd64
	System     string // the engine's own machine: "Debian GNU/Linux 12", "Docker Desktop"
	Name       string // its host name
	Rootless   bool
	Podman     bool
	LogDriver  string // of containers that name none
	DataRoot   string // where it keeps images and containers, on its own machine
	CPUs       int
	Memory     int64 // bytes

	Context string // "default" for the context without a file
	Host    string // unix:///var/run/docker.sock
	Source  string // the rule that chose it: "DOCKER_HOST", "current context" …
	// Local says that it is reached by a socket of this machine. It may still
	// run in a virtual machine, as on macOS.
	Local bool
}

// Engine asks the engine about itself. When it does not answer, the result
// still says where it should be.
func (c *Client) Engine(ctx context.Context) (Engine, error) {
	const what = "reach the Docker engine"
	ctx, cancel := c.within(ctx)
	defer cancel()
	api, err := c.api(ctx)
	at := c.at()
	e := Engine{Context: at.context, Host: at.Host, Source: at.source, Local: isLocal(at.Host)}
	if err != nil {
		return e, c.explain(what, err)
	}
	var version client.ServerVersionResult
	var info client.SystemInfoResult
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() (err error) {
		version, err = api.ServerVersion(ctx, client.ServerVersionOptions{})
		return err
	})
	both.Go(func() (err error) {
		info, err = api.Info(ctx, client.InfoOptions{})
		return err
	})
	if err := both.Wait(); err != nil {
		return e, c.explain(what, err)
	}
	e.Version, e.API, e.MinAPI, e.Negotiated = version.Version, version.APIVersion, version.MinAPIVersion, api.ClientVersion()
	e.OS, e.Arch, e.System, e.Name = version.Os, version.Arch, info.Info.OperatingSystem, info.Info.Name
	e.LogDriver, e.DataRoot, e.CPUs, e.Memory = info.Info.LoggingDriver, info.Info.DockerRootDir, info.Info.NCPU, info.Info.MemTotal
	e.Rootless = slices.ContainsFunc(info.Info.SecurityOptions, func(o string) bool { return strings.Contains(o, "rootless") })
	for _, part := range version.Components {
		e.Podman = e.Podman || strings.HasPrefix(part.Name, "Podman")
	}
	return e, nil
}
