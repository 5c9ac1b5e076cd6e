package docker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/client"
)

// The states of a context.
const (
	StateLive       = "live"
	StateMissing    = "missing"           // no socket, no such host
	StateRefused    = "refused"           // nobody listens
	StatePermission = "permission denied" // this user may not open it
	StateSilent     = "no answer"         // not within the deadline
	StateBroken     = "not usable"        // its files, TLS or ssh do not work
)

// Context is an engine that could be used: a docker context, or a socket found
// at one of the places where engines put them.
type Context struct {
	Name        string // context's name; for a socket the product's: "Colima"; "--host" for the host given
	Description string
	Host        string // unix:///…
	Source      string // "context", "default socket", "DOCKER_HOST", "socket found"
	Current     bool   // this client speaks to it
	State       string // one of the State constants
	Version     string // the engine's, when it is live
	Hint        string // what to do about it, when it is not
}

// Options are those of a client that speaks to the context.
func (c Context) Options() Options {
	if c.Source == sourceFile || c.Name == defaultContext {
		return Options{Context: c.Name}
	}
	return Options{Host: c.Host}
}

// How long a context may take to answer. ssh starts processes on two machines.
const (
	probeTimeout    = time.Second
	sshProbeTimeout = 4 * time.Second
)

// Contexts lists docker contexts, the default endpoint and the sockets that no
// context names, and asks each for its version, all at the same time. It takes
// no longer than the slowest deadline. A context whose files are broken is a
// row that says so.
func (c *Client) Contexts(ctx context.Context) ([]Context, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	current, _ := resolve(c.opts)
	candidates := append(storedEndpoints(), socketEndpoints()...)
	if !slices.ContainsFunc(candidates, func(k candidate) bool { return k.at.Host == current.Host }) && current.Host != "" {
		candidates = append([]candidate{{at: current, label: current.source}}, candidates...)
	}
	rows := make([]Context, len(candidates))
	var all sync.WaitGroup
	for i, k := range candidates {
		all.Go(func() {
			rows[i] = c.row(ctx, k)
			rows[i].Current = current.Host != "" && current.Host == k.at.Host && current.context == k.at.context
		})
	}
	all.Wait()
	return unique(rows), ctx.Err()
}

// candidate is an endpoint to list, or why it cannot be.
type candidate struct {
	at          endpoint
	label       string
	description string
	err         error
}

// storedEndpoints are the docker contexts with a file and the default one.
func storedEndpoints() []candidate {
	var found []candidate
	if at, err := fromEnvironment(Options{}, sourceDefault); err == nil {
		found = append(found, candidate{at: at, label: defaultContext})
	}
	files, err := filepath.Glob(filepath.Join(configDir(), "contexts", "meta", "*", "meta.json"))
	if err != nil {
		return found
	}
	for _, file := range files {
		found = append(found, storedEndpoint(file))
	}
	slices.SortStableFunc(found[min(1, len(found)):], func(a, b candidate) int { return strings.Compare(a.label, b.label) })
	return found
}

// storedEndpoint reads one context's file. The store's own list fails as a
// whole when one file is broken.
func storedEndpoint(file string) candidate {
	var meta struct {
		Name     string
		Metadata struct{ Description string }
	}
	text, err := os.ReadFile(file) //nolint:gosec // found in the user's own directory
	if err == nil {
		err = json.Unmarshal(text, &meta)
	}
	if err != nil {
		return candidate{label: filepath.Base(filepath.Dir(file)), err: err}
	}
	at, err := fromStore(meta.Name, sourceFile)
	return candidate{at: at, label: meta.Name, description: meta.Metadata.Description, err: err}
}

// socketEndpoints are the sockets that exist.
func socketEndpoints() []candidate {
	var found []candidate
	for _, s := range findSockets() {
		at := endpoint{context: defaultContext, source: sourceSocket}
		at.Host = "unix://" + s.path
		found = append(found, candidate{at: at, label: s.product.name})
	}
	return found
}

// row probes a candidate.
func (c *Client) row(ctx context.Context, k candidate) Context {
	row := Context{Name: clean(k.label), Description: clean(k.description), Host: k.at.Host, Source: k.at.source}
	if k.err != nil {
		row.Source, row.State, row.Hint = sourceFile, StateBroken, words(k.err)
		return row
	}
	row.State, row.Version, row.Hint = c.probe(ctx, k.at)
	return row
}

// probe asks an endpoint for its version. ssh must not ask for a password: it
// would do so for a list that merely shows the context.
func (c *Client) probe(ctx context.Context, at endpoint) (state, version, hint string) {
	limit := probeTimeout
	if isSSH(at.Host) {
		limit = sshProbeTimeout
		at.flags = []string{"-o", "BatchMode=yes"}
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	api, err := c.open(at)
	if err != nil {
		return StateBroken, "", words(err)
	}
	defer api.Close()
	out, err := api.ServerVersion(ctx, client.ServerVersionOptions{})
	if err == nil {
		return StateLive, clean(out.Version), ""
	}
	found := examine(failure{err: err, at: at, text: words(err)})
	state = stateOf(err, found.kind)
	if state == StateBroken && found.cause != "" && found.do != "" {
		return state, "", found.cause + "; " + found.do // the state says nothing of the cause
	}
	return state, "", cmp.Or(found.do, found.cause, words(err))
}

// stateOf is the one word for a failed probe.
func stateOf(err, kind error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return StateSilent
	case errors.Is(kind, ErrPermission):
		return StatePermission
	case errors.Is(kind, ErrNoEngine):
		return StateMissing
	case errors.Is(kind, ErrStopped):
		return StateRefused
	}
	return StateBroken
}

// unique drops sockets that a context names already. The context stays: it has
// the name that the user knows.
func unique(rows []Context) []Context {
	named := map[string]bool{}
	for _, row := range rows {
		if row.Source != sourceSocket {
			named[realPath(row.Host)] = true
		}
	}
	return slices.DeleteFunc(rows, func(row Context) bool {
		return row.Source == sourceSocket && named[realPath(row.Host)]
	})
}

// realPath is the file that a unix socket's address leads to; any other address
// is returned as it is.
func realPath(host string) string {
	path, isUnix := strings.CutPrefix(host, "unix://")
	if !isUnix {
		return host
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target
	}
	return path
}
