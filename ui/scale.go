package ui

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/internal/diagnose"
	"gantry/ui/pane"
	"gantry/ui/table"
)

// gatherFor is how long + and - wait for another press before one call is made
// for all of them.
const gatherFor = 600 * time.Millisecond

// mostTasks is ECS's limit of tasks in a service (service quotas, "Tasks per
// service").
const mostTasks = 5000

// scaler changes how many tasks a service runs.
type scaler interface {
	Scale(ctx context.Context, s aws.Service, desired int) error
}

// scaling asks for counts and gathers single steps into one call.
type scaling struct {
	client  scaler
	gather  []step         // in the order of the first press
	presses int            // so far, to know the last
	asked   map[string]ask // by ARN: what the rows do not show yet
}

// step is a service with the count that the presses so far add up to.
type step struct {
	service aws.Service
	desired int
}

// ask is a count that was asked for while the row still showed another.
type ask struct{ shown, desired int }

// gathered says that no press has come for a while since the n-th.
type gathered struct {
	by      *scaling
	presses int
}

// open opens the dialog for a count.
func (s *scaling) open(t *table.Table[aws.Service], h pane.Host, rows []aws.Service) tea.Cmd {
	h.Ask(pane.Dialog{
		Title:  "Scale " + names(rows),
		Fields: []pane.Field{{Label: "tasks", Value: strconv.Itoa(rows[0].Desired)}},
		Body:   func(values []string) string { return scaleText(rows, values[0]) },
		Check:  func(values []string) error { _, err := taskCount(values[0]); return err },
		Do: func(values []string) tea.Cmd {
			n, _ := taskCount(values[0]) // Check has seen it
			steps := make([]step, len(rows))
			for i, r := range rows {
				steps[i] = step{r, n}
			}
			return s.run(t, steps)
		},
	})
	return nil
}

func names(rows []aws.Service) string {
	if len(rows) == 1 {
		return rows[0].Name
	}
	return plural(len(rows), "service")
}

func taskCount(text string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 0 || n > mostTasks {
		return 0, &diagnose.Error{
			What: fmt.Sprintf("%q is not a number of tasks", text), Do: fmt.Sprintf("type a number from 0 to %d", mostTasks), Err: err,
		}
	}
	return n, nil
}

// scaleText says what the count would do to each service, and where.
func scaleText(rows []aws.Service, text string) string {
	n, err := taskCount(text)
	if err != nil {
		return fmt.Sprintf("A number of tasks from 0 to %d.", mostTasks)
	}
	var lines []string
	for _, r := range rows {
		lines = append(lines, fmt.Sprintf("%s %d → %d, %s", r.Name, r.Desired, n, taskChange(r.Desired, n)))
	}
	return strings.Join(append(lines, "", where(rows[0].Scope, rows[0].Cluster)), "\n")
}

func taskChange(from, to int) string {
	switch {
	case to > from:
		return plural(to-from, "task") + verb(to-from, "start")
	case to < from:
		return plural(from-to, "task") + verb(from-to, "stop")
	}
	return "nothing changes"
}

func verb(n int, v string) string {
	if n == 1 {
		return " " + v + "s"
	}
	return " " + v
}

// where names the place that an action touches.
func where(s aws.Scope, cluster string) string {
	return fmt.Sprintf("cluster %s · account %s · %s", cluster, s.Account, s.Region)
}

// add takes a press of + or -. The call is made once the presses have ended.
func (s *scaling) add(h pane.Host, rows []aws.Service, by int) tea.Cmd {
	for _, r := range rows {
		s.addTo(r, by)
	}
	texts := make([]string, len(s.gather))
	for i, g := range s.gather {
		texts[i] = fmt.Sprintf("%s %d → %d …", g.service.Name, g.service.Desired, g.desired)
	}
	h.Say(pane.Notice{Text: strings.Join(texts, ", ")})
	s.presses++
	last := gathered{s, s.presses}
	return tea.Tick(gatherFor, func(time.Time) tea.Msg { return last })
}

func (s *scaling) addTo(r aws.Service, by int) {
	for i := range s.gather {
		if g := &s.gather[i]; g.service.ARN == r.ARN {
			g.desired = within(g.desired + by)
			return
		}
	}
	s.gather = append(s.gather, step{r, within(s.present(r) + by)})
}

// present is the count that the service has, or was asked to have while the
// row shows what was before.
func (s *scaling) present(r aws.Service) int {
	if a, ok := s.asked[r.ARN]; ok && a.shown == r.Desired {
		return a.desired
	}
	return r.Desired
}

func within(n int) int { return min(max(n, 0), mostTasks) }

// flush makes the calls for what was gathered, unless another press has come.
func (s *scaling) flush(t *table.Table[aws.Service], last gathered) tea.Cmd {
	if last.by != s || last.presses != s.presses {
		return nil
	}
	steps := s.gather
	s.gather = nil
	return s.run(t, steps)
}

// run asks ECS for the counts, of all services at once.
func (s *scaling) run(t *table.Table[aws.Service], steps []step) tea.Cmd {
	rows, to := make([]aws.Service, len(steps)), map[string]int{}
	for i, p := range steps {
		rows[i], to[p.service.ARN] = p.service, p.desired
		s.asked[p.service.ARN] = ask{p.service.Desired, p.desired}
	}
	return t.Do(table.Action[aws.Service]{
		Does: "scale", Done: "scaled " + scaled(steps),
		Each: func(ctx context.Context, r aws.Service) error { return s.client.Scale(ctx, r, to[r.ARN]) },
	}, rows)
}

func scaled(steps []step) string {
	texts := make([]string, len(steps))
	for i, p := range steps {
		texts[i] = fmt.Sprintf("%s %d → %d", p.service.Name, p.service.Desired, p.desired)
	}
	return strings.Join(texts, ", ")
}
