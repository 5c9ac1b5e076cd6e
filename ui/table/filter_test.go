package table_test

import (
	"testing"

	tea "charm.land/bubbletea/v2"
)

func filtered() *cloud {
	c := newCloud(0)
	c.services = []service{
		{ID: "1", Name: "web-17", Run: 3},
		{ID: "2", Name: "worker", Run: 0, Moving: true},
		{ID: "3", Name: "Web-Admin", Run: 17},
		{ID: "4", Name: "nginx:latest", Run: 5},
		{ID: "5", Name: "日本-web", Run: 1},
	}
	return c
}

func TestFilter(t *testing.T) {
	for _, tt := range []struct{ filter, want string }{
		{"", "nginx:latest web-17 Web-Admin worker 日本-web"},
		{"web", "web-17 Web-Admin 日本-web"},
		{"Web", "Web-Admin"},
		{"wb17", "web-17"},
		{"wk", "worker"},
		{"web 17", "web-17 Web-Admin"},
		{"name:web name:17", "web-17"},
		{"run:17", "Web-Admin"},
		{"RU:17", "Web-Admin"},
		{"ro:moving", "worker"},
		{"ro:mvg", "worker"},
		{"mov", "worker"}, // literally in another column than the name …
		{"mvg", ""},       // … and not by its letters, which sentences are full of
		{"!web", "nginx:latest worker"},
		{"!moving web !run:17", "web-17 日本-web"},
		{"name:!web", "nginx:latest worker"},
		{"nginx:latest", "nginx:latest"},
		{"name:nginx:la", "nginx:latest"},
		{"run:", "nginx:latest web-17 Web-Admin worker 日本-web"},
		{"!", "nginx:latest web-17 Web-Admin worker 日本-web"},
		{"本", "日本-web"},
		{"zzz", ""},
		{":", "nginx:latest"},
	} {
		t.Run(tt.filter, func(t *testing.T) {
			drive(t, spec(filtered()), func(d *driver) {
				d.settle()
				d.press("/")
				d.typing(tt.filter)
				d.wantNames(tt.want)
			})
		})
	}
}

func TestTypingAFilter(t *testing.T) {
	drive(t, spec(filtered()), func(d *driver) {
		d.settle()
		d.press("/")
		d.typing("q")
		d.wantTitle("Services 0/5 /q▏")
		d.wantScreen("nothing matches /q")
		d.press("backspace")
		d.typing("web")
		d.wantTitle("Services 3/5 /web▏")
		d.press("down", "enter")
		d.wantHere("Web-Admin")
		d.wantTitle("Services 3/5 /web")
		if d.Typing() {
			t.Error("still typing")
		}
		d.press("/", "ctrl+w")
		d.typing("run:1 x")
		d.press("ctrl+w")
		d.wantTitle("Services 2/5 /run:1 ▏")
		d.press("ctrl+u")
		d.run(d.Update(tea.PasteMsg{Content: "adm\x1b[31min\n"}))
		d.settle()
		d.wantTitle("Services 1/5 /admin▏")
		d.press("esc")
		d.wantTitle("Services 5")
		d.press("/", "backspace")
		if d.Typing() {
			t.Error("backspace on nothing does not leave")
		}
		d.run(d.Update(tea.PasteMsg{Content: "rm -rf"}))
		d.wantTitle("Services 5")
	})
}
