package ui

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/ui/pane"
	"gantry/ui/style"
	"gantry/ui/table"
)

// repositoryClient is what this pane needs of AWS.
type repositoryClient interface {
	Repositories(ctx context.Context, page func([]aws.Repository)) error
	RepositoryIDs(ctx context.Context) ([]string, error)
	DescribeRepositories(ctx context.Context, arns []string) ([]aws.Repository, error)
	RepositoryDocument(ctx context.Context, r aws.Repository) (any, error)
	LifecyclePolicy(ctx context.Context, r aws.Repository) (string, error)
	RepositoryPolicy(ctx context.Context, r aws.Repository) (string, error)
	CreateRepository(ctx context.Context, n aws.NewRepository) (aws.Repository, error)
	DeleteRepository(ctx context.Context, r aws.Repository, how aws.RepositoryRemoval) error
	repositoryImageClient
}

// The kinds of change of pane.Acted that are ECR's.
const (
	actedRepository = "repository"
	actedStored     = "repository-image"
)

// countsEvery is how old the count of a repository may get while it shows. ECR
// has no count: each costs a call of its own, or more.
const countsEvery = 5 * time.Minute

// repositories lists the ECR repositories.
type repositories struct {
	*table.Table[aws.Repository]
	client  repositoryClient
	clients *clients
	host    pane.Host
	opened  map[string]*repositoryImages // sessions with the images of one, by ARN
	asked   repositoryRemoval
	looked  sync.Map // ARNs of repositories that were looked into: what could not be counted then is left alone
}

// Repositories is the pane of ECR repositories.
func Repositories(c repositoryClient, ends *clients, pace table.Pace) pane.Pane {
	r := &repositories{client: c, clients: ends, opened: map[string]*repositoryImages{}}
	r.Table = table.New(r.spec(pace))
	r.Within(r)
	return r
}

func repositoryID(r aws.Repository) string { return r.ARN }

func (p *repositories) spec(pace table.Pace) table.Spec[aws.Repository] {
	return table.Spec[aws.Repository]{
		Title:   "Repositories",
		Source:  p.source(),
		Pace:    countingPace(pace),
		ID:      repositoryID,
		Name:    func(r aws.Repository) string { return r.Name },
		Copy:    func(r aws.Repository) string { return r.URI },
		Failure: func(r aws.Repository) string { return r.Failure },
		Moving:  func(r aws.Repository) bool { _, looked := p.looked.Load(r.ARN); return !r.Counted && !looked },
		Empty:   "No repositories in this account and region. n makes one; p on an image makes the one that it goes to.",
		Acted:   actedRepository + " " + actedStored,
		Enter:   func(h pane.Host, r aws.Repository) tea.Cmd { return p.open(h, r) },
		Columns: p.columns(),
		Tabs: []table.Tab[aws.Repository]{
			{Title: "Overview", Open: func(r aws.Repository) pane.Pane {
				return newDetail("Overview", r, repositoryID, p.overview)
			}},
			{Title: "Images", Open: func(r aws.Repository) pane.Pane { return newRepositoryImages(p.client, p.clients, r) }},
			{Title: "Policies", Open: func(r aws.Repository) pane.Pane { return newPolicies(p.client, r) }},
		},
		Actions: []table.Action[aws.Repository]{
			{Key: "D", Does: "delete", Mutates: true, Open: p.askDelete},
			{Key: "d", Does: "describe", Open: func(h pane.Host, rows []aws.Repository) tea.Cmd {
				r := rows[0]
				h.Open(newDescribe(r.Name, func(ctx context.Context) (any, error) { return p.client.RepositoryDocument(ctx, r) }))
				return nil
			}},
		},
	}
}

// countingPace counts what has come into sight soon, and again only now and
// then.
func countingPace(p table.Pace) table.Pace {
	p.Moving = cmp.Or(p.Moving, time.Second) // what was not counted yet
	p.Still = cmp.Or(p.Still, countsEvery)
	p.Acting = time.Nanosecond // one look after a change, not one every second
	return p
}

// source lists repositories, which is cheap, apart from counting what is in
// them.
func (p *repositories) source() table.Source[aws.Repository] {
	c := p.client
	return table.Source[aws.Repository]{
		Key: "all", IDs: c.RepositoryIDs,
		List: func(ctx context.Context, page func([]aws.Repository)) error {
			p.looked.Clear() // its rows are not counted
			return c.Repositories(ctx, page)
		},
		Describe: func(ctx context.Context, arns []string) ([]aws.Repository, error) {
			rows, err := c.DescribeRepositories(ctx, arns)
			for i := range rows {
				p.looked.Store(rows[i].ARN, true)
			}
			return rows, err
		},
	}
}

func (p *repositories) columns() []table.Column[aws.Repository] {
	return []table.Column[aws.Repository]{
		{Title: "NAME", Tail: true, Text: func(r aws.Repository) string { return r.Name }},
		{
			Title: "IMAGES", Width: 7, Right: true, Text: func(r aws.Repository) string { return p.counted(r, strconv.Itoa(r.Images)) },
			Compare: func(a, b aws.Repository) int { return cmp.Compare(a.Images, b.Images) },
		},
		{
			Title: "SIZE", Width: 8, Right: true, Text: func(r aws.Repository) string { return p.counted(r, bytesText(r.Size)) },
			Compare: func(a, b aws.Repository) int { return cmp.Compare(a.Size, b.Size) },
		},
		{Title: "TAGS", Width: 17, Text: mutabilityMark},
		{Title: "SCAN", Width: 8, Text: scanText},
		{Title: "ENCRYPTION", Width: 10, Text: func(r aws.Repository) string { return r.Encryption }},
		{
			Title: "CREATED", Width: 12, Text: func(r aws.Repository) string { return moment(r.Created) },
			Compare: func(a, b aws.Repository) int { return a.Created.Compare(b.Created) },
		},
		{Title: "URI", Width: 64, Text: func(r aws.Repository) string { return r.URI }},
		{Title: "REGION", Width: 14, Text: func(r aws.Repository) string { return r.Region }},
	}
}

