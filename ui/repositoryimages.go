package ui

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/ui/lineage"
	"gantry/ui/pane"
	"gantry/ui/style"
	"gantry/ui/table"
)

// repositoryImageClient is what the images of a repository need of AWS.
type repositoryImageClient interface {
	RepositoryImages(ctx context.Context, r aws.Repository, page func([]aws.RepositoryImage)) error
	DescribeRepositoryImages(ctx context.Context, r aws.Repository, digests []string) ([]aws.RepositoryImage, error)
	RepositoryImageDocument(ctx context.Context, i aws.RepositoryImage) (any, error)
	DeleteRepositoryImages(ctx context.Context, images []aws.RepositoryImage) error
	registrar
}

// repositoryImages lists what is in a repository. It is a tab about the
// repository, and a session with the keys.
type repositoryImages struct {
	*table.Table[aws.RepositoryImage]
	client     repositoryImageClient
	clients    *clients
	repository aws.Repository
	host       pane.Host
	known      sync.Map  // what a describe told, by digest: that never changes
	removal    *pane.Job // the last one
	// places is where images are, for the columns: many rows are sorted and
	// filtered outside the event loop.
	places atomic.Pointer[lineage.Index]
	seen   bool // it has a place on the screen

	closable bool
	gone     bool
}

func newRepositoryImages(c repositoryImageClient, ends *clients, r aws.Repository) *repositoryImages {
	i := &repositoryImages{client: c, clients: ends, repository: r}
	i.places.Store(ends.places.now)
	i.Table = table.New(i.spec())
	i.Within(i)
	return i
}

func storedID(i aws.RepositoryImage) string { return i.URI + "@" + i.Digest }

// storedName is what an image is called: by its first tag, where it has one.
func storedName(i aws.RepositoryImage) string {
	if len(i.Tags) > 0 {
		return i.Repository + ":" + i.Tags[0]
	}
	return i.Repository + "@" + lineage.Short(i.Digest)
}

func (p *repositoryImages) spec() table.Spec[aws.RepositoryImage] {
	spec := table.Spec[aws.RepositoryImage]{
		Title:   "Images of " + style.Plain(p.repository.Name),
		Source:  p.source(),
		Pace:    table.Pace{Moving: time.Second, Still: never, Acting: time.Nanosecond},
		ID:      storedID,
		Name:    storedName,
		Copy:    func(i aws.RepositoryImage) string { return i.Reference() },
		Failure: func(i aws.RepositoryImage) string { return i.Failure },
		Moving:  func(i aws.RepositoryImage) bool { _, known := p.known.Load(i.Digest); return !known },
		Dim:     func(i aws.RepositoryImage) bool { return len(i.Tags) == 0 },
		Order:   table.Order{Column: "PUSHED", Reverse: true},
		Empty:   "Nothing was pushed here yet. p on an image in Images pushes it.",
		Acted:   actedStored + " " + actedRepository,
		Columns: p.columns(),
		Tabs: []table.Tab[aws.RepositoryImage]{
			{Title: "Overview", Open: p.newOverview},
			{Title: "Tags", Open: func(i aws.RepositoryImage) pane.Pane { return newDetail("Tags", i, storedID, storedTags) }},
			storedLineage(p.clients.places),
		},
		Actions: []table.Action[aws.RepositoryImage]{
			{
				Key: "D", Does: "delete", Mutates: true, Typed: true, Open: p.remove,
				Confirm: "Delete %s from " + style.Plain(p.repository.Name) + "?", Consequence: p.consequence,
			},
			{
				Key: "S", Does: "ship", Mutates: true, When: func(aws.RepositoryImage) bool { return p.clients.ships.ready() },
				Open: func(h pane.Host, rows []aws.RepositoryImage) tea.Cmd { return p.clients.ships.stock(h, rows[0]) },
			},
			{Key: "d", Does: "describe", Open: func(h pane.Host, rows []aws.RepositoryImage) tea.Cmd {
				i := rows[0]
				h.Open(newDescribe(storedName(i), func(ctx context.Context) (any, error) { return p.client.RepositoryImageDocument(ctx, i) }))
				return nil
			}},
		},
	}
	if p.clients.engine != nil {
		spec.Actions = append([]table.Action[aws.RepositoryImage]{{Key: "p", Does: "pull", Mutates: true, Open: p.askPull}}, spec.Actions...)
	}
	return spec
}

