package ui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/ui/pane"
	"gantry/ui/style"
	"gantry/ui/table"
)

// taskClient is what this pane needs of AWS.
type taskClient interface {
	Tasks(ctx context.Context, cluster, service string, page func([]aws.Task)) error
	TaskIDs(ctx context.Context, cluster, service string) ([]string, error)
	DescribeTasks(ctx context.Context, cluster string, ids []string) ([]aws.Task, error)
	TaskDocument(ctx context.Context, t aws.Task) (any, error)
	StopTask(ctx context.Context, t aws.Task, reason string) error
	shellClient
	taskRunner
}

// stopReason is what ECS will say of a task that was stopped from here.
const stopReason = "Stopped by the user with gantry"

// tasks lists the tasks of the selected service, or of the whole cluster.
type tasks struct {
	*table.Table[aws.Task]
	client  taskClient
	cluster string // ARN or name
	service string // name; empty where the cluster has none
	whole   bool   // the whole cluster was asked for
	host    pane.Host
	shells  shells
	runs    taskRuns
	places  *lineages
}

// Tasks is the pane of tasks. A cluster and service, when named, are shown
// without waiting for the lists before them.
func Tasks(c taskClient, cluster, service string, pace table.Pace, places *lineages) pane.Pane {
	t := &tasks{client: c, cluster: cluster, service: service, shells: shells{c, map[string]string{}}, runs: taskRuns{client: c}, places: places}
	t.Table = table.New(t.spec(pace))
	t.Within(t)
	if cluster != "" && service != "" {
		t.Follow(t.source())
	}
	return t
}

func taskID(t aws.Task) string { return t.ARN }

func (t *tasks) spec(pace table.Pace) table.Spec[aws.Task] {
	return table.Spec[aws.Task]{
		Title:   "Tasks",
		Pace:    pace,
		ID:      taskID,
		Name:    taskName,
		Failure: func(k aws.Task) string { return k.Failure },
		Moving:  func(k aws.Task) bool { return k.Moving() },
		Dim:     func(k aws.Task) bool { return k.IsStopped() },
		Suffix:  t.of,
		Waiting: "Select a service above.",
		Empty:   "No tasks run here, and none has stopped within the last hour. n runs one.",
		Acted:   "task service",
		Columns: taskColumns(),
		Tabs: []table.Tab[aws.Task]{
			{Title: "Overview", Open: func(k aws.Task) pane.Pane { return newDetail("Overview", k, taskID, taskOverview) }},
			{Title: "Containers", Open: func(k aws.Task) pane.Pane { return newDetail("Containers", k, taskID, taskContainers) }},
			{Title: "Stop reason", Open: func(k aws.Task) pane.Pane { return newDetail("Stop reason", k, taskID, taskStop) }},
			taskLineage(t.places),
			definitionTabOf(t.places, taskID, func(k aws.Task) string { return k.TaskDefinition }),
		},
		Actions: append(t.shells.actions(), []table.Action[aws.Task]{
			{
				Key: "D", Does: "stop", Mutates: true, Done: "stopped %s",
				When:        func(k aws.Task) bool { return !k.IsStopped() },
				Confirm:     "Stop %s?",
				Consequence: stopConsequence,
				Each:        func(ctx context.Context, k aws.Task) error { return t.client.StopTask(ctx, k, stopReason) },
			},
			{Key: "d", Does: "describe", Open: func(h pane.Host, rows []aws.Task) tea.Cmd {
				k := rows[0]
				h.Open(newDescribe(taskName(k), func(ctx context.Context) (any, error) { return t.client.TaskDocument(ctx, k) }))
				return nil
			}},
		}...),
	}
}

// taskName is short enough to read and long enough to tell tasks apart.
func taskName(k aws.Task) string {
	return taskOf(k) + "/" + shortID(k.ID)
}

// taskOf is the service that keeps the task, or the family it was run from.
func taskOf(k aws.Task) string {
	return cmp.Or(k.Service, strings.TrimPrefix(k.Group, "family:"), "task")
}

func shortID(id string) string { return id[:min(len(id), 8)] }

