package aws

import (
	"strings"
	"testing"
)

// able is a task in which Exec works.
func able(change ...func(*Task)) *Task {
	t := &Task{
		ID: "7f3a", LastStatus: "RUNNING", DesiredStatus: "RUNNING", LaunchType: "FARGATE", PlatformVersion: "1.4.0", ExecEnabled: true,
		Containers: []Container{{Name: "app", LastStatus: "RUNNING", Agent: ManagedAgent{Status: "RUNNING"}}},
	}
	for _, c := range change {
		c(t)
	}
	return t
}

func TestExecCause(t *testing.T) {
	for _, c := range []struct {
		name      string
		task      *Task
		container string
		want      string // part of the cause; empty: none
	}{
		{"all well", able(), "app", ""},
		{"gone", able(func(t *Task) { t.Failure = "MISSING" }), "app", "the task is gone: MISSING"},
		{"stopped", able(func(t *Task) { t.LastStatus, t.StopReason = "STOPPED", "Essential container in task exited" }), "app", "has stopped: Essential container"},
		{"stopping", able(func(t *Task) { t.DesiredStatus = "STOPPED" }), "app", "is being stopped"},
		{"starting", able(func(t *Task) { t.LastStatus = "PENDING" }), "app", "the task is pending"},
		{"flag off", able(func(t *Task) { t.ExecEnabled = false }), "app", "was off when the task was started"},
		{"old platform", able(func(t *Task) { t.PlatformVersion = "1.3.0" }), "app", "platform version 1.3.0"},
		{"no such container", able(), "other", "no container of that name"},
		{"container ended", able(func(t *Task) { t.Containers[0].LastStatus = "STOPPED" }), "app", "the container is stopped"},
		{"agent starting", able(func(t *Task) { t.Containers[0].Agent.Status = "PENDING" }), "app", "still starting"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := execCause(c.task, c.container)
			switch {
			case got == nil && c.want != "":
				t.Errorf("no cause, want %q", c.want)
			case got != nil && (c.want == "" || !strings.Contains(got.cause, c.want)):
				t.Errorf("cause %q, want %q", got.cause, c.want)
			case got != nil && got.do == "":
				t.Error("nothing to do is named")
			}
		})
	}
}

func TestOlderPlatform(t *testing.T) {
	for version, want := range map[string]bool{
		"1.3.0": true, "1.4.0": false, "1.10.0": false, "2.0.0": false, "0.9.9": true, "LATEST": false, "": false, "1": false, "a.b": false,
	} {
		if got := olderThan(version, 1, 4); got != want {
			t.Errorf("olderThan(%q) = %v", version, got)
		}
	}
}
