package ui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gantry/aws"
	"gantry/docker"
	"gantry/internal/diagnose"
	"gantry/ui/lineage"
)

// shipCloud is what shipping needs of AWS.
type shipCloud interface {
	Identity(ctx context.Context) (aws.Identity, error)
	ClusterIDs(ctx context.Context) ([]string, error)
	ServiceIDs(ctx context.Context, cluster string) ([]string, error)
	DescribeServices(ctx context.Context, cluster string, ids []string) ([]aws.Service, error)
	Service(ctx context.Context, s aws.Service) (aws.Service, error)
	Tasks(ctx context.Context, cluster, service string, page func([]aws.Task)) error

	Repositories(ctx context.Context, page func([]aws.Repository)) error
	RepositoryImages(ctx context.Context, r aws.Repository, page func([]aws.RepositoryImage)) error
	DescribeRepositoryImages(ctx context.Context, r aws.Repository, digests []string) ([]aws.RepositoryImage, error)
	CreateRepository(ctx context.Context, r aws.NewRepository) (aws.Repository, error)
	registrar
	baseRegistrar

	Definition(ctx context.Context, ref string) (aws.Definition, error)
	RegisterRevision(ctx context.Context, from aws.Definition, images map[string]string) (aws.Definition, error)
	RegisterDefinition(ctx context.Context, scope aws.Scope, n aws.NewDefinition) (aws.Definition, error)
	Deploy(ctx context.Context, s aws.Service, definition string) (aws.Service, error)
	CreateService(ctx context.Context, scope aws.Scope, n aws.NewService) (aws.Service, error)

	Subnets(ctx context.Context) ([]aws.Subnet, error)
	SecurityGroups(ctx context.Context) ([]aws.SecurityGroup, error)
	TaskRoles(ctx context.Context) ([]aws.Role, error)
}

// shipEngine is what shipping needs of Docker.
type shipEngine interface {
	builder
	Engine(ctx context.Context) (docker.Engine, error)
	Images(ctx context.Context, scope docker.ImageScope) ([]docker.Image, error)
	ImageFacts(ctx context.Context, ref string) (docker.ImageFacts, error)
	Tag(ctx context.Context, source, target string) error
	Push(ctx context.Context, ref string, auth docker.RegistryAuth, progress func(docker.TransferProgress)) (digest string, err error)
}

// errRolledBack: ECS took the new revision back by itself.
var errRolledBack = errors.New("rolled back")

// shipRun brings a shipment on its way, stage by stage. It is a job's work: it
// runs outside the event loop, and tells copies of the state.
type shipRun struct {
	cloud  shipCloud
	engine shipEngine
	now    func() time.Time
	pace   func(since time.Duration) time.Duration
	tell   func(shipment)
	into   func(done, total int64) // progress of the whole

	state shipment
	index int // of the stage that runs
}

// stageShare is how much of the whole progress a stage is.
const stageShare = 1000

// run does the stages that wait, until one fails.
func (r *shipRun) run(ctx context.Context) (shipment, error) {
	for i := range r.state.steps {
		if r.state.steps[i].state != shipWaiting {
			continue
		}
		if r.index = i; r.one(ctx) != nil {
			break
		}
	}
	r.state.over = true
	return r.state.copied(), r.state.err
}

// one does the stage at the index.
func (r *shipRun) one(ctx context.Context) error {
	s := &r.state.steps[r.index]
	s.state, s.began, s.ended = shipRunning, r.now(), time.Time{}
	r.report(0, 1)
	r.tell(r.state.copied())
	words, err := r.do(ctx, s.stage)
	s.ended = r.now()
	if words != "" {
		s.words = words
	}
	switch {
	case err == nil:
		s.state = shipDone
	case errors.Is(err, context.Canceled):
		s.state = shipCanceled
	case errors.Is(err, errRolledBack):
		s.state = shipTakenBack
	default:
		s.state = shipFailed
	}
	r.state.err = err
	r.tell(r.state.copied())
	return err
}

func (r *shipRun) do(ctx context.Context, stage shipStage) (words string, err error) {
	switch stage {
	case stageBuild:
		return r.build(ctx)
	case stageRepository:
		return r.createRepository(ctx)
	case stageTag:
		return r.tag(ctx)
	case stagePush:
		return r.push(ctx)
	case stageRegister:
		return r.register(ctx)
	case stageUpdate:
		return r.update(ctx)
	case stageBack:
		return r.goBack(ctx)
	case stageWatch, stageWatchBack:
	}
	return r.watch(ctx)
}

// report tells how far the stage is.
func (r *shipRun) report(done, total int64) {
	part := int64(0)
	if total > 0 {
		part = min(done, total) * stageShare / total
	}
	r.into(int64(r.index)*stageShare+part, int64(len(r.state.steps))*stageShare)
}

// say changes what stands beside the stage that runs.
func (r *shipRun) say(words string) {
	r.state.steps[r.index].words = words
	r.tell(r.state.copied())
}

