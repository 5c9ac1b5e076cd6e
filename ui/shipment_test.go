package ui_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"gantry/aws"
	"gantry/ui"
)

func TestRolloutStates(t *testing.T) {
	at := func(change func(*aws.Service)) aws.Service {
		s := newShipyard().service
		change(&s)
		return s
	}
	old := at(func(*aws.Service) {})
	deleted := at(func(s *aws.Service) { s.Status = "DRAINING" })
	external := at(func(s *aws.Service) {
		steady(s)
		s.Deployments[0].RolloutState = "" // ECS tracks none
	})
	other := at(func(s *aws.Service) { s.TaskDefinition, s.Deployments[0].TaskDefinition = "web:9", "web:9" })
	told := at(func(s *aws.Service) {
		s.Events = []aws.Event{{ID: "e9", Message: "(service web) rolling back to deployment ecs-svc/7."}}
	})
	gaveUp := at(func(s *aws.Service) { failing(3)(s); s.Deployments[0].RolloutState = "FAILED" })
	for _, c := range []struct {
		name  string
		looks []aws.Service
		want  []string
	}{
		{"steady", []aws.Service{at(rolling(1)), at(steady)}, []string{"moving", "steady"}},
		{"no rollout state", []aws.Service{external}, []string{"steady"}},
		{"fails", []aws.Service{at(failing(2)), at(rolling(1))}, []string{"failing", "moving"}},
		{"rolled back", []aws.Service{at(failing(3)), at(rollingBack), at(back)}, []string{"failing", "rolling back", "rolled back"}},
		// ECS is eventually consistent: the old state once more is no rollback.
		{"a stale look", []aws.Service{old, old, at(rolling(1)), old, at(steady)}, []string{"moving", "moving", "moving", "moving", "steady"}},
		// A rollback so quick that only an event tells of it, or nothing.
		{"told by an event", []aws.Service{told}, []string{"rolled back"}},
		{"old for good", []aws.Service{old, old, old, old}, []string{"moving", "moving", "moving", "rolled back"}},
		{"given up", []aws.Service{gaveUp}, []string{"failed"}},
		{"overtaken", []aws.Service{at(rolling(1)), other}, []string{"moving", "overtaken"}},
		{"deleted", []aws.Service{deleted}, []string{"draining"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := ui.RolloutStates("web:8", "web:7", c.looks...); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSamePlatform(t *testing.T) {
	for _, c := range []struct {
		image, wanted string
		same          bool
	}{
		{"linux/amd64", "linux/amd64", true},
		{"linux/arm64/v8", "linux/arm64", true},
		{"linux/x86_64", "linux/amd64", true},
		{"linux/arm64", "linux/amd64", false},
		{"windows/amd64", "linux/amd64", false},
		{"", "linux/amd64", true},
	} {
		if got := ui.SamePlatform(c.image, c.wanted); got != c.same {
			t.Errorf("SamePlatform(%q, %q) = %v", c.image, c.wanted, got)
		}
	}
}

// The sizes of the ECS developer guide, from its ends.
func TestFargateSizes(t *testing.T) {
	sizes := ui.Sizes()
	for _, size := range []string{"256/512", "256/1024", "256/2048", "512/1024", "512/4096", "1024/2048", "1024/8192", "2048/16384", "4096/30720", "8192/16384", "8192/61440", "16384/32768", "16384/122880"} {
		if !slices.Contains(sizes, size) {
			t.Errorf("no %s", size)
		}
	}
	for _, size := range []string{"256/4096", "512/512", "512/1536", "16384/131072"} {
		if slices.Contains(sizes, size) {
			t.Errorf("%s is none", size)
		}
	}
	if len(sizes) != 3+4+7+13+23+12+12 {
		t.Errorf("%d sizes", len(sizes))
	}
}

func TestGitChanges(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("no git here")
	}
	dir := t.TempDir()
	if said := ui.GitChanges(t.Context(), dir); said != "" {
		t.Errorf("no repository: %q", said)
	}
	run := func(words ...string) {
		t.Helper()
		cmd := exec.Command(git, append([]string{"-c", "user.name=x", "-c", "user.email=x@x.invalid"}, words...)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", words, err, out)
		}
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run("init", "-q")
	write("Dockerfile", "FROM scratch\n")
	if said := ui.GitChanges(t.Context(), dir); said != "1 untracked file" {
		t.Errorf("untracked: %q", said)
	}
	run("add", ".")
	run("commit", "-qm", "x")
	if said := ui.GitChanges(t.Context(), dir); said != "" {
		t.Errorf("clean: %q", said)
	}
	write("Dockerfile", "FROM scratch AS x\n")
	write("a", "")
	write("b", "")
	if said := ui.GitChanges(t.Context(), dir); said != "1 uncommitted change and 2 untracked files" {
		t.Errorf("dirty: %q", said)
	}
}
