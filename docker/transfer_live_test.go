package docker

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/moby/moby/client"
)

// me is the account that the test's registries want.
var me = RegistryAuth{Username: "me", Password: "open sesame"}

// newRegistry starts a registry that wants an account. before sees each request
// of those that have one.
func newRegistry(before func(http.ResponseWriter, *http.Request)) *httptest.Server {
	store := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); (user != me.Username || password != me.Password) && r.Header.Get("X-Test") == "" {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if before != nil {
			before(w, r)
		}
		store.ServeHTTP(w, r)
	}))
}

// privateRegistry is a registry that ends with the test.
func privateRegistry(t testing.TB, before func(http.ResponseWriter, *http.Request)) (host string) {
	t.Helper()
	server := newRegistry(before)
	t.Cleanup(server.Close)
	return hostOf(server)
}

func hostOf(server *httptest.Server) string { return strings.TrimPrefix(server.URL, "http://") }

// layers is a folder that builds an image of n layers, of size bytes that
// cannot be compressed each.
func layers(t testing.TB, n, size int) string {
	t.Helper()
	files := map[string]string{}
	dockerfile := "FROM scratch\nEXPOSE 8080/tcp\n"
	for i := range n {
		data := make([]byte, size)
		_, _ = rand.Read(data)
		file := string(rune('a' + i))
		files[file] = string(data)
		dockerfile += "COPY " + file + " /\n"
	}
	files["Dockerfile"] = dockerfile
	return folder(t, files)
}

// tagged gives an image a name that goes away with the test.
func tagged(t testing.TB, c *Client, image, ref string) string {
	t.Helper()
	if err := c.Tag(t.Context(), image, ref); err != nil {
		t.Fatal(err)
	}
	untagged(t, c, ref)
	return ref
}

// untagged removes a name at the test's end, if it is there then.
func untagged(t testing.TB, c *Client, ref string) {
	t.Helper()
	api := c.engineOf(t)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		_, _ = api.ImageRemove(ctx, ref, client.ImageRemoveOptions{Force: true, PruneChildren: true})
	})
}

func states(p TransferProgress) (list []string) {
	for _, l := range p.Layers {
		list = append(list, l.State)
	}
	return list
}

func TestPushAndPull(t *testing.T) {
	c := live(t)
	noLeaks(t)
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	host := privateRegistry(t, nil)
	image := built(t, c, BuildOptions{Dir: layers(t, 2, 200_000)})
	ref := tagged(t, c, image, host+"/team/web:1")
	ctx := t.Context()

	var r transfers
	_, err := c.Push(ctx, ref, RegistryAuth{}, r.take)
	if !errors.Is(err, ErrUnauthorized) || !strings.Contains(err.Error(), host+" wants a login, and none is known") {
		t.Errorf("without an account: %v", err)
	}
	_, err = c.Push(ctx, ref, RegistryAuth{Username: "me", Password: "wrong"}, r.take)
	if !errors.Is(err, ErrUnauthorized) || !strings.Contains(err.Error(), host+" does not take the login") {
		t.Errorf("with a wrong one: %v", err)
	}
	_, err = c.Push(ctx, host+"/team/web:none", me, r.take)
	if !errors.Is(err, ErrImageGone) {
		t.Errorf("what is not there: %v", err)
	}

	first := transfers{}
	digest, err := c.Push(ctx, ref, me, first.take)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	there, err := remote.Head(parsed, remote.WithTransport(open{}))
	if err != nil || there.Digest.String() != digest {
		t.Errorf("pushed %s, the registry has %+v, %v", digest, there, err)
	}
	last := first.last()
	if done, total := last.Bytes(); !slices.Equal(states(last), []string{"Pushed", "Pushed"}) || done != total || total < 400_000 ||
		!last.Layers[0].Ended || !strings.Contains(last.Status, digest) {
		t.Errorf("at the end: %+v", last)
	}
	again := transfers{}
	if second, err := c.Push(ctx, ref, me, again.take); err != nil || second != digest ||
		!slices.Equal(states(again.last()), []string{"Layer already exists", "Layer already exists"}) {
		t.Errorf("again: %s, %v, %+v", second, err, again.last())
	}

	facts, err := c.ImageFacts(ctx, ref)
	if err != nil || !slices.Contains(facts.Digests, host+"/team/web@"+digest) || !slices.Equal(facts.Ports, []int{8080}) ||
		!strings.HasPrefix(facts.Platform, "linux/") || !strings.HasPrefix(facts.ID, "sha256:") {
		t.Errorf("facts %+v, %v", facts, err)
	}
	pullBack(t, c, image, ref, digest)
}

