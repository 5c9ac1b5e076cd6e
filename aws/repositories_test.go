package aws_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"gantry/aws"
	"gantry/internal/diagnose"
)

// publisher pushes images to a registry as docker would.
type publisher struct {
	w     *world
	with  []remote.Option
	login aws.RegistryLogin
}

func (w *world) publisher(c *aws.Client, r aws.Repository) publisher {
	w.t.Helper()
	login, err := c.RegistryLogin(w.t.Context(), r.Scope)
	w.must(err)
	transport := &http.Transport{}
	w.t.Cleanup(transport.CloseIdleConnections)
	return publisher{w, []remote.Option{
		remote.WithTransport(transport), remote.WithContext(w.t.Context()),
		remote.WithAuth(&authn.Basic{Username: login.Username, Password: login.Password}),
	}, login}
}

// image is a new image for a platform.
func image(t testing.TB, platform string) v1.Image {
	t.Helper()
	made, err := random.Image(64, 2)
	if err != nil {
		t.Fatal(err)
	}
	config, err := made.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	parts := strings.Split(platform, "/")
	config.OS, config.Architecture = parts[0], parts[1]
	if len(parts) > 2 {
		config.Variant = parts[2]
	}
	if made, err = mutate.ConfigFile(made, config); err != nil {
		t.Fatal(err)
	}
	return made
}

// push pushes an image or an index and returns its digest.
func (p publisher) push(ref string, what remote.Taggable) string {
	p.w.t.Helper()
	to, err := name.ParseReference(ref)
	p.w.must(err)
	switch what := what.(type) {
	case v1.Image:
		p.w.must(remote.Write(to, what, p.with...))
		digest, err := what.Digest()
		p.w.must(err)
		return digest.String()
	case v1.ImageIndex:
		p.w.must(remote.WriteIndex(to, what, p.with...))
		digest, err := what.Digest()
		p.w.must(err)
		return digest.String()
	}
	p.w.t.Fatalf("%T", what)
	return ""
}

func gather[T any](t testing.TB, read func(func([]T)) error) (rows []T) {
	t.Helper()
	if err := read(func(page []T) { rows = append(rows, page...) }); err != nil {
		t.Fatal(err)
	}
	return rows
}

func told(t testing.TB, err, kind error, cause string) {
	t.Helper()
	var d *diagnose.Error
	if !errors.As(err, &d) || kind != nil && !errors.Is(err, kind) || !strings.Contains(d.Cause, cause) {
		t.Errorf("got %v\nwant %v with %q", err, kind, cause)
	}
}

func TestRepositories(t *testing.T) {
	w := newWorld(t)
	c := w.client(nil)
	ctx := t.Context()
	if rows := gather(t, func(page func([]aws.Repository)) error { return c.Repositories(ctx, page) }); len(rows) != 0 {
		t.Fatalf("an empty registry has %+v", rows)
	}
	web, err := c.CreateRepository(ctx, aws.NewRepository{Name: "team/web", Immutable: true, ScanOnPush: true})
	w.must(err)
	if web.Name != "team/web" || !web.Immutable() || !web.ScanOnPush || !web.Counted || web.Region != w.server.Region() ||
		!strings.HasSuffix(web.URI, "/team/web") || !strings.HasPrefix(w.server.URL(), "http://"+strings.TrimSuffix(web.URI, "/team/web")) ||
		web.Encryption != "AES256" || web.Created.IsZero() {
		t.Errorf("created %+v", web)
	}
	_, err = c.CreateRepository(ctx, aws.NewRepository{Name: "team/web"})
	told(t, err, aws.ErrExists, "a repository of this name already")
	_, err = c.CreateRepository(ctx, aws.NewRepository{Name: "Team Web"})
	told(t, err, aws.ErrRefused, "no name for a repository")
	api, err := c.CreateRepository(ctx, aws.NewRepository{Name: "web"}) // as the last part of the other's name
	w.must(err)

	p := w.publisher(c, web)
	p.push(web.URI+":1", image(t, "linux/amd64"))
	p.push(web.URI+":2", image(t, "linux/amd64"))
	rows := gather(t, func(page func([]aws.Repository)) error { return c.Repositories(ctx, page) })
	if len(rows) != 2 || rows[0].Counted || rows[0].Failure != "" {
		t.Errorf("listed %+v", rows)
	}
	ids, err := c.RepositoryIDs(ctx)
	w.must(err)
	if !slices.Contains(ids, web.ARN) || len(ids) != 2 {
		t.Errorf("ids %v", ids)
	}
	gone := strings.Replace(web.ARN, "team/web", "gone/web", 1)
	rows, err = c.DescribeRepositories(ctx, []string{api.ARN, gone, web.ARN})
	w.must(err)
	if len(rows) != 3 || rows[0].ARN != api.ARN || !rows[0].Counted || rows[0].Images != 0 ||
		rows[1].Failure != "MISSING" || rows[1].Name != "gone/web" || rows[1].Scope != web.Scope ||
		rows[2].ARN != web.ARN || rows[2].Images != 2 || rows[2].Size == 0 {
		t.Errorf("described %+v", rows)
	}
	if rows, err = c.DescribeRepositories(ctx, []string{gone}); err != nil || len(rows) != 1 || rows[0].Failure != "MISSING" {
		t.Errorf("one that is gone: %+v, %v", rows, err)
	}

	told(t, c.DeleteRepository(ctx, web, aws.RepositoryRemoval{}), aws.ErrRefused, "holds images")
	w.must(c.DeleteRepository(ctx, web, aws.RepositoryRemoval{Force: true}))
	told(t, c.DeleteRepository(ctx, web, aws.RepositoryRemoval{}), aws.ErrNotFound, "no such repository")
}

