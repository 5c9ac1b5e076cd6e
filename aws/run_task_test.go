package aws_test

import (
	"errors"
	"testing"

	"gantry/aws"
)

func TestRunTask(t *testing.T) {
	w := newWorld(t)
	c := w.client(nil)
	w.cluster("shop")
	scope, err := c.Definition(t.Context(), "app:1")
	w.must(err)
	order := aws.NewTask{Cluster: "shop", Definition: "app:1", Count: 2, Subnets: []string{"subnet-1"}, PublicIP: true}
	tasks, err := c.RunTask(t.Context(), scope.Scope, order)
	w.must(err)
	if len(tasks) != 2 {
		t.Fatalf("got %+v", tasks)
	}
	for _, k := range tasks {
		if k.Cluster != "shop" || k.Service != "" || k.TaskDefinition != "app:1" || k.StartedBy != "gantry" || k.LaunchType != "FARGATE" {
			t.Errorf("got %+v", k)
		}
	}
	for name, change := range map[string]func(*aws.NewTask){
		"no task":   func(n *aws.NewTask) { n.Count = 0 },
		"too many":  func(n *aws.NewTask) { n.Count = 11 },
		"no subnet": func(n *aws.NewTask) { n.Subnets = nil },
		"unknown":   func(n *aws.NewTask) { n.Definition = "nope" },
	} {
		wrong := order
		change(&wrong)
		if got, err := c.RunTask(t.Context(), scope.Scope, wrong); err == nil || len(got) > 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	readOnly := w.client(func(o *aws.Options) { o.ReadOnly = true })
	if _, err := readOnly.RunTask(t.Context(), scope.Scope, order); !errors.Is(err, aws.ErrReadOnly) {
		t.Errorf("read-only: %v", err)
	}
}
