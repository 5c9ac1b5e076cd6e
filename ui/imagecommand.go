package ui

import (
	"errors"
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/docker"
	"gantry/ui/pane"
)

// askCommand copies one of the docker commands that equal what can be done with
// an image.
func (i *images) askCommand(r docker.Image) tea.Cmd {
	ref := r.Reference()
	var choices []pane.Choice
	for _, c := range []struct {
		does    string
		command docker.Command
	}{
		{"run", docker.RunCommand(docker.RunOptions{Image: ref})},
		{"run on a terminal", docker.RunAttachedCommand(docker.RunOptions{Image: ref, RemoveOnExit: true})},
		{"layers", docker.HistoryCommand(ref)},
		{"describe", docker.InspectCommand(ref)},
		{"tag", docker.TagCommand(ref, "NAME:TAG")},
		{"delete", docker.ImageRemoval{}.Command(ref)},
	} {
		choices = append(choices, pane.Choice{Value: i.client.CommandLine(c.command), Note: c.does})
	}
	i.host.Ask(pane.Dialog{
		Title: "Copy the docker command",
		Fields: []pane.Field{{Label: "command", Strict: true, Choices: func(typed string) []pane.Choice {
			var cs []pane.Choice
			for _, c := range choices {
				if strings.Contains(c.Value+" "+c.Note, typed) {
					cs = append(cs, c)
				}
			}
			return cs
		}}},
		Check: func(values []string) error {
			if values[0] == "" {
				return errors.New("choose a command")
			}
			return nil
		},
		Do: func(values []string) tea.Cmd { return toClipboard(i.host, values[0]) },
	})
	return nil
}

// toClipboard puts text on the clipboard and says so.
func toClipboard(h pane.Host, text string) tea.Cmd {
	h.Say(pane.Notice{Text: "copied " + text})
	return tea.SetClipboard(text)
}

// familiar is an image name as engines list it: without Docker Hub's host, with
// a tag.
func familiar(name string) string {
	for _, prefix := range []string{"docker.io/library/", "docker.io/", "index.docker.io/library/", "index.docker.io/"} {
		if rest, found := strings.CutPrefix(name, prefix); found {
			name = rest
			break
		}
	}
	if strings.LastIndexByte(name, ':') <= strings.LastIndexByte(name, '/') {
		name += ":latest"
	}
	return name
}
