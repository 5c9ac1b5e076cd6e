//go:build unix

package ui_test

import (
	"os"
	"testing"
)

// The README's pictures. `make shots` draws them; each is a real run against
// the sandbox with real processes.

func drawing(t *testing.T) {
	t.Helper()
	if os.Getenv("GANTRY_SHOTS") == "" {
		t.Skip("draws pictures only when GANTRY_SHOTS names a folder for them: make shots")
	}
}

func TestShotServices(t *testing.T) {
	drawing(t)
	s, _ := processes(t, 120, 36)
	s.Type("5s5\r")
	s.Wait("5/5")
	s.Wait("Tasks 5")
	s.Type("]")
	s.Wait("has started 2 tasks")
	s.Settle()
	s.Shot("services")
}

func TestShotShell(t *testing.T) {
	drawing(t)
	s, _ := processes(t, 120, 36)
	s.Type("je")
	waitForPrompt(s)
	s.Type("PS1='\\[\\e[36m\\]web\\[\\e[m\\] $ '; clear\r")
	s.Wait("web $ ")
	s.Type("ls -l /proc/self/exe; id; env | sort | head -5; stty size\r")
	s.Wait("31 73")
	s.Settle()
	s.Shot("shell")
}

func TestShotScale(t *testing.T) {
	drawing(t)
	s, _ := processes(t, 120, 36)
	s.Type("5s8")
	s.Wait("web 3 → 8, 5 tasks start")
	s.Settle()
	s.Shot("scale")
}
