package ui

import (
	"context"
	"errors"

	tea "charm.land/bubbletea/v2"

	"gantry/docker"
	"gantry/ui/pane"
)

// engineClient tells what answers as Docker engine, and what happens in it.
type engineClient interface {
	Engine(ctx context.Context) (docker.Engine, error)
	Events(ctx context.Context, emit func(docker.Event)) error
	Contexts(ctx context.Context) ([]docker.Context, error)
	Close()
}

// engine watches the Docker engine for all panes: its events take the place of
// asking again and again.
type engine struct {
	client engineClient
	about  pane.Load[docker.Engine]
	events pane.Stream[docker.Event]
	lost   bool // the stream of events has broken off
}

// engineChanged says what has changed in the engine.
type engineChanged struct {
	images, containers bool
	started            []string // IDs of containers that have begun to run
	anew               bool     // events were missed: anything may have happened
}

func (e *engine) Init() tea.Cmd {
	if e.client == nil {
		return nil
	}
	return tea.Batch(e.ask(), e.events.Start("events", func(ctx context.Context, emit func([]docker.Event)) error {
		return e.client.Events(ctx, func(event docker.Event) { emit([]docker.Event{event}) })
	}))
}

func (e *engine) ask() tea.Cmd {
	return e.about.Start("engine", func(ctx context.Context, _ func(docker.Engine)) (docker.Engine, error) {
		return e.client.Engine(ctx)
	})
}

// follow watches another engine from now on.
func (e *engine) follow(client engineClient) tea.Cmd {
	e.Close()
	e.about.Clear()
	e.client, e.lost = client, false
	return e.Init()
}

// Close lets go of the events, and of the connections to the engine that are
// idle. Sessions keep theirs.
func (e *engine) Close() {
	e.about.Stop()
	e.events.Stop()
	if e.client != nil {
		e.client.Close()
	}
}

// Update takes events, and tells the panes once for a batch of them.
func (e *engine) Update(msg tea.Msg) tea.Cmd {
	if mine, cmd := e.about.Update(msg); mine {
		return cmd
	}
	batch, mine, next := e.events.Update(msg)
	if !mine {
		return nil
	}
	var changed engineChanged
	cmds := []tea.Cmd{next}
	for _, event := range batch {
		switch event.Kind {
		case docker.EngineEvent:
			back := event.Action == docker.Resync && e.lost
			e.lost = event.Action == docker.Lost
			changed = engineChanged{images: true, containers: true, anew: changed.anew || back}
			cmds = append(cmds, e.ask())
		case docker.ImageEvent:
			changed.images = true
		default:
			changed.containers, changed.images = true, true // images say what uses them
			if event.Kind == docker.ContainerEvent && event.Action == "start" {
				changed.started = append(changed.started, event.ID)
			}
		}
	}
	return tea.Batch(append(cmds, pane.Send(changed))...)
}

// label names the engine in the top line.
func (e *engine) label() string {
	about := e.about.Value
	switch {
	case e.client == nil || e.about.At.IsZero() && e.about.Err == nil:
		return ""
	case e.about.Err != nil && !errors.Is(e.about.Err, context.Canceled):
		return "docker does not answer"
	case about.Podman:
		return "podman " + about.Context + " " + about.Version
	}
	return "docker " + about.Context + " " + about.Version
}
