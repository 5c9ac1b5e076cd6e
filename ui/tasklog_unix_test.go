//go:build unix

package ui_test

import (
	"strings"
	"testing"
)

// The log of a task in the sandbox, of a real process.
func TestLogOverTheSandbox(t *testing.T) {
	s, _ := processes(t, 120, 40)
	s.Type("l")
	s.Wait("/ecs/web · ecs/web/")
	s.Wait("listening on port 8080")
	s.Wait("● following")
	s.Type("x")
	s.Gone("● following")
	s.Type("5l")
	s.Until(func(screen string) bool { return strings.Count(screen, "listening on port 8080") >= 3 }, "not every task of the service tells that it listens")
	s.Type("x")
	s.Gone("● following")
	s.Type("6D")
	s.Wait("Stop web/")
	s.Type("y")
	s.Wait("○ stopped")
	s.Type("l")
	s.Wait("listening on port 8080")
	s.Type("x")
}
