package docker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/config/types"
	buildkit "github.com/moby/buildkit/client"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/auth/authprovider"
	"github.com/moby/buildkit/util/bklog"
	"github.com/moby/moby/client"
	"github.com/tonistiigi/fsutil"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/grpclog"
	"google.golang.org/grpc/status"
)

// errNoBuildKit is an engine that builds in the classic way only.
var errNoBuildKit = errors.New("the engine has no BuildKit")

// The libraries write to stderr, which belongs to the screen here; what they
// have to say comes back as errors too. Both loggers must be set before their
// first use.
func init() {
	bklog.L.Logger.SetOutput(io.Discard)
	grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard))
}

// buildWithBuildKit speaks to the BuildKit inside the engine, as buildx's
// docker driver does: the control API over a hijacked /grpc, and the session,
// in which the engine asks for files and accounts, over /session.
func buildWithBuildKit(ctx context.Context, api *client.Client, plan buildPlan, d *buildDelivery) (string, error) {
	// The first connection also tells whether there is a BuildKit at all; the
	// version that an engine reports does not (20.10 says nothing).
	first, err := api.DialHijack(ctx, "/grpc", "h2c", nil)
	if err != nil {
		if strings.Contains(err.Error(), "unable to upgrade to h2c") {
			return "", errNoBuildKit
		}
		return "", err
	}
	dialer := reuse(first, func(ctx context.Context) (net.Conn, error) { return api.DialHijack(ctx, "/grpc", "h2c", nil) })
	defer first.Close()
	control, err := buildkit.New(ctx, "",
		buildkit.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return dialer(ctx) }),
		buildkit.WithSessionDialer(func(ctx context.Context, proto string, meta map[string][]string) (net.Conn, error) {
			return api.DialHijack(ctx, "/session", proto, meta)
		}))
	if err != nil {
		return "", err
	}
	defer control.Close()
	request, err := plan.solveRequest()
	if err != nil {
		return "", err
	}
	return solve(ctx, control, request, d)
}

// reuse returns a dialer that gives out first, and then dials anew.
func reuse(first net.Conn, dial func(context.Context) (net.Conn, error)) func(context.Context) (net.Conn, error) {
	var once sync.Once
	return func(ctx context.Context) (conn net.Conn, err error) {
		once.Do(func() { conn = first })
		if conn != nil {
			return conn, nil
		}
		return dial(ctx)
	}
}

// solve runs a build and feeds its reports to d.
func solve(ctx context.Context, control *buildkit.Client, request buildkit.SolveOpt, d *buildDelivery) (string, error) {
	reports := make(chan *buildkit.SolveStatus)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		for report := range reports {
			d.update(func(g *graph) { g.apply(report) })
		}
	}()
	answer, err := control.Solve(ctx, nil, request, reports)
	<-drained
	if err != nil {
		if status.Code(err) == codes.Unimplemented {
			return "", errNoBuildKit
		}
		return "", err
	}
	if id := answer.ExporterResponse["containerimage.config.digest"]; id != "" {
		return id, nil
	}
	return answer.ExporterResponse["containerimage.digest"], nil
}

// solveRequest is the build as BuildKit wants it. The frontend in the engine
// reads Dockerfile and .dockerignore through the session and then asks for the
// files that COPY needs.
func (p buildPlan) solveRequest() (buildkit.SolveOpt, error) {
	files, err := fsutil.NewFS(p.Dir)
	if err != nil {
		return buildkit.SolveOpt{}, err
	}
	beside, err := fsutil.NewFS(filepath.Dir(p.file))
	if err != nil {
		return buildkit.SolveOpt{}, err
	}
	export := buildkit.ExportEntry{Type: "moby", Attrs: map[string]string{}}
	if len(p.tags) > 0 {
		export.Attrs["name"] = strings.Join(p.tags, ",")
	}
	return buildkit.SolveOpt{
		Frontend:      "dockerfile.v0",
		FrontendAttrs: p.frontendAttrs(),
		LocalMounts:   map[string]fsutil.FS{"context": files, "dockerfile": beside},
		SharedKey:     sharedKey(p.Dir),
		Exports:       []buildkit.ExportEntry{export},
		Session:       []session.Attachable{p.accounts()},
	}, nil
}

