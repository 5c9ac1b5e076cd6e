package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/build"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/client"
	"github.com/moby/patternmatcher/ignorefile"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/tonistiigi/fsutil"
	fstypes "github.com/tonistiigi/fsutil/types"

	"gantry/internal/pattern"
)

// buildClassic sends the whole context to POST /build and reads the builder's
// lines as steps, one after the other.
func buildClassic(ctx context.Context, api *client.Client, plan buildPlan, d *buildDelivery) (string, error) {
	content, options, err := plan.classicRequest()
	if err != nil {
		return "", err
	}
	if err := plan.addAccounts(ctx, options.AuthConfigs); err != nil {
		return "", err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	body, out := io.Pipe()
	defer body.Close()
	go func() { out.CloseWithError(content.write(ctx, out)) }()
	answer, err := api.ImageBuild(ctx, body, options)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	return readClassic(answer.Body, d)
}

// contextTar is a build context as the classic builder wants it.
type contextTar struct {
	files fsutil.FS
	extra []extraFile
}

// extraFile is a file of the tar that is not in the context's folder.
type extraFile struct {
	name string
	data []byte
}

// write writes the tar. A tar may be made of several: the extra files stand
// first, without the end mark.
func (t contextTar) write(ctx context.Context, w io.Writer) error {
	head := tar.NewWriter(w)
	for _, f := range t.extra {
		if err := head.WriteHeader(&tar.Header{Name: f.name, Size: int64(len(f.data)), Mode: 0o600}); err != nil {
			return err
		}
		if _, err := head.Write(f.data); err != nil {
			return err
		}
	}
	if err := head.Flush(); err != nil {
		return err
	}
	return fsutil.WriteTar(ctx, t.files, w)
}

// classicRequest gathers the context and the options.
func (p buildPlan) classicRequest() (contextTar, client.ImageBuildOptions, error) {
	patterns, err := p.ignored()
	if err != nil {
		return contextTar{}, client.ImageBuildOptions{}, err
	}
	name, extra := p.classicDockerfile(patterns)
	exclude := append([]string(nil), patterns...)
	if len(extra) == 0 {
		// The builder reads both from the tar, and leaves them out itself.
		exclude = append(exclude, "!"+name, "!.dockerignore")
	} else {
		exclude = append(exclude, ".dockerignore")
	}
	files, err := fsutil.NewFS(p.Dir)
	if err != nil {
		return contextTar{}, client.ImageBuildOptions{}, err
	}
	files, err = fsutil.NewFilterFS(files, &fsutil.FilterOpt{ExcludePatterns: exclude, Map: asRoot})
	if err != nil {
		return contextTar{}, client.ImageBuildOptions{}, fmt.Errorf("read .dockerignore: %w", err)
	}
	options, err := p.classicOptions(name)
	return contextTar{files: files, extra: extra}, options, err
}

// asRoot keeps the user's own numbers out of the image.
func asRoot(_ string, s *fstypes.Stat) fsutil.MapResult {
	s.Uid, s.Gid = 0, 0
	return fsutil.MapResultKeep
}

// ignored are the patterns of the .dockerignore that counts: the Dockerfile's
// own, or the context's.
func (p buildPlan) ignored() ([]string, error) {
	for _, path := range []string{p.file + ".dockerignore", filepath.Join(p.Dir, ".dockerignore")} {
		data, err := os.ReadFile(path) //nolint:gosec // beside the user's Dockerfile
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return ignorefile.ReadAll(bytes.NewReader(data))
	}
	return nil, nil
}

// classicDockerfile is the Dockerfile's name in the tar. One from outside the
// context comes along under a name of its own, which is kept out of COPY.
func (p buildPlan) classicDockerfile(patterns []string) (name string, extra []extraFile) {
	rel, err := filepath.Rel(p.Dir, p.file)
	if err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel), nil
	}
	var random [8]byte
	_, _ = rand.Read(random[:])
	name = ".dockerfile." + hex.EncodeToString(random[:])
	ignore := strings.Join(append(append([]string(nil), patterns...), name, ".dockerignore"), "\n")
	return name, []extraFile{{name, p.source}, {".dockerignore", []byte(ignore + "\n")}}
}

func (p buildPlan) classicOptions(dockerfile string) (client.ImageBuildOptions, error) {
	args := make(map[string]*string, len(p.Args))
	for k, v := range p.Args {
		args[k] = &v
	}
	o := client.ImageBuildOptions{
		Version:     build.BuilderV1,
		Tags:        p.tags,
		Dockerfile:  dockerfile,
		Target:      p.Target,
		BuildArgs:   args,
		Labels:      p.Labels,
		NoCache:     p.NoCache,
		Remove:      true,
		ForceRemove: true,
	}
	if p.Platform != "" {
		platform, err := platforms.Parse(p.Platform)
		if err != nil {
			return o, err
		}
		o.Platforms = []ocispec.Platform{platform}
	}
	o.AuthConfigs = storedAccounts()
	return o, nil
}

