package docker

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/moby/moby/client"

	"gantry/internal/diagnose"
)

// privateBase is an image in a registry of this test's that wants the account
// me with the password "open sesame".
func privateBase(t *testing.T, c *Client) (image, host string) {
	t.Helper()
	store := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); (user != "me" || password != "open sesame") && r.Header.Get("X-Test") == "" {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		store.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	host = strings.TrimPrefix(server.URL, "http://")
	image = host + "/private/base:1"
	layer, err := random.Layer(1000, "application/vnd.docker.image.rootfs.diff.tar.gzip")
	if err != nil {
		t.Fatal(err)
	}
	base, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(image)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, base, remote.WithTransport(open{})); err != nil {
		t.Fatal(err)
	}
	api := c.engineOf(t)
	t.Cleanup(func() {
		_, _ = api.ImageRemove(context.Background(), image, client.ImageRemoveOptions{Force: true, PruneChildren: true})
	})
	return image, host
}

// open is the test's own way into its registry.
type open struct{}

func (open) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Test", "1")
	return http.DefaultTransport.RoundTrip(r)
}

func TestBuildFromPrivateRegistry(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	builders(t, func(t *testing.T, build func(context.Context, BuildOptions, func(BuildProgress)) (BuildResult, error), c *Client) {
		image, host := privateBase(t, c)
		dir := folder(t, map[string]string{"Dockerfile": "FROM " + image + "\nLABEL a=b\n"})
		o := labeled(t, c, BuildOptions{Dir: dir})
		_, err := build(t.Context(), o, func(BuildProgress) {})
		var told *diagnose.Error
		if !errors.Is(err, ErrBaseImage) || !errors.As(err, &told) || !strings.Contains(told.Cause, "wants an account") {
			t.Errorf("without an account: %v", err)
		}
		o.Auth = func(_ context.Context, asked string) (RegistryAuth, error) {
			if asked != host {
				t.Errorf("asked for %q, want %q", asked, host)
			}
			return RegistryAuth{Username: "me", Password: "open sesame"}, nil
		}
		var r recorder
		if _, err := build(t.Context(), o, r.take); err != nil {
			t.Error(err, r.dump())
		}
		refused := &diagnose.Error{What: "log in", Cause: "the SSO session has ended", Do: "aws sso login"}
		o.Auth = func(context.Context, string) (RegistryAuth, error) { return RegistryAuth{}, refused }
		o.NoCache = true
		_, err = build(t.Context(), o, func(BuildProgress) {})
		if !errors.Is(err, refused) || !errors.As(err, &told) || told.Do != refused.Do || !strings.Contains(told.Cause, host+": the SSO session has ended") {
			t.Errorf("when the account cannot be had: %v", err)
		}
	})
}
