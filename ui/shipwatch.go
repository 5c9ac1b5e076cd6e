package ui

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gantry/aws"
	"gantry/internal/diagnose"
)

// The words of a rollout beside those of aws.Service.Rollout.
const (
	rolledBack = "rolled back" // the circuit breaker has brought back what ran before
	overtaken  = "overtaken"   // somebody deployed something else meanwhile
)

const (
	// mostUnread is how often in a row a service may fail to be read before its
	// rollout is given up on.
	mostUnread = 5
	// mostWatched is how many tasks a service may want for all of them to be read
	// at every look: else only when some have failed.
	mostWatched = 50
	// mostBefore is how often in a row the old revision may be read after an
	// update before it counts: ECS is eventually consistent.
	mostBefore = 3
	// keptEvents is how many events of a rollout are kept.
	keptEvents = 100
)

// rollout is how a service stands on its way to a revision.
type rollout struct {
	state   string // of aws.Rollout…, rolledBack or overtaken
	is      string // the revision that the service goes to now
	reason  string // what ECS says of it
	failed  int    // the most failed tasks in a row that were seen
	back    bool   // the circuit breaker turned it round
	stale   int    // looks in a row that showed the old revision without a reason
	unread  int    // looks in a row that failed
	trouble error  // of the last look
}

// ended says that nothing more will come of it.
func (r *rollout) ended() bool {
	switch r.state {
	case aws.RolloutSteady, aws.RolloutFailed, aws.RolloutInactive, aws.RolloutDraining, rolledBack, overtaken:
		return true
	}
	return false
}

// next is the rollout after another look at the service. heard are its events
// since it was updated.
func (r rollout) next(s aws.Service, heard []aws.Event, wanted, before string) rollout {
	r.unread, r.trouble = 0, nil
	primary := s.Primary()
	r.is = s.TaskDefinition
	if primary != nil {
		r.is, r.reason = primary.TaskDefinition, primary.RolloutReason
	}
	r.failed = max(r.failed, s.FailedTasks())
	state := s.Rollout()
	switch {
	case state == aws.RolloutDraining, state == aws.RolloutInactive:
		r.state = state
	case r.is == wanted:
		r.state, r.stale, r.back = state, 0, false
	case r.is != before:
		r.state = overtaken
	case r.givenUp(s, heard, wanted), r.stale >= mostBefore:
		r.back, r.state = true, aws.RolloutRollingBack
		if state == aws.RolloutSteady {
			r.state = rolledBack
		}
	default:
		r.stale, r.state = r.stale+1, aws.RolloutMoving
	}
	return r
}

// givenUp says whether ECS itself tells that it went back. That may be over
// between two looks: then only an event still does.
func (r *rollout) givenUp(s aws.Service, heard []aws.Event, wanted string) bool {
	return r.back || strings.Contains(r.reason, goesBack) ||
		slices.ContainsFunc(s.Deployments, func(d aws.Deployment) bool { return d.TaskDefinition == wanted && d.RolloutState == "FAILED" }) ||
		slices.ContainsFunc(heard, func(e aws.Event) bool { return strings.Contains(e.Message, goesBack) })
}

// goesBack is how ECS says that the circuit breaker rolls back, in the reason
// of a deployment and in an event (ECS developer guide, "Amazon ECS service
// event messages").
const goesBack = "rolling back"

// shipPace is how long to wait between two looks at a service whose rollout
// began so long ago: a rollout that takes long is not seen to the second.
func shipPace(since time.Duration) time.Duration {
	switch {
	case since < 2*time.Minute:
		return 2 * time.Second
	case since < 10*time.Minute:
		return 3 * time.Second
	}
	return 5 * time.Second
}

// watch follows the service until its rollout has ended.
func (r *shipRun) watch(ctx context.Context) (string, error) {
	began := r.now()
	for {
		if err := r.look(ctx); err != nil {
			return "", err
		}
		m := &r.state
		r.report(int64(m.runningOf(m.rollout.is)), int64(m.service.Desired))
		r.say(m.watched())
		if m.rollout.ended() {
			return m.verdict(secondsText(r.now().Sub(began).Truncate(time.Second)))
		}
		if !pause(ctx, r.pace(r.now().Sub(began))) {
			return m.watched(), ctx.Err()
		}
	}
}

// look reads the service, and its tasks where they can tell something new.
func (r *shipRun) look(ctx context.Context) error {
	m := &r.state
	s, err := r.cloud.Service(ctx, m.service)
	if err == nil && s.Failure != "" {
		err = &diagnose.Error{What: "read service " + m.plan.order.target(), Cause: s.Failure}
	}
	if err != nil {
		m.rollout.unread++
		m.rollout.trouble = err
		if ctx.Err() != nil || m.rollout.unread >= mostUnread {
			return err
		}
		return nil
	}
	failed := m.rollout.failed
	m.service = s
	m.heard(s.Events)
	m.rollout = m.rollout.next(s, m.events, m.wanted, m.before)
	if s.Desired <= mostWatched || m.rollout.failed > failed || m.rollout.ended() {
		return r.lookAtTasks(ctx)
	}
	return nil
}

