package docker

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/connhelper"
	dcontext "github.com/docker/cli/cli/context"
	"github.com/docker/cli/cli/context/docker"
	"github.com/docker/cli/cli/context/store"
	"github.com/docker/cli/opts"
	"github.com/moby/moby/client"
)

// defaultContext is the name of the context that no file describes: DOCKER_HOST
// if it is set, else the default socket.
const defaultContext = "default"

// The rules that can decide on an endpoint, in their order.
const (
	sourceContextFlag    = "--docker-context"
	sourceHostFlag       = "--host"
	sourceHostEnv        = "DOCKER_HOST"
	sourceContextEnv     = "DOCKER_CONTEXT"
	sourceCurrentContext = "current context"
	sourceDefault        = "default socket"
	sourceFile           = "context"
	sourceSocket         = "socket found"
)

// endpoint is where an engine is, and how to get there.
type endpoint struct {
	docker.Endpoint
	context string // name in the context store, "default" for the one without a file
	source  string // the rule that decided
	flags   []string
}

// resolve finds the endpoint as the docker command does: the options first,
// then DOCKER_HOST, DOCKER_CONTEXT, the current context of the configuration
// file, and the default socket.
// https://docs.docker.com/engine/manage-resources/contexts/
func resolve(o Options) (endpoint, error) {
	if o.Context != "" && o.Host != "" {
		return endpoint{}, errors.New("both a docker context and a host are given")
	}
	name, source := chooseContext(o)
	if name != defaultContext {
		return fromStore(name, source)
	}
	return fromEnvironment(o, source)
}

// chooseContext is the name of the context to use, and the rule that says so.
func chooseContext(o Options) (name, source string) {
	current := currentContext()
	switch env := os.Getenv("DOCKER_CONTEXT"); {
	case o.Context != "":
		return o.Context, sourceContextFlag
	case o.Host != "":
		return defaultContext, sourceHostFlag
	case os.Getenv(client.EnvOverrideHost) != "":
		return defaultContext, sourceHostEnv
	case env != "":
		return env, sourceContextEnv
	case current != "" && current != defaultContext:
		return current, sourceCurrentContext
	}
	return defaultContext, sourceDefault
}

// configDir is the directory of docker's configuration. config.Dir keeps the
// first answer for the life of the process, which no test could work with.
func configDir() string {
	if dir := os.Getenv(config.EnvOverrideConfigDir); dir != "" {
		return dir
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".docker")
}

// currentContext is the context that `docker context use` has set, "" if none
// or if the file cannot be read; the docker command goes on then as well.
func currentContext() string {
	file, err := config.Load(configDir())
	if err != nil || file == nil {
		return ""
	}
	return file.CurrentContext
}

// customHeaders are those that the configuration file wants on every request,
// as proxies before an engine do.
func customHeaders() map[string]string {
	file, err := config.Load(configDir())
	if err != nil || file == nil {
		return nil
	}
	return file.HTTPHeaders
}

// contextStore reads the context files.
func contextStore() *store.ContextStore {
	plain := func() any { return &map[string]any{} }
	return store.New(filepath.Join(configDir(), "contexts"), store.NewConfig(plain,
		store.EndpointTypeGetter(docker.DockerEndpoint, func() any { return &docker.EndpointMeta{} })))
}

// contextError is a context that cannot be used.
type contextError struct {
	name, source string
	err          error
}

func (e *contextError) Error() string { return e.err.Error() }
func (e *contextError) Unwrap() error { return e.err }

// fromStore is the endpoint of a context with a file.
func fromStore(name, source string) (endpoint, error) {
	wrong := func(err error) (endpoint, error) {
		return endpoint{}, &contextError{name: name, source: source, err: err}
	}
	files := contextStore()
	metadata, err := files.GetMetadata(name)
	if err != nil {
		return wrong(err)
	}
	meta, err := docker.EndpointFromContext(metadata)
	if err != nil {
		return wrong(err)
	}
	found, err := docker.WithTLSData(files, name, meta)
	if err != nil {
		return wrong(err)
	}
	return endpoint{Endpoint: found, context: name, source: source}, nil
}

