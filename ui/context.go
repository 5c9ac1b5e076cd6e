package ui

import (
	"cmp"
	"context"
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/ui/pane"
	"gantry/ui/style"
)

// identifier tells who the AWS calls are made as.
type identifier interface {
	Identity(ctx context.Context) (aws.Identity, error)
}

// contextLine is the top line: where and as whom everything below happens.
type contextLine struct {
	cloud   identifier
	sandbox string // what runs the sandbox's tasks; empty on real AWS
	settled func(context.Context) (string, error)
	runtime pane.Load[string] // what settled says
	load    pane.Load[aws.Identity]
	engine  engine
}

func (c *contextLine) Init() tea.Cmd { return tea.Batch(c.engine.Init(), c.identify(), c.settle()) }

// settle waits for what runs the sandbox's tasks: trying an engine takes longer
// than the first screen may.
func (c *contextLine) settle() tea.Cmd {
	settled := c.settled
	if settled == nil {
		return nil
	}
	return c.runtime.Start("runtime", func(ctx context.Context, _ func(string)) (string, error) { return settled(ctx) })
}

func (c *contextLine) identify() tea.Cmd {
	cloud := c.cloud
	return c.load.Start("identity", func(ctx context.Context, _ func(aws.Identity)) (aws.Identity, error) {
		return cloud.Identity(ctx)
	})
}

// Close lets go of what it waits for.
func (c *contextLine) Close() {
	c.load.Stop()
	c.runtime.Stop()
	c.engine.Close()
}

func (c *contextLine) Update(msg tea.Msg) tea.Cmd {
	if mine, cmd := c.load.Update(msg); mine {
		return cmd
	}
	if mine, cmd := c.runtime.Update(msg); mine {
		return cmd
	}
	return c.engine.Update(msg)
}

// View is the line in w cells.
func (c *contextLine) View(w int, access Access) string {
	t := style.Now()
	parts := []string{t.Title.Render(" gantry")}
	if c.sandbox != "" {
		parts = append(parts, t.Mark.Render(" sandbox ")+t.Dim.Render(" "+style.Plain(cmp.Or(c.runtime.Value, c.sandbox))))
	}
	for _, s := range c.whoAndWhere() {
		parts = append(parts, t.Text.Render(style.Plain(s)))
	}
	left := strings.Join(parts, t.Dim.Render(" · "))
	right := ""
	if access == ReadOnly {
		right = t.Mark.Render(" READ-ONLY ")
	}
	left = style.Cut(left, w-style.Width(right)-1)
	return style.Fit(left, w-style.Width(right)) + style.Cut(right, w)
}

func (c *contextLine) whoAndWhere() []string {
	id := c.load.Value
	var parts []string
	for _, s := range []string{id.Profile, id.Account, id.Region} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if c.load.Err != nil {
		parts = append(parts, "not signed in")
	}
	if l := c.engine.label(); l != "" {
		parts = append(parts, l)
	}
	return parts
}