// pullBack removes an image and pulls it again, by tag and by digest.
func pullBack(t *testing.T, c *Client, image, ref, digest string) {
	t.Helper()
	ctx := t.Context()
	for _, name := range []string{ref, image} {
		if _, err := c.RemoveImage(ctx, name, ImageRemoval{}); err != nil {
			t.Fatal(err)
		}
	}
	r := transfers{}
	if got, err := c.Pull(ctx, ref, "", me, r.take); err != nil || got != digest {
		t.Errorf("pulled %s, %v", got, err)
	}
	byDigest := ref[:strings.LastIndexByte(ref, ':')] + "@" + digest
	untagged(t, c, byDigest)
	if got, err := c.Pull(ctx, byDigest, "", me, r.take); err != nil || got != digest {
		t.Errorf("pulled by digest %s, %v", got, err)
	}
	_, err := c.Pull(ctx, strings.TrimSuffix(ref, "1")+"none", "", me, r.take)
	if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "has no image none") {
		t.Errorf("a tag that is not there: %v", err)
	}
	_, err = c.Pull(ctx, ref, "", RegistryAuth{Username: "me", Password: "wrong"}, r.take)
	if !errors.Is(err, ErrUnauthorized) {
		t.Errorf("with a wrong account: %v", err)
	}
	_, err = c.Pull(ctx, "127.0.0.1:1/team/web:1", "", me, r.take)
	if !errors.Is(err, ErrRegistry) || !strings.Contains(err.Error(), "nothing listens at 127.0.0.1:1") {
		t.Errorf("from nowhere: %v", err)
	}
}

// An index of two platforms, none of whose layers the engine has.
func TestPullPlatforms(t *testing.T) {
	c := live(t)
	noLeaks(t)
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	ref := privateRegistry(t, nil) + "/web:1"
	index := mutate.IndexMediaType(empty.Index, types.DockerManifestList)
	for _, architecture := range []string{"amd64", "arm64"} {
		part, err := random.Image(100_000, 2)
		if err != nil {
			t.Fatal(err)
		}
		part, err = mutate.ConfigFile(part, platformConfig(t, part, architecture))
		if err != nil {
			t.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: part, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}},
		})
	}
	parsed, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(parsed, index, remote.WithTransport(open{})); err != nil {
		t.Fatal(err)
	}
	want, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	untagged(t, c, ref)
	for _, architecture := range []string{"arm64", "amd64"} {
		var r transfers
		if got, err := c.Pull(t.Context(), ref, "linux/"+architecture, me, r.take); err != nil || got != want.String() {
			t.Errorf("%s: %s, %v", architecture, got, err)
		}
		last := r.last()
		if done, total := last.Bytes(); !slices.Equal(states(last), []string{"Pull complete", "Pull complete"}) || done != total || total < 200_000 {
			t.Errorf("%s, at the end: %+v", architecture, last)
		}
		facts, err := c.ImageFacts(t.Context(), ref)
		if err != nil || facts.Platform != "linux/"+architecture {
			t.Errorf("%s: %+v, %v", architecture, facts, err)
		}
		untagged(t, c, facts.ID) // the second pull leaves the first without a name
	}
	_, err = c.Pull(t.Context(), ref, "linux/s390x", me, func(TransferProgress) {})
	if !errors.Is(err, ErrPlatform) || !strings.Contains(err.Error(), "has no image for linux/s390x") {
		t.Errorf("a platform that is not there: %v", err)
	}
}