func TestRepositoryImages(t *testing.T) {
	w := newWorld(t)
	c := w.client(nil)
	ctx := t.Context()
	web, err := c.CreateRepository(ctx, aws.NewRepository{Name: "team/web"})
	w.must(err)
	p := w.publisher(c, web)
	amd, arm := image(t, "linux/amd64"), image(t, "linux/arm64/v8")
	one := p.push(web.URI+":1", amd)
	both := p.push(web.URI+":both", mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: amd, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: arm, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}}},
		mutate.IndexAddendum{Add: image(t, "linux/amd64"), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"}}},
	))

	rows := gather(t, func(page func([]aws.RepositoryImage)) error { return c.RepositoryImages(ctx, web, page) })
	at := slices.IndexFunc(rows, func(i aws.RepositoryImage) bool { return i.Digest == one })
	if at < 0 {
		t.Fatalf("%s is not in %+v", one, rows)
	}
	row := rows[at]
	if !reflect.DeepEqual(row.Tags, []string{"1"}) || row.Repository != "team/web" || row.URI != web.URI || row.Scope != web.Scope ||
		row.Size == 0 || row.Pushed.IsZero() || row.Platforms != nil || row.Reference() != web.URI+"@"+one {
		t.Errorf("listed %+v", row)
	}

	none := "sha256:" + strings.Repeat("0", 64)
	rows, err = c.DescribeRepositoryImages(ctx, web, []string{both, none, one})
	w.must(err)
	if len(rows) != 3 || rows[0].Digest != both || !reflect.DeepEqual(rows[0].Platforms, []string{"linux/amd64", "linux/arm64/v8"}) ||
		len(rows[0].Manifests) != 2 || rows[0].Manifests[0] != one || rows[2].Manifests != nil ||
		rows[1].Digest != none || rows[1].Failure != "MISSING" ||
		rows[2].Digest != one || !reflect.DeepEqual(rows[2].Platforms, []string{"linux/amd64"}) {
		t.Errorf("described %+v", rows)
	}
	// What a digest is never changes: nothing is read again but the rows.
	before := c.Calls()
	_, err = c.DescribeRepositoryImages(ctx, web, []string{both, one})
	w.must(err)
	if n := c.Calls() - before; n != 1 {
		t.Errorf("a second describe made %d calls", n)
	}

	doc, err := c.RepositoryImageDocument(ctx, rows[0])
	w.must(err)
	if text := fmt.Sprint(doc); !strings.Contains(text, "imageDigest:"+both) || !strings.Contains(text, "architecture:arm64") {
		t.Errorf("document %s", text)
	}
	repository, err := c.RepositoryDocument(ctx, web)
	w.must(err)
	if text := fmt.Sprint(repository); !strings.Contains(text, "repositoryName:team/web") || !strings.Contains(text, "lifecyclePolicy:<nil>") {
		t.Errorf("document %s", text)
	}

	all := gather(t, func(page func([]aws.RepositoryImage)) error { return c.RepositoryImages(ctx, web, page) })
	var children []aws.RepositoryImage
	for _, i := range all {
		if i.Digest == one {
			children = append(children, i)
		}
	}
	told(t, c.DeleteRepositoryImages(ctx, children), aws.ErrRefused, "an index of several platforms refers to it")
	w.must(c.DeleteRepositoryImages(ctx, all)) // the index first, in whatever order they come
	if left := gather(t, func(page func([]aws.RepositoryImage)) error { return c.RepositoryImages(ctx, web, page) }); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
	w.must(c.DeleteRepositoryImages(ctx, children)) // gone already
}

