package ui

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/docker"
	"gantry/ui/pane"
	"gantry/ui/style"
	"gantry/ui/table"
	"gantry/ui/text"
)

// topEvery is how often the processes are listed while they are seen.
const topEvery = 5 * time.Second

// tabs are what the stage shows of a container.
func (k *containers) tabs() []table.Tab[containerRow] {
	return []table.Tab[containerRow]{
		{Title: "Overview", Open: func(r containerRow) pane.Pane { return newContainerOverview(k.client, r) }},
		{Title: "Logs", Open: func(r containerRow) pane.Pane {
			return newContainerLog(k.client, r.Container, text.LogOptions{})
		}},
		{Title: "Stats", Open: func(r containerRow) pane.Pane { return newStats(k.client, r) }},
		{Title: "Listens", Open: func(r containerRow) pane.Pane { return newDetail("Listens", r, containerID, tellsListen) }},
		{Title: "Top", Open: func(r containerRow) pane.Pane { return newTop(k.client, r) }},
		{Title: "Files changed", Open: func(r containerRow) pane.Pane { return newChanges(k.client, r) }},
	}
}

// changed tells the messages that say new content of a row.
func changed(id string) func(tea.Msg) bool {
	return func(msg tea.Msg) bool {
		m, ok := msg.(pane.Selected[containerRow])
		return ok && m.Row != nil && m.Row.ID == id
	}
}

// containerOverview is a row with what only an inspection tells.
type containerOverview struct {
	*report[docker.Container]
	row containerRow
}

func newContainerOverview(c containerClient, r containerRow) pane.Pane {
	o := &containerOverview{row: r}
	o.report = newReport("Overview", func(ctx context.Context) (docker.Container, error) {
		rows, err := c.Describe(ctx, []string{r.ID})
		if err != nil || len(rows) == 0 {
			return docker.Container{}, err
		}
		return rows[0], nil
	}, func(d docker.Container, w int) []string { return overviewLines(o.row, d.Detail, w) })
	o.again = changed(r.ID)
	o.Set(func(w int) []string { return overviewLines(o.row, nil, w) })
	return o
}

// Update takes new content of the row.
func (o *containerOverview) Update(msg tea.Msg) tea.Cmd {
	if m, ok := msg.(pane.Selected[containerRow]); ok && o.again(msg) {
		o.row = *m.Row
	}
	return o.report.Update(msg)
}

func overviewLines(r containerRow, d *docker.ContainerDetail, w int) []string {
	t := style.Now()
	if d == nil {
		d = &docker.ContainerDetail{}
	}
	exit := ""
	if r.Exited() {
		exit = fmt.Sprintf("%d  %s", r.ExitCode, docker.ExitMeaning(r.ExitCode, d.OOMKilled))
	}
	var ports []string
	for _, p := range r.Ports {
		ports = append(ports, p.String())
	}
	facts := []fact{
		{label: "container", value: r.Name},
		{label: "state", value: containerSign(r) + "  " + r.Status, style: containerStyle(r)},
		{label: "exit code", value: exit},
		{label: "problem", value: d.Error, style: t.Bad},
		{label: "image", value: r.Image},
		{label: "command", value: r.Command},
		{label: "ports", value: strings.Join(ports, ", ")},
		{label: "listens", value: listenSummary(r), style: portStyle(r)},
		{label: "networks", value: strings.Join(r.Networks, ", ")},
		{label: "created", value: clock(r.Created)},
		{label: "started", value: clock(d.Started)},
		{label: "finished", value: finished(r, d)},
		{label: "restarts", value: restarts(d)},
		{label: "user", value: d.User},
		{label: "directory", value: d.WorkingDir},
		{label: "platform", value: d.Platform},
		{label: "terminal", value: terminalText(d)},
	}
	for _, m := range r.Mounts {
		facts = append(facts, fact{label: "mount", value: mountText(m)})
	}
	facts = append(facts, fact{label: "id", value: r.ID, style: t.Dim})
	return append(factLines(facts, w), labelLines(r.Labels, w)...)
}

// labelLines are an object's labels.
func labelLines(labels map[string]string, w int) []string {
	if len(labels) == 0 {
		return nil
	}
	facts := make([]fact, 0, len(labels))
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		facts = append(facts, fact{label: style.Plain(k), value: labels[k]})
	}
	return append([]string{"", heading("Labels")}, factLines(facts, w)...)
}

