package docker

import (
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"gantry/internal/diagnose"
)

func isTold(err error) bool {
	var d *diagnose.Error
	return errors.As(err, &d)
}

// fakeEngine is an engine of our own on a unix socket, which can go away and
// come back.
type fakeEngine struct {
	t      testing.TB
	path   string
	mux    *http.ServeMux
	server *http.Server
	served chan struct{}
}

// fake starts an engine that answers pings with an API version and routes as
// given; the routes carry no version.
func fake(t testing.TB, api string, routes map[string]http.HandlerFunc) *fakeEngine {
	t.Helper()
	e := &fakeEngine{t: t, path: filepath.Join(t.TempDir(), "engine.sock"), mux: http.NewServeMux()}
	e.mux.HandleFunc("/_ping", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Api-Version", api) })
	for route, handler := range routes {
		e.mux.HandleFunc(route, handler)
	}
	e.start()
	t.Cleanup(e.stop)
	return e
}

func (e *fakeEngine) start() {
	e.t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(e.t.Context(), "unix", e.path)
	if err != nil {
		e.t.Fatal(err)
	}
	server, served := &http.Server{Handler: e.mux}, make(chan struct{})
	e.server, e.served = server, served
	go func() {
		defer close(served)
		_ = server.Serve(l)
	}()
}

// stop ends the engine as kill -9 would: all connections break, and the socket
// file stays away.
func (e *fakeEngine) stop() {
	_ = e.server.Close()
	<-e.served
}

// client speaks to the fake engine alone.
func (e *fakeEngine) client(t testing.TB, o Options) *Client {
	t.Helper()
	settings(t, `{}`, nil)
	o.Host = "unix://" + e.path
	c := New(o)
	t.Cleanup(c.Close)
	return c
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// certificate is the authority of a test's TLS server, as PEM.
func certificate(s *httptest.Server) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
}

// flat lists all texts of a tree.
func flat(tree any) []string {
	var list []string
	switch v := tree.(type) {
	case map[string]any:
		for _, child := range v {
			list = append(list, flat(child)...)
		}
	case []any:
		for _, child := range v {
			list = append(list, flat(child)...)
		}
	case string:
		list = append(list, v)
	}
	return list
}
