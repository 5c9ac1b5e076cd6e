package ui

import (
	"log/slog"

	"gantry/ui/pane"
	"gantry/ui/table"
)

// Cloud is what the AWS panes need together.
type Cloud interface {
	identifier
	clusterReader
	serviceClient
	taskClient
}

// Options says what the explorer shows.
type Options struct {
	AWS Cloud
	// Sandbox says what runs the tasks of the built-in AWS ("process runtime");
	// empty on the real one.
	Sandbox string
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
	f := newFrame(&contextLine{cloud: o.AWS, sandbox: o.Sandbox}, o.Access, o.Log)
	f.add(4, "Clusters", Clusters(o.AWS, o.Cluster, o.Pace))
	f.add(5, "Services", Services(o.AWS, o.Cluster, o.Service, o.Pace))
	f.add(6, "Tasks", Tasks(o.AWS, o.Cluster, o.Service, o.Pace))
	switch {
	case o.Service != "":
		f.focus = 2
	case o.Cluster != "":
		f.focus = 1
	}
	return f
}

var _ pane.Host = host{}
