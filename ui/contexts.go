package ui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/docker"
	"gantry/ui/pane"
)

// contexts is the choice of the Docker engine that the panes show.
type contexts struct {
	// open makes a client of another engine; nil: there is no other.
	open  func(docker.Options) Engine
	found pane.Load[[]docker.Context]
	ask   *dialog // the question on the screen while engines are looked for
}

// dockerPanes are the panes over an engine, by their names.
func dockerPanes(e Engine, ends *clients) map[string]pane.Pane {
	return map[string]pane.Pane{"Images": Images(e, ends), "Containers": Containers(e)}
}

// chooseContext asks for the engine to show. The question is there at once, so
// that keys typed ahead meet it; the engines that answer follow.
func (f *Frame) chooseContext() tea.Cmd {
	host{f: f}.Ask(contextDialog(nil, pane.Static("looking for engines …"), func([]string) error { return errors.New("still looking for engines") }, nil))
	f.contexts.ask = f.dialogs[len(f.dialogs)-1]
	f.contexts.found.Clear()
	client := f.context.engine.client
	return f.contexts.found.Start("contexts", func(ctx context.Context, _ func([]docker.Context)) ([]docker.Context, error) {
		return client.Contexts(ctx)
	})
}

// contextsFound puts the engines that were found into the question, if it is
// still asked.
func (f *Frame) contextsFound(msg tea.Msg) bool {
	mine, _ := f.contexts.found.Update(msg)
	if !mine {
		return false
	}
	at := slices.Index(f.dialogs, f.contexts.ask)
	f.contexts.ask = nil
	switch rows, err := f.contexts.found.Value, f.contexts.found.Err; {
	case at < 0:
	case err != nil:
		f.dialogs = slices.Delete(f.dialogs, at, at+1)
		f.say(pane.Notice{Err: err})
	default:
		asked := f.dialogs[at]
		f.dialogs[at] = newDialog(f.contextQuestion(rows))
		f.dialogs[at].fields[0].take(asked.fields[0])
	}
	return true
}

// contextQuestion lists the engines, the one in use first.
func (f *Frame) contextQuestion(rows []docker.Context) pane.Dialog {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b docker.Context) int {
		return cmp.Or(-compareBool(a.Current, b.Current), -compareBool(a.State == docker.StateLive, b.State == docker.StateLive))
	})
	return contextDialog(rows, func(values []string) string { return aboutContext(rows, values[0]) },
		func(values []string) error {
			if _, ok := contextAt(rows, values[0]); !ok {
				return errors.New("choose an engine")
			}
			return nil
		},
		func(values []string) tea.Cmd {
			row, _ := contextAt(rows, values[0])
			return f.switchTo(row)
		})
}

func contextDialog(rows []docker.Context, body func([]string) string, check func([]string) error, do func([]string) tea.Cmd) pane.Dialog {
	return pane.Dialog{
		Title: "Docker engine",
		Fields: []pane.Field{{Label: "context", Strict: true, Choices: func(typed string) []pane.Choice {
			return contextChoices(rows, typed)
		}}},
		Body: body, Check: check, Do: do,
	}
}

func contextChoices(rows []docker.Context, typed string) []pane.Choice {
	var cs []pane.Choice
	for i, c := range rows {
		if strings.Contains(strings.ToLower(c.Name+" "+c.Host), strings.ToLower(typed)) {
			cs = append(cs, pane.Choice{Value: strconv.Itoa(i), Label: contextLabel(c), Note: contextState(c)})
		}
	}
	return cs
}

func contextLabel(c docker.Context) string {
	if c.Current {
		return c.Name + " (in use)"
	}
	return c.Name
}

func contextState(c docker.Context) string {
	if c.State == docker.StateLive {
		return "✓ live " + c.Version
	}
	return "✗ " + c.State
}

func contextAt(rows []docker.Context, value string) (docker.Context, bool) {
	i, err := strconv.Atoi(value)
	if err != nil || i < 0 || i >= len(rows) {
		return docker.Context{}, false
	}
	return rows[i], true
}

// aboutContext says more of the engine that is chosen: where it is, and what
// to do when it does not answer.
func aboutContext(rows []docker.Context, value string) string {
	c, ok := contextAt(rows, value)
	if !ok {
		return "No Docker context and no socket was found here."
	}
	text := c.Host
	if c.Source != "" {
		text += "  (" + c.Source + ")"
	}
	for _, s := range []string{c.Description, c.Hint} {
		if s != "" {
			text += "\n" + s
		}
	}
	return text + "\n\nLists are read anew. Shells, logs and jobs go on where they run."
}

func compareBool(a, b bool) int {
	number := map[bool]int{true: 1}
	return cmp.Compare(number[a], number[b])
}

// switchTo shows another engine. The panes are made anew rather than led
// elsewhere: whatever the old ones have under way, an action on ten containers
// for one, stays with the engine that its rows came from. So do sessions.
func (f *Frame) switchTo(c docker.Context) tea.Cmd {
	if c.Current {
		f.say(pane.Notice{Text: c.Name + " is in use already"})
		return nil
	}
	engine := f.contexts.open(c.Options())
	cmds := []tea.Cmd{f.context.engine.follow(engine), f.lineages.SwitchEngine(engine)}
	f.clients.engine = engine
	for name, p := range dockerPanes(engine, f.clients) {
		cmds = append(cmds, f.replace(name, p))
	}
	f.say(pane.Notice{Text: fmt.Sprintf("docker engine: %s", c.Name)})
	return tea.Batch(append(cmds, f.layout())...)
}

// replace puts another pane in the place of the one of that name.
func (f *Frame) replace(name string, p pane.Pane) tea.Cmd {
	i := slices.IndexFunc(f.slots, func(s *slot) bool { return s.name == name })
	if i < 0 {
		return nil
	}
	s := f.slots[i]
	closePane(s.pane)
	s.pane, s.stage = p, pane.Stage{}
	blur(p)
	if i == f.focus {
		f.stage.show(f, s.stage)
		focus(p)
	}
	return p.Init(host{f, p})
}
