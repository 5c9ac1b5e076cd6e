package ui

import (
	"context"
	"fmt"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/internal/diagnose"
	"gantry/ui/pane"
	"gantry/ui/table"
)

// deployer changes which revision a service runs.
type deployer interface {
	Definition(ctx context.Context, ref string) (aws.Definition, error)
	Deploy(ctx context.Context, s aws.Service, definition string) (aws.Service, error)
	Redeploy(ctx context.Context, s aws.Service) error
}

// redeploy starts all tasks of services anew.
func redeploy(c deployer) table.Action[aws.Service] {
	return table.Action[aws.Service]{
		Key: "r", Does: "redeploy", Mutates: true, When: isActive,
		Confirm: "Start the tasks of %s anew, with the same revision?", Done: "%s: new tasks take the place of the old",
		Consequence: func(rows []aws.Service) string {
			text := ""
			for _, r := range rows {
				text += fmt.Sprintf("%s runs %s: %s\n", r.Name, r.TaskDefinition, touchedTasks(r))
			}
			return text + where(rows[0].Scope, rows[0].Cluster)
		},
		Each: c.Redeploy,
	}
}

func isActive(s aws.Service) bool { return s.Status == "ACTIVE" }

// touchedTasks says what a deployment does to the tasks of a service.
func touchedTasks(s aws.Service) string {
	if s.Desired == 0 {
		return "none runs: nothing is replaced"
	}
	low, high := (s.Desired*s.MinPercent+99)/100, s.Desired*s.MaxPercent/100
	is, stay := "are", "stay"
	if s.Desired == 1 {
		is = "is"
	}
	if low == 1 {
		stay = "stays"
	}
	text := fmt.Sprintf("%s %s replaced, at least %d %s up", plural(s.Desired, "task"), is, low, stay)
	if s.MaxPercent > 0 {
		text += fmt.Sprintf(", at most %d at once", high)
	}
	return text
}

// rollbacks looks what ran before, and asks.
type rollbacks struct {
	client deployer
	load   pane.Load[rollback]
	asks   int
}

// rollback is a service with what it runs and what it would run again.
type rollback struct {
	service       aws.Service
	now, previous aws.Definition
}

// ask looks for the revision before.
func (b *rollbacks) ask(_ pane.Host, rows []aws.Service) tea.Cmd {
	b.asks++
	client, service := b.client, rows[0]
	return b.load.Start(fmt.Sprint(b.asks), func(ctx context.Context, _ func(rollback)) (rollback, error) {
		return lookBack(ctx, client, service)
	})
}

// mostBack is how many revisions are looked at for one that can still run.
const mostBack = 20

// lookBack finds what a service ran before: what is on its way out, while a
// rollout is under way, else the last revision below that is still active.
func lookBack(ctx context.Context, client deployer, s aws.Service) (rollback, error) {
	b := rollback{service: s}
	var err error
	if b.now, err = client.Definition(ctx, s.TaskDefinition); err != nil {
		return b, err
	}
	for _, d := range s.Deployments {
		if d.TaskDefinition != s.TaskDefinition {
			b.previous, err = client.Definition(ctx, d.TaskDefinition)
			return b, err
		}
	}
	for n := b.now.Revision - 1; n > 0 && n >= b.now.Revision-mostBack; n-- {
		d, err := client.Definition(ctx, fmt.Sprintf("%s:%d", b.now.Family, n))
		if ctx.Err() != nil {
			return b, ctx.Err()
		}
		if err == nil && d.Status == "ACTIVE" {
			b.previous = d
			return b, nil
		}
	}
	return b, &diagnose.Error{
		What: "roll back " + s.Name, Cause: "there is no active revision before " + b.now.Name(), Do: "u ships another image to it",
	}
}

// Update asks once it is known what ran before.
func (b *rollbacks) Update(t *table.Table[aws.Service], h pane.Host, msg tea.Msg) (bool, tea.Cmd) {
	mine, next := b.load.Update(msg)
	switch {
	case !mine || b.load.Busy():
	case b.load.Err != nil:
		h.Say(pane.Notice{Err: b.load.Err})
	default:
		b.question(t, h, b.load.Value)
	}
	return mine, next
}

// question names both revisions and their images.
func (b *rollbacks) question(t *table.Table[aws.Service], h pane.Host, r rollback) {
	client := b.client
	h.Ask(pane.Dialog{
		Title: fmt.Sprintf("Roll %s back from %s to %s?", r.service.Name, r.now.Name(), r.previous.Name()),
		Body:  pane.Static(rollbackText(r)),
		Do: func([]string) tea.Cmd {
			return t.Do(table.Action[aws.Service]{
				Does: "roll back", Done: fmt.Sprintf("%s goes back to %s", r.service.Name, r.previous.Name()),
				Each: func(ctx context.Context, s aws.Service) error {
					_, err := client.Deploy(ctx, s, r.previous.ARN)
					return err
				},
			}, []aws.Service{r.service})
		},
	})
}

func rollbackText(r rollback) string {
	text := ""
	for _, c := range r.now.Containers {
		was := containerOf(r.previous, c.Name)
		if was.Image == c.Image {
			text += fmt.Sprintf("%s keeps %s\n", c.Name, c.Image)
			continue
		}
		text += fmt.Sprintf("%s runs %s\n  and will run %s\n", c.Name, c.Image, was.Image)
	}
	return text + "\n" + touchedTasks(r.service) + "\n" + where(r.service.Scope, r.service.Cluster)
}
