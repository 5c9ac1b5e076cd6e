package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// shutdownGrace is how long requests in hand may take after SIGTERM.
const shutdownGrace = 5 * time.Second

// serve is a web server on the port that PORT names, 8080 by default. It logs
// its requests to the standard output and ends well on SIGTERM.
func (a app) serve() int {
	port := cmp.Or(a.env("PORT"), "8080")
	listener, err := a.listener(port)
	if err != nil {
		fmt.Fprintf(a.err, "cannot listen on port %s: %v\n", port, err)
		return 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	server := &http.Server{Handler: a.logged(a.pages()), ReadHeaderTimeout: shutdownGrace}
	fmt.Fprintf(a.out, "listening on port %s\n", port)
	go func() {
		<-ctx.Done()
		fmt.Fprintln(a.out, "SIGTERM: finishing the requests in hand")
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
		defer cancel()
		_ = server.Shutdown(grace) // what is not done by then is cut off
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		fmt.Fprintf(a.err, "serve: %v\n", err)
		return 1
	}
	fmt.Fprintln(a.out, "bye")
	return exitOK
}

func (a app) pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "Hello from gantry's demo app (%s)\n", cmp.Or(a.env("APP_ENV"), "no environment"))
	})
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ok")
	})
	return mux
}

// logged writes one line per request: time, method, path, status, duration.
func (a app) logged(next http.Handler) http.Handler {
	var mu sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		answer := &answer{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(answer, r)
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(a.out, "%s %s %q %d %s\n", began.UTC().Format(time.RFC3339), r.Method, r.URL.Path, answer.status, time.Since(began).Round(time.Microsecond))
	})
}

// answer remembers the status that was sent.
type answer struct {
	http.ResponseWriter
	status int
}

func (w *answer) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}