func platformConfig(t *testing.T, image v1.Image, architecture string) *v1.ConfigFile {
	t.Helper()
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", architecture
	return config
}

// The end of the context ends the push in the engine: the upload breaks off.
func TestPushCanceled(t *testing.T) {
	c := live(t)
	noLeaks(t)
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	begun, canceled := make(chan struct{}, 16), make(chan struct{})
	broken := make(chan error, 16)
	host := privateRegistry(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPatch {
			return
		}
		var some [1 << 10]byte
		_, _ = io.ReadFull(r.Body, some[:])
		begun <- struct{}{}
		<-canceled
		_, err := io.Copy(io.Discard, r.Body)
		broken <- err
	})
	ref := tagged(t, c, built(t, c, BuildOptions{Dir: layers(t, 1, 32<<20)}), host+"/web:1")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var r transfers
	ended := make(chan error, 1)
	go func() {
		_, err := c.Push(ctx, ref, me, r.take)
		ended <- err
	}()
	select {
	case <-begun:
	case err := <-ended:
		t.Fatal("it never pushed: ", err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) || isTold(err) {
		t.Errorf("got %v", err)
	}
	close(canceled)
	if err := <-broken; err == nil {
		t.Error("the engine went on pushing")
	}
	if last := r.last(); len(last.Layers) != 1 || last.Layers[0].Ended {
		t.Errorf("at the end: %+v", last)
	}
}

// The registry says why it refuses, through the engine, as ECR does.
func TestPushRefusedByRegistry(t *testing.T) {
	c := live(t)
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	for _, tt := range []struct {
		name, method, path string
		status             int
		body               string
		kind               error
		cause              string
	}{
		{"repository", http.MethodPost, "/blobs/uploads/", 404, `{"errors":[{"code":"NAME_UNKNOWN","message":"The repository with name 'web' does not exist in the registry with id '000000000000'"}]}`, ErrRepositoryMissing, "(account 000000000000)"},
		{"tag", http.MethodPut, "/manifests/1", 400, `{"errors":[{"code":"TAG_INVALID","message":"The image tag '1' already exists in the 'web' repository and cannot be overwritten because the tag is immutable."}]}`, ErrTagImmutable, "web has an image with the tag 1 already"},
		{"expired", http.MethodPost, "/blobs/uploads/", 403, `{"errors":[{"code":"DENIED","message":"Your authorization token has expired. Reauthenticate and try again."}]}`, ErrUnauthorized, "has expired"},
		{"denied", http.MethodPut, "/manifests/1", 403, `{"errors":[{"code":"DENIED","message":"User: arn:aws:iam::1:user/ann is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:us-east-1:1:repository/web because no identity-based policy allows the ecr:PutImage action"}]}`, ErrUnauthorized, "no permission for ecr:PutImage on arn:aws:ecr:us-east-1:1:repository/web"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == tt.method && strings.HasSuffix(r.URL.Path, tt.path) {
					answer(tt.status, tt.body)(w, r)
					return
				}
				store.ServeHTTP(w, r)
			}))
			t.Cleanup(server.Close)
			ref := tagged(t, c, built(t, c, BuildOptions{Dir: layers(t, 1, 100)}), strings.TrimPrefix(server.URL, "http://")+"/web:1")
			_, err := c.Push(t.Context(), ref, me, func(TransferProgress) {})
			if !errors.Is(err, tt.kind) || !isTold(err) || !strings.Contains(err.Error(), tt.cause) {
				t.Errorf("got %v, want %v with %q", err, tt.kind, tt.cause)
			}
		})
	}
}
