package ui

import (
	"context"
	"strings"

	tea "charm.land/bubbletea/v2"
	"go.yaml.in/yaml/v3"

	"gantry/ui/pane"
	"gantry/ui/style"
	"gantry/ui/text"
)

// describe is everything AWS says of a row, as YAML, in a tab of its own. The
// adapter has masked the secrets.
type describe struct {
	*text.Document
	load pane.Load[string]
	get  func(context.Context) (any, error)
	gone bool
}

func newDescribe(name string, get func(context.Context) (any, error)) *describe {
	d := &describe{get: get}
	d.Document = text.New("yaml "+name, func(int) []string { return []string{" loading …"} })
	return d
}

// Init asks for the document.
func (d *describe) Init(h pane.Host) tea.Cmd {
	return tea.Batch(d.Document.Init(h), d.load.Start("document", func(ctx context.Context, _ func(string)) (string, error) {
		doc, err := d.get(ctx)
		if err != nil {
			return "", err
		}
		out, err := yaml.Marshal(doc)
		return string(out), err
	}))
}

// Update takes the document when it comes.
func (d *describe) Update(msg tea.Msg) tea.Cmd {
	mine, cmd := d.load.Update(msg)
	if !mine {
		return d.Document.Update(msg)
	}
	if d.load.Err != nil {
		d.Set(func(w int) []string { return errorLines(d.load.Err, w) })
		return cmd
	}
	d.Set(func(w int) []string { return yamlLines(d.load.Value, w) })
	return cmd
}

// Commands add the way out.
func (d *describe) Commands() []pane.Command {
	return append(d.Document.Commands(), pane.Command{Key: "x esc", Does: "close", Run: func() tea.Cmd {
		d.gone = true
		return nil
	}})
}

// Live says that nothing is lost by quitting.
func (d *describe) Live() bool { return false }

// Gone says that the tab can go.
func (d *describe) Gone() bool { return d.gone }

// Close gives up on a document that has not come yet.
func (d *describe) Close() { d.load.Stop() }

// yamlLines sets keys off from values.
func yamlLines(doc string, w int) []string {
	t := style.Now()
	var lines []string
	for line := range strings.SplitSeq(strings.TrimRight(doc, "\n"), "\n") {
		line = style.Plain(line)
		key, value, found := strings.Cut(line, ":")
		if found && (value == "" || value[0] == ' ') {
			line = t.Accent.Render(key) + t.Dim.Render(":") + value
		}
		lines = append(lines, style.Break(line, w-1)...)
	}
	for i := range lines {
		lines[i] = " " + lines[i]
	}
	return lines
}
