package ui_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gantry/aws"
	"gantry/ui"
	"gantry/ui/uitest"
)

// showRegistry is the explorer over a registry and, unless it is nil, an
// engine.
func showRegistry(t *testing.T, c *cloud, h *harbour, w, height int) *uitest.Screen {
	t.Helper()
	t.Setenv("TZ", "UTC")
	o := ui.Options{AWS: c, Sandbox: "in memory"}
	if h != nil {
		o.Docker = h
	}
	f := ui.New(o)
	ui.PushAt(f, func() time.Time { return then })
	t.Cleanup(f.Close)
	s := uitest.Run(t, f, w, height)
	s.Wait("batch")
	return s
}

func TestRepositoryScreens(t *testing.T) {
	for _, screen := range []struct {
		name string
		keys []string // typed one after the other …
		wait []string // … each waited for by what it shows
	}{
		{"repositories", []string{"3", "G"}, []string{"▸ empty", "74.1 MB, layers"}},
		{"repositories zoomed", []string{"3", "G", "z"}, []string{"▸ empty", "74.1 MB", "ENCRYPTI"}},
		{"policies", []string{"3", "G", "]]"}, []string{"▸ empty", "74.1 MB", "rulePriority"}},
		{"new", []string{"3", "nshop/web"}, []string{"74.1 MB", "--repository-name shop/web"}},
		{"delete", []string{"3", "G", "D"}, []string{"▸ empty", "74.1 MB", "3 images in web"}},
		{"images", []string{"3", "G", "\r"}, []string{"▸ empty", "74.1 MB", "<untagged>"}},
		{"image", []string{"3", "G", "\r", "[[["}, []string{"▸ empty", "74.1 MB", "<untagged>", "last pulled"}},
		{"images zoomed", []string{"3", "G", "\r", "z"}, []string{"▸ empty", "74.1 MB", "<untagged>", "RUNNING IN"}},
		{"delete images", []string{"3", "G", "\r", "D"}, []string{"▸ empty", "74.1 MB", "<untagged>", "Delete web:7 from web?"}},
		{"pull", []string{"3", "G", "\r", "p"}, []string{"▸ empty", "74.1 MB", "<untagged>", "docker pull"}},
	} {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s %dx%d", screen.name, size.w, size.h), func(t *testing.T) {
				c := demoCloud()
				c.running("web", 3)
				s := showRegistry(t, c, newHarbour(), size.w, size.h)
				for i, keys := range screen.keys {
					s.Type(keys)
					s.Wait(screen.wait[i])
					if keys == "\r" {
						s.Until(func(string) bool { return c.describedImages() > 0 }, "no image was looked at")
					}
				}
				s.Settle()
				s.Golden()
				s.Shot(strings.ReplaceAll(fmt.Sprintf("%s %d", screen.name, size.w), " ", "-"))
			})
		}
	}
}

func TestRepositoryIsMade(t *testing.T) {
	c := demoCloud()
	s := showRegistry(t, c, nil, 120, 40)
	s.Type("3")
	s.Wait("▸ empty")
	s.Type("n\r")
	s.Wait("it has no name")
	s.Type("shop/Web\r")
	s.Wait("ECR does not take")
	s.Type("\x7f\x7f\x7fweb\t\x1b[B\t\x1b[B")
	s.Wait("--image-tag-mutability MUTABLE")
	s.Wait("scanOnPush=false")
	s.Type("\r")
	s.Wait("created shop/web")
	s.Wait("▸ shop/web") // the cursor goes to it
	s.Type("nshop/web\r")
	s.Wait("there is one of that name")
	if len(c.created) != 1 || c.created[0] != (aws.NewRepository{Name: "shop/web"}) {
		t.Errorf("created %+v", c.created)
	}
}

func TestRepositoryIsDeletedUnderItsName(t *testing.T) {
	c := demoCloud()
	c.running("web", 3)
	f := ui.New(ui.Options{AWS: c})
	t.Cleanup(f.Close)
	s := uitest.Run(t, f, 120, 40)
	s.Wait("batch")
	s.Type("3G")
	s.Wait("▸ web")
	s.Type("D")
	s.Wait("3 images in web, 74.1 MB, deleted with it.")
	s.Wait("In use now")
	s.Wait("web:7 runs as web in shop ×2")
	s.Type("wed\r")
	s.Wait(`type "web" to go on`)
	if got := c.gone(); got != "" {
		t.Fatalf("deleted %s", got)
	}
	s.Type("\x15web\r")
	s.Wait("deleted web")
	s.Gone("▸ web")
	s.Type("g")
	s.Wait("▸ empty")
	s.Type("D")
	s.Wait("There are no images in empty.")
	s.Type("empty\r")
	s.Wait("deleted empty")
	if got := c.gone(); got != "web empty" {
		t.Errorf("deleted %s", got)
	}
}

