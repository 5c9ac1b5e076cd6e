package ui

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gantry/aws"
	"gantry/docker"
)

// shipOrder is what to ship and where to, as the user has chosen it. What is
// empty is still to be chosen.
type shipOrder struct {
	scope aws.Scope
	build *docker.BuildOptions // built first; nil where the image is there already
	image string               // the local image's name; of a build its tag
	stock *aws.RepositoryImage // an image that ECR has already: nothing is pushed

	repository, tag string // where a local image is pushed to

	service   aws.Service // to update; without an ARN it is not chosen or created
	container string      // whose image is replaced
	fresh     *freshService
}

// freshService is what is created where there is no service to update. Its
// image is filled in once the digest is known.
type freshService struct {
	definition aws.NewDefinition
	service    aws.NewService
}

// name is what the image is called on the screen.
func (o *shipOrder) name() string {
	if o.stock != nil {
		return storedName(*o.stock)
	}
	return o.image
}

// target is the service as cluster/name.
func (o *shipOrder) target() string {
	switch {
	case o.fresh != nil:
		return clusterName(o.fresh.service.Cluster) + "/" + o.fresh.service.Name
	case o.service.ARN != "":
		return o.service.Cluster + "/" + o.service.Name
	}
	return ""
}

// cluster is the name of the cluster that it goes to.
func (o *shipOrder) cluster() string {
	if o.fresh != nil {
		return clusterName(o.fresh.service.Cluster)
	}
	return o.service.Cluster
}

// shipStage is one stage of the way.
type shipStage int

const (
	stageBuild shipStage = iota
	stageRepository
	stageTag
	stagePush
	stageRegister
	stageUpdate // or create the service
	stageWatch
	stageBack      // the service goes back to what it ran before
	stageWatchBack // that rollout is watched
)

var stageNamed = map[shipStage]string{
	stageBuild: "build", stageRepository: "repository", stageTag: "tag", stagePush: "push", stageRegister: "revision",
	stageUpdate: "service", stageWatch: "rollout", stageBack: "roll back", stageWatchBack: "rollout",
}

// shipState is how a stage stands.
type shipState int

const (
	shipWaiting shipState = iota
	shipRunning
	shipDone
	shipFailed
	shipCanceled
	shipTakenBack // ECS went back to what ran before
)

// shipStep is a stage of one shipment.
type shipStep struct {
	stage        shipStage
	state        shipState
	words        string // what comes of it, or will
	began, ended time.Time
}

func (s shipStep) took(now time.Time) time.Duration {
	switch {
	case s.began.IsZero():
		return 0
	case s.ended.IsZero():
		return now.Sub(s.began)
	}
	return s.ended.Sub(s.began)
}

// shipment is an order on its way, at one moment. It is a copy: nothing in it
// changes any more.
type shipment struct {
	plan  shipPlan
	steps []shipStep
	over  bool
	err   error // why it stopped

	built      docker.BuildProgress
	pushed     docker.TransferProgress
	repository aws.Repository
	digest     string
	definition aws.Definition // the revision that was registered

	// The rollout: what is wanted now and what ran before, as family:revision.
	wanted, before string
	service        aws.Service
	rollout        rollout
	events         []aws.Event // since the service was updated, the newest first
	tasks          []aws.Task  // of the wanted revision
	known          map[string]bool
}

// newShipment is a plan before its first stage.
func newShipment(p shipPlan) shipment {
	m := shipment{plan: p, repository: p.repository, digest: p.digest, service: p.order.service, before: p.definition.Name(), known: map[string]bool{}}
	for _, stage := range p.stages() {
		m.steps = append(m.steps, shipStep{stage: stage, words: p.intent(stage)})
	}
	for _, e := range p.order.service.Events {
		m.known[e.ID] = true
	}
	return m
}

// copied is the shipment as nothing changes it any more.
func (m *shipment) copied() shipment {
	c := *m
	c.steps = slices.Clone(m.steps)
	return c
}

