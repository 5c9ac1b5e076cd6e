package ui

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/docker"
	"gantry/internal/diagnose"
	"gantry/ui/pane"
	"gantry/ui/table"
	"gantry/ui/term"
)

// runner is what running an image needs of Docker.
type runner interface {
	ImageConfig(ctx context.Context, ref string) (docker.ImageConfig, error)
	Run(ctx context.Context, o docker.RunOptions) (id string, err error)
	RunAttached(ctx context.Context, o docker.RunOptions, cols, rows int) (id string, s *docker.Session, err error)
	CommandLine(command docker.Command) string
}

// containerRan says which container was started here: the list of containers
// goes to it.
type containerRan struct{ id string }

// runs asks how to run an image, and remembers the answers while gantry runs.
type runs struct {
	client runner
	do     func(table.Action[docker.Image], []docker.Image) tea.Cmd
	config pane.Load[docker.ImageConfig]
	image  docker.Image        // that the configuration is asked for
	last   map[string][]string // answers by repository, as the fields have them
}

// The fields of the dialog.
const (
	runName = iota
	runPorts
	runEnv
	runVolumes
	runCommand
	runMode
	runAfter
	runPlatform
)

const (
	detached     = "in the background"
	attached     = "on a terminal here"
	keepAfter    = "keep the container"
	removeOnExit = "remove the container"
)

// ask reads how the image wants to be run, for what the dialog offers.
func (r *runs) ask(_ pane.Host, rows []docker.Image) tea.Cmd {
	r.image = rows[0]
	ref := r.image.Reference()
	return r.config.Start(imageID(r.image), func(ctx context.Context, _ func(docker.ImageConfig)) (docker.ImageConfig, error) {
		return r.client.ImageConfig(ctx, ref)
	})
}

// Update opens the dialog once the image's configuration is there.
func (r *runs) Update(h pane.Host, msg tea.Msg) (bool, tea.Cmd) {
	mine, next := r.config.Update(msg)
	switch {
	case !mine || r.config.Busy():
	case r.config.Err != nil:
		h.Say(pane.Notice{Err: r.config.Err})
	default:
		form := &runForm{runs: r, host: h, image: r.image, config: r.config.Value, remembered: r.last[memory(r.image)]}
		form.ask()
	}
	return mine, next
}

// memory is what the answers are remembered for: every build of an image has
// another ID, and often another tag.
func memory(i docker.Image) string {
	if i.Repository != "" {
		return i.Repository
	}
	return i.ID
}

// runForm is the dialog about one image.
type runForm struct {
	*runs
	host       pane.Host
	image      docker.Image
	config     docker.ImageConfig
	remembered []string
}

func (f *runForm) ask() {
	values := []string{runPorts: offeredPorts(f.config.Ports), runMode: detached, runAfter: keepAfter, runPlatform: ""}
	if f.remembered != nil {
		values = slices.Clone(f.remembered)
	}
	fields := []pane.Field{
		runName:     {Label: "name"},
		runPorts:    {Label: "ports"},
		runEnv:      {Label: "environment", Choices: f.variables},
		runVolumes:  {Label: "volumes", Choices: f.volumes},
		runCommand:  {Label: "command"},
		runMode:     {Label: "run it", Strict: true, Choices: containing(firstly(values[runMode], detached, attached)...)},
		runAfter:    {Label: "at its end", Strict: true, Choices: containing(firstly(values[runAfter], keepAfter, removeOnExit)...)},
		runPlatform: {Label: "platform", Choices: containing(platforms...)},
	}
	for i := range fields {
		fields[i].Value = values[i]
	}
	f.host.Ask(pane.Dialog{
		Title: "Run " + imageName(f.image), Fields: fields, Body: f.text,
		Check: func(values []string) error {
			_, err := f.options(values)
			return err
		},
		Do: f.run,
	})
}

