package ui

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/docker"
	"gantry/ui/pane"
	"gantry/ui/style"
	"gantry/ui/table"
	"gantry/ui/term"
)

// containerClient is what this pane needs of Docker.
type containerClient interface {
	Containers(ctx context.Context) ([]docker.Container, error)
	InspectContainer(ctx context.Context, id string) (any, error)
	Start(ctx context.Context, id string) error
	Stop(ctx context.Context, id string) error
	Restart(ctx context.Context, id string) error
	Pause(ctx context.Context, id string) error
	Unpause(ctx context.Context, id string) error
	Kill(ctx context.Context, id, signal string) error
	Rename(ctx context.Context, id, name string) error
	RemoveContainer(ctx context.Context, id string, how docker.ContainerRemoval) error
	Exec(ctx context.Context, id string, shells []string, cols, rows int) (*docker.Session, error)
	Attach(ctx context.Context, id string, cols, rows int) (*docker.Session, error)
	CommandLine(command docker.Command) string
}

// containers lists the local containers, running or not.
type containers struct {
	*table.Table[docker.Container]
	client containerClient
}

// Containers is the pane of local containers.
func Containers(c containerClient) pane.Pane {
	k := &containers{client: c}
	k.Table = table.New(k.spec())
	k.Within(k)
	return k
}

func containerID(c docker.Container) string { return c.ID }

func (k *containers) spec() table.Spec[docker.Container] {
	return table.Spec[docker.Container]{
		Title: "Containers",
		Source: table.Source[docker.Container]{Key: "all", List: func(ctx context.Context, page func([]docker.Container)) error {
			rows, err := k.client.Containers(ctx)
			page(rows)
			return err
		}},
		Pace:    eventDriven,
		ID:      containerID,
		Name:    func(c docker.Container) string { return c.Name },
		Dim:     func(c docker.Container) bool { return !c.Running() },
		Empty:   "No containers here yet. r on an image runs one.",
		Acted:   "container",
		Columns: containerColumns(),
		Tabs: []table.Tab[docker.Container]{
			{Title: "Overview", Open: func(c docker.Container) pane.Pane { return newDetail("Overview", c, containerID, containerOverview) }},
		},
		Actions: k.actions(),
	}
}

func containerColumns() []table.Column[docker.Container] {
	return []table.Column[docker.Container]{
		{Title: "NAME", Text: func(c docker.Container) string { return c.Name }},
		{Title: "STATE", Width: 13, Text: containerSign, Style: containerStyle},
		{Title: "PORTS", Width: 22, Text: publishedPorts},
		{Title: "IMAGE", Width: 26, Text: func(c docker.Container) string { return c.Image }},
		{
			Title: "EXIT", Width: 5, Right: true, Text: containerExit,
			Compare: func(a, b docker.Container) int { return cmp.Compare(a.ExitCode, b.ExitCode) },
		},
		{
			Title: "CREATED", Width: 12, Text: func(c docker.Container) string { return moment(c.Created) },
			Compare: func(a, b docker.Container) int { return a.Created.Compare(b.Created) },
		},
		{Title: "COMMAND", Width: 40, Text: func(c docker.Container) string { return c.Command }},
		{Title: "ID", Width: 12, Text: func(c docker.Container) string { return shortDigest(c.ID) }},
	}
}

func containerSign(c docker.Container) string {
	switch {
	case c.State == "running" && c.Health == "unhealthy":
		return "▲ unhealthy"
	case c.State == "running" && c.Health == "starting":
		return "● starting"
	case c.State == "running":
		return "✓ running"
	case c.State == "paused":
		return "‖ paused"
	case c.Exited() && c.ExitCode != 0:
		return "✗ exited"
	case c.Running():
		return "● " + c.State
	}
	return "○ " + c.State
}

func containerStyle(c docker.Container) style.Style {
	t := style.Now()
	switch containerSign(c) {
	case "✓ running":
		return t.Good
	case "▲ unhealthy", "✗ exited":
		return t.Bad
	}
	if c.Running() {
		return t.Busy
	}
	return t.Dim
}

func publishedPorts(c docker.Container) string {
	var texts []string
	for _, p := range c.Ports {
		if p.Published() && !strings.Contains(p.HostIP, ":") { // once, not for IPv6 again
			texts = append(texts, fmt.Sprintf("%d→%d", p.Host, p.Container))
		}
	}
	return strings.Join(texts, " ")
}

func containerExit(c docker.Container) string {
	if !c.Exited() {
		return ""
	}
	return strconv.Itoa(c.ExitCode)
}

// actions are the keys of a container.
func (k *containers) actions() []table.Action[docker.Container] {
	runs := func(c docker.Container) bool { return c.Running() }
	rests := func(c docker.Container) bool { return !c.Running() }
	plain := func(c docker.Container) bool { return c.State == "running" }
	each := func(do func(context.Context, string) error) func(context.Context, docker.Container) error {
		return func(ctx context.Context, c docker.Container) error { return do(ctx, c.ID) }
	}
	return []table.Action[docker.Container]{
		{Key: "e", Does: "exec", Mutates: true, When: plain, Open: k.exec},
		{Key: "s", Does: "start", Mutates: true, When: rests, Done: "started %s", Each: each(k.client.Start)},
		{Key: "s", Does: "stop", Mutates: true, When: runs, Done: "stopped %s", Each: each(k.client.Stop)},
		{Key: "r", Does: "restart", Mutates: true, Done: "restarted %s", Each: each(k.client.Restart)},
		{Key: "p", Does: "pause", Mutates: true, When: plain, Done: "paused %s", Each: each(k.client.Pause)},
		{Key: "p", Does: "go on", Mutates: true, When: func(c docker.Container) bool { return c.State == "paused" }, Done: "%s goes on", Each: each(k.client.Unpause)},
		{Key: "K", Does: "kill", Mutates: true, When: runs, Open: k.kill},
		{Key: "R", Does: "rename", Mutates: true, Open: k.rename},
		{Key: "A", Does: "attach", Mutates: true, When: plain, Open: k.attach},
		{
			Key: "D", Does: "delete", Mutates: true, Done: "deleted %s", Confirm: "Delete %s?",
			Consequence: func(rows []docker.Container) string {
				return k.client.CommandLine(removal(rows).Command(containerNames(rows)...))
			},
			Each: func(ctx context.Context, c docker.Container) error {
				return k.client.RemoveContainer(ctx, c.ID, removal([]docker.Container{c}))
			},
		},
		{Key: "d", Does: "describe", Open: func(h pane.Host, rows []docker.Container) tea.Cmd {
			c := rows[0]
			h.Open(newDescribe(c.Name, func(ctx context.Context) (any, error) { return k.client.InspectContainer(ctx, c.ID) }))
			return nil
		}},
	}
}