// source lists the images; what one is built for takes a look at it, once.
func (p *repositoryImages) source() table.Source[aws.RepositoryImage] {
	c, r := p.client, p.repository
	return table.Source[aws.RepositoryImage]{
		Key: r.ARN,
		List: func(ctx context.Context, page func([]aws.RepositoryImage)) error {
			return c.RepositoryImages(ctx, r, func(rows []aws.RepositoryImage) {
				rows = slices.Clone(rows)
				for i := range rows {
					if known, ok := p.known.Load(rows[i].Digest); ok {
						image := known.(aws.RepositoryImage)
						rows[i].Platforms, rows[i].Manifests = image.Platforms, image.Manifests
					}
				}
				page(rows)
			})
		},
		Describe: func(ctx context.Context, ids []string) ([]aws.RepositoryImage, error) {
			digests := make([]string, len(ids))
			for i, id := range ids {
				digests[i] = strings.TrimPrefix(id, r.URI+"@")
			}
			rows, err := c.DescribeRepositoryImages(ctx, r, digests)
			if err != nil {
				return rows, err
			}
			for _, d := range digests {
				p.known.Store(d, aws.RepositoryImage{}) // also what was left out: asking again would not help
			}
			for _, row := range rows {
				p.known.Store(row.Digest, row)
			}
			return rows, nil
		},
	}
}

func (p *repositoryImages) columns() []table.Column[aws.RepositoryImage] {
	return []table.Column[aws.RepositoryImage]{
		{Title: "TAGS", Text: tagsText},
		{
			Title: "PUSHED", Width: 12, Text: func(i aws.RepositoryImage) string { return moment(i.Pushed) },
			Compare: func(a, b aws.RepositoryImage) int { return a.Pushed.Compare(b.Pushed) },
		},
		{
			Title: "SIZE", Width: 8, Right: true, Text: func(i aws.RepositoryImage) string { return bytesText(i.Size) },
			Compare: func(a, b aws.RepositoryImage) int { return cmp.Compare(a.Size, b.Size) },
		},
		{Title: "RUNNING IN", Width: 16, Text: p.runningIn, Style: func(aws.RepositoryImage) style.Style { return style.Now().Good }},
		{Title: "PLATFORM", Width: 14, Text: platformMark},
		{
			Title: "FINDINGS", Width: 18, Text: findingsMark, Style: findingsStyle,
			Compare: func(a, b aws.RepositoryImage) int { return compareFindings(a.Findings, b.Findings) },
		},
		{Title: "DIGEST", Width: 12, Text: func(i aws.RepositoryImage) string { return lineage.Short(i.Digest) }},
		{
			Title: "PULLED", Width: 12, Text: func(i aws.RepositoryImage) string { return moment(i.LastPulled) },
			Compare: func(a, b aws.RepositoryImage) int { return a.LastPulled.Compare(b.LastPulled) },
		},
	}
}

// platformMark is the first platform, and how many more there are.
func platformMark(i aws.RepositoryImage) string {
	switch n := len(i.Platforms); n {
	case 0:
		return ""
	case 1:
		return i.Platforms[0]
	default:
		return fmt.Sprintf("%s +%d", i.Platforms[0], n-1)
	}
}

func tagsText(i aws.RepositoryImage) string {
	if len(i.Tags) == 0 {
		return "<untagged>"
	}
	return strings.Join(i.Tags, " ")
}

// runningIn names who runs the image. It is asked while the screen is drawn,
// so it is as new as what is known.
func (p *repositoryImages) runningIn(i aws.RepositoryImage) string {
	places := p.places.Load()
	uses := places.Running(i.Digest)
	if len(uses) == 0 && places.RunningComing() {
		return "…"
	}
	return useNames(uses)
}

// runningText is runningIn where there is room to say why there is nothing.
func (p *repositoryImages) runningText(i aws.RepositoryImage) string {
	uses, known := p.clients.places.RunningIn(i.Digest)
	switch {
	case len(uses) > 0:
		return useNames(uses)
	case known:
		return "nothing"
	case p.clients.places.busy():
		return "looking …"
	}
	return "not known: not all tasks could be read"
}

// severities are those that ECR tells apart, worst first.
var severities = []string{"CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNDEFINED"}

// findingsMark is what a scan found, the worst two.
func findingsMark(i aws.RepositoryImage) string {
	parts := findings(i)
	switch {
	case len(parts) > 0:
		return strings.Join(parts[:min(2, len(parts))], " ")
	case i.ScanStatus == "":
		return "not scanned"
	case i.ScanStatus == "COMPLETE" || i.ScanStatus == "ACTIVE":
		return "✓ none found"
	}
	return strings.ToLower(strings.ReplaceAll(i.ScanStatus, "_", " "))
}

// findings are how many there are of each severity, worst first.
func findings(i aws.RepositoryImage) []string {
	var parts []string
	known := slices.Clone(severities)
	for _, s := range slices.Sorted(maps.Keys(i.Findings)) {
		if !slices.Contains(known, s) {
			known = append(known, s)
		}
	}
	for _, s := range known {
		if n := i.Findings[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, strings.ToLower(s)))
		}
	}
	return parts
}

func findingsStyle(i aws.RepositoryImage) style.Style {
	t := style.Now()
	switch {
	case i.Findings["CRITICAL"]+i.Findings["HIGH"] > 0:
		return t.Bad
	case len(findings(i)) > 0:
		return t.Busy
	case i.ScanStatus == "COMPLETE" || i.ScanStatus == "ACTIVE":
		return t.Good
	}
	return t.Dim
}

