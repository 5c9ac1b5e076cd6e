package ui

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/internal/diagnose"
	"gantry/internal/pattern"
	"gantry/ui/pane"
	"gantry/ui/style"
	"gantry/ui/table"
)

// repositoryMade says which repository was made here: the list goes to it.
type repositoryMade struct{ arn string }

// The fields of the dialog for a new repository.
const (
	newName = iota
	newTags
	newScan
)

const (
	tagsStay = "immutable: a tag stays with its image"
	tagsMove = "mutable: a push moves a tag that is there"
	scanPush = "each image when it is pushed"
	scanHand = "only when asked to"
)

// repositoryName is what ECR takes as a name (CreateRepository API reference,
// repositoryName).
var repositoryName = pattern.Late(`^[a-z0-9]+(?:[._-][a-z0-9]+)*(?:/[a-z0-9]+(?:[._-][a-z0-9]+)*)*$`)

// badName tells why ECR takes no such name; nil when it does.
func badName(name string) error {
	what := "name a repository"
	switch {
	case name == "":
		return &diagnose.Error{What: what, Cause: "it has no name", Do: "type one such as shop/web"}
	case len(name) < 2 || len(name) > 256:
		return &diagnose.Error{What: what, Cause: "a name has 2 to 256 characters", Do: "type one such as shop/web"}
	case !repositoryName().MatchString(name):
		return &diagnose.Error{What: what, Cause: fmt.Sprintf("ECR does not take %q", name), Do: "write it in lower case, with digits, / . _ - between"}
	}
	return nil
}

func (p *repositories) askNew() tea.Cmd {
	p.host.Ask(pane.Dialog{
		Title: "New repository",
		Fields: []pane.Field{
			newName: {Label: "name"},
			newTags: {Label: "tags", Strict: true, Choices: containing(tagsStay, tagsMove)},
			newScan: {Label: "scan", Strict: true, Choices: containing(scanPush, scanHand)},
		},
		Body: func(values []string) string {
			n := newRepositoryFrom(values)
			if n.Name == "" {
				return "Other parts of a name go before it with /, such as shop/web."
			}
			return createCommand(n)
		},
		Check: func(values []string) error {
			if err := badName(strings.TrimSpace(values[newName])); err != nil {
				return err
			}
			if values[newTags] == "" || values[newScan] == "" {
				return errors.New("choose one of what is offered")
			}
			return nil
		},
		Do: func(values []string) tea.Cmd { return p.create(newRepositoryFrom(values)) },
	})
	return nil
}

func newRepositoryFrom(values []string) aws.NewRepository {
	return aws.NewRepository{Name: strings.TrimSpace(values[newName]), Immutable: values[newTags] == tagsStay, ScanOnPush: values[newScan] == scanPush}
}

// createCommand is what does the same by hand.
func createCommand(n aws.NewRepository) string {
	tags := "MUTABLE"
	if n.Immutable {
		tags = "IMMUTABLE"
	}
	return fmt.Sprintf("aws ecr create-repository --repository-name %s --image-tag-mutability %s --image-scanning-configuration scanOnPush=%t", n.Name, tags, n.ScanOnPush)
}

// create makes the repository, and leads the list to it.
func (p *repositories) create(n aws.NewRepository) tea.Cmd {
	var made string
	begun := p.Do(table.Action[aws.Repository]{
		Does: "create", Done: "created %s",
		Each: func(ctx context.Context, _ aws.Repository) error {
			r, err := p.client.CreateRepository(ctx, n)
			made = r.ARN
			return err
		},
	}, []aws.Repository{{Name: n.Name}})
	return tea.Sequence(begun, func() tea.Msg {
		if made == "" {
			return nil
		}
		return repositoryMade{made}
	})
}

// repositoryRemoval is the question before repositories are deleted: what is in
// them is read while it is asked.
type repositoryRemoval struct {
	load pane.Load[[]contents]
	runs int
}

// contents is what would go with a repository.
type contents struct {
	repository aws.Repository
	images     []aws.RepositoryImage
}

func (c contents) bytes() int64 {
	var sum int64
	for _, i := range c.images {
		sum += i.Size
	}
	return sum
}

// askDelete asks for the name of the repository to be typed, under what goes
// with it.
func (p *repositories) askDelete(h pane.Host, rows []aws.Repository) tea.Cmd {
	word := rows[0].Name
	if len(rows) > 1 {
		word = fmt.Sprintf("%d repositories", len(rows))
	}
	word = style.Plain(word)
	asked := &p.asked.load
	h.Ask(pane.Dialog{
		Title: "delete", Danger: true,
		Fields: []pane.Field{{Label: fmt.Sprintf("type %q", word)}},
		Body:   func([]string) string { return p.deletionText(rows) },
		Check: func(values []string) error {
			switch {
			case strings.TrimSpace(values[0]) != word:
				return fmt.Errorf("type %q to go on", word)
			case asked.Err != nil:
				return asked.Err
			case !asked.Whole():
				return errors.New("still looking what is in it")
			}
			return nil
		},
		Do: func([]string) tea.Cmd { return p.remove(asked.Value) },
	})
	p.asked.runs++
	return tea.Batch(p.clients.lookFresh(), asked.Start(strconv.Itoa(p.asked.runs), func(ctx context.Context, _ func([]contents)) ([]contents, error) {
		var all []contents
		for _, r := range rows {
			c := contents{repository: r}
			if err := p.client.RepositoryImages(ctx, r, func(page []aws.RepositoryImage) { c.images = append(c.images, page...) }); err != nil {
				return nil, err
			}
			all = append(all, c)
		}
		return all, nil
	}))
}

// deletionText says what goes.
func (p *repositories) deletionText(rows []aws.Repository) string {
	asked := &p.asked.load
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = r.Name
	}
	head := "Delete " + strings.Join(names, ", ") + "?\n"
	foot := "\n" + placeText(rows[0].Scope)
	switch {
	case asked.Err != nil:
		return head + "What is in it could not be read." + foot
	case !asked.Whole():
		return head + "Looking what is in it …" + foot
	}
	var lines []string
	var images []aws.RepositoryImage
	for _, c := range asked.Value {
		line := "There are no images in " + c.repository.Name + "."
		if n := len(c.images); n > 0 {
			line = fmt.Sprintf("%s in %s, %s, deleted with it.", plural(n, "image"), c.repository.Name, bytesText(c.bytes()))
		}
		lines, images = append(lines, line), append(images, c.images...)
	}
	lines = append(lines, p.clients.useText(images)...)
	return head + strings.Join(lines, "\n") + foot
}

// placeText says where something is.
func placeText(s aws.Scope) string { return fmt.Sprintf("account %s · %s", s.Account, s.Region) }

// remove deletes repositories, with their images where the user was told of
// them.
func (p *repositories) remove(all []contents) tea.Cmd {
	rows, force := make([]aws.Repository, len(all)), map[string]bool{}
	for i, c := range all {
		rows[i], force[c.repository.ARN] = c.repository, len(c.images) > 0
	}
	return p.Do(table.Action[aws.Repository]{
		Does: "delete", Done: "deleted %s",
		Each: func(ctx context.Context, r aws.Repository) error {
			return p.client.DeleteRepository(ctx, r, aws.RepositoryRemoval{Force: force[r.ARN]})
		},
	}, rows)
}