func stopConsequence(rows []aws.Task) string {
	text := where(rows[0].Scope, rows[0].Cluster)
	kept := 0
	for _, k := range rows {
		if k.Service != "" {
			kept++
		}
	}
	switch kept {
	case 0:
		return text
	case 1:
		return "The service starts another one in its place.\n" + text
	}
	return fmt.Sprintf("Services start %d others in their place.\n%s", kept, text)
}

func taskColumns() []table.Column[aws.Task] {
	return []table.Column[aws.Task]{
		{Title: "TASK", Text: taskName, By: taskOf}, // then by ID, whose digits are no numbers
		{Title: "STATUS", Width: 16, Text: taskSign, Style: taskStyle},
		{
			Title: "EXIT", Width: 5, Right: true, Text: exitText,
			Compare: func(a, b aws.Task) int { return cmp.Compare(exitOrder(a), exitOrder(b)) },
		},
		{Title: "STOP CODE", Width: 24, Text: func(k aws.Task) string { return k.StopCode }},
		{Title: "REASON", Width: 44, Text: func(k aws.Task) string { return k.Reason() }},
		{Title: "DEFINITION", Width: 18, Text: func(k aws.Task) string { return k.TaskDefinition }},
		{
			Title: "STARTED", Width: 12, Text: func(k aws.Task) string { return moment(k.Started) },
			Compare: func(a, b aws.Task) int { return a.Started.Compare(b.Started) },
		},
		{
			Title: "STOPPED", Width: 12, Text: func(k aws.Task) string { return moment(k.Stopped) },
			Compare: func(a, b aws.Task) int { return a.Stopped.Compare(b.Stopped) },
		},
		{Title: "HEALTH", Width: 10, Text: func(k aws.Task) string { return k.Health }},
		{Title: "IP", Width: 15, Text: func(k aws.Task) string { return k.PrivateIP }},
		{Title: "AZ", Width: 14, Text: func(k aws.Task) string { return k.AZ }},
	}
}

func exitText(k aws.Task) string {
	if code, ok := k.ExitCode(); ok {
		return strconv.Itoa(code)
	}
	return ""
}

// exitOrder sorts tasks without an exit code before all others.
func exitOrder(k aws.Task) int {
	if code, ok := k.ExitCode(); ok {
		return code
	}
	return -1
}

func taskSign(k aws.Task) string {
	code, ok := k.ExitCode()
	switch {
	case k.LastStatus == "RUNNING" && k.DesiredStatus == "STOPPED":
		return "▽ stopping"
	case k.LastStatus == "RUNNING" && k.Health == "UNHEALTHY":
		return "▲ unhealthy"
	case k.LastStatus == "RUNNING":
		return "✓ running"
	case k.IsStopped() && ok && code == 0:
		return "○ stopped"
	case k.IsStopped():
		return "✗ stopped"
	}
	return "● " + strings.ToLower(k.LastStatus)
}

func taskStyle(k aws.Task) style.Style {
	t := style.Now()
	switch {
	case k.LastStatus == "RUNNING" && k.DesiredStatus == "RUNNING" && k.Health != "UNHEALTHY":
		return t.Good
	case strings.HasPrefix(taskSign(k), "✗"), k.Health == "UNHEALTHY":
		return t.Bad
	case k.IsStopped():
		return t.Dim
	}
	return t.Busy
}

// Commands add what needs no task, and the switch between service and cluster.
func (t *tasks) Commands() []pane.Command {
	cs := t.Table.Commands()
	if t.Typing() {
		return cs
	}
	if t.runs.cluster.ARN != "" {
		cs = append(cs, pane.Command{Key: "n", Does: "run a task", Mutates: true, Run: func() tea.Cmd { return t.runs.read(t.host) }})
	}
	if t.service == "" {
		return cs
	}
	does := "all tasks of the cluster"
	if t.whole {
		does = "tasks of the service only"
	}
	return append(cs, pane.Command{Key: "a", Does: does, Quiet: true, Run: func() tea.Cmd {
		t.whole = !t.whole
		return t.Follow(t.source())
	}})
}

// of says whose tasks these are.
func (t *tasks) of() string {
	switch {
	case t.cluster == "":
		return ""
	case t.whole || t.service == "":
		return " of cluster " + clusterName(t.cluster)
	}
	return " of " + t.service
}

