package sandbox

import (
	"bytes"
	"context"
	"io"
	"log"
	"net/http"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/google/go-containerregistry/pkg/registry"
)

// newContents is a registry that serves one repository's layers and keeps its
// manifests. Each repository has one of its own, so that nothing of it is left
// once it is deleted.
func newContents(layers layerDir) http.Handler {
	return registry.New(
		registry.WithBlobHandler(layerReader{layers}),
		registry.WithReferrersSupport(true),
		registry.Logger(log.New(io.Discard, "", 0)),
	)
}

// layerReader lets the registry read layers. It writes none: see upload.
type layerReader struct{ layers layerDir }

func (l layerReader) Get(_ context.Context, _ string, h v1.Hash) (io.ReadCloser, error) {
	f, err := l.layers.open(h.String())
	if err != nil {
		return nil, registry.ErrNotFound
	}
	return f, nil
}

func (l layerReader) Stat(_ context.Context, _ string, h v1.Hash) (int64, error) {
	size, there := l.layers.size(h.String())
	if !there {
		return 0, registry.ErrNotFound
	}
	return size, nil
}

// change puts a manifest into the registry, or deletes it from there, under a
// tag or digest. It returns the HTTP status of the answer.
func (r *repository) change(method, target string, m manifest) int {
	request, err := http.NewRequestWithContext(context.Background(), method, "/v2/"+r.name+"/manifests/"+target, bytes.NewReader(m.body)) //nolint:gosec // a handler takes it, no network
	if err != nil {
		return http.StatusBadRequest
	}
	request.Header.Set("Content-Type", m.mediaType)
	var a kept
	r.contents.ServeHTTP(&a, request)
	return a.status
}

// kept is an answer that is held back: of the registry's own calls, and of
// manifests, which it gives out under a lock that a slow client must not hold.
type kept struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func (k *kept) Header() http.Header {
	if k.header == nil {
		k.header = http.Header{}
	}
	return k.header
}

func (k *kept) WriteHeader(status int) { k.status = status }

func (k *kept) Write(p []byte) (int, error) { return k.body.Write(p) }

// send gives the answer to a client.
func (k *kept) send(w http.ResponseWriter) {
	for name, values := range k.header {
		w.Header()[name] = values
	}
	w.WriteHeader(k.status)
	_, _ = w.Write(k.body.Bytes()) // a client that left is no failure of ours
}
