package ui

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/ui/lineage"
)

// clients are both ends of what goes from the engine to AWS and back, as they
// are now: ctrl+o and ctrl+p lead to others. What is under way keeps the ends
// that it began with.
type clients struct {
	cloud  Cloud  // nil: there is none
	engine Engine // nil: there is none
	places *lineages
	ships  *shipping // nil: nothing is shipped
}

// lookFresh asks who runs which image, also when that is known and old.
func (c *clients) lookFresh() tea.Cmd {
	if c.places.age(time.Now()) != "" {
		return c.places.Anew()
	}
	return c.places.Look()
}

// useNames names who runs an image.
func useNames(uses []lineage.Use) string {
	names := make([]string, len(uses))
	for i, u := range uses {
		names[i] = u.String()
	}
	return strings.Join(names, ", ")
}

// mostUsers is how many users a question names before it only counts.
const mostUsers = 6

// useText says what the deletion of these images means for what runs.
func (c *clients) useText(images []aws.RepositoryImage) []string {
	var lines []string
	whole := true
	for _, i := range images {
		uses, known := c.places.RunningIn(i.Digest)
		whole = whole && known
		for _, u := range uses {
			lines = append(lines, storedName(i)+" runs as "+u.String())
		}
	}
	if more := len(lines) - mostUsers; more > 0 {
		lines = append(lines[:mostUsers], fmt.Sprintf("and %d more", more))
	}
	if len(lines) > 0 {
		lines = append([]string{"▲ In use now: the next task of it will not start."}, lines...)
	}
	switch {
	case whole:
	case c.places.busy():
		lines = append(lines, "Looking which of it runs …")
	default:
		lines = append(lines, "Not all tasks could be read: more of it may run than is known.")
	}
	return lines
}
