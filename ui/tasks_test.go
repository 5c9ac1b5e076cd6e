package ui_test

import (
	"testing"

	"gantry/ui"
	"gantry/ui/uitest"
)

func TestStoppingSaysWhatFollows(t *testing.T) {
	for _, c := range []struct{ name, keys, want string }{
		{"one task of a service", "D", "The service starts another one in its place."},
		{"two", " jVD", "Services start 2 others in their place."},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := uitest.Run(t, ui.New(ui.Options{AWS: demoCloud(), Cluster: "shop", Service: "web"}), 120, 40)
			s.Wait("Tasks 3 of web")
			s.Type(c.keys)
			s.Wait(c.want)
		})
	}
}

// With --cluster and --service the tasks are listed once: that Services then
// says the same service by its ARN changes nothing.
func TestNamedServiceIsListedOnce(t *testing.T) {
	c := demoCloud()
	s := uitest.Run(t, ui.New(ui.Options{AWS: c, Cluster: "shop", Service: "web"}), 120, 40)
	s.Wait("Tasks 3 of web")
	s.Settle()
	if got := c.taskLists(); got != 1 {
		t.Errorf("the tasks were listed %d times", got)
	}
}
