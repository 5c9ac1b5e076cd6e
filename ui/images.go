package ui

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/docker"
	"gantry/ui/lineage"
	"gantry/ui/pane"
	"gantry/ui/style"
	"gantry/ui/table"
)

// imageClient is what this pane needs of Docker.
type imageClient interface {
	Images(ctx context.Context, scope docker.ImageScope) ([]docker.Image, error)
	History(ctx context.Context, ref string) ([]docker.Layer, error)
	InspectImage(ctx context.Context, ref string) (any, error)
	Tag(ctx context.Context, source, target string) error
	RemoveImage(ctx context.Context, ref string, how docker.ImageRemoval) (docker.ImageRemoved, error)
	builder
	carrier
	runner
	pruner
	imageUser
}

// eventDriven is the pace of a table that is told when something changes: it
// never looks by itself.
var eventDriven = table.Pace{Moving: never, Still: never, Members: never, Acting: time.Nanosecond, Background: never}

const never = 1000 * time.Hour

// images lists the local images.
type images struct {
	*table.Table[docker.Image]
	client imageClient
	host   pane.Host
	scope  docker.ImageScope
	builds builds
	runs   runs
	usage  *imageUsage
	pushes pushes
	places *lineages
	ships  *shipping
}

// Images is the pane of local images. Where there is no AWS, nothing is pushed
// nor shipped.
func Images(c imageClient, ends *clients) pane.Pane {
	i := &images{client: c, usage: &imageUsage{client: c}, places: ends.places, ships: ends.ships}
	i.builds = builds{client: c, now: time.Now}
	if i.ships != nil {
		i.ships.from(ends.engine, &i.builds)
	}
	i.runs = runs{client: c, do: i.do, last: map[string][]string{}}
	i.pushes = pushes{engine: c, clients: ends, now: time.Now, last: map[string]string{}}
	i.Table = table.New(i.spec())
	i.Within(i)
	return i
}

// Init takes the host.
func (i *images) Init(h pane.Host) tea.Cmd {
	i.host, i.builds.host, i.pushes.host = h, h, h
	return i.Table.Init(h)
}

// Close gives up on what is under way.
func (i *images) Close() {
	i.runs.config.Stop()
	i.pushes.there.Stop()
	i.usage.Close()
	i.Table.Close()
}

func (i *images) do(a table.Action[docker.Image], rows []docker.Image) tea.Cmd { return i.Do(a, rows) }

func imageID(i docker.Image) string { return i.ID + " " + i.Reference() }

func (i *images) spec() table.Spec[docker.Image] {
	spec := table.Spec[docker.Image]{
		Title:  "Images",
		Source: i.source(),
		Pace:   eventDriven,
		ID:     imageID,
		Name:   imageName,
		Copy:   func(r docker.Image) string { return r.Reference() },
		Dim:    func(r docker.Image) bool { return r.Dangling() },
		Empty:  "No images here yet. b builds one from a Dockerfile.",
		Acted:  "image",
		Columns: []table.Column[docker.Image]{
			{Title: "IMAGE", Text: imageName, Tail: true},
			{
				Title: "SIZE", Width: 8, Right: true, Text: func(r docker.Image) string { return bytesText(r.Size) },
				Compare: func(a, b docker.Image) int { return cmp.Compare(a.Size, b.Size) },
			},
			{
				Title: "CREATED", Width: 12, Text: func(r docker.Image) string { return moment(r.Created) },
				Compare: func(a, b docker.Image) int { return a.Created.Compare(b.Created) },
			},
			{
				Title: "USED BY", Width: 7, Right: true, Text: func(r docker.Image) string { return strconv.Itoa(r.Containers) },
				Compare: func(a, b docker.Image) int { return cmp.Compare(a.Containers, b.Containers) },
			},
			{Title: "ID", Width: 12, Text: func(r docker.Image) string { return lineage.Short(r.ID) }},
		},
		Tabs: []table.Tab[docker.Image]{
			{Title: "Overview", Open: i.overview},
			{Title: "Layers", Open: func(r docker.Image) pane.Pane { return newLayers(i.client, r) }},
			imageLineage(i.places),
		},
		Actions: []table.Action[docker.Image]{
			{Key: "r", Does: "run", Mutates: true, Open: i.runs.ask},
			{Key: "t", Does: "tag", Mutates: true, Open: i.tag},
			{Key: "S", Does: "ship", Mutates: true, When: i.canShip, Open: i.ship},
			{
				Key: "D", Does: "delete", Mutates: true, Confirm: "Delete %s?", Open: i.remove,
				Consequence: func(rows []docker.Image) string {
					return i.client.CommandLine(docker.ImageRemoval{}.Command(references(rows)...))
				},
			},
			{Key: "d", Does: "describe", Open: func(h pane.Host, rows []docker.Image) tea.Cmd {
				r := rows[0]
				h.Open(newDescribe(imageName(r), func(ctx context.Context) (any, error) { return i.client.InspectImage(ctx, r.Reference()) }))
				return nil
			}},
		},
	}
	if i.pushes.clients.cloud != nil {
		spec.Actions = append([]table.Action[docker.Image]{{Key: "p", Does: "push", Mutates: true, Open: i.pushes.ask}}, spec.Actions...)
	}
	return spec
}

