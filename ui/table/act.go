package table

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	tea "charm.land/bubbletea/v2"

	"gantry/internal/diagnose"
	"gantry/ui/pane"
	"gantry/ui/style"
)

const (
	// atOnce is how many rows of one action are worked on at the same time.
	atOnce = 8
	// named is how many rows a question names before it only counts.
	named = 20
)

// possible tells whether any of the rows can take the action.
func (t *body[T]) possible(a Action[T], rows []T) bool {
	return slices.ContainsFunc(rows, func(row T) bool { return t.takes(a, row) })
}

func (t *body[T]) takes(a Action[T], row T) bool {
	return t.failure(row) == "" && (a.When == nil || a.When(row))
}

// able are the rows that can take the action.
func (t *body[T]) able(a Action[T], rows []T) []T {
	var able []T
	for _, row := range rows {
		if t.takes(a, row) {
			able = append(able, row)
		}
	}
	return able
}

func (t *body[T]) failure(row T) string {
	if t.spec.Failure == nil {
		return ""
	}
	return t.spec.Failure(row)
}

// act does an action, after asking where it wants to be asked. The rows are
// fixed here: whatever is selected when the answer comes does not matter.
func (t *body[T]) act(a Action[T]) tea.Cmd {
	rows := t.able(a, t.targets())
	if len(rows) == 0 {
		return nil
	}
	do := func() tea.Cmd { return t.run(a, rows) }
	if a.Open != nil {
		do = func() tea.Cmd { return a.Open(t.host, rows) }
	}
	if a.Confirm == "" {
		return do()
	}
	t.host.Ask(t.question(a, rows, do))
	return nil
}

// question asks before an action, naming what it touches.
func (t *body[T]) question(a Action[T], rows []T, do func() tea.Cmd) pane.Dialog {
	body := fmt.Sprintf(a.Confirm, t.names(rows))
	if hidden := t.hidden(rows); hidden > 0 {
		body += fmt.Sprintf("\n%d of them hidden by the filter", hidden)
	}
	if a.Consequence != nil {
		if line := a.Consequence(rows); line != "" {
			body += "\n" + style.Lines(line)
		}
	}
	d := pane.Dialog{
		Title:  a.Does,
		Body:   pane.Static(body),
		Danger: a.Typed,
		Do:     func([]string) tea.Cmd { return do() },
	}
	if a.Typed {
		word := t.short(rows)
		d.Fields = []pane.Field{{Label: fmt.Sprintf("type %q", word)}}
		d.Check = func(values []string) error {
			if strings.TrimSpace(values[0]) != word {
				return fmt.Errorf("type %q to go on", word)
			}
			return nil
		}
	}
	return d
}

// hidden counts the rows that the filter hides.
func (t *body[T]) hidden(rows []T) int {
	n := 0
	for i := range rows {
		if !t.filter.query.empty() && !t.spec.matches(&rows[i], t.filter.query) {
			n++
		}
	}
	return n
}

// short is the name of one row, or how many there are: "3 tasks".
func (t *body[T]) short(rows []T) string {
	if len(rows) == 1 {
		return style.Plain(t.spec.Name(rows[0]))
	}
	return fmt.Sprintf("%d %s", len(rows), strings.ToLower(t.spec.Title))
}

// names is the name of one row, or how many there are and which.
func (t *body[T]) names(rows []T) string {
	if len(rows) == 1 {
		return t.short(rows)
	}
	var names []string
	for _, row := range rows[:min(len(rows), named)] {
		names = append(names, style.Plain(t.spec.Name(row)))
	}
	s := t.short(rows) + ": " + strings.Join(names, ", ")
	if more := len(rows) - named; more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

// run is one action at work.
type run struct {
	name   string
	cancel context.CancelFunc
}

// ended is a run that is over.
type ended struct {
	of     *run
	notice pane.Notice
}

// run works on the rows.
func (t *body[T]) run(a Action[T], rows []T) tea.Cmd {
	ctx, cancel := context.WithCancel(context.Background())
	r := &run{name: a.Does + " " + t.short(rows), cancel: cancel}
	t.running = append(t.running, r)
	for _, row := range rows {
		t.unmark(t.spec.ID(row))
	}
	return func() tea.Msg {
		defer cancel()
		return ended{r, t.notice(a, rows, each(ctx, rows, a.Each))}
	}
}

// each does it to every row, some at once, and gives one error per row.
func each[T any](ctx context.Context, rows []T, do func(context.Context, T) error) []error {
	errs := make([]error, len(rows))
	slots := make(chan struct{}, atOnce)
	var wait sync.WaitGroup
	for i, row := range rows {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			if errs[i] = ctx.Err(); errs[i] == nil {
				errs[i] = do(ctx, row)
			}
		})
	}
	wait.Wait()
	return errs
}

// notice says how an action ended.
func (t *body[T]) notice(a Action[T], rows []T, errs []error) pane.Notice {
	var failed []string
	var whys []string
	for i, err := range errs {
		if err == nil {
			continue
		}
		name, why := style.Plain(t.spec.Name(rows[i])), style.Plain(cause(err))
		if j := slices.Index(whys, why); j >= 0 {
			failed[j] += ", " + name
			continue
		}
		failed, whys = append(failed, name), append(whys, why)
	}
	err := errors.Join(errs...)
	switch {
	case err == nil && a.Done == "":
		return pane.Notice{Text: a.Does + " " + t.short(rows) + ": done"}
	case err == nil:
		return pane.Notice{Text: strings.ReplaceAll(a.Done, "%s", t.short(rows))}
	}
	var told *diagnose.Error
	if len(rows) == 1 && errors.As(errs[0], &told) {
		return pane.Notice{Err: told}
	}
	causes := make([]string, len(failed))
	for i := range failed {
		causes[i] = failed[i] + ": " + whys[i]
	}
	what := a.Does + " " + t.short(rows) + " failed"
	if len(rows) > 1 {
		n := len(slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err == nil }))
		what = fmt.Sprintf("%s: %d of %d failed", a.Does, n, len(rows))
	}
	return pane.Notice{Err: &diagnose.Error{What: what, Cause: strings.Join(causes, "; "), Do: remedy(err), Err: err}}
}

// cause is why one row failed.
func cause(err error) string {
	if errors.Is(err, context.Canceled) {
		return "canceled"
	}
	what, cause, _ := explain(err)
	return cmp.Or(cause, what)
}

// remedy is what to do about the first failure that tells.
func remedy(err error) string {
	_, _, do := explain(err)
	return do
}

// ended says how a run of this table ended, and lets everybody look again.
func (t *body[T]) ended(msg ended) tea.Cmd {
	i := slices.Index(t.running, msg.of)
	if i < 0 {
		return nil
	}
	t.running = slices.Delete(t.running, i, i+1)
	if t.host == nil {
		return nil
	}
	t.host.Say(msg.notice)
	if what := strings.Fields(t.spec.Acted); len(what) > 0 {
		return pane.Send(pane.Acted{What: what[0]})
	}
	return t.LookAgain()
}

// cancelCommands cancel what runs. They have no key: they are chosen by name.
func (t *body[T]) cancelCommands() []pane.Command {
	var commands []pane.Command
	for _, r := range t.running {
		commands = append(commands, pane.Command{Does: "cancel: " + r.name, Quiet: true, Run: func() tea.Cmd {
			r.cancel()
			return nil
		}})
	}
	return commands
}