// offeredPorts publishes what the image exposes under the same numbers.
func offeredPorts(ports []docker.Port) string {
	var texts []string
	for _, p := range ports {
		text := fmt.Sprintf("%d:%d", p.Container, p.Container)
		if p.Proto != "" && p.Proto != "tcp" {
			text += "/" + p.Proto
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, " ")
}

// variables offers the names that the image sets, without their values.
func (f *runForm) variables(typed string) []pane.Choice {
	var cs []pane.Choice
	for _, entry := range f.config.Env {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.Contains(" "+typed, " "+name+"=") {
			cs = append(cs, pane.Choice{Value: strings.TrimSpace(typed + " " + name + "="), Label: name, Note: "set by the image"})
		}
	}
	return cs
}

// volumes offers a volume for each path that the image wants one for.
func (f *runForm) volumes(typed string) []pane.Choice {
	var cs []pane.Choice
	for _, path := range f.config.Volumes {
		if !strings.Contains(typed, ":"+path) {
			name := strings.Trim(strings.ReplaceAll(path, "/", "-"), "-")
			cs = append(cs, pane.Choice{Value: strings.TrimSpace(typed + " " + name + ":" + path), Note: "the image keeps data there"})
		}
	}
	return cs
}

// text is the equal command, and what the image does by itself.
func (f *runForm) text(values []string) string {
	o, err := f.options(values)
	if err != nil {
		return "Several ports, variables or volumes stand with blanks between; quotes hold a value together."
	}
	command := docker.RunCommand(o)
	if values[runMode] == attached {
		command = docker.RunAttachedCommand(o)
	}
	text := f.client.CommandLine(masked(command))
	if len(o.Command) == 0 {
		if own := slices.Concat(f.config.Entrypoint, f.config.Command); len(own) > 0 {
			text += "\nThe image runs: " + strings.Join(own, " ")
		}
	}
	return text
}

// masked hides the values of all variables: docker.RunCommand hides those that
// look secret, but what is shown here may be seen by others in full.
func masked(command docker.Command) docker.Command {
	command = slices.Clone(command)
	for i := 1; i < len(command); i++ {
		if command[i-1] != "--env" {
			continue
		}
		if name, value, found := strings.Cut(command[i], "="); found && value != "" {
			command[i] = name + "=••••••"
		}
	}
	return command
}

// options are the answers as a run, or what is wrong with them.
func (f *runForm) options(values []string) (docker.RunOptions, error) {
	o := docker.RunOptions{
		Image: f.image.Reference(), Name: strings.TrimSpace(values[runName]), Platform: strings.TrimSpace(values[runPlatform]),
		RemoveOnExit: values[runAfter] == removeOnExit,
	}
	for _, text := range strings.FieldsFunc(values[runPorts], func(r rune) bool { return r == ' ' || r == ',' }) {
		p, err := docker.ParsePort(text)
		if err != nil {
			return o, err
		}
		o.Ports = append(o.Ports, p)
	}
	var err error
	if o.Env, err = assignments(values[runEnv], f.kept()); err != nil {
		return o, err
	}
	if o.Volumes, err = volumesOf(values[runVolumes]); err != nil {
		return o, err
	}
	o.Command, err = docker.SplitCommand(values[runCommand])
	return o, err
}

// kept is the environment as memory has filled it in.
func (f *runForm) kept() string {
	if f.remembered == nil {
		return ""
	}
	return f.remembered[runEnv]
}

// volumesOf reads SOURCE:PATH[:ro] words. A source such as ./data is a folder
// of this machine, as with docker run.
func volumesOf(text string) ([]string, error) {
	words, err := docker.SplitCommand(text)
	if err != nil {
		return nil, err
	}
	for i, w := range words {
		source, path, found := strings.Cut(w, ":")
		if !found {
			return nil, &diagnose.Error{What: "read the volumes", Cause: fmt.Sprintf("%q has no path in the container", w), Do: "write FOLDER-OR-VOLUME:/path, such as ./data:/data or cache:/var/cache:ro"}
		}
		if source == "." || source == "~" || strings.HasPrefix(source, "./") || strings.HasPrefix(source, "../") || strings.HasPrefix(source, "~"+string(os.PathSeparator)) {
			words[i] = filepath.Clean(absolute(source)) + ":" + path
		}
	}
	return words, nil
}

// run starts the container.
func (f *runForm) run(values []string) tea.Cmd {
	o, err := f.options(values)
	if err != nil {
		f.host.Say(pane.Notice{Err: err})
		return nil
	}
	f.remember(values)
	if values[runMode] == attached {
		f.attach(o)
		return nil
	}
	name := o.Name
	if name == "" {
		name = imageName(f.image)
	}
	var id string
	begun := f.do(table.Action[docker.Image]{
		Does: "run", Done: "runs: " + name,
		Each: func(ctx context.Context, _ docker.Image) (err error) {
			id, err = f.client.Run(ctx, o)
			return err
		},
	}, []docker.Image{f.image})
	return tea.Sequence(begun, func() tea.Msg {
		if id == "" {
			return nil
		}
		return containerRan{id}
	})
}

// attach runs it on a terminal of its own.
func (f *runForm) attach(o docker.RunOptions) {
	name := o.Name
	if name == "" {
		name = imageName(f.image)
	}
	f.host.Open(term.New(term.Options{
		Name: "run " + name, Waits: "a container of " + imageName(f.image),
		EndAsk: "Ending closes the terminal; the container goes on without it until s in Containers stops it.",
		Open: func(ctx context.Context, cols, rows int) (term.Stream, error) {
			_, session, err := f.client.RunAttached(ctx, o, cols, rows)
			if err != nil {
				return nil, err
			}
			return session, nil
		},
	}))
}

// remember keeps the answers, of the environment the names only.
func (f *runForm) remember(values []string) {
	values = slices.Clone(values)
	values[runEnv] = namesOf(values[runEnv])
	f.last[memory(f.image)] = values
}