func (i *images) source() table.Source[docker.Image] {
	scope := i.scope
	return table.Source[docker.Image]{
		Key: strconv.Itoa(int(scope)),
		List: func(ctx context.Context, page func([]docker.Image)) error {
			rows, err := i.client.Images(ctx, scope)
			if err == nil {
				i.usage.listed(rows)
			}
			page(rows)
			return err
		},
	}
}

// Update reads the images again when the engine says that they have changed.
func (i *images) Update(msg tea.Msg) tea.Cmd {
	if mine, cmd := i.runs.Update(i.host, msg); mine {
		return cmd
	}
	if mine, cmd := i.usage.Update(msg); mine {
		return cmd
	}
	if mine, cmd := i.pushes.Update(msg); mine {
		return cmd
	}
	switch msg := msg.(type) {
	case engineChanged:
		if msg.images {
			return i.Refresh()
		}
		return nil
	case imageBuilt:
		// Not every engine's BuildKit tells of what it has built.
		return tea.Batch(i.Refresh(), i.Select(msg.id+" "+familiar(msg.tag)))
	case imagesRefused:
		if msg.from == i {
			i.askForce(msg.rows)
		}
		return nil
	}
	return i.Table.Update(msg)
}

// Commands add what needs no image, and the switch to intermediate images.
func (i *images) Commands() []pane.Command {
	cs := i.Table.Commands()
	if i.Typing() {
		return cs
	}
	cs = append([]pane.Command{{Key: "b", Does: "build", Mutates: true, Run: i.builds.ask}}, cs...)
	if i.ships.ready() {
		cs = append(cs, pane.Command{Key: i.shipKeys(), Does: "build and ship", Quiet: true, Mutates: true, Run: i.buildAndShip})
	}
	if row, ok := i.Selected(); ok {
		cs = append(cs, pane.Command{Key: "Y", Does: "copy the docker command", Quiet: true, Run: func() tea.Cmd { return i.askCommand(row) }})
	}
	does, next := "intermediate images too", docker.AllImages
	if i.scope == docker.AllImages {
		does, next = "without intermediate images", docker.TopImages
	}
	return append(cs,
		pane.Command{Key: "X", Does: "prune", Mutates: true, Run: func() tea.Cmd {
			i.host.Open(newPrune(i.client))
			return nil
		}},
		pane.Command{Key: "a", Does: does, Quiet: true, Run: func() tea.Cmd {
			i.scope = next
			return i.Follow(i.source())
		}})
}

func imageName(r docker.Image) string {
	switch {
	case r.Repository == "":
		return "<none> " + lineage.Short(r.ID)
	case r.Tag == "":
		return r.Repository
	}
	return r.Repository + ":" + r.Tag
}

func references(rows []docker.Image) []string {
	refs := make([]string, len(rows))
	for i, r := range rows {
		refs[i] = r.Reference()
	}
	return refs
}

// tag asks for another name.
func (i *images) tag(h pane.Host, rows []docker.Image) tea.Cmd {
	r := rows[0]
	h.Ask(pane.Dialog{
		Title:  "Tag " + imageName(r),
		Fields: []pane.Field{{Label: "name", Value: imageName(r)}},
		Body: func(values []string) string {
			return i.client.CommandLine(docker.TagCommand(r.Reference(), strings.TrimSpace(values[0])))
		},
		Check: func(values []string) error {
			if strings.TrimSpace(values[0]) == "" {
				return fmt.Errorf("type a name such as %s", "web:2")
			}
			return nil
		},
		Do: func(values []string) tea.Cmd {
			name := strings.TrimSpace(values[0])
			return i.Do(table.Action[docker.Image]{
				Does: "tag", Done: "tagged " + name,
				Each: func(ctx context.Context, r docker.Image) error { return i.client.Tag(ctx, r.Reference(), name) },
			}, rows[:1])
		},
	})
	return nil
}

// layers is the history of an image.
type layers struct {
	*detail[docker.Image]
	client imageClient
	ref    string
	load   pane.Load[[]docker.Layer]
}

func newLayers(c imageClient, r docker.Image) *layers {
	l := &layers{client: c, ref: r.Reference()}
	l.detail = newDetail("Layers", r, imageID, func(_ docker.Image, w int) []string { return l.draw(w) })
	return l
}

// Init asks for the history.
func (l *layers) Init(h pane.Host) tea.Cmd {
	return tea.Batch(l.detail.Init(h), l.load.Start(l.ref, func(ctx context.Context, _ func([]docker.Layer)) ([]docker.Layer, error) {
		return l.client.History(ctx, l.ref)
	}))
}

// Update takes the history.
func (l *layers) Update(msg tea.Msg) tea.Cmd {
	mine, cmd := l.load.Update(msg)
	if mine {
		l.Set(l.draw)
		return cmd
	}
	return l.detail.Update(msg)
}

// Close gives up on it.
func (l *layers) Close() { l.load.Stop() }

func (l *layers) draw(w int) []string {
	t := style.Now()
	switch {
	case l.load.Err != nil:
		return errorLines(l.load.Err, w)
	case l.load.Busy() && !l.load.Whole():
		return []string{t.Dim.Render(" loading …")}
	}
	var lines []string
	for _, layer := range l.load.Value {
		size := style.FitRight(bytesText(layer.Size), 10)
		for i, text := range style.Wrap(style.Plain(layer.CreatedBy), max(1, w-13)) {
			if i > 0 {
				size = style.Blank(10)
			}
			lines = append(lines, t.Accent.Render(size)+"  "+text)
		}
	}
	return lines
}