// at is the stage that runs, else the one that stopped the shipment, else the
// next.
func (m *shipment) at() int {
	last := -1
	for i, s := range m.steps {
		switch s.state {
		case shipRunning:
			return i
		case shipWaiting:
			if last < 0 || m.steps[last].state == shipDone {
				last = i
			}
		case shipDone, shipFailed, shipCanceled, shipTakenBack:
			last = i
		}
	}
	return max(0, last)
}

func (m *shipment) step(stage shipStage) *shipStep {
	for i := range m.steps {
		if m.steps[i].stage == stage {
			return &m.steps[i]
		}
	}
	return nil
}

// did says whether a stage has been done; one that was not needed has not.
func (m *shipment) did(stage shipStage) bool {
	s := m.step(stage)
	return s != nil && s.state == shipDone
}

// updated says whether the service may have been told of the new revision.
func (m *shipment) updated() bool { return m.did(stageUpdate) }

// reference is the image as a definition pins it.
func (m *shipment) reference() string { return m.repository.URI + "@" + m.digest }

// story says what has been done, and what has not, when a shipment stops.
func (m *shipment) story() string {
	var said []string
	say := func(stage shipStage, format string, args ...any) {
		if m.did(stage) {
			said = append(said, fmt.Sprintf(format, args...))
		}
	}
	say(stageBuild, "%s was built", m.plan.order.image)
	say(stageRepository, "repository %s was created", m.repository.Name)
	say(stagePush, "%s was pushed", m.plan.order.repository+":"+m.plan.order.tag)
	say(stageRegister, "revision %s was registered", m.definition.Name())
	service := m.plan.order.target()
	switch s := m.step(stageUpdate); {
	case s == nil:
	case s.state == shipDone && m.plan.order.fresh != nil:
		said = append(said, "service "+service+" was created")
	case s.state == shipDone:
		said = append(said, fmt.Sprintf("service %s was told to run %s", service, m.definition.Name()))
	case s.state == shipCanceled && !s.began.IsZero():
		said = append(said, "whether ECS took the change of service "+service+" is not known")
	case m.plan.order.fresh != nil:
		said = append(said, "the service was not created")
	default:
		said = append(said, "the service was not updated")
	}
	say(stageBack, "service %s was told to go back to %s", service, m.wanted)
	return strings.Join(said, "; ")
}

// canRollBack says whether there is something to go back to, and the service
// has left it.
func (m *shipment) canRollBack() bool {
	return m.updated() && m.plan.order.fresh == nil && m.step(stageBack) == nil && !m.rollout.back && m.before != ""
}

// goBack adds the way back.
func (m *shipment) goBack() {
	m.wanted, m.before = m.before, m.wanted
	m.rollout, m.tasks, m.events, m.over, m.err = rollout{}, nil, nil, false, nil
	for i := range m.steps {
		if s := &m.steps[i]; s.state == shipRunning || s.state == shipWaiting {
			s.state = shipCanceled
		}
	}
	m.steps = append(m.steps,
		shipStep{stage: stageBack, words: fmt.Sprintf("%s → %s", m.before, m.wanted)},
		shipStep{stage: stageWatchBack, words: "until steady"})
}

// again makes what stopped the shipment ready to be tried once more.
func (m *shipment) again() {
	m.over = false
	if errors.Is(m.err, docker.ErrRepositoryMissing) && m.step(stageRepository) == nil {
		at := slices.IndexFunc(m.steps, func(s shipStep) bool { return s.stage == stagePush || s.stage == stageTag })
		m.steps = slices.Insert(m.steps, at, shipStep{stage: stageRepository, words: "creates " + m.plan.order.repository})
	}
	m.err = nil
	back := m.step(stageBack) != nil
	for i := range m.steps {
		s := &m.steps[i]
		if s.state == shipDone || back && s.stage < stageBack {
			continue
		}
		s.state, s.began, s.ended = shipWaiting, time.Time{}, time.Time{}
	}
}
