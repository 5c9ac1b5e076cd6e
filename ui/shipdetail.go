package ui

import (
	"fmt"
	"slices"
	"strings"

	"gantry/aws"
	"gantry/ui/style"
)

// detail is what stands below the unfolded stage, in at most room lines.
func (s *ship) detail(row, room int) []string {
	c, m := &s.screen, &s.current
	if row == planRow {
		return c.window(planLines(&m.plan, c.w), room)
	}
	step := m.steps[row]
	failure := s.failure(row)
	if step.stage == stageBuild {
		c.room = room
		c.graph.resize(c.w, room)
		c.graph.take(buildState{progress: m.built, err: m.err, over: step.state != shipRunning})
		return c.graph.visible(s.now())
	}
	return c.window(slices.Concat(failure, m.detailOf(step.stage, c.w)), room)
}

// failure is why the stage stopped.
func (s *ship) failure(row int) []string {
	m := &s.current
	switch m.steps[row].state {
	case shipFailed, shipTakenBack:
		if m.err != nil && row == m.at() {
			return append(indented(errorLines(m.err, s.screen.w-4)), "")
		}
	case shipCanceled, shipWaiting, shipRunning, shipDone:
	}
	return nil
}

func indented(lines []string) []string {
	for i := range lines {
		lines[i] = "  " + lines[i]
	}
	return lines
}

// detailOf is what a stage has done so far, or will do.
func (m *shipment) detailOf(stage shipStage, w int) []string {
	o := &m.plan.order
	switch stage {
	case stageBuild:
	case stageRepository:
		return indented(factLines([]fact{{label: "repository", value: o.repository}, {label: "URI", value: m.repository.URI}}, w-3))
	case stageTag:
		return indented(factLines([]fact{{label: "image", value: o.image}, {label: "repository", value: m.repository.URI}, {label: "tag", value: o.tag}}, w-3))
	case stagePush:
		return indented(append(layerLines(m.pushed, w-3), factLines([]fact{{label: "digest", value: m.digest}}, w-3)...))
	case stageRegister:
		if m.definition.ARN != "" {
			return indented(diffLines(m.plan.definition, m.definition, w-3))
		}
		return indented(diffLines(m.plan.definition, m.plan.next(), w-3))
	case stageUpdate, stageBack:
		return indented(factLines([]fact{
			{label: "service", value: o.target()}, {label: "before", value: m.before}, {label: "now", value: m.wanted}, {label: "tasks", value: m.plan.touched()},
		}, w-3))
	case stageWatch, stageWatchBack:
		return indented(m.rolloutLines(w - 3))
	}
	return nil
}

// rolloutLines are the deployments, the tasks and the events of the rollout.
// What failed comes first.
func (m *shipment) rolloutLines(w int) []string {
	t := style.Now()
	var lines []string
	if m.rollout.trouble != nil {
		lines = append(lines, styled(t.Busy, hanging(" ▲ ", "could not be read, looking again: "+m.rollout.trouble.Error(), w-1))...)
	}
	if failed := m.failureLines(w); len(failed) > 0 {
		lines = append(append(lines, failed...), "")
	}
	for _, d := range m.service.Deployments {
		way := "←" // on its way out
		if d.Status == "PRIMARY" {
			way = "→"
		}
		lines = append(lines, style.Cut(style.Plain(fmt.Sprintf(" %s %s  %s", way, d.TaskDefinition, deploymentText(d))), w))
	}
	lines = append(lines, m.taskLines(w)...)
	if len(m.events) > 0 {
		lines = append(lines, "")
		lines = append(lines, serviceEvents(aws.Service{Events: m.events}, w)...)
	}
	return lines
}

func deploymentText(d aws.Deployment) string {
	text := fmt.Sprintf("%d of %d run", d.Running, d.Desired)
	if d.Pending > 0 {
		text += fmt.Sprintf(", %d pending", d.Pending)
	}
	if d.Failed > 0 {
		text += fmt.Sprintf(", %d failed", d.Failed)
	}
	if d.RolloutState == "" {
		return text
	}
	return text + " · " + strings.ToLower(strings.ReplaceAll(d.RolloutState, "_", " "))
}

// mostShown is how many tasks of a kind are shown.
const mostShown = 20

// failureLines are the tasks that failed, those of one reason together.
func (m *shipment) failureLines(w int) []string {
	t := style.Now()
	var reasons []string
	ids := map[string][]string{}
	for _, k := range m.failures() {
		why := stopWords(k)
		if len(ids[why]) == 0 {
			reasons = append(reasons, why)
		}
		ids[why] = append(ids[why], shortID(k.ID))
	}
	var lines []string
	for _, why := range reasons {
		who := ids[why]
		head := fmt.Sprintf("%s stopped: %s", plural(len(who), "task"), strings.Join(who[:min(len(who), 3)], ", "))
		if len(who) > 3 {
			head += " …"
		}
		lines = append(lines, styled(t.Bad, hanging(" ✗ ", head, w-1))...)
		lines = append(lines, styled(t.Text, hanging("   ", why, w-1))...)
	}
	return lines
}

// taskLines are the tasks of the new revision that have not stopped.
func (m *shipment) taskLines(w int) []string {
	var lines []string
	for _, k := range m.tasks {
		if k.IsStopped() || len(lines) == mostShown {
			continue
		}
		text := fmt.Sprintf(" %s  %s", shortID(k.ID), taskStatus(k))
		if k.Health != "" && k.Health != "UNKNOWN" {
			text += "  " + strings.ToLower(k.Health)
		}
		lines = append(lines, taskStyle(k).Render(style.Cut(style.Plain(text), w)))
	}
	if len(lines) > 0 {
		lines = append([]string{""}, lines...)
	}
	return lines
}