// heard keeps the events that are new.
func (m *shipment) heard(events []aws.Event) {
	var fresh []aws.Event
	for _, e := range events {
		if !m.known[e.ID] {
			m.known[e.ID] = true
			fresh = append(fresh, e)
		}
	}
	m.events = slices.Concat(fresh, m.events)
	m.events = m.events[:min(len(m.events), keptEvents)]
}

// lookAtTasks reads the tasks of the wanted revision. That they cannot be read
// does not end the rollout.
func (r *shipRun) lookAtTasks(ctx context.Context) error {
	m := &r.state
	var tasks []aws.Task
	of := m.wanted
	if m.rollout.back {
		of = m.definition.Name() // why it failed matters more than what came back
	}
	err := r.cloud.Tasks(ctx, m.service.ClusterARN, m.service.Name, func(page []aws.Task) {
		for _, t := range page {
			if t.TaskDefinition == of {
				tasks = append(tasks, t)
			}
		}
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if m.rollout.trouble = err; err == nil {
		slices.SortFunc(tasks, func(a, b aws.Task) int { return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID)) })
		m.tasks = tasks
	}
	return nil
}

// failures are the tasks that ended otherwise than by being replaced.
func (m *shipment) failures() []aws.Task {
	var failed []aws.Task
	for _, t := range m.tasks {
		if t.IsStopped() && !strings.HasPrefix(t.StopReason, "Scaling activity") && t.StopCode != "UserInitiated" {
			failed = append(failed, t)
		}
	}
	return failed
}

// watched is how the rollout stands, in a line.
func (m *shipment) watched() string {
	text := fmt.Sprintf("%d of %d run %s", m.runningOf(m.rollout.is), m.service.Desired, m.rollout.is)
	switch m.rollout.state {
	case aws.RolloutFailing:
		return fmt.Sprintf("failing: %s failed; %s", plural(max(m.rollout.failed, len(m.failures())), "task"), text)
	case aws.RolloutRollingBack:
		return "rolling back: " + text
	case aws.RolloutMoving:
		return "moving: " + text
	}
	return text
}

// runningOf is how many tasks of a revision run, as ECS counts them.
func (m *shipment) runningOf(revision string) int {
	n := 0
	for _, d := range m.service.Deployments {
		if d.TaskDefinition == revision {
			n += d.Running
		}
	}
	return n
}

// verdict says how the rollout ended. Only steady is a success.
func (m *shipment) verdict(took string) (string, error) {
	what := "ship " + m.plan.order.name() + " to " + m.plan.order.target()
	switch m.rollout.state {
	case aws.RolloutSteady:
		return fmt.Sprintf("steady after %s: %d of %d run %s", took, m.service.Running, m.service.Desired, m.wanted), nil
	case rolledBack:
		return "rolled back: the circuit breaker brought back " + m.rollout.is, &diagnose.Error{
			What: what, Cause: fmt.Sprintf("the circuit breaker brought back %s: %s", m.rollout.is, m.whyFailed()),
			Do: "the service runs as before; mend the image or the definition and ship again", Err: errRolledBack,
		}
	case aws.RolloutFailed:
		do := "mend the image or the definition and ship again"
		if m.canRollBack() {
			do = "B rolls back to " + m.before
		}
		return "failed: ECS gave up on " + m.rollout.is, &diagnose.Error{
			What: what, Cause: fmt.Sprintf("ECS gave up on %s, and nothing rolls it back: %s", m.rollout.is, m.whyFailed()), Do: do,
		}
	case overtaken:
		return "overtaken by " + m.rollout.is, &diagnose.Error{
			What: what, Cause: fmt.Sprintf("somebody deployed %s meanwhile", m.rollout.is), Do: "ask who did, or ship again",
		}
	}
	return m.rollout.state, &diagnose.Error{What: what, Cause: "the service is " + m.rollout.state + ": somebody deletes it", Do: "ship to another service"}
}

// whyFailed is ECS's word on the deployment. Why its tasks stopped stands with
// them.
func (m *shipment) whyFailed() string {
	if n := len(m.failures()); n > 0 {
		return plural(n, "task") + " of " + m.definition.Name() + " failed"
	}
	return cmp.Or(m.rollout.reason, "its tasks failed")
}

// stopWords is why a task stopped, with the exit code in words.
func stopWords(t aws.Task) string {
	why := t.Reason()
	if code, ok := t.ExitCode(); ok {
		why = strings.TrimPrefix(why+"; exit code "+exitMeaning(code), "; ")
	}
	return why
}