func (p buildPlan) frontendAttrs() map[string]string {
	attrs := map[string]string{"filename": filepath.Base(p.file)}
	if p.Platform != "" {
		attrs["platform"] = p.Platform
	}
	if p.Target != "" {
		attrs["target"] = p.Target
	}
	if p.NoCache {
		attrs["no-cache"] = ""
	}
	for k, v := range p.Args {
		attrs["build-arg:"+k] = v
	}
	for k, v := range p.Labels {
		attrs["label:"+k] = v
	}
	return attrs
}

// sharedKey tells the engine which earlier transfer of a context this one is
// like, so that only changed files are sent.
func sharedKey(dir string) string {
	host, _ := os.Hostname()
	sum := sha256.Sum256([]byte("gantry\x00" + host + "\x00" + dir))
	return hex.EncodeToString(sum[:])
}

// dockerHub is how the session calls the registry that images without a host
// come from.
const dockerHub = authprovider.DockerHubRegistryHost

// accounts answers the engine when a registry asks it who it is.
func (p buildPlan) accounts() session.Attachable {
	stored := authprovider.LoadAuthConfig(loadConfig())
	return authprovider.NewDockerAuthProvider(authprovider.DockerAuthProviderConfig{
		AuthConfigProvider: func(ctx context.Context, host string, scope []string, check authprovider.ExpireCachedAuthCheck) (types.AuthConfig, error) {
			account, err := p.account(ctx, host)
			if err != nil || account != (RegistryAuth{}) {
				return types.AuthConfig{
					Username: account.Username, Password: account.Password,
					IdentityToken: account.IdentityToken, ServerAddress: host,
				}, err
			}
			return stored(ctx, host, scope, check)
		},
	})
}

// account asks the caller for an account.
func (p buildPlan) account(ctx context.Context, host string) (RegistryAuth, error) {
	if p.Auth == nil {
		return RegistryAuth{}, nil
	}
	if host == dockerHub {
		host = "docker.io"
	}
	account, err := p.Auth(ctx, host)
	if err != nil {
		p.refuse.set(host, err)
	}
	return account, err
}

// apply adds a report to the graph.
func (g *graph) apply(report *buildkit.SolveStatus) {
	for _, v := range report.Vertexes {
		g.node(v.Digest.String()).vertex(v)
	}
	for _, s := range report.Statuses {
		n := g.node(s.Vertex.String())
		name := s.Name
		if name == "" {
			name = s.ID
		}
		n.transfer(s.ID, Transfer{Name: name, Current: s.Current, Total: s.Total, Done: s.Completed != nil})
	}
	for _, l := range report.Logs {
		g.node(l.Vertex.String()).write(string(l.Data))
	}
	for _, w := range report.Warnings {
		g.warn(string(w.Short))
	}
}

// vertex takes over what BuildKit says of a step. It may run a step in parts,
// each with its own times.
func (n *node) vertex(v *buildkit.Vertex) {
	n.rename(v.Name)
	if v.Started == nil {
		return
	}
	if n.step.Started.IsZero() || v.Started.Before(n.step.Started) {
		n.step.Started = *v.Started
	}
	n.step.State, n.step.Completed = StepRunning, time.Time{}
	if v.Completed == nil {
		return
	}
	n.step.Completed = *v.Completed
	switch {
	case strings.HasSuffix(v.Error, context.Canceled.Error()):
		n.step.State = StepCanceled // another step has failed
	case v.Error != "":
		n.step.State, n.step.Error = StepFailed, v.Error
	case v.Cached:
		n.step.State = StepCached
	default:
		n.step.State = StepDone
	}
}

// loadConfig reads the user's docker configuration; without a readable one
// there are simply no stored accounts.
func loadConfig() *configfile.ConfigFile {
	file, err := config.Load(configDir())
	if err != nil {
		return configfile.New(filepath.Join(configDir(), config.ConfigFileName))
	}
	return file
}
