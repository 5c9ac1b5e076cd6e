package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gantry/aws"
	"gantry/internal/diagnose"
)

// find finds the one running container that the flags mean.
func (t taskFlags) find(ctx context.Context, c *aws.Client) (aws.Task, string, error) {
	if t.task == "" {
		return aws.Task{}, "", &diagnose.Error{What: "no task is named", Do: "name one with --task ID, ARN or SERVICE/ID"}
	}
	cluster := t.cluster
	if cluster == "" {
		cluster = clusterIn(t.task)
	}
	if cluster == "" {
		return aws.Task{}, "", &diagnose.Error{What: "no cluster is named", Do: "name the task's with --cluster NAME"}
	}
	task, err := findTask(ctx, c, cluster, t.task)
	if err != nil {
		return aws.Task{}, "", err
	}
	container, err := chooseContainer(task, t.container)
	return task, container, err
}

// clusterIn is the cluster in a task's ARN (…:task/CLUSTER/ID), "" elsewhere.
func clusterIn(arn string) string {
	parts := strings.Split(arn, "/")
	if !strings.HasPrefix(arn, "arn:") || len(parts) < 3 {
		return ""
	}
	return parts[1]
}

// findTask finds the one running task that ref means: an ARN, an ID or its
// beginning, NAME/ID as the explorer shows it, or a service that runs one task.
func findTask(ctx context.Context, c *aws.Client, cluster, ref string) (aws.Task, error) {
	what := fmt.Sprintf("find task %s in %s", ref, nameIn(cluster))
	name, id := splitRef(ref)
	tasks, err := tasksWith(ctx, c, cluster, "", id)
	if err != nil {
		return aws.Task{}, err
	}
	if len(tasks) == 0 && name == "" {
		tasks, err = tasksWith(ctx, c, cluster, id, "")
		if err != nil && !errors.Is(err, aws.ErrNotFound) {
			return aws.Task{}, err
		}
	}
	if name != "" {
		tasks = slices.DeleteFunc(tasks, func(t aws.Task) bool { return ownerOf(t) != name })
	}
	return onlyOne(what, tasks)
}

// splitRef takes a reference to a task apart. Of an ARN only the ID is needed:
// no two tasks have the same.
func splitRef(ref string) (name, id string) {
	at := strings.LastIndexByte(ref, '/')
	if strings.HasPrefix(ref, "arn:") || at < 0 {
		return "", ref[at+1:]
	}
	return ref[:at], ref[at+1:]
}

// ownerOf is what stands before the ID of a task in the explorer.
func ownerOf(t aws.Task) string {
	return cmp.Or(t.Service, strings.TrimPrefix(t.Group, "family:"), "task")
}

func nameIn(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// tasksWith describes the tasks whose ID begins with id.
func tasksWith(ctx context.Context, c *aws.Client, cluster, service, id string) ([]aws.Task, error) {
	arns, err := c.TaskIDs(ctx, cluster, service)
	if err != nil {
		return nil, err
	}
	arns = slices.DeleteFunc(arns, func(arn string) bool { return !strings.HasPrefix(nameIn(arn), id) })
	if len(arns) == 0 {
		return nil, nil
	}
	return c.DescribeTasks(ctx, cluster, arns)
}

// onlyOne is the one that runs, or an error that says why there is none.
func onlyOne(what string, tasks []aws.Task) (aws.Task, error) {
	var running []aws.Task
	for _, t := range tasks {
		if t.Failure == "" && t.LastStatus == "RUNNING" {
			running = append(running, t)
		}
	}
	switch {
	case len(running) == 1:
		return running[0], nil
	case len(running) > 1:
		return aws.Task{}, &diagnose.Error{What: what, Cause: fmt.Sprintf("it could be any of %s", names(running)), Do: "give more of its ID"}
	case len(tasks) == 0:
		return aws.Task{}, &diagnose.Error{What: what, Cause: "no task has an ID that begins so, and no service that name", Do: "gantry --cluster shows the tasks there are", Err: aws.ErrNotFound}
	}
	t := tasks[0]
	cause := "it is " + strings.ToLower(cmp.Or(t.LastStatus, "gone"))
	if reason := t.Reason(); reason != "" {
		cause += ": " + reason
	}
	return aws.Task{}, &diagnose.Error{What: what, Cause: cmp.Or(t.Failure, cause), Do: "name a running task"}
}

// names lists tasks as the explorer does, a few of them.
func names(tasks []aws.Task) string {
	const most = 8
	var list []string
	for _, t := range tasks[:min(len(tasks), most)] {
		list = append(list, ownerOf(t)+"/"+t.ID[:min(len(t.ID), 12)])
	}
	if len(tasks) > most {
		list = append(list, fmt.Sprintf("and %d more", len(tasks)-most))
	}
	return strings.Join(list, ", ")
}

// chooseContainer takes the named container, or the only one that runs.
func chooseContainer(t aws.Task, name string) (string, error) {
	var running []string
	for i := range t.Containers {
		if t.Containers[i].LastStatus == "RUNNING" {
			running = append(running, t.Containers[i].Name)
		}
	}
	what := "choose a container of " + ownerOf(t) + "/" + t.ID
	switch {
	case name != "" && t.Container(name) == nil:
		return "", &diagnose.Error{What: what, Cause: fmt.Sprintf("it has none of the name %s", name), Do: "one of " + strings.Join(running, ", "), Err: aws.ErrNotFound}
	case name != "":
		return name, nil
	case len(running) == 1:
		return running[0], nil
	case len(running) == 0:
		return "", &diagnose.Error{What: what, Cause: "none of them runs", Do: "name another task"}
	}
	return "", &diagnose.Error{What: what, Cause: "it runs " + strings.Join(running, ", "), Do: "name one with --container"}
}
