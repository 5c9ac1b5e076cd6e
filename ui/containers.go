package ui

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/docker"
	"gantry/ui/lineage"
	"gantry/ui/pane"
	"gantry/ui/style"
	"gantry/ui/table"
	"gantry/ui/term"
	"gantry/ui/text"
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
	CopyOut(ctx context.Context, id, src, dst string, report func(done, total int64)) (docker.Copied, error)
	Attach(ctx context.Context, id string, cols, rows int) (*docker.Session, error)
	shellEngine
	listenClient
	logClient
	statsClient
	topClient
	changesClient
}

const containersTitle = "Containers"

// containers lists the local containers, running or not.
type containers struct {
	*table.Table[containerRow]
	client  containerClient
	listens *listens
	copied  struct{ path, folder string } // as last answered
}

// Containers is the pane of local containers.
func Containers(c containerClient) pane.Pane {
	k := &containers{client: c, listens: newListens(c)}
	k.copied.path, k.copied.folder = "/", "."
	k.Table = table.New(k.spec())
	k.Knowing(k.listens.complete)
	k.Within(k)
	return k
}

func containerID(r containerRow) string { return r.ID }

func (k *containers) spec() table.Spec[containerRow] {
	return table.Spec[containerRow]{
		Title: containersTitle,
		Source: table.Source[containerRow]{Key: "all", List: func(ctx context.Context, page func([]containerRow)) error {
			rows, err := k.client.Containers(ctx)
			page(k.listens.note(rows))
			return err
		}},
		Pace:    eventDriven,
		ID:      containerID,
		Name:    func(c containerRow) string { return c.Name },
		Dim:     func(c containerRow) bool { return !c.Running() },
		Empty:   "No containers here yet. r on an image runs one.",
		Acted:   "container",
		Columns: containerColumns(),
		Tabs:    k.tabs(),
		Actions: k.actions(),
	}
}

func containerColumns() []table.Column[containerRow] {
	return []table.Column[containerRow]{
		{Title: "NAME", Text: func(c containerRow) string { return c.Name }},
		{Title: "STATE", Width: 11, Text: containerSign, Style: containerStyle},
		{Title: "PORTS", Width: 7, Text: portMark, Style: portStyle},
		{Title: "PUBLISHED", Width: 24, Text: allPorts, Style: portStyle},
		{Title: "IMAGE", Width: 26, Tail: true, Text: func(c containerRow) string { return c.Image }},
		{
			Title: "EXIT", Width: 5, Right: true, Text: containerExit,
			Compare: func(a, b containerRow) int { return cmp.Compare(a.ExitCode, b.ExitCode) },
		},
		{
			Title: "CREATED", Width: 12, Text: func(c containerRow) string { return moment(c.Created) },
			Compare: func(a, b containerRow) int { return a.Created.Compare(b.Created) },
		},
		{Title: "COMMAND", Width: 40, Text: func(c containerRow) string { return c.Command }},
		{Title: "ID", Width: 12, Text: func(c containerRow) string { return lineage.Short(c.ID) }},
	}
}

