package ui

import (
	"context"
	"log/slog"

	"gantry/docker"
	"gantry/ui/pane"
	"gantry/ui/table"
)

// Cloud is what the AWS panes need together.
type Cloud interface {
	identifier
	clusterReader
	serviceClient
	taskClient
	repositoryClient
	shipCloud
}

// Engine is what the Docker panes need together.
type Engine interface {
	engineClient
	imageClient
	containerClient
	carrier
	shipEngine
}

// Options says what the explorer shows.
type Options struct {
	AWS Cloud
	// Connect gives another AWS, for ctrl+p; without it there is no such key.
	Connect Connect
	// Docker is the local engine; without it there are no panes for it.
	Docker Engine
	// OpenDocker makes a client of another engine, for ctrl+o. Without it there
	// is no choice.
	OpenDocker func(docker.Options) Engine
	// Sandbox says what runs the tasks of the built-in AWS ("process runtime");
	// empty on the real one. Settled waits until that is known for good and says
	// it again; nil if it is.
	Sandbox string
	Settled func(context.Context) (string, error)
	// Cluster and Service, when named, are shown alone, without listing others.
	Cluster, Service string
	// Pace is how often rows are read again; zero fields take the defaults.
	Pace table.Pace
	// Access is whether commands that change something are offered.
	Access Access
	// Log receives the type of every message, never its content.
	Log *slog.Logger
}

// Access is what the user wants to be able to do.
type Access int

// With ReadOnly there is no command that changes something outside gantry.
const (
	ReadWrite Access = iota
	ReadOnly
)

// New is the explorer.
func New(o Options) *Frame {
	top := &contextLine{cloud: o.AWS, sandbox: o.Sandbox, settled: o.Settled}
	f := newFrame(top, o.Access, o.Log)
	f.lineages = newLineages(o.AWS, o.Docker)
	f.clients = &clients{cloud: o.AWS, engine: o.Docker, places: f.lineages, ships: newShipping(o.AWS)}
	if o.Docker != nil {
		top.engine.client, f.contexts.open = o.Docker, o.OpenDocker
		panes := dockerPanes(o.Docker, f.clients)
		f.add(1, "Images", panes["Images"])
		f.add(2, "Containers", panes["Containers"])
		f.group()
	}
	f.connect, f.pace = o.Connect, o.Pace
	panes := cloudPanes(f.clients, o.Cluster, o.Service, o.Pace)
	f.add(3, "Repositories", panes["Repositories"])
	f.group()
	for i, name := range []string{"Clusters", "Services", "Tasks"} {
		f.add(4+i, name, panes[name])
	}
	f.start(o.first())
	return f
}

// first is the pane that has the keys at the start.
func (o Options) first() string {
	switch {
	case o.Service != "":
		return "Tasks"
	case o.Cluster != "":
		return "Services"
	}
	return "Clusters"
}

var _ pane.Host = host{}
