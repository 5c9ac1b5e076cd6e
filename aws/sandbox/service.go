package sandbox

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/uuid"
)

const (
	keptEvents = 100
	// repeatedEvent is for how long ECS does not say the same thing again.
	repeatedEvent = 6 * time.Hour
)

type service struct {
	number      uint64
	cluster     *cluster
	name, arn   string
	status      string
	desired     int32
	launchType  types.LaunchType
	deploying   types.DeploymentConfiguration
	propagate   types.PropagateTags
	exec        bool
	managedTags bool
	rebalancing types.AvailabilityZoneRebalancing
	grace       *int32
	created     time.Time
	createdBy   string
	tags        []types.Tag

	deployments []*deployment // the newest first: [0] is the primary one
	completed   *deployment   // the last that completed, where a rollback goes
	tasks       []*task       // those that have not stopped yet
	events      []types.ServiceEvent
	steady      bool
	wake        *alarm
}

func (s *service) place() uint64 { return s.number }

func (s *service) primary() *deployment { return s.deployments[0] }

// promote makes a deployment the primary one, whether it is new or was there.
func (s *service) promote(d *deployment) {
	s.deployments = slices.DeleteFunc(s.deployments, func(x *deployment) bool { return x == d })
	s.deployments = slices.Insert(s.deployments, 0, d)
	s.steady = false
}

// retire forgets older deployments that have no tasks left.
func (s *service) retire() {
	kept := s.deployments[:1]
	for _, d := range s.deployments[1:] {
		if slices.ContainsFunc(s.tasks, func(t *task) bool { return t.deployment == d }) {
			kept = append(kept, d)
		}
	}
	clear(s.deployments[len(kept):])
	s.deployments = kept
}

// live are the tasks that are meant to run.
func (s *service) live() []*task {
	live := make([]*task, 0, len(s.tasks))
	for _, t := range s.tasks {
		if t.wanted() {
			live = append(live, t)
		}
	}
	return live
}

// count is how many tasks of a deployment are meant to run.
func (s *service) count(d *deployment) int {
	n := 0
	for _, t := range s.tasks {
		if t.deployment == d && t.wanted() {
			n++
		}
	}
	return n
}

// forget drops a task that has stopped.
func (s *service) forget(t *task) {
	if at := slices.Index(s.tasks, t); at >= 0 {
		s.tasks = slices.Delete(s.tasks, at, at+1)
	}
}

// tagsForTask are the tags that a new task gets from its service.
func (s *service) tagsForTask(d *deployment) []types.Tag {
	var tags []types.Tag
	switch s.propagate {
	case types.PropagateTagsService:
		tags = clone(s.tags)
	case types.PropagateTagsTaskDefinition:
		tags = clone(d.definition.tags)
	}
	if s.managedTags {
		tags = mergeTags(tags, []types.Tag{
			{Key: aws.String("aws:ecs:clusterName"), Value: aws.String(s.cluster.name)},
			{Key: aws.String("aws:ecs:serviceName"), Value: aws.String(s.name)},
		})
	}
	return tags
}

// say records an event unless it was said in the last six hours.
func (b *ecsBackend) say(s *service, what string) {
	message := "(service " + s.name + ") " + what
	since := b.clock.Now().Add(-repeatedEvent)
	for _, e := range s.events {
		if e.CreatedAt.Before(since) {
			break
		}
		if *e.Message == message {
			return
		}
	}
	b.record(s, what)
}

// record adds an event.
func (b *ecsBackend) record(s *service, what string) {
	b.log.Debug("service event") // never whose or what: debug logs are sent to others
	s.events = slices.Insert(s.events, 0, types.ServiceEvent{
		Id:        aws.String(uuid.NewString()),
		CreatedAt: aws.Time(b.clock.Now()),
		Message:   aws.String("(service " + s.name + ") " + what),
	})
	if len(s.events) > keptEvents {
		s.events = s.events[:keptEvents]
	}
}
