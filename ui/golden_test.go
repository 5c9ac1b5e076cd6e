package ui_test

import (
	"fmt"
	"testing"

	"gantry/ui"
	"gantry/ui/uitest"
)

// sizes are those that every screen must look right in.
var sizes = []struct{ w, h int }{{120, 40}, {80, 24}}

// TestScreens compares every pane with its golden screen. Look at the file
// after -update: it is what users see.
func TestScreens(t *testing.T) {
	for _, screen := range []struct {
		name string
		keys []string // typed one after the other …
		wait []string // … each waited for by what it shows
	}{
		{"clusters", []string{"j"}, []string{"team        shop"}},
		{"services", []string{"j\r"}, []string{"▸ api"}},
		{"service events", []string{"j\r", "]"}, []string{"▸ api", "started 3 tasks"}},
		{"tasks", []string{"j\r", "G", "k", "\r", "jj"}, []string{"▸ api", "▸ worker", "▸ web", "Tasks 3 of web", "OutOfMemory"}},
		{"tasks zoomed", []string{"j\r", "Gk", "\r", "z"}, []string{"▸ api", "▸ web", "Tasks 3 of web", "STOP CODE"}},
		{"stop reason", []string{"j\r", "Gk", "\r", "jj", "]]"}, []string{"▸ api", "▸ web", "Tasks 3 of web", "OutOfMemory", "SIGKILL"}},
		{"tasks of a cluster", []string{"6"}, []string{"import/"}},
		{"scale", []string{"j\r", "Gk", "s5"}, []string{"▸ api", "▸ web", "web 3 → 5, 2 tasks start"}},
		{"stop", []string{"j\r", "Gk", "\r", "D"}, []string{"▸ api", "▸ web", "Tasks 3 of web", "Stop web/"}},
		{"describe", []string{"j\r", "d"}, []string{"▸ api", "serviceName: api"}},
		{"help", []string{"j\r", "?"}, []string{"▸ api", "All keys"}},
		{"palette", []string{"j\r", ":sc"}, []string{"▸ api", "scale"}},
	} {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s %dx%d", screen.name, size.w, size.h), func(t *testing.T) {
				t.Setenv("TZ", "UTC")
				f := ui.New(ui.Options{AWS: demoCloud(), Sandbox: "in memory"})
				s := uitest.Run(t, f, size.w, size.h)
				s.Wait("batch")
				for i, keys := range screen.keys {
					s.Type(keys)
					s.Wait(screen.wait[i])
				}
				s.Settle()
				s.Golden()
			})
		}
	}
}
