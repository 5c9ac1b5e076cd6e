package ui

import (
	"context"
	"errors"
	"fmt"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
)

// ship is an image on its way to a service, on the stage: first what would be
// done, then a line for each stage with what it does below it.
type ship struct {
	work[shipment]
	shipping *shipping
	cloud    shipCloud
	engine   shipEngine

	order   shipOrder
	form    *freshForm // that the new service was asked with
	sources pane.Load[shipSources]
	targets pane.Load[shipTargets]
	offer   pane.Load[shipOffer]
	planned pane.Load[shipPlan]
	reads   int // of plans: the key of the load

	current shipment // as it was told last
	begun   bool
	run     *shipRun // the last; only its job may look at it before it has ended
	back    bool     // the way back begins once the watching has ended

	screen shipScreen
}

func newShip(s *shipping, o shipOrder) *ship {
	p := &ship{shipping: s, cloud: s.cloud, engine: s.engine, order: o, screen: newShipScreen()}
	p.work = work[shipment]{now: s.now, of: p}
	return p
}

func (s *ship) builds() *builds { return s.shipping.builds }

// Title names the image, or the service as long as there is none.
func (s *ship) Title() string {
	if name := s.order.name(); name != "" {
		return "ship " + name
	}
	return "ship to " + s.order.service.Name
}

// Init takes the host and asks what is missing.
func (s *ship) Init(h pane.Host) tea.Cmd {
	s.host = h
	cmd := s.next()
	s.draw()
	return cmd
}

// next asks for what is missing, else reads the plan.
func (s *ship) next() tea.Cmd {
	switch {
	case s.order.name() == "":
		return s.readSources()
	case s.order.target() == "":
		return s.readTargets()
	}
	return s.readPlan()
}

func (s *ship) readPlan() tea.Cmd {
	s.reads++
	s.begun, s.current = false, shipment{}
	reader := planner{cloud: s.cloud, engine: s.engine, changes: s.shipping.changes, builtIn: s.shipping.builtIn(s.order.image)}
	order := s.order
	cmd := s.planned.Start(fmt.Sprint(s.reads), func(ctx context.Context, _ func(shipPlan)) (shipPlan, error) {
		return reader.plan(ctx, order)
	})
	s.draw()
	return cmd
}

// reading says that something is still to come before there is a plan.
func (s *ship) reading() bool {
	return s.sources.Busy() || s.targets.Busy() || s.offer.Busy() || s.planned.Busy()
}

// trouble is why there is no plan.
func (s *ship) trouble() error {
	return errors.Join(s.sources.Err, s.targets.Err, s.offer.Err, s.planned.Err)
}

// ready says that there is a plan to confirm.
func (s *ship) ready() bool {
	return !s.begun && !s.reading() && s.planned.Whole() && s.planned.Err == nil
}

// Update takes what is read, and what the shipment tells.
func (s *ship) Update(msg tea.Msg) tea.Cmd {
	if mine, next := s.read(msg); mine {
		s.draw()
		return next
	}
	if msg, ok := msg.(tea.MouseWheelMsg); ok {
		s.screen.scroll(map[tea.MouseButton]int{tea.MouseWheelUp: -3, tea.MouseWheelDown: 3}[msg.Button])
		s.draw()
		return nil
	}
	return s.work.Update(msg)
}

// read takes the answers that lead to a plan.
func (s *ship) read(msg tea.Msg) (mine bool, next tea.Cmd) {
	if mine, next = s.sources.Update(msg); mine {
		if !s.sources.Busy() && s.sources.Err == nil {
			s.order.service = s.sources.Value.service
			s.askSource()
		}
		return mine, next
	}
	if mine, next = s.targets.Update(msg); mine {
		if !s.targets.Busy() && s.targets.Err == nil {
			s.askTarget()
		}
		return mine, next
	}
	if mine, next = s.offer.Update(msg); mine {
		if !s.offer.Busy() && s.offer.Err == nil {
			newFreshForm(s, s.offer.Value).ask()
		}
		return mine, next
	}
	if mine, next = s.planned.Update(msg); mine {
		if s.ready() {
			s.order = s.planned.Value.order
			s.current = newShipment(s.planned.Value)
		}
	}
	return mine, next
}

// confirm begins what the plan says.
func (s *ship) confirm() tea.Cmd {
	s.begun = true
	if arn := s.order.service.ARN; arn != "" {
		s.shipping.last[shortName(s.order.name())] = arn
	}
	s.screen.follow = true
	return s.goOn()
}

// goOn does the stages that wait.
func (s *ship) goOn() tea.Cmd {
	run := &shipRun{cloud: s.cloud, engine: s.engine, now: s.now, pace: s.shipping.pace, state: s.current.copied()}
	s.run = run
	return s.begin(s.Title()+" → "+s.order.target(), func(ctx context.Context, state func(shipment), report func(done, total int64)) error {
		run.tell, run.into = state, report
		last, err := run.run(ctx)
		state(last)
		return err
	})
}

