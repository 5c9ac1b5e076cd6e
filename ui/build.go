package ui

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/docker"
	"gantry/ui/pane"
)

// builds asks what to build, in two steps: the folder, and then what depends on
// what is in it. It remembers the answers while gantry runs.
type builds struct {
	client builder
	host   pane.Host
	now    func() time.Time
	recent []buildAnswers // the last one first, one for each folder
	ships  *shipping      // what was built can be shipped; nil: it cannot
}

// buildAnswers are what the user said of a folder. Of build arguments only the
// names are remembered.
type buildAnswers struct {
	dir    string
	values []string // as buildFields has them
}

// The fields of the second dialog.
const (
	buildTag = iota
	buildFile
	buildTarget
	buildPlatform
	buildArgs
	buildCache
)

const (
	useCache = "use it"
	noCache  = "build everything anew"
)

// platforms are those that people build for.
var platforms = []string{"linux/amd64", "linux/arm64", "linux/arm/v7"}

// mostFound bounds the Dockerfiles of a folder that are looked into, and the
// folders that a path is completed from.
const mostFound = 50

// ask asks what to build, and builds it.
func (b *builds) ask() tea.Cmd {
	return b.askFor("Build", func(o docker.BuildOptions) tea.Cmd {
		b.host.Open(newBuild(b.client, o, b.now, b.ships))
		return nil
	})
}

// askFor asks what to build, for somebody who does it.
func (b *builds) askFor(verb string, then func(docker.BuildOptions) tea.Cmd) tea.Cmd {
	form := &buildForm{builds: b, verb: verb, then: then}
	b.host.Ask(pane.Dialog{
		Title:  verb + ": which folder?",
		Fields: []pane.Field{{Label: "folder", Value: b.folder(), Choices: b.folders}},
		Body:   func(values []string) string { return folderText(values[0]) },
		Check:  func(values []string) error { return form.look(values[0]) },
		Do: func([]string) tea.Cmd {
			form.ask()
			return nil
		},
	})
	return nil
}

// folder is what is offered first: the last one, else the working directory.
func (b *builds) folder() string {
	if len(b.recent) > 0 {
		return b.recent[0].dir
	}
	dir, err := os.Getwd()
	if err != nil {
		return "."
	}
	return dir
}

// folders are the choices for a path typed so far: those built before, then
// those that go on with it, with Dockerfiles first.
func (b *builds) folders(typed string) []pane.Choice {
	var cs []pane.Choice
	for _, r := range b.recent {
		if strings.Contains(r.dir, typed) {
			cs = append(cs, pane.Choice{Value: r.dir, Note: "built before"})
		}
	}
	if typed == "" {
		typed = b.folder() + string(filepath.Separator)
	}
	parent, start := filepath.Split(typed)
	entries, err := os.ReadDir(absolute(parent))
	if err != nil {
		return cs
	}
	var others []pane.Choice
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), start) || strings.HasPrefix(e.Name(), ".") && start == "" || len(others) == mostFound {
			continue
		}
		dir := parent + e.Name()
		if name := dockerfileIn(absolute(dir)); name != "" {
			cs = append(cs, pane.Choice{Value: dir, Note: name})
			continue
		}
		others = append(others, pane.Choice{Value: dir + string(filepath.Separator)})
	}
	return append(cs, others...)
}

// dockerfileIn is the name of the Dockerfile right in a folder, "" without one.
func dockerfileIn(dir string) string {
	for _, name := range []string{"Dockerfile", "Containerfile"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Mode().IsRegular() {
			return name
		}
	}
	return ""
}

// absolute is the path in full, with ~ for the home folder as shells have it.
func absolute(path string) string {
	path = strings.TrimSpace(path)
	if home, err := os.UserHomeDir(); err == nil && (path == "~" || strings.HasPrefix(path, "~/")) {
		path = filepath.Join(home, path[1:])
	}
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}

// folderText says what is in the folder, as far as one look can tell.
func folderText(typed string) string {
	dir := absolute(typed)
	if name := dockerfileIn(dir); name != "" {
		return name + " is there. What .dockerignore does not exclude is sent to the engine as needed."
	}
	return "No Dockerfile right in this folder; ⏎ looks three folders deep."
}
