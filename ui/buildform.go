package ui

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/docker"
	"gantry/internal/diagnose"
	"gantry/ui/pane"
)

// buildForm is the second dialog: what to make of a folder.
type buildForm struct {
	*builds
	verb       string // what the image is built for
	then       func(docker.BuildOptions) tea.Cmd
	dir        string
	files      []string // paths of Dockerfiles, relative to dir
	read       map[string]dockerfile
	remembered []string // of this folder, if any
}

// dockerfile is one that was read, or why it could not be.
type dockerfile struct {
	docker.Dockerfile
	err error
}

// look finds the Dockerfiles of a folder.
func (f *buildForm) look(typed string) error {
	f.dir, f.read = absolute(typed), map[string]dockerfile{}
	what := "build from " + f.dir
	info, err := os.Stat(f.dir)
	switch {
	case strings.TrimSpace(typed) == "":
		return &diagnose.Error{What: "build from no folder", Do: "type the folder that holds the Dockerfile"}
	case err != nil:
		return &diagnose.Error{What: what, Cause: "there is no such folder", Do: "type a folder that exists", Err: err}
	case !info.IsDir():
		return &diagnose.Error{What: what, Cause: "it is a file", Do: "type its folder: " + filepath.Dir(f.dir)}
	}
	if f.files, err = docker.Dockerfiles(f.dir); err != nil {
		return err
	}
	if len(f.files) == 0 {
		return &diagnose.Error{
			What: what, Cause: "there is no Dockerfile in it, nor in the three folders below",
			Do: "choose another folder, or write a Dockerfile there: FROM, COPY, ENTRYPOINT",
		}
	}
	f.files = f.files[:min(len(f.files), mostFound)]
	return nil
}

// file reads a Dockerfile of the folder, once.
func (f *buildForm) file(name string) dockerfile {
	d, ok := f.read[name]
	if !ok {
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(f.dir, name)
		}
		d.Dockerfile, d.err = docker.ReadDockerfile(path)
		f.read[name] = d
	}
	return d
}

// ask asks what to make of the folder.
func (f *buildForm) ask() {
	values := []string{buildTag: tagFor(f.dir), buildFile: f.files[0], buildCache: useCache}
	for _, r := range f.recent {
		if r.dir == f.dir {
			values = slices.Clone(r.values)
			f.remembered = values
		}
	}
	f.host.Ask(pane.Dialog{
		Title: f.verb + " " + f.dir,
		Fields: []pane.Field{
			buildTag:      {Label: "tag", Value: values[buildTag]},
			buildFile:     {Label: "Dockerfile", Value: values[buildFile], Choices: containing(f.files...)},
			buildTarget:   {Label: "target", Value: values[buildTarget], Choices: f.targets},
			buildPlatform: {Label: "platform", Value: values[buildPlatform], Choices: containing(platforms...)},
			buildArgs:     {Label: "build args", Value: values[buildArgs], Choices: f.args},
			buildCache:    {Label: "cache", Value: values[buildCache], Strict: true, Choices: containing(firstly(values[buildCache], useCache, noCache)...)},
		},
		Body: f.text,
		Check: func(values []string) error {
			_, err := f.options(values)
			return err
		},
		Do: func(values []string) tea.Cmd {
			o, err := f.options(values)
			if err != nil {
				f.host.Say(pane.Notice{Err: err})
				return nil
			}
			f.remember(values)
			return f.then(o)
		},
	})
}

// tagFor is a name for what is built from a folder.
func tagFor(dir string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return '-'
	}, strings.ToLower(filepath.Base(dir)))
	parts := strings.FieldsFunc(name, func(r rune) bool { return r == '-' })
	if len(parts) == 0 {
		return "app:latest"
	}
	return strings.Join(parts, "-") + ":latest"
}

// firstly puts the value that was chosen last before the others.
func firstly(first string, values ...string) []string {
	if i := slices.Index(values, first); i > 0 {
		values[0], values[i] = values[i], values[0]
	}
	return values
}

// targets are the stages of all Dockerfiles, with the one they stand in: which
// is to be built can still change.
func (f *buildForm) targets(typed string) []pane.Choice {
	var cs []pane.Choice
	for _, name := range f.files {
		for _, s := range f.file(name).Stages {
			if strings.Contains(s.Name, typed) {
				cs = append(cs, pane.Choice{Value: s.Name, Note: fmt.Sprintf("FROM %s · %s", s.Base, name)})
			}
		}
	}
	return cs
}

// args offers each ARG that was not given yet, behind what is typed.
func (f *buildForm) args(typed string) []pane.Choice {
	var cs []pane.Choice
	seen := map[string]bool{}
	for _, name := range f.files {
		for _, a := range f.file(name).Args {
			if seen[a.Name] || strings.Contains(" "+typed, " "+a.Name+"=") {
				continue
			}
			seen[a.Name] = true
			cs = append(cs, pane.Choice{Value: strings.TrimSpace(typed + " " + a.Name + "=" + a.Default), Label: a.Name + "=" + a.Default, Note: name})
		}
	}
	return cs
}