// counted is a number that is not known before the repository was looked into,
// and where its images may not be listed, not even then.
func (p *repositories) counted(r aws.Repository, text string) string {
	switch _, looked := p.looked.Load(r.ARN); {
	case r.Counted:
		return text
	case looked:
		return "?"
	}
	return "…"
}

// mutabilityMark says in a word whether tags move.
func mutabilityMark(r aws.Repository) string {
	switch r.TagMutability {
	case "IMMUTABLE_WITH_EXCLUSION":
		return "immutable, mostly"
	case "MUTABLE_WITH_EXCLUSION":
		return "mutable, mostly"
	}
	return strings.ToLower(r.TagMutability)
}

// mutabilityText says what that means.
func mutabilityText(r aws.Repository) string {
	switch r.TagMutability {
	case "IMMUTABLE":
		return "immutable: a tag stays with its image"
	case "IMMUTABLE_WITH_EXCLUSION":
		return "immutable, with exclusions: most tags stay with their image"
	case "MUTABLE":
		return "mutable: a push moves a tag that is there"
	case "MUTABLE_WITH_EXCLUSION":
		return "mutable, with exclusions: some tags stay with their image"
	}
	return r.TagMutability
}

func scanText(r aws.Repository) string {
	if r.ScanOnPush {
		return "on push"
	}
	return "manual"
}

func (p *repositories) overview(r aws.Repository, w int) []string {
	t := style.Now()
	return factLines([]fact{
		{label: "repository", value: r.Name},
		{label: "problem", value: r.Failure, style: t.Bad},
		{label: "URI", value: r.URI},
		{label: "images", value: p.counted(r, strconv.Itoa(r.Images))},
		{label: "size", value: p.counted(r, bytesText(r.Size)+", layers that images share counted for each")},
		{label: "tags", value: mutabilityText(r)},
		{label: "scan", value: scanText(r)},
		{label: "encryption", value: r.Encryption},
		{label: "key", value: r.KMSKey},
		{label: "created", value: clock(r.Created)},
		{label: "region", value: r.Region},
		{label: "account", value: r.Account},
		{label: "ARN", value: r.ARN, style: t.Dim},
	}, w)
}

// policies are the two that a repository may have, as JSON.
type policies struct{ lifecycle, access string }

func newPolicies(c repositoryClient, r aws.Repository) pane.Pane {
	return newReport("Policies", func(ctx context.Context) (policies, error) {
		lifecycle, err := c.LifecyclePolicy(ctx, r)
		if err != nil {
			return policies{}, err
		}
		access, err := c.RepositoryPolicy(ctx, r)
		return policies{lifecycle, access}, err
	}, policyLines)
}

func policyLines(p policies, w int) []string {
	lines := append([]string{heading("Lifecycle policy: what ECR deletes by itself")}, jsonLines(p.lifecycle, w)...)
	lines = append(lines, "", heading("Repository policy: who may do what, besides the account's own policies"))
	return append(lines, jsonLines(p.access, w)...)
}

// jsonLines is JSON set out in lines; as it is where it is none.
func jsonLines(text string, w int) []string {
	if strings.TrimSpace(text) == "" {
		return []string{style.Now().Dim.Render(" none")}
	}
	var set bytes.Buffer
	if json.Indent(&set, []byte(text), "", "  ") == nil {
		text = set.String()
	}
	var lines []string
	for line := range strings.SplitSeq(style.Lines(text), "\n") {
		lines = append(lines, style.Break(line, w-1)...)
	}
	return padded(lines)
}

// Init takes the host.
func (p *repositories) Init(h pane.Host) tea.Cmd {
	p.host = h
	return p.Table.Init(h)
}

// Close gives up on what is under way. The images of a repository are sessions
// of their own.
func (p *repositories) Close() {
	p.asked.load.Stop()
	p.Table.Close()
}

// Update goes to a repository that was made here.
func (p *repositories) Update(msg tea.Msg) tea.Cmd {
	if mine, cmd := p.asked.load.Update(msg); mine {
		return cmd
	}
	if msg, ok := msg.(repositoryMade); ok {
		return p.Select(msg.arn)
	}
	return p.Table.Update(msg)
}

// Commands add what needs no repository.
func (p *repositories) Commands() []pane.Command {
	cs := p.Table.Commands()
	if p.Typing() {
		return cs
	}
	return append([]pane.Command{{Key: "n", Does: "new repository", Mutates: true, Run: p.askNew}}, cs...)
}

// open shows the images of a repository on the stage, with the keys.
func (p *repositories) open(h pane.Host, r aws.Repository) tea.Cmd {
	images := p.opened[r.ARN]
	if images == nil || images.gone {
		images = newRepositoryImages(p.client, p.clients, r)
		images.closable = true
		p.opened[r.ARN] = images
	}
	h.Open(images)
	return nil
}
