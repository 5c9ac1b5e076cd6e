package ui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/ui/pane"
	"gantry/ui/table"
)

// Connect gives the AWS of another profile and region; an empty one follows
// the environment. It makes no calls.
type Connect func(profile, region string) Cloud

// regions are AWS's commercial ones (AWS General Reference, "Amazon ECS
// endpoints"). Others can be typed.
var regions = []string{
	"us-east-1", "us-east-2", "us-west-1", "us-west-2", "af-south-1", "ap-east-1", "ap-south-1", "ap-south-2",
	"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4",
	"ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2",
	"eu-west-3", "il-central-1", "me-central-1", "me-south-1", "sa-east-1",
}

// askProfile asks for another profile and region. Sessions and jobs keep the
// one they were started with.
func (f *Frame) askProfile() tea.Cmd {
	now := f.context.load.Value
	host{f: f}.Ask(pane.Dialog{
		Title: "Profile and region",
		Fields: []pane.Field{
			{Label: "profile", Value: now.Profile, Choices: func(typed string) []pane.Choice { return containing(aws.Profiles()...)(typed) }},
			{Label: "region", Value: now.Region, Choices: containing(regions...)},
		},
		Body: pane.Static("Empty follows the environment. Sessions and jobs that run stay where they are."),
		Do: func(values []string) tea.Cmd {
			return f.connectTo(strings.TrimSpace(values[0]), strings.TrimSpace(values[1]))
		},
	})
	return nil
}

// connectTo puts new panes in the places of those that speak to the old
// profile: nothing of it can be left behind in them.
func (f *Frame) connectTo(profile, region string) tea.Cmd {
	cloud := f.connect(profile, region)
	f.context.cloud, f.clients.cloud, f.clients.ships.cloud = cloud, cloud, cloud
	f.context.load.Clear()
	cmds := []tea.Cmd{f.context.identify(), f.lineages.Switch(cloud)}
	for name, p := range cloudPanes(f.clients, "", "", f.pace) {
		cmds = append(cmds, f.replace(name, p))
	}
	return tea.Batch(append(cmds, f.layout())...)
}

// cloudPanes are the panes that speak to AWS, by name.
func cloudPanes(ends *clients, cluster, service string, pace table.Pace) map[string]pane.Pane {
	c, places := ends.cloud, ends.places
	return map[string]pane.Pane{
		"Repositories": Repositories(c, ends, pace),
		"Clusters":     Clusters(c, cluster, pace),
		"Services":     Services(c, cluster, service, pace, places, ends.ships),
		"Tasks":        Tasks(c, cluster, service, pace, places),
	}
}