// text is the equal command, and what in the Dockerfile does not say what it
// seems to say.
func (f *buildForm) text(values []string) string {
	o, err := f.options(values)
	if err != nil {
		return "NAME=value, several with blanks between; quotes hold a value together."
	}
	lines := []string{f.client.CommandLine(buildCommand(o))}
	d := f.file(o.Dockerfile)
	if len(d.Problems) > 0 {
		lines = append(lines, "", "▲ "+plural(len(d.Problems), "line")+" of "+o.Dockerfile+" will not do what is meant:")
	}
	for _, p := range d.Problems {
		lines = append(lines, fmt.Sprintf("%d: %s. → %s", p.Line.Number, p.What, p.Do))
	}
	var told *diagnose.Error
	if len(d.Problems) == 0 && errors.As(d.err, &told) {
		lines = append(lines, "", "▲ "+told.Cause, "→ "+told.Do)
	}
	return strings.Join(lines, "\n")
}

// options are the answers as a build, or what is wrong with them.
func (f *buildForm) options(values []string) (docker.BuildOptions, error) {
	field := func(i int) string { return strings.TrimSpace(values[i]) }
	o := docker.BuildOptions{
		Dir: f.dir, Dockerfile: field(buildFile), Tags: []string{field(buildTag)},
		Platform: field(buildPlatform), Target: field(buildTarget), NoCache: field(buildCache) == noCache,
	}
	what := "build " + f.dir
	d := f.file(o.Dockerfile)
	switch {
	case o.Tags[0] == "":
		return o, &diagnose.Error{What: what, Cause: "the image has no name", Do: "type a tag such as web:1"}
	case strings.ContainsFunc(o.Tags[0], badInTag):
		return o, &diagnose.Error{What: what, Cause: fmt.Sprintf("%q is no image name", o.Tags[0]), Do: "write it as name:tag, the name in lower case, without blanks"}
	case o.Dockerfile == "":
		return o, &diagnose.Error{What: what, Cause: "no Dockerfile is chosen", Do: "choose " + f.files[0]}
	case errors.Is(d.err, os.ErrNotExist):
		return o, &diagnose.Error{What: what, Cause: "there is no " + o.Dockerfile + " in it", Do: "choose " + strings.Join(f.files[:min(3, len(f.files))], ", ")}
	case o.Target != "" && d.err == nil && !hasStage(d.Dockerfile, o.Target):
		return o, &diagnose.Error{What: what, Cause: fmt.Sprintf("%s has no stage %q", o.Dockerfile, o.Target), Do: "choose one of its stages: " + stageNames(d.Dockerfile)}
	}
	words, err := assignments(values[buildArgs], f.kept(buildArgs))
	if err != nil {
		return o, err
	}
	o.Args = map[string]string{}
	for _, w := range words {
		name, value, found := strings.Cut(w, "=")
		if !found {
			return o, &diagnose.Error{What: "read the build args", Cause: fmt.Sprintf("%q has no value", w), Do: "write NAME=value"}
		}
		o.Args[name] = value
	}
	return o, nil
}

// buildCommand is the equal of a build wherever it is typed: docker looks for
// the Dockerfile from the working directory, gantry from the folder.
func buildCommand(o docker.BuildOptions) docker.Command {
	switch {
	case o.Dockerfile == "Dockerfile":
		o.Dockerfile = ""
	case !filepath.IsAbs(o.Dockerfile):
		o.Dockerfile = filepath.Join(o.Dir, o.Dockerfile)
	}
	return docker.BuildCommand(o)
}

func badInTag(r rune) bool { return r <= ' ' || r > '~' }

// kept is what a field was filled with from memory.
func (f *buildForm) kept(field int) string {
	if f.remembered == nil {
		return ""
	}
	return f.remembered[field]
}

func hasStage(d docker.Dockerfile, target string) bool {
	for i, s := range d.Stages {
		if strings.EqualFold(s.Name, target) || strconv.Itoa(i) == target {
			return true
		}
	}
	return false
}

func stageNames(d docker.Dockerfile) string {
	names := make([]string, len(d.Stages))
	for i, s := range d.Stages {
		names[i] = s.Name
	}
	return strings.Join(names, ", ")
}

// remember keeps the answers for this folder.
func (f *buildForm) remember(values []string) {
	values = slices.Clone(values)
	values[buildArgs] = namesOf(values[buildArgs])
	f.recent = slices.DeleteFunc(f.recent, func(r buildAnswers) bool { return r.dir == f.dir })
	f.recent = append([]buildAnswers{{f.dir, values}}, f.recent...)
}
