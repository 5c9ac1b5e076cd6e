package table

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
	"gantry/ui/style"
)

// Commands are the resource's own, then those of every table. Where both want
// a key, the resource has it.
func (t *body[T]) Commands() []pane.Command {
	commands := t.actionCommands()
	if t.spec.Enter != nil && len(t.shown.order) > 0 {
		commands = append(commands, pane.Command{Key: "enter", Does: "open", Run: t.enter})
	}
	commands = append(commands, t.moveCommands()...)
	commands = append(commands, t.markCommands()...)
	commands = append(commands, t.viewCommands()...)
	return append(commands, t.cancelCommands()...)
}

// then settles the table after a command.
func (t *body[T]) then(do func() tea.Cmd) func() tea.Cmd {
	return func() tea.Cmd { return tea.Batch(do(), t.settle()) }
}

// just is then for what needs no command.
func (t *body[T]) just(do func()) func() tea.Cmd {
	return func() tea.Cmd {
		do()
		return t.settle()
	}
}

func (t *body[T]) actionCommands() []pane.Command {
	var commands []pane.Command
	targets := t.targets()
	for _, a := range t.spec.Actions {
		if t.possible(a, targets) {
			commands = append(commands, pane.Command{Key: a.Key, Does: a.Does, Mutates: a.Mutates, Run: t.then(func() tea.Cmd { return t.act(a) })})
		}
	}
	return commands
}

func (t *body[T]) moveCommands() []pane.Command {
	if len(t.shown.order) == 0 {
		return nil
	}
	quiet := func(key, does string, do func()) pane.Command {
		return pane.Command{Key: key, Does: does, Quiet: true, Run: t.just(do)}
	}
	commands := []pane.Command{
		quiet("up k", "up", func() { t.move(-1) }),
		quiet("down j", "down", func() { t.move(1) }),
		quiet("g home", "first row", func() { t.moveTo(0) }),
		quiet("G end", "last row", func() { t.moveTo(len(t.shown.order) - 1) }),
		quiet("pgup", "page up", func() { t.move(-max(1, t.page())) }),
		quiet("pgdown", "page down", func() { t.move(max(1, t.page())) }),
		quiet("ctrl+u", "half a page up", func() { t.move(-max(1, t.page()/2)) }),
		quiet("ctrl+d", "half a page down", func() { t.move(max(1, t.page()/2)) }),
	}
	if t.maxScroll() > 0 {
		commands = append(commands,
			quiet("left h", "columns to the left", func() { t.scroll = max(0, t.scroll-1) }),
			quiet("right l", "columns to the right", func() { t.scroll = min(t.scroll+1, t.maxScroll()) }))
	}
	return commands
}

func (t *body[T]) markCommands() []pane.Command {
	if len(t.shown.order) == 0 {
		return nil
	}
	return []pane.Command{
		{Key: "space", Does: "mark", Quiet: true, Run: t.just(t.toggleMark)},
		{Key: "ctrl+a", Does: "mark all or none", Quiet: true, Run: t.just(t.toggleAll)},
		{Key: "V", Does: "mark up to here", Quiet: true, Run: t.just(t.markRange)},
		{Key: "shift+down", Does: "mark and go down", Quiet: true, Run: t.just(func() { t.extendMark(1) })},
		{Key: "shift+up", Does: "mark and go up", Quiet: true, Run: t.just(func() { t.extendMark(-1) })},
		{Key: "y", Does: "copy", Quiet: true, Run: t.copy},
	}
}

func (t *body[T]) viewCommands() []pane.Command {
	var commands []pane.Command
	if t.source.List != nil { // also while rows are still to come
		commands = append(commands,
			pane.Command{Key: "/", Does: "filter", Run: t.just(t.startFilter)},
			pane.Command{Key: "o", Does: "sort by next column", Quiet: true, Run: t.then(t.nextColumn)},
			pane.Command{Key: "O", Does: "reverse order", Quiet: true, Run: t.then(t.reverse)})
	}
	switch {
	case len(t.marked) > 0:
		commands = append(commands, pane.Command{Key: "esc", Does: "clear marks", Run: t.then(t.clear)})
	case t.filter.text != "":
		commands = append(commands, pane.Command{Key: "esc", Does: "clear filter", Run: t.then(t.clear)})
	}
	if t.source.List != nil {
		commands = append(commands, pane.Command{Key: "ctrl+r", Does: "refresh", Quiet: true, Run: t.Reload})
	}
	return commands
}

func (t *body[T]) enter() tea.Cmd {
	row, ok := t.here()
	if !ok || t.failure(row) != "" {
		return nil
	}
	// What opens belongs to this row, however short the cursor rested on it.
	var told tea.Cmd
	if t.said.rest.pending() {
		told = t.say()
	}
	return tea.Batch(told, t.spec.Enter(t.host, row))
}

// copy puts the marked rows, or the one under the cursor, on the clipboard.
func (t *body[T]) copy() tea.Cmd {
	rows := t.targets()
	if len(rows) == 0 {
		return nil
	}
	text := t.spec.Copy
	if text == nil {
		text = t.spec.ID
	}
	lines := make([]string, len(rows))
	for i, row := range rows {
		lines[i] = text(row)
	}
	what := style.Plain(lines[0])
	if len(rows) > 1 {
		what = fmt.Sprintf("%d lines", len(rows))
	}
	t.host.Say(pane.Notice{Text: "copied " + what})
	return tea.SetClipboard(strings.Join(lines, "\n"))
}
