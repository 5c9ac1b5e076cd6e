//go:build unix

package ui_test

import (
	"os"
	"strings"
	"testing"

	"gantry/docker"
	"gantry/ui"
	"gantry/ui/uitest"
)

// drawing skips but for `make shots`, which draws the README's pictures. Each
// is a real run, against the sandbox with real processes and a real engine.
func drawing(t *testing.T) {
	t.Helper()
	if os.Getenv("GANTRY_SHOTS") == "" {
		t.Skip("draws pictures only when GANTRY_SHOTS names a folder for them: make shots")
	}
}

// everything is the explorer with an engine that has something to show.
func everything(t *testing.T) (*uitest.Screen, *docker.Client) {
	t.Helper()
	drawing(t)
	c := liveEngine(t)
	serverImage(t, c, "gantry-shot/api:1", "FROM scratch\nCOPY server /server\nEXPOSE 8080\nENTRYPOINT [\"/server\"]\n", map[string]string{})
	runServer(t, c, "gantry-shot/api:1", "api")
	s, _ := processes(t, 120, 34, func(o *ui.Options) { o.Docker, o.Cluster, o.Service = c, "", "" })
	return s, c
}

func TestShotServices(t *testing.T) {
	s, _ := everything(t)
	s.Type("4G")
	s.Wait("▸ shop")
	s.Type("\r")
	s.Wait("checkout")
	s.Wait("▸ api")
	s.Type("jj")
	s.Wait("▸ web")
	s.Type("s5\r")
	s.Wait("5/5")
	s.Type("]")
	s.Wait("has started 2 tasks")
	s.Settle()
	s.Shot("services")
}

func TestShotShell(t *testing.T) {
	s, _ := everything(t)
	s.Type("4G")
	s.Wait("▸ shop")
	s.Type("\r")
	s.Wait("▸ api")
	s.Type("jj\r")
	s.Until(func(screen string) bool { return strings.Count(screen, "✓ running") >= 3 }, "the tasks never ran")
	s.Type("e")
	waitForPrompt(s)
	s.Type("PS1='\\[\\e[36m\\]web\\[\\e[m\\] $ '; clear\r")
	s.Wait("web $ ")
	s.Type("id; env | sort | head -4; stty size; sleep 1000\r")
	s.Wait("29 73")
	s.Settle()
	s.Shot("shell")
}

func TestShotContainers(t *testing.T) {
	s, _ := everything(t)
	s.Type("2")
	s.Wait("!")
	s.Type("w")
	s.Wait("Connection reset by peer")
	s.Settle()
	s.Shot("containers")
}