// addAccounts asks for the accounts of the registries that the Dockerfile
// names.
func (p buildPlan) addAccounts(ctx context.Context, accounts map[string]registry.AuthConfig) error {
	d, err := parseDockerfile(p.file, p.source)
	if err != nil {
		return nil // the builder will say what is wrong with it
	}
	for _, s := range d.Stages {
		base, err := reference.ParseNormalizedNamed(s.Base)
		if err != nil {
			continue // an earlier stage, or a name with an ARG in it
		}
		host := reference.Domain(base)
		a, err := p.account(ctx, host)
		if err != nil {
			return err
		}
		if a != (RegistryAuth{}) {
			accounts[host] = registry.AuthConfig{Username: a.Username, Password: a.Password, IdentityToken: a.IdentityToken, ServerAddress: host}
		}
	}
	return nil
}

// storedAccounts are all of the user's: the classic builder cannot ask for
// the one that it needs.
func storedAccounts() map[string]registry.AuthConfig {
	stored, err := loadConfig().GetAllCredentials()
	if err != nil {
		return map[string]registry.AuthConfig{}
	}
	accounts := make(map[string]registry.AuthConfig, len(stored))
	for host, a := range stored {
		accounts[host] = registry.AuthConfig{
			Username: a.Username, Password: a.Password, Auth: a.Auth,
			ServerAddress: a.ServerAddress, IdentityToken: a.IdentityToken, RegistryToken: a.RegistryToken,
		}
	}
	return accounts
}

// classicStep is how Docker ("Step 2/3 : RUN x") and Podman ("STEP 2/3: RUN x")
// begin one.
var classicStep = pattern.Late(`^(?i:step) (\d+)/(\d+) ?: (.*)$`)

// readClassic reads the builder's answer to its end. Errors are in the answer,
// under status 200.
func readClassic(body io.Reader, d *buildDelivery) (imageID string, err error) {
	lines := json.NewDecoder(body)
	r := classicReader{}
	for {
		var m jsonstream.Message
		switch err := lines.Decode(&m); {
		case errors.Is(err, io.EOF):
			d.update(r.complete)
			return r.imageID, nil
		case err != nil:
			return "", fmt.Errorf("read the builder's answer: %w", err)
		}
		d.update(func(g *graph) { r.read(g, m) })
		if m.Error != nil {
			return "", m.Error
		}
	}
}

// classicReader turns the builder's lines into steps.
type classicReader struct {
	current string // id of the step under way
	cached  bool
	imageID string
}

func (r *classicReader) read(g *graph, m jsonstream.Message) {
	switch {
	case m.Error != nil:
		r.fail(g, m.Error.Message)
	case m.Aux != nil:
		var image struct{ ID string }
		if json.Unmarshal(*m.Aux, &image) == nil && image.ID != "" {
			r.imageID = image.ID
		}
	case m.Status != "":
		r.transfer(g, m)
	default:
		for line := range strings.Lines(m.Stream) {
			r.line(g, line)
		}
	}
}

func (r *classicReader) line(g *graph, line string) {
	text := strings.TrimSpace(line)
	if m := classicStep().FindStringSubmatch(text); m != nil {
		r.complete(g)
		n := g.node(m[1])
		n.step.Stage, n.step.Name = "["+m[1]+"/"+m[2]+"]", m[3]
		n.step.State, n.step.Started = StepRunning, time.Now()
		r.current, r.cached = m[1], false
		return
	}
	switch {
	case strings.HasSuffix(text, "Using cache") || strings.Contains(text, "> Using cache "):
		r.cached = true
	case strings.HasPrefix(text, "--->"), strings.HasPrefix(text, "Removing intermediate container"), text == "":
	case r.current != "":
		g.node(r.current).write(line)
	}
}

// transfer notes a layer of the base image that is being pulled.
func (r *classicReader) transfer(g *graph, m jsonstream.Message) {
	if r.current == "" || m.ID == "" {
		return
	}
	t := Transfer{Name: m.Status + " " + m.ID, Done: strings.HasSuffix(m.Status, "complete") || m.Status == "Already exists"}
	if m.Progress != nil {
		t.Current, t.Total = m.Progress.Current, m.Progress.Total
	}
	g.node(r.current).transfer(m.ID, t)
}

// complete ends the step under way.
func (r *classicReader) complete(g *graph) {
	if r.current == "" {
		return
	}
	n := g.node(r.current)
	n.step.Completed, n.step.State = time.Now(), StepDone
	if r.cached {
		n.step.State = StepCached
	}
	r.current = ""
}

func (r *classicReader) fail(g *graph, message string) {
	if r.current == "" {
		return
	}
	n := g.node(r.current)
	n.step.Completed, n.step.State, n.step.Error = time.Now(), StepFailed, message
	r.current = ""
}
