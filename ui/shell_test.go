//go:build unix

package ui_test

import (
	"os"
	"strings"
	"testing"

	"gantry/aws"
	"gantry/aws/sandbox"
	"gantry/aws/sandbox/demo"
	"gantry/ui"
	"gantry/ui/uitest"
)

// The tasks of the process runtime are this test binary, run again as the demo
// app.
func TestMain(m *testing.M) {
	if demo.Requested() {
		demo.Main()
		return
	}
	os.Exit(m.Run())
}

// processes starts a sandbox whose tasks are real processes, and the explorer
// on the tasks of its service web.
func processes(t *testing.T, w, h int, change ...func(*ui.Options)) (*uitest.Screen, *sandbox.Server) {
	t.Helper()
	f, server, o := explorer(t, change...)
	s := uitest.Run(t, f, w, h)
	if o.Service == "" {
		s.Wait("shop")
		return s, server
	}
	waitForTasks(s)
	return s, server
}

// explorer is the explorer and the sandbox that it explores.
func explorer(t testing.TB, change ...func(*ui.Options)) (*ui.Frame, *sandbox.Server, ui.Options) {
	t.Helper()
	runtime, err := sandbox.Process(sandbox.ProcessConfig{})
	if err != nil {
		t.Fatal(err)
	}
	server, err := sandbox.Start(t.Context(), sandbox.Config{Runtime: runtime, RunDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	client := aws.New(aws.Options{Endpoint: server.URL(), AccessKeyID: server.AccessKeyID(), SecretAccessKey: server.SecretAccessKey(), Region: server.Region()})
	t.Cleanup(client.Close)
	o := ui.Options{AWS: client, Sandbox: "process runtime", Cluster: "shop", Service: "web"}
	for _, c := range change {
		c(&o)
	}
	f := ui.New(o)
	t.Cleanup(f.Close)
	return f, server, o
}

func waitForTasks(s *uitest.Screen) {
	s.Wait("Tasks 3 of web")
	s.Until(func(screen string) bool { return strings.Count(screen, "✓ running") >= 3 }, "the tasks never ran")
}

// waitForPrompt waits for a shell's prompt, as root or not.
func waitForPrompt(s *uitest.Screen) {
	s.Until(func(screen string) bool {
		return strings.Contains(screen, "# ") || strings.Contains(screen, "$ ")
	}, "never showed a prompt")
}

func TestShellsOnTheStage(t *testing.T) {
	s, server := processes(t, 120, 40)
	s.Type("e")
	waitForPrompt(s)
	s.Type("PS1='one> '\r")
	s.Wait("one> ")
	s.Type("stty size\r")
	s.Wait("35 73")
	s.Type("echo $((6*7))\r")
	s.Wait("42")

	s.Resize(100, 30)
	s.Type("stty size\r")
	s.Wait("25 60")

	s.Type("echo slee''ping; sleep 1000\r")
	s.Wait("sleeping")
	s.Type("\x03")
	s.Type("echo stopped=$?\r")
	s.Wait("stopped=130")

	// A second one beside it, over a channel that loses every 7th frame and
	// acknowledgement, and back to the panes while both run.
	server.Faults().Connections(sandbox.ConnectionFaults{DropEvery: 7})
	s.Type("\x1d6je")
	s.Wait("sh web/")
	s.Until(func(screen string) bool { return strings.Count(screen, "sh web/") == 2 }, "no second session")
	s.Type("PS1='two> '\r")
	s.Wait("two> ")
	s.Type("seq 1 2000 | tail -n 1; echo whole\r")
	s.Wait("2000")
	s.Wait("whole ")
	s.Type("\x1d5s4\r")
	s.Wait("scaled web 3 → 4")
	s.Type("\x1d")
	s.Wait("two> ")
	s.Type("\x1d[")
	s.Wait("one> ")
	s.Type("\x1d[") // on to the row's tabs, which have the focus then
	s.Gone("one> ")
	s.Type("\x1d")
	s.Wait("one> ")

	s.Type("q?:") // go to the shell, not to gantry
	s.Wait("q?:")
	s.Type("\x15exit\r")
	s.Wait("■ ended")
	s.Type("q")
	s.Wait("1 session will end")
	s.Type("y")
	if err := s.Ended(); err != nil {
		t.Fatal(err)
	}
}

func TestAShellSaysThatItsTaskStopped(t *testing.T) {
	s, _ := processes(t, 120, 40)
	s.Type("e")
	waitForPrompt(s)
	s.Type("echo kept on screen\r")
	s.Wait("kept on screen ")
	s.Type("\x1d6D")
	s.Wait("Stop web/")
	s.Type("y")
	s.Wait("stopped web/")
	s.Wait("✗ ended")
	s.Type("\x1d")
	s.Wait("ended · the task")
	s.Wait("kept on screen")
}
