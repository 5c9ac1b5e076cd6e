package ui

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gantry/aws"
	"gantry/ui/pane"
	"gantry/ui/text"
)

// NewFrame is a frame of these panes alone, by number.
func NewFrame(access Access, panes map[int]pane.Pane) *Frame {
	f := newFrame(&contextLine{cloud: nobody{}}, access, nil)
	for _, n := range slices.Sorted(maps.Keys(panes)) {
		f.add(n, panes[n].Title(), panes[n])
	}
	return f
}

// nobody is who makes no calls.
type nobody struct{}

func (nobody) Identity(context.Context) (aws.Identity, error) { return aws.Identity{}, nil }

// KeyTables are the keys of every pane and of the frame, in Markdown.
func KeyTables(f *Frame) string {
	var b strings.Builder
	table := func(title string, cs []pane.Command) {
		fmt.Fprintf(&b, "\n| %s | |\n|---|---|\n", title)
		for _, c := range cs {
			keys := strings.ReplaceAll(keyNames(c.Key), " ", "` `")
			fmt.Fprintf(&b, "| `%s` | %s |\n", keys, c.Does)
		}
	}
	common := map[string]bool{}
	seen := map[string]int{}
	for _, s := range f.slots {
		for _, c := range s.pane.Commands() {
			if seen[c.Key+c.Does]++; seen[c.Key+c.Does] == len(f.slots) {
				common[c.Key+c.Does] = true
			}
		}
	}
	var shared []pane.Command
	for i, s := range f.slots {
		var own []pane.Command
		for _, c := range s.pane.Commands() {
			switch {
			case !common[c.Key+c.Does]:
				own = append(own, c)
			case i == 0:
				shared = append(shared, c)
			}
		}
		if len(own) > 0 {
			table(s.name, own)
		}
	}
	for _, p := range f.stage.sessions {
		var own []pane.Command
		for _, c := range p.Commands() {
			if !common[c.Key+c.Does] {
				own = append(own, c)
			}
		}
		title, _, _ := strings.Cut(p.Title(), " of ")
		table(title+" of a repository", own)
	}
	table("Every table", shared)
	table("Everywhere", f.commands())
	return b.String()
}

// TaskFeed is the log of a container as its pane follows it, and says whether
// somebody sees it.
func TaskFeed(c Cloud, t aws.Task, container string) (text.Feed, func(seen bool)) {
	w := newWatch()
	w.set(true)
	return taskFeed(c, w, t, container), w.set
}

// ServiceFeed is the log of a service.
func ServiceFeed(c Cloud, s aws.Service) text.Feed {
	w := newWatch()
	w.set(true)
	return serviceFeedOf(c, w, s)
}