// again goes on from the stage that failed or was canceled.
func (s *ship) again() tea.Cmd {
	s.current.again()
	s.screen.follow = true
	return s.goOn()
}

// progressed takes a state of the shipment.
func (s *ship) progressed() tea.Cmd {
	state := s.state()
	if len(state.at.steps) == 0 { // nothing was told yet
		return nil
	}
	before := s.current
	s.current = state.at
	told := s.touched(&before)
	if state.over && s.back {
		return tea.Batch(told, s.goBack())
	}
	return told
}

// touched says what has been changed outside since the state before.
func (s *ship) touched(before *shipment) tea.Cmd {
	now, over := &s.current, s.state().over
	var cmds []tea.Cmd
	for _, c := range []struct {
		stage shipStage
		what  string
	}{{stageRepository, actedRepository}, {stagePush, actedStored}, {stageUpdate, actedService}, {stageBack, actedService}} {
		if now.did(c.stage) && (!before.did(c.stage) || over && c.what == actedService) {
			cmds = append(cmds, pane.Send(pane.Acted{What: c.what}))
		}
	}
	return tea.Batch(cmds...)
}

// actedService is the kind of change that a rollout is.
const actedService = "service"

// notice says how it ended, and what has been done.
func (s *ship) notice(err error) pane.Notice {
	m := &s.run.state // the job has ended; its last state may not be here yet
	switch {
	case s.back:
		return pane.Notice{Text: "rolling back to " + m.before}
	case errors.Is(err, context.Canceled) && m.updated():
		return pane.Notice{Text: "– not watched any more; ECS goes on with the rollout: " + m.story()}
	case errors.Is(err, context.Canceled):
		return pane.Notice{Text: "– canceled: " + m.story()}
	case errors.Is(err, errRolledBack):
		return pane.Notice{Text: fmt.Sprintf("↩ %s: the circuit breaker brought back %s", s.Title(), m.rollout.is)}
	case err != nil:
		return pane.Notice{Text: "✗ " + s.Title() + " stopped: " + m.story()}
	}
	return pane.Notice{Text: fmt.Sprintf("✓ %s runs %s", s.order.target(), m.wanted)}
}

// askBack asks before the service goes back to what it ran.
func (s *ship) askBack() tea.Cmd {
	m := s.current
	s.host.Ask(pane.Dialog{
		Title: fmt.Sprintf("Roll %s back to %s?", s.order.target(), m.before),
		Body: pane.Static(fmt.Sprintf("%s runs %s\n%s runs %s\n\n%s\n%s", m.wanted, containerOf(m.definition, s.order.container).Image,
			m.before, containerOf(m.plan.definition, s.order.container).Image, m.plan.touched(), where(s.order.scope, s.order.cluster()))),
		Do: func([]string) tea.Cmd {
			if s.load.Busy() {
				s.back = true
				s.job.Cancel()
				return nil
			}
			return s.goBack()
		},
	})
	return nil
}

func (s *ship) goBack() tea.Cmd {
	s.back = false
	if !s.current.canRollBack() {
		return nil
	}
	s.current.goBack()
	s.screen.follow = true
	return s.goOn()
}

// fit builds for the platform that the service runs on.
func (s *ship) fit() tea.Cmd {
	o := *s.order.build
	o.Platform = s.current.plan.platform()
	s.order.build = &o
	return s.readPlan()
}

// misfit says that what is built is for another platform than the service's.
func (s *ship) misfit() bool {
	p := &s.current.plan
	return s.order.build != nil && p.platformSaid && !samePlatform(p.facts.Platform, p.platform())
}

// change asks for the plan's choices again.
func (s *ship) change() tea.Cmd {
	s.keepBuilt()
	return s.askChange()
}

// planAnew reads the plan again, by what has been done and has changed since.
func (s *ship) planAnew() tea.Cmd {
	s.keepBuilt()
	return s.readPlan()
}

// keepBuilt leaves out the build of what was built.
func (s *ship) keepBuilt() {
	if s.current.did(stageBuild) {
		s.order.build = nil
	}
}

func (s *ship) chooseTarget() tea.Cmd {
	s.targets.Clear()
	cmd := s.readTargets()
	s.draw()
	return cmd
}

// Mark is how the shipment stands, for its tab.
func (s *ship) Mark() string {
	switch {
	case !s.begun:
		return "○"
	case s.state().over && errors.Is(s.state().err, errRolledBack):
		return "↩"
	}
	return s.work.Mark()
}

// Resize gives the size.
func (s *ship) Resize(w, h int) tea.Cmd {
	s.screen.resize(w, h)
	s.draw()
	return nil
}

// View is the shipment as it was drawn after the last change.
func (s *ship) View() string { return s.screen.view }

// Close stops what is under way.
func (s *ship) Close() {
	s.sources.Stop()
	s.targets.Stop()
	s.offer.Stop()
	s.planned.Stop()
	s.work.Close()
}
