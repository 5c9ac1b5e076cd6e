package ui

import (
	"context"
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/ui/lineage"
	"gantry/ui/pane"
	"gantry/ui/style"
	"gantry/ui/table"
	"gantry/ui/text"
)

// definitionTab is the revision of a task definition that a row runs, and where
// the images are that it names.
type definitionTab struct {
	*lineageTab
	name string // family:revision
	load pane.Load[aws.Definition]
}

// definitionTabOf is the tab of a table's rows. of is the revision of one as
// family:revision.
func definitionTabOf[T any](all *lineages, id, of func(T) string) table.Tab[T] {
	return table.Tab[T]{Title: "Definition", Open: func(row T) pane.Pane {
		t := &definitionTab{name: of(row)}
		t.lineageTab = &lineageTab{all: all, above: t.facts}
		t.strands = func() []lineage.Strand { return all.now.OfDefinition(t.load.Value) }
		t.take = func(msg tea.Msg) (bool, tea.Cmd) {
			m, ok := msg.(pane.Selected[T])
			if !ok || m.Row == nil || id(*m.Row) != id(row) {
				return false, nil
			}
			t.name = of(*m.Row) // a service has another after each ship
			return true, t.read()
		}
		t.Document = text.New("Definition", t.lines)
		return t
	}}
}

// read reads the revision, which never changes: once for each name.
func (t *definitionTab) read() tea.Cmd {
	cloud, name := t.all.cloud, t.name
	if !t.seen || cloud == nil || name == "" || t.load.Whole() && t.load.Value.Name() == name {
		return nil
	}
	return t.load.Start(name, func(ctx context.Context, _ func(aws.Definition)) (aws.Definition, error) {
		return cloud.Definition(ctx, name)
	})
}

// Resize reads when the tab comes into sight.
func (t *definitionTab) Resize(w, h int) tea.Cmd {
	return tea.Batch(t.lineageTab.Resize(w, h), t.read())
}

// Update takes the revision when it comes.
func (t *definitionTab) Update(msg tea.Msg) tea.Cmd {
	if mine, next := t.load.Update(msg); mine {
		return tea.Batch(next, t.again())
	}
	return t.lineageTab.Update(msg)
}

// Commands read the revision anew as well: that may have failed.
func (t *definitionTab) Commands() []pane.Command {
	return append(t.Document.Commands(), pane.Command{Key: "ctrl+r", Does: "read again", Run: func() tea.Cmd {
		return tea.Batch(t.read(), t.all.Anew())
	}})
}

// Close gives up on what was asked.
func (t *definitionTab) Close() { t.load.Stop() }

// facts is what the revision says.
func (t *definitionTab) facts(w int) []string {
	now, d := style.Now(), t.load.Value
	switch {
	case t.load.Err != nil:
		return padded(errorLines(t.load.Err, w-2))
	case d.ARN == "":
		return []string{now.Dim.Render(" loading…")}
	}
	lines := factLines([]fact{
		{label: "definition", value: d.Name()},
		{label: "status", value: d.Status},
		{label: "registered", value: clock(d.Registered)},
		{label: "cpu", value: d.CPU},
		{label: "memory", value: d.Memory},
		{label: "platform", value: d.Platform},
		{label: "network", value: d.NetworkMode},
		{label: "runs on", value: strings.Join(d.Compatibilities, " ")},
		{label: "exec role", value: d.ExecutionRole},
		{label: "task role", value: d.TaskRole},
		{label: "ARN", value: d.ARN, style: now.Dim},
	}, w)
	for _, c := range d.Containers {
		lines = append(lines, "", heading(c.Name))
		lines = append(lines, factLines([]fact{
			{label: "image", value: c.Image},
			{label: "essential", value: yesNo[c.Essential]},
			{label: "ports", value: portList(c.Ports)},
			{label: "logs", value: strings.TrimSpace(c.Log.Driver + " " + c.Log.Group + c.Log.To)},
		}, w)...)
	}
	return append(lines, "", heading("Where these images are"))
}
