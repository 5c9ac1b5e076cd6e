package ui

import (
	"errors"
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/docker"
	"gantry/ui/pane"
)

// copyCommand offers the docker commands that do what the keys do.
func (k *containers) copyCommand(h pane.Host, rows []containerRow) tea.Cmd {
	choices := k.commandChoices(rows[0])
	h.Ask(pane.Dialog{
		Title: "Copy a docker command",
		Fields: []pane.Field{{Label: "for", Strict: true, Choices: func(typed string) []pane.Choice {
			var cs []pane.Choice
			for _, c := range choices {
				if strings.Contains(c.Label+" "+c.Value, typed) {
					cs = append(cs, c)
				}
			}
			return cs
		}}},
		Body: func(values []string) string { return values[0] },
		Check: func(values []string) error {
			if values[0] == "" {
				return errors.New("choose a command")
			}
			return nil
		},
		Do: func(values []string) tea.Cmd { return toClipboard(h, values[0]) },
	})
	return nil
}

// offer is a docker command, and what it does.
type offer struct {
	does    string
	command docker.Command
}

// commandChoices are the commands that a container can take now.
func (k *containers) commandChoices(r containerRow) []pane.Choice {
	offers := append(stateOffers(r), []offer{
		{"logs", docker.LogsCommand(r.Name, docker.LogOptions{Follow: true})},
		{"inspect", docker.InspectCommand(r.Name)},
		{"files changed", docker.ChangesCommand(r.Name)},
		{"copy out", docker.CopyOutCommand(r.Name, "/PATH", ".")},
		{"rename", docker.RenameCommand(r.Name, "NAME")},
		{"delete", removal([]containerRow{r}).Command(r.Name)},
	}...)
	choices := make([]pane.Choice, len(offers))
	for i, o := range offers {
		choices[i] = pane.Choice{Label: o.does, Value: k.client.CommandLine(o.command)}
	}
	return choices
}

// stateOffers are the commands for the state that a container is in.
func stateOffers(r containerRow) []offer {
	stops := []offer{
		{"stop", docker.StopCommand(r.Name)},
		{"restart", docker.RestartCommand(r.Name)},
		{"kill", docker.KillCommand(r.Name, "")},
		{"stats", docker.StatsCommand(r.Name)},
		{"top", docker.TopCommand(r.Name)},
	}
	switch {
	case !r.Running():
		return []offer{{"start", docker.StartCommand(r.Name)}}
	case r.State == "paused":
		return append([]offer{{"go on", docker.UnpauseCommand(r.Name)}}, stops...)
	}
	return append([]offer{
		{"exec", docker.ExecCommand(r.Name, "sh")},
		{"attach", docker.AttachCommand(r.Name)},
		{"pause", docker.PauseCommand(r.Name)},
	}, stops...)
}
