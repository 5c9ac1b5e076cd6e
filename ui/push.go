package ui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/docker"
	"gantry/internal/diagnose"
	"gantry/internal/pattern"
	"gantry/ui/lineage"
	"gantry/ui/pane"
)

// pushCloud is what a push needs of AWS.
type pushCloud interface {
	registrar
	Repositories(ctx context.Context, page func([]aws.Repository)) error
	CreateRepository(ctx context.Context, n aws.NewRepository) (aws.Repository, error)
}

// pushes asks where to push an image, and remembers the answers while gantry
// runs.
type pushes struct {
	engine  carrier
	clients *clients
	now     func() time.Time
	host    pane.Host
	asks    int
	there   pane.Load[[]aws.Repository] // which repositories there are, as the dialog wants to know
	last    map[string]string           // repository by image name
}

// The fields of the dialog.
const (
	pushTo = iota
	pushTag
)

// ask asks which repository. Which ones there are is read meanwhile.
func (p *pushes) ask(_ pane.Host, rows []docker.Image) tea.Cmd {
	return p.askAs(rows[0], rows[0].Tag)
}

func (p *pushes) askAs(image docker.Image, tag string) tea.Cmd {
	form := &pushForm{pushes: p, image: image, cloud: p.clients.cloud}
	p.host.Ask(pane.Dialog{
		Title: "Push " + imageName(image),
		Fields: []pane.Field{
			pushTo:  {Label: "repository", Value: p.suggest(image), Choices: form.repositories},
			pushTag: {Label: "tag", Value: tag},
		},
		Body:  form.text,
		Check: form.check,
		Do: func(values []string) tea.Cmd {
			push := form.push(values)
			p.last[memory(image)] = push.repository.Name
			p.host.Open(newTransfer(push, p.now))
			return nil
		},
	})
	p.asks++
	return p.there.Start(strconv.Itoa(p.asks), func(ctx context.Context, _ func([]aws.Repository)) ([]aws.Repository, error) {
		var all []aws.Repository
		err := form.cloud.Repositories(ctx, func(page []aws.Repository) { all = append(all, page...) })
		return all, err
	})
}

// Update takes which repositories there are: the dialog on the screen offers
// them from then on.
func (p *pushes) Update(msg tea.Msg) (bool, tea.Cmd) {
	mine, next := p.there.Update(msg)
	if !mine || p.there.Busy() {
		return mine, next
	}
	return true, tea.Batch(next, pane.Send(pane.Offer{}))
}

// suggest is the repository that an image most likely goes to: where it went
// before, or the one that is called as it is.
func (p *pushes) suggest(image docker.Image) string {
	if name, ok := p.last[memory(image)]; ok {
		return name
	}
	return strings.ToLower(lineage.Path(image.Repository)) // its registry is no part of a repository's name
}

// pushForm is the dialog about one image.
type pushForm struct {
	*pushes
	image docker.Image
	cloud pushCloud
}

func (f *pushForm) repositories(typed string) []pane.Choice {
	var cs []pane.Choice
	for _, r := range f.there.Value {
		if strings.Contains(r.Name, typed) {
			cs = append(cs, pane.Choice{Value: r.Name, Note: mutabilityMark(r)})
		}
	}
	return cs
}

// push is what the answers mean.
func (f *pushForm) push(values []string) *push {
	name := strings.TrimSpace(values[pushTo])
	p := &push{form: f, image: f.image, engine: f.engine, cloud: f.cloud, tag: strings.TrimSpace(values[pushTag])}
	for _, r := range f.there.Value {
		if r.Name == name {
			p.repository = r
			return p
		}
	}
	p.repository, p.create, p.host = aws.Repository{Name: name}, true, "HOST"
	if len(f.there.Value) > 0 {
		other := f.there.Value[0] // all of an account and region are in one registry
		p.repository.Scope, p.host = other.Scope, strings.TrimSuffix(other.URI, "/"+other.Name)
	}
	return p
}

// text says what will happen, and how it is done by hand.
func (f *pushForm) text(values []string) string {
	switch {
	case f.there.Err != nil:
		return "Which repositories there are could not be read. ⏎ tells why."
	case !f.there.Whole():
		return "Looking which repositories there are …"
	}
	p := f.push(values)
	if p.repository.Name == "" {
		return "Choose a repository, or type the name of a new one."
	}
	var lines []string
	switch {
	case p.create:
		lines = append(lines, fmt.Sprintf("repository %s does not exist; it will be created: mutable tags, scan on push.", p.repository.Name))
	case p.repository.Immutable():
		lines = append(lines, fmt.Sprintf("Tags of %s are immutable: if there is a %s already, it stays and the push fails.", p.repository.Name, p.tag))
	}
	if len(lines) > 0 {
		lines = append(lines, "")
	}
	return strings.Join(append(lines, p.commands()...), "\n")
}

// tagName is what registries take as a tag (OCI distribution specification,
// "Pulling manifests").
var tagName = pattern.Late(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)

