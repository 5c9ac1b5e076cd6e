package ui

import (
	"context"
	"errors"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/docker"
	"gantry/ui/pane"
)

// The fields of the dialog.
const (
	pullPlatform = iota
	pullTag
)

// noTag leaves a pulled image without a name of its own.
const noTag = "none: only its digest names it"

// askPull asks which part of the image to pull, and what to call it here.
func (p *repositoryImages) askPull(h pane.Host, rows []aws.RepositoryImage) tea.Cmd {
	image, engine := rows[0], p.clients.engine
	from := func(values []string) *pull {
		w := &pull{image: image, engine: engine, cloud: p.client, platform: values[pullPlatform]}
		if tag := values[pullTag]; tag != noTag {
			w.tag = tag
		}
		if w.platform == enginesOwn {
			w.platform = ""
		}
		return w
	}
	h.Ask(pane.Dialog{
		Title: "Pull " + storedName(image),
		Fields: []pane.Field{
			pullPlatform: {Label: "platform", Strict: true, Choices: containing(append([]string{enginesOwn}, image.Platforms...)...)},
			pullTag:      {Label: "tag", Strict: true, Choices: containing(append(append([]string{}, image.Tags...), noTag)...)},
		},
		Body: func(values []string) string { return strings.Join(from(values).commands(), "\n") },
		Check: func(values []string) error {
			if values[pullPlatform] == "" || values[pullTag] == "" {
				return errors.New("choose one of what is offered")
			}
			return nil
		},
		Do: func(values []string) tea.Cmd {
			h.Open(newTransfer(from(values), time.Now))
			return nil
		},
	})
	return nil
}

// enginesOwn is the platform that the engine runs on.
const enginesOwn = "the engine's own"

// pull is an image of a repository on its way to the engine. It is pulled by
// its digest, for a tag may have moved since it was seen.
type pull struct {
	image    aws.RepositoryImage
	engine   carrier
	cloud    registrar
	platform string // "" for the engine's own
	tag      string // that it gets here, "" for none
}

func (p *pull) words() [3]string { return [3]string{"pull", "pulling", "pulled"} }

func (p *pull) name() string { return storedName(p.image) }

func (p *pull) run() func(ctx context.Context, tell func(transferState)) error {
	at := *p
	return func(ctx context.Context, tell func(transferState)) error {
		s := transferState{doing: "signing in …"}
		tell(s)
		return signedIn(ctx, at.cloud, at.image.Scope, func(_ string, auth docker.RegistryAuth) error {
			s.doing = "the engine asks for the layers …"
			tell(s)
			digest, err := at.engine.Pull(ctx, at.image.Reference(), at.platform, auth, func(p docker.TransferProgress) {
				s.progress = p
				tell(s)
			})
			if err == nil && at.tag != "" {
				err = at.engine.Tag(ctx, at.image.Reference(), at.image.URI+":"+at.tag)
			}
			if err == nil {
				s.digest = digest
				tell(s)
			}
			return err
		})
	}
}

func (p *pull) reached(transferState) {}

func (p *pull) reference(digest string) string { return p.image.URI + "@" + digest }

func (p *pull) commands() []string {
	lines := []string{
		loginCommand(p.image.Scope, p.image.URI, p.engine),
		p.engine.CommandLine(docker.PullCommand(p.image.Reference(), p.platform)),
	}
	if p.tag != "" {
		lines = append(lines, p.engine.CommandLine(docker.TagCommand(p.image.Reference(), p.image.URI+":"+p.tag)))
	}
	return lines
}

func (p *pull) fixes(error, func() tea.Cmd) []pane.Command { return nil }

// changed has nothing to tell: the engine tells of its new image itself, and
// ECR notes when it was pulled only later.
func (p *pull) changed() tea.Cmd { return nil }