func TestDeletionWaitsForWhatIsInIt(t *testing.T) {
	c := demoCloud()
	s := showRegistry(t, c, nil, 120, 40)
	s.Type("3G")
	s.Wait("▸ web")
	s.Wait("74.1 MB")
	pending := make(chan struct{})
	c.ecr.mu.Lock()
	c.pending = pending
	c.ecr.mu.Unlock()
	s.Type("Dweb\r")
	s.Wait("still looking what is in it")
	close(pending)
	s.Wait("3 images in web")
	s.Type("\r")
	s.Wait("deleted web")
}

func TestRepositoryImagesAreDeleted(t *testing.T) {
	c := demoCloud()
	s := showRegistry(t, c, nil, 120, 40)
	s.Type("3G")
	s.Wait("▸ web")
	s.Wait("74.1 MB")
	s.Type("\r")
	s.Wait("<untagged>")
	s.Type("j \x1b[B ")
	s.Wait("2 marked")
	s.Type("D")
	s.Wait("Delete 2 images of web")
	s.Type("2 images of web\r")
	s.Wait("delete 2 images of web: deleted")
	s.Gone("<untagged>")
	s.Wait("1  37.0 MB") // the repository was counted anew
	if got, want := c.gone(), "web@"+digestOf(2)+" web@"+digestOf(1); got != want {
		t.Errorf("deleted %s, want %s", got, want)
	}
	s.Type("x")
	s.Gone("7 latest")
	s.Wait("web │ Overview") // the stage tells of the repository again
}

// A repository image has the stage while its table has the keys, and its
// repository after that.
func TestRepositoryImagesHaveTabs(t *testing.T) {
	c := demoCloud()
	c.running("web", 3)
	f := ui.New(ui.Options{AWS: c})
	t.Cleanup(f.Close)
	s := uitest.Run(t, f, 120, 40)
	s.Wait("batch")
	s.Type("3G")
	s.Wait("▸ web")
	s.Type("\r")
	s.Wait("web:7 │ Overview │ Tags │ Lineage │ Images of web 3")
	s.Wait("web in shop")
	s.Type("[")
	s.Wait("web in shop ×2")
	s.Type("[")
	s.Wait(registryHost + "/web:latest")
	s.Type("[")
	s.Wait("2 critical, 5 high, 1 low")
	s.Wait("running in  ")
	s.Type("\x1d") // back to the table
	s.Wait("▸ 7 latest")
	s.Type("yj")
	s.Wait("web:6 │")
	s.Type("G")
	s.Wait("web@000000000000 │")
	s.Type("\x1d3")
	s.Wait("web │ Overview │ Images │ Policies │ Images of web 3")
	s.Type("\r") // no second session
	s.Wait("web@000000000000 │")
	s.Type("\x1d3kk\r")
	s.Wait("Nothing was pushed here yet")
	s.Type("\x1d3")
	s.Wait("Images of web 3 │ Images of empty 0")
}

// What a screen of repositories costs: one list, and one count of each that has
// come into sight.
func TestRepositoriesAreCountedOnlyOnScreen(t *testing.T) {
	c := &cloud{services: demoCloud().services, tasks: demoCloud().tasks, clusters: demoCloud().clusters}
	for i := range 200 {
		c.addRepository(fmt.Sprintf("r%03d", i), storedImage(fmt.Sprintf("r%03d", i), i+1, "1"))
	}
	s := uitest.Run(t, ui.New(ui.Options{AWS: c}), 120, 40)
	s.Wait("batch")
	if n := c.callCount(); n > 1 {
		t.Errorf("%d calls for a folded pane", n)
	}
	s.Type("3")
	s.Wait("▸ r000")
	s.Until(func(string) bool { return c.callCount() > 3 }, "nothing was counted")
	s.Settle()
	shown := strings.Count(s.Text(), "│   r") + 1
	if got := c.callCount(); got > shown+2 {
		t.Errorf("%d calls to show %d repositories", got, shown)
	}
}

// Rows by the ten thousand are sorted outside the event loop (the race detector
// looks here).
func TestRunningInIsAskedFromAnywhere(t *testing.T) {
	if got, want := ui.RunningInWhileItChanges(), "web in shop ×1"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