// fromEnvironment is the endpoint of the context without a file, with the TLS
// files that DOCKER_CERT_PATH names.
func fromEnvironment(o Options, source string) (endpoint, error) {
	address := o.Host
	if address == "" {
		address = os.Getenv(client.EnvOverrideHost)
		if address != "" {
			source = sourceHostEnv
		}
	}
	verify := os.Getenv(client.EnvTLSVerify) != ""
	encrypted := verify || os.Getenv("DOCKER_TLS") != ""
	host, err := opts.ParseHost(encrypted, address)
	if err != nil {
		return endpoint{}, &hostError{address: address, source: source, err: err}
	}
	at := endpoint{context: defaultContext, source: source}
	at.Host = host
	if !encrypted || isLocal(host) || isSSH(host) {
		return at, nil
	}
	at.SkipTLSVerify = !verify
	at.TLSData, err = certificates()
	if err != nil {
		return endpoint{}, &tlsError{err: err}
	}
	return at, nil
}

// certificates reads the TLS files of DOCKER_CERT_PATH or the configuration's
// directory. Only the authority's must be there.
func certificates() (*dcontext.TLSData, error) {
	dir := os.Getenv(client.EnvOverrideCertPath)
	if dir == "" {
		dir = configDir()
	}
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if _, err := os.Stat(cert); errors.Is(err, os.ErrNotExist) { //nolint:gosec // the user's own directory
		cert = ""
	}
	if _, err := os.Stat(key); errors.Is(err, os.ErrNotExist) { //nolint:gosec // the user's own directory
		key = ""
	}
	return dcontext.TLSDataFromFiles(filepath.Join(dir, "ca.pem"), cert, key)
}

// hostError is an address that is none.
type hostError struct {
	address, source string
	err             error
}

func (e *hostError) Error() string { return fmt.Sprintf("%s %q: %v", e.source, e.address, e.err) }
func (e *hostError) Unwrap() error { return e.err }

// tlsError is TLS material that cannot be used.
type tlsError struct{ err error }

func (e *tlsError) Error() string { return e.err.Error() }
func (e *tlsError) Unwrap() error { return e.err }

// isLocal reports whether an address is a socket or pipe of this machine.
func isLocal(host string) bool {
	return strings.HasPrefix(host, "unix://") || strings.HasPrefix(host, "npipe://")
}

// isSSH reports whether an address is reached by the ssh command.
func isSSH(host string) bool { return strings.HasPrefix(host, "ssh://") }

// path is the file of a unix socket, "" for any other endpoint.
func (e endpoint) path() string {
	path, isUnix := strings.CutPrefix(e.Host, "unix://")
	if !isUnix {
		return ""
	}
	return path
}

// schemes are the ways to an engine. A context's file may say anything.
var schemes = []string{"unix", "npipe", "tcp", "http", "https", "ssh"}

// options are what the engine client needs to get there. The API version is
// not among them, so that it is negotiated; DOCKER_API_VERSION is honoured, as
// the docker command does.
func (e endpoint) options() ([]client.Opt, error) {
	scheme, _, _ := strings.Cut(e.Host, "://")
	if !slices.Contains(schemes, scheme) {
		return nil, &hostError{address: e.Host, source: e.source, err: errors.New("unknown scheme")}
	}
	if isSSH(e.Host) {
		return e.overSSH()
	}
	o, err := e.ClientOpts()
	if err != nil {
		return nil, &tlsError{err: err}
	}
	return o, nil
}

// overSSH runs `docker system dial-stdio` on the other machine. The ssh process
// has no terminal, so it cannot ask for a password there.
func (e endpoint) overSSH() ([]client.Opt, error) {
	dial, err := connhelper.GetConnectionHelperWithSSHOpts(e.Host, e.flags)
	if err != nil {
		return nil, &hostError{address: e.Host, source: e.source, err: err}
	}
	return []client.Opt{
		client.WithHTTPClient(&http.Client{Transport: &http.Transport{DialContext: dial.Dialer}}),
		client.WithHost(dial.Host),
		client.WithDialContext(dial.Dialer),
		client.WithAPIVersionFromEnv(),
	}, nil
}