func clusterName(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

func (t *tasks) source() table.Source[aws.Task] {
	c, cluster, service := t.client, t.cluster, t.service
	if t.whole {
		service = ""
	}
	return table.Source[aws.Task]{
		Key:      cluster + "/" + service,
		List:     func(ctx context.Context, page func([]aws.Task)) error { return c.Tasks(ctx, cluster, service, page) },
		IDs:      func(ctx context.Context) ([]string, error) { return c.TaskIDs(ctx, cluster, service) },
		Describe: func(ctx context.Context, ids []string) ([]aws.Task, error) { return c.DescribeTasks(ctx, cluster, ids) },
	}
}

// Init takes the host.
func (t *tasks) Init(h pane.Host) tea.Cmd {
	t.host = h
	return t.Table.Init(h)
}

// Update follows the services: their tasks, or the cluster's where it has no
// services.
func (t *tasks) Update(msg tea.Msg) tea.Cmd {
	if mine, cmd := t.runs.Update(t.host, msg); mine {
		return cmd
	}
	switch msg := msg.(type) {
	case pane.Selected[aws.Cluster]:
		t.runs.cluster = aws.Cluster{}
		if msg.Row != nil {
			t.runs.cluster = *msg.Row
		}
		return nil
	case pane.Selected[aws.Service]:
		t.runs.service = aws.Service{}
		if msg.Row != nil {
			t.runs.service = *msg.Row
		}
		return t.follow(msg.Row)
	case pane.Ended:
		return t.ran(msg)
	case noServices:
		t.cluster, t.service = msg.cluster, ""
		return t.Follow(t.source())
	case execEnabled:
		return t.enabled(msg)
	case forwardOpened:
		return forwarding(t.host, msg)
	case forwardTrouble:
		t.host.Say(pane.Notice{Err: errors.New(msg.text)})
		return hear(msg.more)
	}
	return t.Table.Update(msg)
}

// ran shows what was run by hand: a task of no service, so all of the cluster's.
func (t *tasks) ran(msg pane.Ended) tea.Cmd {
	tasks, ok := t.runs.ended(msg)
	if !ok || len(tasks) == 0 {
		return nil
	}
	cmds := []tea.Cmd{pane.Send(pane.Acted{What: "task"})}
	if tasks[0].ClusterARN == t.cluster {
		t.whole = t.service != ""
		cmds = append(cmds, t.Follow(t.source()), t.Select(tasks[0].ARN))
	}
	return tea.Batch(cmds...)
}

// enabled tells how turning ECS Exec on for a service went.
func (t *tasks) enabled(msg execEnabled) tea.Cmd {
	if msg.err != nil {
		t.host.Say(pane.Notice{Err: msg.err})
		return nil
	}
	t.host.Say(pane.Notice{Text: "exec is on for " + msg.service + ": its tasks are being replaced"})
	return pane.Send(pane.Acted{What: "service"})
}

// follow shows the service's tasks. The same service with other content has
// probably started or stopped some.
func (t *tasks) follow(s *aws.Service) tea.Cmd {
	if s == nil {
		t.cluster, t.service, t.whole = "", "", false
		return t.Follow(table.Source[aws.Task]{})
	}
	if s.Cluster == t.cluster && s.Name == t.service {
		t.cluster = s.ClusterARN // it was named by --cluster: its tasks are there already
		return nil
	}
	if s.ClusterARN == t.cluster && s.Name == t.service {
		return t.LookAgain()
	}
	t.cluster, t.service, t.whole = s.ClusterARN, s.Name, false
	return t.Follow(t.source())
}

func taskOverview(k aws.Task, w int) []string {
	t := style.Now()
	return factLines([]fact{
		{label: "task", value: k.ID},
		{label: "status", value: taskStatus(k), style: taskStyle(k)},
		{label: "problem", value: k.Failure, style: t.Bad},
		{label: "stopped", value: strings.TrimSpace(k.StopCode + "  " + k.Reason()), style: t.Bad},
		{label: "exit code", value: exitText(k)},
		{label: "service", value: k.Service},
		{label: "group", value: k.Group},
		{label: "started by", value: k.StartedBy},
		{label: "definition", value: k.TaskDefinition},
		{label: "launch", value: strings.TrimSpace(k.LaunchType + " " + k.PlatformVersion)},
		{label: "size", value: taskSize(k)},
		{label: "health", value: k.Health},
		{label: "exec", value: yesNo[k.ExecEnabled]},
		{label: "address", value: k.PrivateIP},
		{label: "subnet", value: k.SubnetID},
		{label: "zone", value: k.AZ},
		{label: "created", value: clock(k.Created)},
		{label: "started", value: clock(k.Started)},
		{label: "stopping", value: clock(k.Stopping)},
		{label: "stopped at", value: clock(k.Stopped)},
		{label: "ARN", value: k.ARN, style: t.Dim},
	}, w)
}

// taskStatus tells what is desired only where that is something else.
func taskStatus(k aws.Task) string {
	if k.DesiredStatus == "" || k.DesiredStatus == k.LastStatus {
		return taskSign(k)
	}
	return fmt.Sprintf("%s (%s is desired)", taskSign(k), strings.ToLower(k.DesiredStatus))
}

func taskSize(k aws.Task) string {
	if k.CPU == "" && k.Memory == "" {
		return ""
	}
	return fmt.Sprintf("%s CPU units, %s MiB", k.CPU, k.Memory)
}

func taskContainers(k aws.Task, w int) []string {
	var lines []string
	for i, c := range k.Containers {
		if i > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, heading(c.Name))
		lines = append(lines, containerFacts(c, w)...)
	}
	if len(lines) == 0 {
		return []string{style.Now().Dim.Render(" No containers are known of this task.")}
	}
	return lines
}