// listenSummary is the verdict on the port that is worst off, in words.
func listenSummary(r containerRow) string {
	if !r.Looked || !r.Running() || len(r.Listen.Ports) == 0 {
		return ""
	}
	worst := r.Listen.Worst()
	summary := verdictSigns[worst] + " " + verdictWords[worst]
	if worst != docker.ListenOK {
		summary += " (w tells more)"
	}
	return summary
}

// finished is the end of the last run; of a container that runs, that was
// before.
func finished(r containerRow, d *docker.ContainerDetail) string {
	if r.Running() {
		return ""
	}
	return clock(d.Finished)
}

func restarts(d *docker.ContainerDetail) string {
	parts := []string{d.RestartPolicy}
	if d.RestartCount > 0 {
		parts = append(parts, fmt.Sprintf("restarted %d ×", d.RestartCount))
	}
	if d.AutoRemove {
		parts = append(parts, "removed when it ends")
	}
	return strings.TrimPrefix(strings.Join(parts, ", "), ", ")
}

func terminalText(d *docker.ContainerDetail) string {
	switch {
	case d.TTY && d.OpenStdin:
		return "yes, takes input"
	case d.TTY:
		return "yes"
	case d.OpenStdin:
		return "no, takes input"
	}
	return ""
}

func mountText(m docker.Mount) string {
	s := fmt.Sprintf("%s %s → %s", m.Type, m.Source, m.Destination)
	if m.ReadOnly {
		s += " (read-only)"
	}
	return s
}

// topClient lists processes.
type topClient interface {
	Top(ctx context.Context, id string) (docker.Processes, error)
}

// newTop is the tab with the processes, listed now and then while it is seen.
func newTop(c topClient, r containerRow) pane.Pane {
	p := newReport("Top", func(ctx context.Context) (docker.Processes, error) { return c.Top(ctx, r.ID) }, processLines)
	p.again = changed(r.ID)
	if r.Running() {
		p.every = topEvery
	}
	return p
}

// processLines are the processes in columns; the last takes what is left.
func processLines(ps docker.Processes, w int) []string {
	t := style.Now()
	widths := make([]int, len(ps.Titles))
	for _, row := range append([][]string{ps.Titles}, ps.Rows...) {
		for i, cell := range row[:min(len(row), len(widths))] {
			widths[i] = max(widths[i], style.Width(style.Plain(cell)))
		}
	}
	line := func(row []string) string {
		var b strings.Builder
		for i, cell := range row[:min(len(row), len(widths))] {
			b.WriteString(" " + style.Fit(style.Plain(cell), widths[i]))
		}
		return style.Cut(b.String(), w)
	}
	lines := []string{t.Header.Render(line(ps.Titles))}
	for _, row := range ps.Rows {
		lines = append(lines, line(row))
	}
	return append(lines, "", t.Dim.Render(style.Cut(" as ps on the engine's machine has it", w)))
}

// changesClient lists the files that a container has changed.
type changesClient interface {
	Changes(ctx context.Context, id string) ([]docker.Change, error)
	CommandLine(command docker.Command) string
}

func newChanges(c changesClient, r containerRow) pane.Pane {
	command := c.CommandLine(docker.ChangesCommand(r.Name))
	return newReport("Files changed", func(ctx context.Context) ([]docker.Change, error) { return c.Changes(ctx, r.ID) },
		func(cs []docker.Change, w int) []string { return changeLines(cs, command, w) })
}

// changeLines are the changed files below how many of which kind there are.
func changeLines(cs []docker.Change, command string, w int) []string {
	t := style.Now()
	if len(cs) == 0 {
		return []string{t.Dim.Render(style.Cut(" Every file is as it is in the image.", w)), "", t.Dim.Render(style.Cut(" "+command, w))}
	}
	kinds := map[docker.ChangeKind]int{}
	for _, c := range cs {
		kinds[c.Kind]++
	}
	head := fmt.Sprintf(" %d added, %d changed, %d deleted · ctrl+r looks again", kinds[docker.Added], kinds[docker.Modified], kinds[docker.Deleted])
	lines := []string{t.Dim.Render(style.Cut(head, w)), t.Dim.Render(style.Cut(" "+style.Plain(command), w)), ""}
	looks := map[docker.ChangeKind]style.Style{docker.Added: t.Good, docker.Modified: t.Busy, docker.Deleted: t.Bad}
	for _, c := range cs {
		lines = append(lines, " "+looks[c.Kind].Render(c.Kind.String())+" "+style.Cut(style.Plain(c.Path), max(1, w-4)))
	}
	return lines
}