// removal kills first what runs, because the user has said yes to its name.
func removal(rows []docker.Container) docker.ContainerRemoval {
	for _, c := range rows {
		if c.Running() {
			return docker.ContainerRemoval{Force: true}
		}
	}
	return docker.ContainerRemoval{}
}

func containerNames(rows []docker.Container) []string {
	names := make([]string, len(rows))
	for i, c := range rows {
		names[i] = c.Name
	}
	return names
}

// exec opens a shell in the terminal pane that ECS has too.
func (k *containers) exec(h pane.Host, rows []docker.Container) tea.Cmd {
	c := rows[0]
	h.Open(term.New(term.Options{
		Name: "sh " + c.Name, Waits: "a shell in " + c.Name,
		Open: func(ctx context.Context, cols, rows int) (term.Stream, error) {
			return k.client.Exec(ctx, c.ID, docker.DefaultShells, cols, rows)
		},
	}))
	return nil
}

func (k *containers) attach(h pane.Host, rows []docker.Container) tea.Cmd {
	c := rows[0]
	h.Open(term.New(term.Options{
		Name: "attach " + c.Name, Waits: c.Name,
		Open: func(ctx context.Context, cols, rows int) (term.Stream, error) {
			return k.client.Attach(ctx, c.ID, cols, rows)
		},
	}))
	return nil
}

// signals are those that people send by hand, the gentlest first.
var signals = []string{"SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGKILL"}

func (k *containers) kill(h pane.Host, rows []docker.Container) tea.Cmd {
	h.Ask(pane.Dialog{
		Title: "Send a signal to " + strings.Join(containerNames(rows), ", "),
		Fields: []pane.Field{{Label: "signal", Strict: true, Choices: func(typed string) []pane.Choice {
			var cs []pane.Choice
			for _, s := range signals {
				if strings.Contains(s, strings.ToUpper(typed)) {
					cs = append(cs, pane.Choice{Value: s})
				}
			}
			return cs
		}}},
		Body:  func(values []string) string { return k.client.CommandLine(docker.KillCommand(rows[0].Name, values[0])) },
		Check: func(values []string) error { return chosenSignal(values[0]) },
		Do: func(values []string) tea.Cmd {
			return k.Do(table.Action[docker.Container]{
				Does: "kill", Done: "sent " + values[0] + " to %s",
				Each: func(ctx context.Context, c docker.Container) error { return k.client.Kill(ctx, c.ID, values[0]) },
			}, rows)
		},
	})
	return nil
}

func chosenSignal(name string) error {
	if name == "" {
		return fmt.Errorf("choose one of %s", strings.Join(signals, ", "))
	}
	return nil
}

func (k *containers) rename(h pane.Host, rows []docker.Container) tea.Cmd {
	c := rows[0]
	h.Ask(pane.Dialog{
		Title:  "Rename " + c.Name,
		Fields: []pane.Field{{Label: "name", Value: c.Name}},
		Body: func(values []string) string {
			return k.client.CommandLine(docker.RenameCommand(c.Name, strings.TrimSpace(values[0])))
		},
		Do: func(values []string) tea.Cmd {
			name := strings.TrimSpace(values[0])
			return k.Do(table.Action[docker.Container]{
				Does: "rename", Done: "renamed to " + name,
				Each: func(ctx context.Context, c docker.Container) error { return k.client.Rename(ctx, c.ID, name) },
			}, rows[:1])
		},
	})
	return nil
}

// Update reads the containers again when the engine says that they have
// changed.
func (k *containers) Update(msg tea.Msg) tea.Cmd {
	if m, ok := msg.(engineChanged); ok {
		if m.containers {
			return k.Refresh()
		}
		return nil
	}
	return k.Table.Update(msg)
}

func containerOverview(c docker.Container, w int) []string {
	t := style.Now()
	exit := ""
	if c.Exited() {
		exit = fmt.Sprintf("%d  %s", c.ExitCode, docker.ExitMeaning(c.ExitCode, false))
	}
	var ports []string
	for _, p := range c.Ports {
		ports = append(ports, p.String())
	}
	facts := []fact{
		{label: "container", value: c.Name},
		{label: "state", value: containerSign(c) + "  " + c.Status, style: containerStyle(c)},
		{label: "exit code", value: exit},
		{label: "image", value: c.Image},
		{label: "command", value: c.Command},
		{label: "ports", value: strings.Join(ports, ", ")},
		{label: "networks", value: strings.Join(c.Networks, ", ")},
		{label: "created", value: clock(c.Created)},
		{label: "id", value: c.ID, style: t.Dim},
	}
	return append(factLines(facts, w), tagLines(c.Labels, w)...)
}
