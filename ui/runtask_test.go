package ui_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"gantry/aws"
	"gantry/internal/diagnose"
	"gantry/ui"
	"gantry/ui/uitest"
)

// runs is what running tasks needs of the cloud in memory.
type runs struct {
	ran     []string
	refused error // of the next run
	denied  error // of the list of definitions
}

func (c *cloud) Families(context.Context) ([]string, error) {
	return []string{"import", "web"}, c.runs.denied
}

func (c *cloud) RunTask(_ context.Context, _ aws.Scope, n aws.NewTask) ([]aws.Task, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.runs.ran = append(c.runs.ran, fmt.Sprintf("%+v", n))
	if c.runs.refused != nil {
		return nil, c.runs.refused
	}
	before := len(c.tasks[n.Cluster])
	for i := range n.Count {
		c.addTask(n.Cluster[strings.LastIndexByte(n.Cluster, '/')+1:], "", 9+i, "PENDING")
	}
	return slices.Clone(c.tasks[n.Cluster][before:]), nil
}

func (c *cloud) runCalls() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.runs.ran)
}

func toRun(t *testing.T, c *cloud, o ui.Options) *uitest.Screen {
	t.Helper()
	o.AWS, o.Cluster, o.Service = c, "shop", "web"
	s := uitest.Run(t, ui.New(o), 120, 40)
	s.Wait("Tasks 3 of web")
	s.Wait("Clusters 1")
	return s
}

func TestRunTask(t *testing.T) {
	c := demoCloud()
	s := toRun(t, c, ui.Options{})
	s.Type("n")
	s.Wait("Run a task in shop")
	s.Wait("web:7")
	s.Wait("subnet-1")
	s.Type("\t0\r")
	s.Wait("type a number from 1 to 10")
	s.Type("\x152")
	s.Wait("2 tasks run once, on Fargate, and are not replaced when they end.")
	s.Wait("cluster shop · account 000000000000 · us-east-1")
	s.Type("\r")
	s.Wait("run web:7: 2 tasks start")
	s.Wait("Tasks 5 of cluster shop") // a task of no service
	s.Wait("▸ import/")               // the first of them
	want := []string{"{Cluster:" + arn("cluster", "shop") + " Definition:web:7 Count:2 Subnets:[subnet-1] SecurityGroups:[sg-1] PublicIP:false ExecEnabled:false}"}
	if got := c.runCalls(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRunTaskScreens(t *testing.T) {
	for _, size := range []struct{ w, h int }{{120, 40}, {80, 24}} {
		t.Run(sizeName(size.w, size.h), func(t *testing.T) {
			s := uitest.Run(t, ui.New(ui.Options{AWS: demoCloud(), Cluster: "shop", Service: "web"}), size.w, size.h)
			s.Wait("Tasks 3 of web")
			s.Settle()
			s.Type("n")
			s.Wait("Run a task in shop")
			s.Settle()
			s.Golden()
		})
	}
}

func TestRunTaskOfAFamily(t *testing.T) {
	c := demoCloud()
	s := toRun(t, c, ui.Options{})
	s.Type("n")
	s.Wait("Run a task in shop")
	s.Type("imp\x1b[B\r")
	s.Wait("run import: 1 task starts")
	if got := c.runCalls(); len(got) != 1 || !strings.Contains(got[0], "Definition:import Count:1") {
		t.Errorf("got %q", got)
	}
}

func TestRunTaskFails(t *testing.T) {
	c := demoCloud()
	c.runs.denied = &diagnose.Error{What: "list task definitions", Cause: "no permission for ecs:ListTaskDefinitionFamilies", Err: errors.New("denied")}
	c.runs.refused = &diagnose.Error{What: "run a task of web:7", Cause: "1 of the tasks were not started: Capacity is unavailable at this time", Do: "look at the cluster's capacity"}
	s := toRun(t, c, ui.Options{})
	s.Type("n")
	s.Wait("▲ task definitions could not be listed: no permission for")
	s.Type("\x15\r")
	s.Wait("no task definition is chosen")
	s.Type("web:7\r")
	s.Wait("Capacity is unavailable at this time")
	s.Wait("look at the cluster's capacity")
}

func TestReadOnlyRunsNoTask(t *testing.T) {
	s := toRun(t, demoCloud(), ui.Options{Access: ui.ReadOnly})
	s.Type(":")
	s.Type("run a task")
	s.Wait("nothing fits")
}
