package ui

import (
	tea "charm.land/bubbletea/v2"

	"gantry/docker"
	"gantry/ui/pane"
)

// canShip says whether an image can be shipped: it must have a name to be
// pushed under.
func (i *images) canShip(r docker.Image) bool { return i.ships.ready() && r.Tag != "" }

func (i *images) ship(h pane.Host, rows []docker.Image) tea.Cmd {
	return i.ships.local(h, imageName(rows[0]))
}

// shipKeys are the keys that build and ship: S too, as long as no image is
// there for it.
func (i *images) shipKeys() string {
	if _, ok := i.Selected(); ok {
		return "B"
	}
	return "B S"
}

// buildAndShip asks for a folder as a build does.
func (i *images) buildAndShip() tea.Cmd {
	h := i.host
	return i.builds.askFor("Ship", func(o docker.BuildOptions) tea.Cmd { return i.ships.built(h, o) })
}
