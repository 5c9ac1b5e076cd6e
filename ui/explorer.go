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
	// ReadOnly leaves out every command that changes something.
	ReadOnly bool
	// Log receives the type of every message, never its content.
	Log *slog.Logger
}

// New is the explorer.
func New(o Options) *Frame {
	f := newFrame(&contextLine{cloud: o.AWS, sandbox: o.Sandbox}, o.ReadOnly, o.Log)
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