// compareFindings puts the worse behind.
func compareFindings(a, b map[string]int) int {
	for _, s := range severities {
		if c := cmp.Compare(a[s], b[s]); c != 0 {
			return c
		}
	}
	return 0
}

// storedOverview is the tab about one image. It follows what is known of who
// runs it.
type storedOverview struct{ *detail[aws.RepositoryImage] }

func (p *repositoryImages) newOverview(i aws.RepositoryImage) pane.Pane {
	return &storedOverview{newDetail("Overview", i, storedID, p.overview)}
}

// Update takes new content of the row, and what is known by now.
func (o *storedOverview) Update(msg tea.Msg) tea.Cmd {
	if _, ok := msg.(lineageKnown); ok {
		o.again()
	}
	return o.detail.Update(msg)
}

func (p *repositoryImages) overview(i aws.RepositoryImage, w int) []string {
	t := style.Now()
	scan := strings.Join(findings(i), ", ")
	if scan == "" {
		scan = findingsMark(i)
	}
	pulled := clock(i.LastPulled)
	if pulled == "" {
		pulled = "never, or not recorded"
	}
	return factLines([]fact{
		{label: "image", value: storedName(i)},
		{label: "problem", value: i.Failure, style: t.Bad},
		{label: "tags", value: tagsText(i)},
		{label: "running in", value: p.runningText(i)},
		{label: "pushed", value: clock(i.Pushed)},
		{label: "last pulled", value: pulled},
		{label: "size", value: bytesText(i.Size) + " compressed"},
		{label: "platform", value: strings.Join(i.Platforms, ", ")},
		{label: "findings", value: scan, style: findingsStyle(i)},
		{label: "media type", value: i.MediaType},
		{label: "reference", value: i.Reference()},
		{label: "digest", value: i.Digest, style: t.Dim},
	}, w)
}

// storedTags are the names of an image, each as docker takes it.
func storedTags(i aws.RepositoryImage, w int) []string {
	if len(i.Tags) == 0 {
		return padded(style.Wrap("No tag: only its digest names it. A lifecycle policy may delete it.", w-1))
	}
	facts := make([]fact, len(i.Tags))
	for n, tag := range i.Tags {
		facts[n] = fact{label: style.Cut(style.Plain(tag), w/2-2), value: i.URI + ":" + tag}
	}
	return factLines(facts, w)
}

// consequence names who uses the images.
func (p *repositoryImages) consequence(rows []aws.RepositoryImage) string {
	tags := "Its tags go too."
	if len(rows) > 1 {
		tags = "Their tags go too."
	}
	return strings.Join(append(p.clients.useText(rows), tags, placeText(p.repository.Scope)), "\n")
}

// remove deletes images, many with one call.
func (p *repositoryImages) remove(h pane.Host, rows []aws.RepositoryImage) tea.Cmd {
	name := storedName(rows[0])
	if len(rows) > 1 {
		name = plural(len(rows), "image") + " of " + p.repository.Name
	}
	p.removal = &pane.Job{
		Name: "delete " + name,
		Run: func(ctx context.Context, _ func(done, total int64)) error {
			return p.client.DeleteRepositoryImages(ctx, rows)
		},
		Outcome: func() string { return "deleted" },
	}
	h.Start(p.removal)
	return nil
}

// Init takes the host.
func (p *repositoryImages) Init(h pane.Host) tea.Cmd {
	p.host = h
	return p.Table.Init(h)
}

// Resize asks who runs the images once they come into sight.
func (p *repositoryImages) Resize(w, h int) tea.Cmd {
	p.seen = w > 0 && h > 0
	return tea.Batch(p.Table.Resize(w, h), p.look())
}

// look asks who runs the images, if that is not known of the present state.
func (p *repositoryImages) look() tea.Cmd {
	if !p.seen {
		return nil
	}
	return p.clients.places.Look()
}

// Update tells everybody when images were deleted.
func (p *repositoryImages) Update(msg tea.Msg) tea.Cmd {
	if msg, ok := msg.(pane.Ended); ok && msg.Job != nil && msg.Job == p.removal {
		return pane.Send(pane.Acted{What: actedStored})
	}
	switch msg.(type) {
	case lineageKnown, pane.Acted:
		p.places.Store(p.clients.places.now)
		return tea.Batch(p.Table.Update(msg), p.look())
	}
	return p.Table.Update(msg)
}

// Commands ask anew who runs the images too, and a session has a way out.
func (p *repositoryImages) Commands() []pane.Command {
	cs := p.Table.Commands()
	for i := range cs {
		if reload := cs[i].Run; cs[i].Key == "ctrl+r" {
			cs[i].Run = func() tea.Cmd { return tea.Batch(reload(), p.clients.places.Anew()) }
		}
	}
	if !p.closable || p.Typing() {
		return cs
	}
	return append(cs, pane.Command{Key: "x", Does: "close", Run: func() tea.Cmd {
		p.gone = true
		return nil
	}})
}

// Live says that nothing is lost by quitting.
func (p *repositoryImages) Live() bool { return false }

// Gone says that the session can go.
func (p *repositoryImages) Gone() bool { return p.gone }
