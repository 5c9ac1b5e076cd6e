package ui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/docker"
	"gantry/ui/pane"
)

// ShipTest is a pane from which a test ships, and what stands still for it.
type ShipTest struct {
	Cloud   shipCloud
	Engine  shipEngine
	Now     func() time.Time
	Changes string // in the folder that is built
	// Image, Stock, Service and Build are what S ships: one of them.
	Image   string
	Stock   *aws.RepositoryImage
	Service *aws.Service
	Build   *docker.BuildOptions

	host pane.Host
}

func (s *ShipTest) Title() string            { return "Berth" }
func (s *ShipTest) Init(h pane.Host) tea.Cmd { s.host = h; return nil }
func (s *ShipTest) Update(tea.Msg) tea.Cmd   { return nil }
func (s *ShipTest) Resize(int, int) tea.Cmd  { return nil }
func (s *ShipTest) View() string             { return "" }
func (s *ShipTest) Commands() []pane.Command {
	return []pane.Command{{Key: "S", Does: "ship", Mutates: true, Run: s.ship}}
}

func (s *ShipTest) ship() tea.Cmd {
	all := newShipping(s.Cloud)
	all.engine, all.now = s.Engine, s.Now
	all.pace = func(time.Duration) time.Duration { return 10 * time.Millisecond }
	all.changes = func(context.Context, string) string { return s.Changes }
	all.builds = &builds{client: s.Engine, host: s.host, now: s.Now}
	switch {
	case s.Stock != nil:
		return all.stock(s.host, *s.Stock)
	case s.Service != nil:
		return all.to(s.host, *s.Service)
	case s.Build != nil:
		return all.built(s.host, *s.Build)
	}
	return all.local(s.host, s.Image)
}

// RolloutStates are the states of a rollout after each look at its service.
func RolloutStates(wanted, before string, looks ...aws.Service) []string {
	var r rollout
	var states []string
	for _, s := range looks {
		r = r.next(s, s.Events, wanted, before)
		states = append(states, r.state)
	}
	return states
}

// GitChanges is gitChanges.
func GitChanges(ctx context.Context, dir string) string { return gitChanges(ctx, dir) }

// SamePlatform is samePlatform.
func SamePlatform(image, wanted string) bool { return samePlatform(image, wanted) }

// Sizes are all that Fargate offers.
func Sizes() []string { return sizesOf() }

// Both adapters can do what shipping needs.
var (
	_ shipCloud  = (*aws.Client)(nil)
	_ shipEngine = (*docker.Client)(nil)
)
