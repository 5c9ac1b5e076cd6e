package ui_test

import (
	"strings"
	"testing"

	"gantry/aws"
	"gantry/ui"
	"gantry/ui/uitest"
)

// showServices puts the explorer on the screen with api selected.
func showServices(t *testing.T, c *cloud, access ui.Access) *uitest.Screen {
	t.Helper()
	f := ui.New(ui.Options{AWS: c, Access: access})
	t.Cleanup(f.Close)
	s := uitest.Run(t, f, 120, 40)
	s.Wait("batch")
	s.Type("j\r")
	s.Wait("▸ api")
	return s
}

func (c *cloud) deployments() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.deployed, "\n")
}

func TestRedeployAsks(t *testing.T) {
	c := demoCloud()
	s := showServices(t, c, ui.ReadWrite)
	s.Type("r")
	s.Wait("Start the tasks of api anew")
	s.Wait("api runs api:7: 2 tasks are replaced, at least 2 stay up, at most 4")
	s.Type("y")
	s.Wait("api: new tasks take the place of the old")
	if did := c.deployments(); did != "api anew" {
		t.Errorf("did %q", did)
	}
}

// B names both revisions and both images. A revision that is gone is passed
// over.
func TestRollBackAsks(t *testing.T) {
	c := demoCloud()
	s := showServices(t, c, ui.ReadWrite)
	s.Type("B")
	s.Wait("Roll api back from api:7 to api:5?")
	s.Wait("app runs api:7")
	s.Wait("and will run api:5")
	s.Wait("envoy keeps envoy:1")
	s.Wait("2 tasks are replaced, at least 2 stay up")
	s.Type("y")
	s.Wait("api goes back to api:5")
	if did := c.deployments(); did != "api "+arn("task-definition", "api:5") {
		t.Errorf("did %q", did)
	}
}

// While a rollout is under way, the revision on its way out comes back.
func TestRollBackWhileRollingOut(t *testing.T) {
	c := demoCloud()
	rows := c.services[arn("cluster", "shop")]
	for i := range rows {
		if rows[i].Name == "api" {
			rows[i].Deployments = append(rows[i].Deployments, aws.Deployment{ID: "ecs-svc/0", Status: "ACTIVE", TaskDefinition: "api:3"})
		}
	}
	s := showServices(t, c, ui.ReadWrite)
	s.Type("B")
	s.Wait("Roll api back from api:7 to api:3?")
}

func TestReadOnlyHasNoRollback(t *testing.T) {
	s := showServices(t, demoCloud(), ui.ReadOnly)
	s.Type("?")
	s.Wait("All keys")
	for _, does := range []string{"redeploy", "roll back", " ship "} {
		s.Gone(does)
	}
}