func containerFacts(c aws.Container, w int) []string {
	t := style.Now()
	exit := ""
	if c.ExitCode != nil {
		exit = exitMeaning(*c.ExitCode)
	}
	return factLines([]fact{
		{label: "status", value: strings.ToLower(c.LastStatus)},
		{label: "exit code", value: exit},
		{label: "reason", value: c.Reason, style: t.Bad},
		{label: "health", value: c.Health},
		{label: "image", value: c.Image},
		{label: "digest", value: c.Digest, style: t.Dim},
		{label: "ports", value: portsText(c.Ports)},
		{label: "exec agent", value: strings.TrimSpace(c.Agent.Status + "  " + c.Agent.Reason)},
		{label: "runtime id", value: c.RuntimeID, style: t.Dim},
	}, w)
}

func portsText(ports []aws.Port) string {
	texts := make([]string, len(ports))
	for i, p := range ports {
		texts[i] = fmt.Sprintf("%d/%s", p.Container, p.Protocol)
		if p.Host != 0 && p.BindIP != "" {
			texts[i] += fmt.Sprintf(" at %s:%d", p.BindIP, p.Host)
		}
	}
	return strings.Join(texts, ", ")
}

// exitMeaning says what an exit code usually tells (POSIX shells: 126, 127,
// 128 + signal).
func exitMeaning(code int) string {
	meanings := map[int]string{
		0: "ended by itself", 1: "the program failed", 126: "the command cannot be run", 127: "no such command",
		130: "SIGINT", 134: "SIGABRT: it gave up", 137: "SIGKILL: out of memory, or it did not stop in time",
		139: "SIGSEGV: it crashed", 143: "SIGTERM: it was asked to stop",
	}
	if m, ok := meanings[code]; ok {
		return fmt.Sprintf("%d  %s", code, m)
	}
	return strconv.Itoa(code)
}

func taskStop(k aws.Task, w int) []string {
	t := style.Now()
	if !k.IsStopped() && k.StopCode == "" {
		return []string{t.Dim.Render(" This task has not stopped.")}
	}
	lines := factLines([]fact{
		{label: "stop code", value: k.StopCode},
		{label: "reason", value: k.StopReason, style: t.Bad},
		{label: "stopped at", value: clock(k.Stopped)},
	}, w)
	for _, c := range k.Containers {
		lines = append(lines, "", heading(c.Name))
		exit := "none: it never ran to an end"
		if c.ExitCode != nil {
			exit = exitMeaning(*c.ExitCode)
		}
		lines = append(lines, factLines([]fact{{label: "exit code", value: exit}, {label: "reason", value: c.Reason, style: t.Bad}}, w)...)
	}
	return lines
}