func containerSign(c containerRow) string {
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

func containerStyle(c containerRow) style.Style {
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

func containerExit(c containerRow) string {
	if !c.Exited() {
		return ""
	}
	return strconv.Itoa(c.ExitCode)
}

// actions are the keys of a container.
func (k *containers) actions() []table.Action[containerRow] {
	runs := func(c containerRow) bool { return c.Running() }
	rests := func(c containerRow) bool { return !c.Running() }
	plain := func(c containerRow) bool { return c.State == "running" }
	each := func(do func(context.Context, string) error) func(context.Context, containerRow) error {
		return func(ctx context.Context, c containerRow) error { return do(ctx, c.ID) }
	}
	return append(k.lookActions(), []table.Action[containerRow]{
		{Key: "e", Does: "exec", Mutates: true, When: plain, Open: k.exec},
		{Key: "s", Does: "start", Mutates: true, When: rests, Done: "started %s", Each: each(k.client.Start)},
		{Key: "s", Does: "stop", Mutates: true, When: runs, Done: "stopped %s", Each: each(k.client.Stop)},
		{Key: "r", Does: "restart", Mutates: true, Done: "restarted %s", Each: each(k.client.Restart)},
		{Key: "p", Does: "pause", Mutates: true, When: plain, Done: "paused %s", Each: each(k.client.Pause)},
		{Key: "p", Does: "go on", Mutates: true, When: func(c containerRow) bool { return c.State == "paused" }, Done: "%s goes on", Each: each(k.client.Unpause)},
		{Key: "K", Does: "kill", Mutates: true, When: runs, Open: k.kill},
		{Key: "R", Does: "rename", Mutates: true, Open: k.rename},
		{Key: "A", Does: "attach", Mutates: true, When: plain, Open: k.attach},
		{
			Key: "D", Does: "delete", Mutates: true, Done: "deleted %s", Confirm: "Delete %s?",
			Consequence: func(rows []containerRow) string {
				return k.client.CommandLine(removal(rows).Command(containerNames(rows)...))
			},
			Each: func(ctx context.Context, c containerRow) error {
				return k.client.RemoveContainer(ctx, c.ID, removal([]containerRow{c}))
			},
		},
		{Key: "d", Does: "describe", Open: func(h pane.Host, rows []containerRow) tea.Cmd {
			c := rows[0]
			h.Open(newDescribe(c.Name, func(ctx context.Context) (any, error) { return k.client.InspectContainer(ctx, c.ID) }))
			return nil
		}},
		{Key: "c", Does: "copy out", Open: k.copyOut},
		{Key: "Y", Does: "docker commands", Open: k.copyCommand},
	}...)
}

// lookActions are the keys that show more of a container. Where its sockets are
// not to be seen from here, a helper container must be allowed first.
func (k *containers) lookActions() []table.Action[containerRow] {
	return []table.Action[containerRow]{
		{Key: "l", Does: "logs", Open: k.logs},
		{Key: "w", Does: "why", Mutates: true, When: needsHelper, Open: k.askHelper},
		{Key: "w", Does: "why", When: func(r containerRow) bool { return r.Running() }, Open: k.openWhy},
	}
}

// removal kills first what runs, because the user has said yes to its name.
func removal(rows []containerRow) docker.ContainerRemoval {
	for _, c := range rows {
		if c.Running() {
			return docker.ContainerRemoval{Force: true}
		}
	}
	return docker.ContainerRemoval{}
}

func containerNames(rows []containerRow) []string {
	names := make([]string, len(rows))
	for i, c := range rows {
		names[i] = c.Name
	}
	return names
}

// exec opens a shell in the terminal pane that ECS has too.
func (k *containers) exec(h pane.Host, rows []containerRow) tea.Cmd {
	h.Open(newContainerShell(k.client, rows[0].Container))
	return nil
}

func (k *containers) logs(h pane.Host, rows []containerRow) tea.Cmd {
	h.Open(logSession{newContainerLog(k.client, rows[0].Container, text.LogOptions{Closable: true})})
	return nil
}

func (k *containers) attach(h pane.Host, rows []containerRow) tea.Cmd {
	c := rows[0]
	h.Open(term.New(term.Options{
		Name: "attach " + c.Name, Waits: c.Name,
		Open: func(ctx context.Context, cols, rows int) (term.Stream, error) {
			return stream(k.client.Attach(ctx, c.ID, cols, rows))
		},
	}))
	return nil
}

// signals are those that people send by hand, the gentlest first.
var signals = []string{"SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGKILL"}

func (k *containers) kill(h pane.Host, rows []containerRow) tea.Cmd {
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
			return k.Do(table.Action[containerRow]{
				Does: "kill", Done: "sent " + values[0] + " to %s",
				Each: func(ctx context.Context, c containerRow) error { return k.client.Kill(ctx, c.ID, values[0]) },
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

func (k *containers) rename(h pane.Host, rows []containerRow) tea.Cmd {
	c := rows[0]
	h.Ask(pane.Dialog{
		Title:  "Rename " + c.Name,
		Fields: []pane.Field{{Label: "name", Value: c.Name}},
		Body: func(values []string) string {
			return k.client.CommandLine(docker.RenameCommand(c.Name, strings.TrimSpace(values[0])))
		},
		Do: func(values []string) tea.Cmd {
			name := strings.TrimSpace(values[0])
			return k.Do(table.Action[containerRow]{
				Does: "rename", Done: "renamed to " + name,
				Each: func(ctx context.Context, c containerRow) error { return k.client.Rename(ctx, c.ID, name) },
			}, rows[:1])
		},
	})
	return nil
}

// Update reads the containers again when the engine says that they have
// changed, and keeps an eye on where they listen.
func (k *containers) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case engineChanged:
		return k.changed(msg)
	case containerRan:
		return k.Select(msg.id)
	case listenFound:
		return tea.Batch(k.Amend(k.listens.tell(msg)), k.listens.next())
	case pane.Selected[containerRow]:
		if msg.Row != nil && msg.From == containersTitle {
			k.listens.selects(msg.Row.ID)
		}
		return tea.Batch(k.Table.Update(msg), k.listens.next())
	}
	if changed, mine := k.listens.update(msg); mine {
		return tea.Batch(k.Amend(changed), k.listens.next())
	}
	cmd := k.Table.Update(msg)
	if k.listens.news() {
		return tea.Batch(cmd, k.listens.next())
	}
	return cmd
}

func (k *containers) changed(msg engineChanged) tea.Cmd {
	if !msg.containers {
		return nil
	}
	if msg.anew {
		k.listens.forget()
	}
	for _, id := range msg.started {
		k.listens.started(id)
	}
	return tea.Batch(k.Refresh(), k.listens.next())
}

// Close gives up on everything under way.
func (k *containers) Close() {
	k.listens.close()
	k.Table.Close()
}