func (f *pushForm) check(values []string) error {
	tag := strings.TrimSpace(values[pushTag])
	switch {
	case f.there.Err != nil:
		return f.there.Err
	case !f.there.Whole():
		return errors.New("still looking which repositories there are")
	case tag == "":
		return &diagnose.Error{What: "push " + imageName(f.image), Cause: "it has no tag", Do: "type one such as 1.0"}
	case !tagName().MatchString(tag):
		return &diagnose.Error{What: "push " + imageName(f.image), Cause: fmt.Sprintf("%q is no tag", tag), Do: "write it with letters, digits, . _ - and at most 128 of them"}
	}
	return badName(strings.TrimSpace(values[pushTo]))
}

// push is a local image on its way to a repository.
type push struct {
	form       *pushForm
	image      docker.Image
	engine     carrier
	cloud      pushCloud
	repository aws.Repository
	create     bool   // the repository does not exist yet
	host       string // where it most likely will be, for the eye only
	tag        string
}

func (p *push) words() [3]string { return [3]string{"push", "pushing", "pushed"} }

func (p *push) name() string { return p.repository.Name + ":" + p.tag }

// run creates the repository where there is none, names the image by it, signs
// in, and pushes.
func (p *push) run() func(ctx context.Context, tell func(transferState)) error {
	at := *p
	return func(ctx context.Context, tell func(transferState)) error {
		var s transferState
		step := func(doing string) { s.doing = doing; tell(s) }
		if at.create {
			step("creating repository " + at.repository.Name + " …")
			made, err := at.cloud.CreateRepository(ctx, aws.NewRepository{Name: at.repository.Name, ScanOnPush: true})
			if err != nil {
				return err
			}
			at.repository, s.made = made, &made
		}
		target := at.repository.URI + ":" + at.tag
		step("naming the image " + target + " …")
		if err := at.engine.Tag(ctx, at.image.Reference(), target); err != nil {
			return err
		}
		step("signing in …")
		return signedIn(ctx, at.cloud, at.repository.Scope, func(_ string, auth docker.RegistryAuth) (err error) {
			step("the engine prepares the layers …")
			s.digest, err = at.engine.Push(ctx, target, auth, func(p docker.TransferProgress) {
				s.progress = p
				tell(s)
			})
			if err == nil {
				tell(s)
			}
			return err
		})
	}
}

// signedIn does something with an account at the registry of scope, host. One that
// the registry does not take is forgotten, so that the next try has another.
func signedIn(ctx context.Context, c registrar, scope aws.Scope, do func(host string, auth docker.RegistryAuth) error) error {
	login, err := c.RegistryLogin(ctx, scope)
	if err != nil {
		return err
	}
	err = do(login.Host, docker.RegistryAuth{Username: login.Username, Password: login.Password})
	if errors.Is(err, docker.ErrUnauthorized) {
		c.ForgetRegistryLogin(scope)
	}
	return err
}

func (p *push) reached(s transferState) {
	if s.made != nil {
		p.repository, p.create = *s.made, false
	}
}

func (p *push) reference(digest string) string { return p.repository.URI + "@" + digest }

// commands do the same by hand. Until the repository exists, only AWS knows its
// URI for sure.
func (p *push) commands() []string {
	uri := p.repository.URI
	var lines []string
	if p.create {
		uri = cmp.Or(uri, p.host+"/"+p.repository.Name)
		lines = append(lines, createCommand(aws.NewRepository{Name: p.repository.Name, ScanOnPush: true}))
	}
	target := uri + ":" + p.tag
	return append(lines,
		p.engine.CommandLine(docker.TagCommand(p.image.Reference(), target)),
		loginCommand(p.repository.Scope, uri, p.engine),
		p.engine.CommandLine(docker.PushCommand(target)))
}

// loginCommand signs in by hand: the password goes through a pipe.
func loginCommand(s aws.Scope, uri string, engine carrier) string {
	words := "aws ecr get-login-password"
	if s.Region != "" {
		words += " --region " + s.Region
	}
	if s.Profile != "" {
		words += " --profile " + s.Profile
	}
	return words + " | " + engine.CommandLine(docker.Command{"login", "--username", "AWS", "--password-stdin", hostOf(uri)})
}

// fixes create what is missing, and choose another tag for one that stays.
func (p *push) fixes(err error, again func() tea.Cmd) []pane.Command {
	var cs []pane.Command
	if errors.Is(err, docker.ErrRepositoryMissing) {
		cs = append(cs, pane.Command{Key: "c", Does: "create repository " + p.repository.Name + " and push", Mutates: true, Run: func() tea.Cmd {
			p.create = true
			return again()
		}})
	}
	if errors.Is(err, docker.ErrTagImmutable) {
		cs = append(cs, pane.Command{Key: "t", Does: "push under another tag", Mutates: true, Run: func() tea.Cmd {
			return p.form.askAs(p.image, p.tag)
		}})
	}
	return cs
}

func (p *push) changed() tea.Cmd { return pane.Send(pane.Acted{What: actedStored}) }
