//go:build unix

package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// recorder is a Sink that remembers.
type recorder struct {
	mu      sync.Mutex
	running map[string]RunningContainer
	exited  map[string]int
	failed  []string
	lines   []LogLine
}

func newRecorder() *recorder {
	return &recorder{running: make(map[string]RunningContainer), exited: make(map[string]int)}
}

func (r *recorder) Pending() {}

func (r *recorder) Running(name string, as RunningContainer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running[name] = as
}

func (r *recorder) Exited(name string, code int, _ string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.exited[name] = code
}

func (r *recorder) Failed(_, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = append(r.failed, reason)
}

func (r *recorder) Health(string, types.HealthStatus) {}

func (r *recorder) Log(_ string, line LogLine) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line)
}

// as waits until the container "main" runs.
func (r *recorder) as(t testing.TB) RunningContainer {
	t.Helper()
	var as RunningContainer
	within20s(t, "the container runs", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		var ok bool
		as, ok = r.running["main"]
		return ok
	})
	return as
}

// code waits until the container "main" has exited.
func (r *recorder) code(t testing.TB) int {
	t.Helper()
	var code int
	within20s(t, "the container exits", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		var ok bool
		code, ok = r.exited["main"]
		return ok
	})
	return code
}

// failure waits until the task has failed to start.
func (r *recorder) failure(t testing.TB) string {
	t.Helper()
	var reason string
	within20s(t, "the task fails to start", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.failed) == 0 {
			return false
		}
		reason = r.failed[0]
		return true
	})
	return reason
}

// said waits until a line holds the text.
func (r *recorder) said(t testing.TB, text string) {
	t.Helper()
	within20s(t, fmt.Sprintf("a line with %q", text), func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return slices.ContainsFunc(r.lines, func(l LogLine) bool { return strings.Contains(l.Text, text) })
	})
}