func (r *shipRun) build(ctx context.Context) (string, error) {
	o := *r.state.plan.order.build
	result, err := buildFrom(ctx, r.engine, r.cloud, o, func(p docker.BuildProgress) {
		r.state.built = p
		ended, all := p.Count()
		r.report(int64(ended), int64(all))
		r.say(fmt.Sprintf("%s: %d of %s", o.Tags[0], ended, plural(all, "step")))
	})
	if err != nil {
		return "", err
	}
	facts, err := r.engine.ImageFacts(ctx, o.Tags[0])
	if err != nil {
		return "", err
	}
	return o.Tags[0] + " · " + lineage.Short(result.ImageID), r.fits(facts)
}

// fits refuses an image that was built for another platform than the service
// runs on, unless that was said before the user confirmed.
func (r *shipRun) fits(facts docker.ImageFacts) error {
	p := &r.state.plan
	if p.platformSaid || samePlatform(facts.Platform, p.platform()) {
		return nil
	}
	p.platformSaid, p.facts.Platform = true, facts.Platform // going on is then the user's wish
	return &diagnose.Error{
		What:  "check " + p.order.image + " before it is pushed",
		Cause: fmt.Sprintf("it is for %s, and %s runs on %s", facts.Platform, p.order.target(), p.platform()),
		Do:    "P builds it for " + p.platform() + "; r would push it as it is",
	}
}

func (r *shipRun) createRepository(ctx context.Context) (string, error) {
	repository, err := r.cloud.CreateRepository(ctx, aws.NewRepository{Name: r.state.plan.order.repository, ScanOnPush: true})
	if err != nil {
		return "", err
	}
	r.state.repository = repository
	return "created " + repository.URI, nil
}

// ref is what the image is called in the repository.
func (r *shipRun) ref() string { return r.state.repository.URI + ":" + r.state.plan.order.tag }

func (r *shipRun) tag(ctx context.Context) (string, error) {
	if err := r.engine.Tag(ctx, r.state.plan.order.image, r.ref()); err != nil {
		return "", err
	}
	return r.ref(), nil
}

func (r *shipRun) push(ctx context.Context) (string, error) {
	m := &r.state
	err := signedIn(ctx, r.cloud, m.plan.order.scope, func(host string, auth docker.RegistryAuth) (err error) {
		if at := hostOf(m.repository.URI); host != at {
			return &diagnose.Error{
				What:  "push " + r.ref(),
				Cause: fmt.Sprintf("the repository is at %s and the account logs in at %s", at, host),
				Do:    "choose a repository of this account and region: e",
			}
		}
		m.pushed = docker.TransferProgress{}
		began := r.now()
		m.digest, err = r.engine.Push(ctx, r.ref(), auth, func(p docker.TransferProgress) {
			m.pushed = p
			done, total := p.Bytes()
			r.report(done, total)
			r.say(transferWords(p, r.now().Sub(began)))
		})
		return err
	})
	if err != nil {
		return "", err
	}
	return m.plan.order.repository + ":" + m.plan.order.tag + " · " + m.digest, nil
}

func hostOf(uri string) string {
	host, _, _ := strings.Cut(uri, "/")
	return host
}

func (r *shipRun) register(ctx context.Context) (string, error) {
	m, o := &r.state, &r.state.plan.order
	var err error
	if o.fresh != nil {
		n := o.fresh.definition
		n.Image = m.reference()
		m.definition, err = r.cloud.RegisterDefinition(ctx, o.scope, n)
	} else if err = r.unchanged(ctx); err == nil {
		m.definition, err = r.cloud.RegisterRevision(ctx, m.plan.definition, map[string]string{o.container: m.reference()})
	}
	if err != nil {
		return "", err
	}
	m.wanted = m.definition.Name()
	return m.wanted + " registered", nil
}

// unchanged refuses to go on when the service has got another revision since
// the plan was read: a copy of the old one would undo what somebody deployed.
func (r *shipRun) unchanged(ctx context.Context) error {
	m := &r.state
	now, err := r.cloud.Service(ctx, m.service)
	if err != nil || now.TaskDefinition == m.before {
		return err
	}
	return &diagnose.Error{
		What:  "register a revision of " + m.plan.definition.Family,
		Cause: fmt.Sprintf("%s runs %s by now; the plan was made when it ran %s, and a copy of that would undo the change", m.plan.order.target(), now.TaskDefinition, m.before),
		Do:    "ctrl+r plans anew",
	}
}

func (r *shipRun) update(ctx context.Context) (string, error) {
	m, o := &r.state, &r.state.plan.order
	if o.fresh == nil {
		return r.deploy(ctx, m.definition.ARN)
	}
	n := o.fresh.service
	n.Definition = m.definition.ARN
	service, err := r.cloud.CreateService(ctx, o.scope, n)
	if err != nil {
		return "", err
	}
	m.service = service
	return fmt.Sprintf("%s created with %s", o.target(), plural(n.Desired, "task")), nil
}

// deploy lets the service run a revision.
func (r *shipRun) deploy(ctx context.Context, definition string) (string, error) {
	m := &r.state
	service, err := r.cloud.Deploy(ctx, m.service, definition)
	if err != nil {
		return "", err
	}
	m.service = service
	return fmt.Sprintf("%s → %s", m.before, m.wanted), nil
}

func (r *shipRun) goBack(ctx context.Context) (string, error) {
	return r.deploy(ctx, r.state.plan.definition.ARN)
}
