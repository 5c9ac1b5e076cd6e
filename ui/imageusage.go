package ui

import (
	"context"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"sync/atomic"

	tea "charm.land/bubbletea/v2"

	"gantry/docker"
	"gantry/ui/pane"
	"gantry/ui/style"
)

// imageUser tells what images are used for, and what they take.
type imageUser interface {
	ImageSizes(ctx context.Context) (map[string]docker.ImageSize, error)
	Containers(ctx context.Context) ([]docker.Container, error)
}

// imageUsage is what can only be told of all images together, asked for when an
// image is looked at. One question serves all rows: the engine walks every
// layer for it, and older ones refuse a second question meanwhile.
type imageUsage struct {
	client imageUser
	sizes  pane.Load[map[string]docker.ImageSize]
	users  pane.Load[[]docker.Container]
	images atomic.Uint64 // tells the present images from those that sizes are of
	events int           // counts what the engine told, for the users
}

// usageKnown says that there is more to tell about images.
type usageKnown struct{}

// listed notes which images there are. It is called outside the event loop.
func (u *imageUsage) listed(rows []docker.Image) {
	var mark uint64 // of the set: the order of the rows does not count
	for _, r := range rows {
		h := fnv.New64a()
		_, _ = h.Write([]byte(imageID(r)))
		mark += h.Sum64()
	}
	u.images.Store(mark)
}

// Look asks for what is not known of the present state. Sizes stay as they are
// as long as the images do, however much happens to containers.
func (u *imageUsage) Look() tea.Cmd {
	return tea.Batch(
		askOnce(&u.sizes, strconv.FormatUint(u.images.Load(), 16), u.client.ImageSizes),
		askOnce(&u.users, strconv.Itoa(u.events), u.client.Containers))
}

// askOnce asks once for each key. What takes longer than the key stays the same is
// let finish: its answer is the newest there is.
func askOnce[T any](l *pane.Load[T], key string, get func(context.Context) (T, error)) tea.Cmd {
	if l.Busy() || l.Key() == key {
		return nil
	}
	return l.Start(key, func(ctx context.Context, _ func(T)) (T, error) { return get(ctx) })
}

// Update takes the answers, and what the engine tells.
func (u *imageUsage) Update(msg tea.Msg) (bool, tea.Cmd) {
	for _, take := range []func(tea.Msg) (bool, tea.Cmd){u.sizes.Update, u.users.Update} {
		if mine, next := take(msg); mine {
			return true, tea.Batch(next, pane.Send(usageKnown{}))
		}
	}
	if m, ok := msg.(engineChanged); ok && m.containers {
		u.events++
	}
	return false, nil
}

// Close gives up on the answers.
func (u *imageUsage) Close() {
	u.sizes.Stop()
	u.users.Stop()
}

// size says how much of an image is its own.
func (u *imageUsage) size(r docker.Image) string {
	switch s, ok := u.sizes.Value[r.ID]; {
	case ok:
		return fmt.Sprintf("%s, of which %s its own and %s shared with other images", bytesText(r.Size), bytesText(s.Unique), bytesText(s.Shared))
	case u.sizes.Busy():
		return bytesText(r.Size) + ", shared with others: looking …"
	}
	return bytesText(r.Size)
}

// usedBy names the containers that an image is used by.
func (u *imageUsage) usedBy(r docker.Image) string {
	var names []string
	for _, c := range u.users.Value {
		if c.ImageID == r.ID {
			names = append(names, fmt.Sprintf("%s (%s)", c.Name, c.State))
		}
	}
	if len(names) == 0 {
		return plural(r.Containers, "container")
	}
	return strings.Join(names, ", ")
}

// imageOverview is the tab about one image.
type imageOverview struct {
	*detail[docker.Image]
	usage *imageUsage
	row   docker.Image
}

func (i *images) overview(r docker.Image) pane.Pane {
	o := &imageOverview{usage: i.usage, row: r}
	o.detail = newDetail("Overview", r, imageID, o.lines)
	return o
}

// Init asks for what takes longer, once more when that has failed.
func (o *imageOverview) Init(h pane.Host) tea.Cmd {
	if o.usage.sizes.Err != nil {
		o.usage.sizes.Clear()
	}
	return tea.Batch(o.detail.Init(h), o.usage.Look())
}

// Update takes what is known by now, and asks again when the engine has
// changed.
func (o *imageOverview) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case pane.Selected[docker.Image]:
		if msg.Row != nil && imageID(*msg.Row) == imageID(o.row) {
			o.row = *msg.Row
		}
		return tea.Batch(o.detail.Update(msg), o.usage.Look())
	case usageKnown:
		o.Set(func(w int) []string { return o.lines(o.row, w) })
		return o.usage.Look()
	}
	return o.detail.Update(msg)
}

func (o *imageOverview) lines(r docker.Image, w int) []string {
	t := style.Now()
	facts := []fact{
		{label: "image", value: imageName(r)},
		{label: "size", value: o.usage.size(r)},
		{label: "created", value: clock(r.Created)},
		{label: "used by", value: o.usage.usedBy(r)},
		{label: "digests", value: strings.Join(r.Digests, " ")},
		{label: "id", value: r.ID, style: t.Dim},
	}
	lines := factLines(facts, w)
	if o.usage.sizes.Err != nil {
		lines = append(append(lines, ""), errorLines(o.usage.sizes.Err, w)...)
	}
	return append(lines, labelLines(r.Labels, w)...)
}