func TestRepositoryPolicies(t *testing.T) {
	w := newWorld(t)
	c := w.client(nil)
	web, err := c.CreateRepository(t.Context(), aws.NewRepository{Name: "web"})
	w.must(err)
	for what, read := range map[string]func(context.Context, aws.Repository) (string, error){
		"lifecycle": c.LifecyclePolicy, "repository": c.RepositoryPolicy,
	} {
		if text, err := read(t.Context(), web); text != "" || err != nil {
			t.Errorf("%s policy of none: %q, %v", what, text, err)
		}
		_, err := read(t.Context(), aws.Repository{Scope: web.Scope, Name: "gone"})
		told(t, err, aws.ErrNotFound, "no such repository")
	}
}

// One login serves many callers, until it is dropped.
func TestRegistryLogin(t *testing.T) {
	w := newWorld(t)
	c := w.client(nil)
	scope := aws.Scope{Region: w.server.Region()}
	var crew sync.WaitGroup
	logins := make([]aws.RegistryLogin, 20)
	for i := range logins {
		crew.Go(func() {
			l, err := c.RegistryLogin(t.Context(), scope)
			if err != nil {
				t.Error(err)
			}
			logins[i] = l
		})
	}
	crew.Wait()
	first := logins[0]
	if first.Username != "AWS" || first.Password == "" || "http://"+first.Host != w.server.URL() || first.Expires.IsZero() {
		t.Errorf("login %v", first)
	}
	if n := w.calls("GetAuthorizationToken"); n != 1 {
		t.Errorf("%d calls for twenty callers", n)
	}
	c.ForgetRegistryLogin(scope)
	if again, err := c.RegistryLogin(t.Context(), scope); err != nil || w.calls("GetAuthorizationToken") != 2 || again.Password == "" {
		t.Errorf("after it was dropped: %v, %v", again, err)
	}
	_, err := c.RegistryLogin(t.Context(), aws.Scope{Profile: "other"})
	told(t, err, aws.ErrOtherScope, `profile "other"`)

	readOnly := w.client(func(o *aws.Options) { o.ReadOnly = true })
	if _, err := readOnly.RegistryLogin(t.Context(), scope); err != nil {
		t.Errorf("a login changes nothing: %v", err)
	}
	_, err = readOnly.CreateRepository(t.Context(), aws.NewRepository{Name: "x"})
	told(t, err, aws.ErrReadOnly, "read-only")
}

// A host is known by the URI of a repository; of any other, AWS hears nothing.
func TestRegistryLoginAtAHost(t *testing.T) {
	w := newWorld(t)
	c := w.client(nil)
	host := strings.TrimPrefix(w.server.URL(), "http://")
	for _, foreign := range []string{"docker.io", "quay.io", "", host} { // ours is not known yet
		if l, err := c.RegistryLoginAt(t.Context(), foreign); l != (aws.RegistryLogin{}) || err != nil {
			t.Errorf("login at %q: %v, %v", foreign, l, err)
		}
	}
	if n := w.calls("GetAuthorizationToken"); n != 0 {
		t.Errorf("AWS was asked %d times", n)
	}
	_, err := c.CreateRepository(t.Context(), aws.NewRepository{Name: "base"})
	w.must(err)
	if l, err := c.RegistryLoginAt(t.Context(), host); l.Host != host || l.Password == "" || err != nil {
		t.Errorf("login at %q: %v, %v", host, l, err)
	}
	w.server.Faults().Deny("GetAuthorizationToken")
	c.ForgetRegistryLogin(aws.Scope{})
	_, err = c.RegistryLoginAt(t.Context(), host)
	told(t, err, aws.ErrDenied, "ecr:GetAuthorizationToken")
}
