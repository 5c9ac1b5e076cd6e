package ui

import (
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
	"gantry/ui/style"
)

// help is the list of all keys that do something now.
type help struct {
	sections []section
	top      int
}

type section struct {
	title    string
	commands []pane.Command
}

func (f *Frame) showHelp() tea.Cmd {
	h := &help{}
	if p := f.focused(); p != nil {
		h.sections = append(h.sections, section{f.focusedName(), f.allowed(p.Commands())})
	}
	h.sections = append(h.sections, section{"Everywhere", f.allowed(f.commands())})
	f.help = h
	return nil
}

func (f *Frame) focusedName() string {
	if f.onStage {
		return style.Plain(f.stage.current().Title())
	}
	return f.slots[f.focus].name
}

// key moves through the help, and says whether it closes it.
func (h *help) key(msg tea.KeyPressMsg) bool {
	switch msg.String() {
	case "down", "j":
		h.top++
	case "up", "k":
		h.top = max(0, h.top-1)
	case "pgdown", "space", "ctrl+d":
		h.top += 10
	case "pgup", "ctrl+u":
		h.top = max(0, h.top-10)
	default:
		return true
	}
	return false
}

func (h *help) view(w, height int) string {
	lines := h.lines()
	bw, bh := min(62, max(4, w-4)), min(len(lines)+2, max(2, height-2))
	h.top = max(0, min(h.top, len(lines)-(bh-2)))
	edge, _, _ := style.Now().Edges()
	return edge.Box("All keys", style.Now().Dim.Render("↑↓ more · any other key closes"), pad(lines[h.top:]), bw, bh)
}

func (h *help) lines() []string {
	t := style.Now()
	var lines []string
	for i, s := range h.sections {
		if i > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, t.Header.Render(s.title))
		for _, c := range s.commands {
			lines = append(lines, t.Key.Render(style.Fit(keyNames(c.Key), 22))+" "+c.Does)
		}
	}
	return lines
}

func keyNames(keys string) string {
	names := strings.Fields(keys)
	for i, k := range names {
		names[i] = keyName(k)
	}
	return strings.Join(names, " ")
}

// showPalette offers every command by name.
func (f *Frame) showPalette() tea.Cmd {
	cs := f.offered()
	host{f: f}.Ask(pane.Dialog{
		Title:  "Commands",
		Fields: []pane.Field{{Label: "do", Strict: true, Choices: func(typed string) []pane.Choice { return paletteChoices(cs, typed) }}},
		Do: func(values []string) tea.Cmd {
			i, err := strconv.Atoi(values[0])
			if err != nil {
				return nil // nothing fitted
			}
			return cs[i].Run()
		},
	})
	return nil
}

func paletteChoices(cs []pane.Command, typed string) []pane.Choice {
	var all []pane.Choice
	for i, c := range cs {
		if c.Key != ":" {
			all = append(all, pane.Choice{Value: strconv.Itoa(i), Label: c.Does, Note: keyNames(c.Key)})
		}
	}
	return fitting(all, typed)
}
