package ui

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	tea "charm.land/bubbletea/v2"

	"gantry/docker"
	"gantry/ui/pane"
	"gantry/ui/table"
)

// imagesRefused says which images the engine did not remove and would by force.
type imagesRefused struct {
	from *images
	rows []docker.Image
}

// remove removes the images, gently first.
func (i *images) remove(_ pane.Host, rows []docker.Image) tea.Cmd {
	var mu sync.Mutex
	var refused []docker.Image
	begun := i.Do(table.Action[docker.Image]{
		Does: "delete", Done: "deleted %s",
		Each: func(ctx context.Context, r docker.Image) error {
			_, err := i.client.RemoveImage(ctx, r.Reference(), docker.ImageRemoval{})
			if mendedByForce(err) {
				mu.Lock()
				defer mu.Unlock()
				refused = append(refused, r)
			}
			return err
		},
	}, rows)
	return tea.Sequence(begun, func() tea.Msg {
		if len(refused) == 0 {
			return nil
		}
		return imagesRefused{i, refused}
	})
}

// mendedByForce tells the refusals that the engine itself lets force overrule
// from those that it does not. It says so in its message only:
// "conflict: unable to delete 12ab (must be forced) - …" against
// "(cannot be forced)".
func mendedByForce(err error) bool {
	if !errors.Is(err, docker.ErrConflict) {
		return false
	}
	text := err.Error()
	return strings.Contains(text, "(must force)") || strings.Contains(text, "(must be forced)")
}

// askForce offers what the engine wants.
func (i *images) askForce(rows []docker.Image) {
	force := docker.ImageRemoval{Force: true}
	slices.SortFunc(rows, func(a, b docker.Image) int { return strings.Compare(imageName(a), imageName(b)) })
	i.host.Ask(pane.Dialog{
		Title: "Delete by force?", Danger: true,
		Body: pane.Static(fmt.Sprintf("The engine removes %s by force only. All their tags go; stopped containers made from them stay, without an image to start from.\n\n%s",
			imageNames(rows), i.client.CommandLine(force.Command(references(rows)...)))),
		Do: func([]string) tea.Cmd {
			return i.Do(table.Action[docker.Image]{
				Does: "delete by force", Done: "deleted %s",
				Each: func(ctx context.Context, r docker.Image) error {
					_, err := i.client.RemoveImage(ctx, r.Reference(), force)
					return err
				},
			}, rows)
		},
	})
}

func imageNames(rows []docker.Image) string {
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = imageName(r)
	}
	return strings.Join(names, ", ")
}
