package docker

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/client"

	"gantry/internal/diagnose"
)

// recorder keeps the last progress of a build.
type recorder struct{ last BuildProgress }

func (r *recorder) take(p BuildProgress) { r.last = p }

func (r *recorder) step(t *testing.T, name string) Step {
	t.Helper()
	for _, s := range r.last.Steps {
		if strings.Contains(s.Name, name) {
			return s
		}
	}
	t.Fatalf("no step %q in %s", name, r.dump())
	return Step{}
}

func (r *recorder) dump() string {
	var b strings.Builder
	for _, s := range r.last.Steps {
		b.WriteString("\n" + string(s.State) + "\t" + s.Stage + " " + s.Name + "\t" + s.Error)
	}
	return b.String()
}

// builders runs a test with BuildKit and with the classic builder.
func builders(t *testing.T, test func(t *testing.T, build func(context.Context, BuildOptions, func(BuildProgress)) (BuildResult, error), c *Client)) {
	t.Run("buildkit", func(t *testing.T) {
		c := live(t)
		noLeaks(t)
		test(t, c.Build, c)
	})
	t.Run("classic", func(t *testing.T) {
		c := live(t)
		noLeaks(t)
		test(t, classicOnly(c), c)
	})
}

// classicOnly is Build as it goes on an engine without BuildKit.
func classicOnly(c *Client) func(context.Context, BuildOptions, func(BuildProgress)) (BuildResult, error) {
	return func(ctx context.Context, o BuildOptions, progress func(BuildProgress)) (BuildResult, error) {
		return c.build(ctx, o, progress, buildClassic)
	}
}

const hello = `package main

import "os"

func main() { os.Stdout.WriteString("hello\n") }
`

func TestBuildFromScratch(t *testing.T) {
	builders(t, func(t *testing.T, build func(context.Context, BuildOptions, func(BuildProgress)) (BuildResult, error), c *Client) {
		dir := folder(t, map[string]string{
			"Dockerfile":    "FROM scratch\nARG WHO=nobody\nLABEL who=$WHO\nCOPY hello /hello\nCOPY . /all/\nENTRYPOINT [\"/hello\"]\n",
			"hello":         program(t, hello) + rand.Text(), // not in the engine's cache yet
			".dockerignore": "secret\n*.tmp\n!keep.tmp\n",
			"secret/key":    "do not send",
			"a.tmp":         "x",
			"keep.tmp":      "x",
		})
		o := labeled(t, c, BuildOptions{Dir: dir, Args: map[string]string{"WHO": "me"}})
		var first recorder
		result, err := build(t.Context(), o, first.take)
		if err != nil {
			t.Fatal(err, first.dump())
		}
		image, err := c.engineOf(t).ImageInspect(t.Context(), o.Tags[0])
		if err != nil {
			t.Fatal(err)
		}
		if image.ID != result.ImageID {
			t.Errorf("ImageID = %q, want %q", result.ImageID, image.ID)
		}
		if got := image.Config.Labels["who"]; got != "me" {
			t.Errorf("label from the build argument = %q", got)
		}
		if s := first.step(t, "COPY hello /hello"); s.State != StepDone || s.Started.IsZero() || s.Completed.Before(s.Started) {
			t.Errorf("step: %+v", s)
		}
		ended, all := first.last.Count()
		if ended != all || all == 0 {
			t.Errorf("%d of %d steps ended", ended, all)
		}
		checkIgnored(t, c, o.Tags[0])

		var second recorder
		if _, err := build(t.Context(), o, second.take); err != nil {
			t.Fatal(err)
		}
		if s := second.step(t, "COPY hello /hello"); s.State != StepCached {
			t.Errorf("second build: %s is %s, want cached", s.Name, s.State)
		}
	})
}

// checkIgnored looks at /all of an image for files that .dockerignore names.
func checkIgnored(t *testing.T, c *Client, image string) {
	t.Helper()
	api := c.engineOf(t)
	made, err := api.ContainerCreate(t.Context(), client.ContainerCreateOptions{Image: image})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = api.ContainerRemove(context.Background(), made.ID, client.ContainerRemoveOptions{Force: true})
	})
	for name, want := range map[string]bool{"hello": true, "keep.tmp": true, "a.tmp": false, "secret/key": false} {
		_, err := api.ContainerStatPath(t.Context(), made.ID, client.ContainerStatPathOptions{Path: "/all/" + name})
		if (err == nil) != want {
			t.Errorf("/all/%s: in the image %v, want %v", name, err == nil, want)
		}
	}
}

func TestBuildFailures(t *testing.T) {
	builders(t, func(t *testing.T, build func(context.Context, BuildOptions, func(BuildProgress)) (BuildResult, error), c *Client) {
		base := busybox(t, c)
		for _, tt := range []struct {
			name  string
			files map[string]string
			kind  error
			cause string
			do    string
			line  int
		}{
			{
				name:  "failing RUN",
				files: map[string]string{"Dockerfile": "FROM " + base + "\n\nRUN echo before\nRUN echo boo; \\\n    exit 3\nRUN echo after\n"},
				kind:  ErrBuildStep, cause: "exit code 3", do: "output", line: 4,
			},
			{
				name:  "program missing",
				files: map[string]string{"Dockerfile": "FROM " + base + "\nRUN mvn package\n"},
				kind:  ErrBuildStep, cause: "exit code 127", do: "missing in the image", line: 2,
			},
			{
				name:  "COPY of a missing file",
				files: map[string]string{"Dockerfile": "FROM scratch\nCOPY nope.txt /\n"},
				kind:  ErrBuildContext, cause: "nope.txt is not in", do: "correct the path", line: 2,
			},
			{
				name:  "COPY of a jar that is not made yet",
				files: map[string]string{"Dockerfile": "FROM " + base + "\nARG JAR_FILE=target/*.jar\nCOPY ${JAR_FILE} app.jar\n", "mvnw": ""},
				kind:  ErrBuildContext, cause: "target/*.jar is not in", do: "./mvnw package", line: 3,
			},
			{
				name:  "COPY of an ignored file",
				files: map[string]string{"Dockerfile": "FROM scratch\nCOPY app.txt /\n", "app.txt": "x", ".dockerignore": "*.md\n*.txt\n"},
				kind:  ErrBuildContext, cause: `"*.txt" in .dockerignore`, do: "!app.txt", line: 2,
			},
			{
				name:  "the seed's Dockerfile",
				files: map[string]string{"Dockerfile": seedDockerfile},
				kind:  ErrDockerfile, cause: "line 1: the comment behind FROM", do: "FROM eclipse-temurin:21", line: 1,
			},
			{
				name:  "unknown instruction",
				files: map[string]string{"Dockerfile": "FROM scratch\nCOPYY a b\n"},
				kind:  ErrDockerfile, cause: "COPYY", do: "correct the Dockerfile",
			},
			{
				name:  "no registry",
				files: map[string]string{"Dockerfile": "FROM 127.0.0.1:1/nowhere/base:1\n"},
				kind:  ErrBaseImage, cause: "127.0.0.1:1/nowhere/base:1", do: "network",
			},
		} {
			t.Run(tt.name, func(t *testing.T) {
				o := labeled(t, c, BuildOptions{Dir: folder(t, tt.files)})
				var r recorder
				_, err := build(t.Context(), o, r.take)
				var told *diagnose.Error
				if !errors.As(err, &told) {
					t.Fatalf("error %T: %v", err, err)
				}
				t.Log(told)
				if !errors.Is(err, tt.kind) || !strings.Contains(told.Cause, tt.cause) || !strings.Contains(told.Do, tt.do) {
					t.Errorf("got %q · %q\nfrom %v\nwant %v: %q · %q", told.Cause, told.Do, told.Err, tt.kind, tt.cause, tt.do)
				}
				failed, ok := r.last.Failed()
				if tt.line == 0 {
					return
				}
				if !ok {
					t.Fatalf("no failed step in %s", r.dump())
				}
				if got := markedLine(failed); got != tt.line {
					t.Errorf("failed step %s points at line %d, want %d: %+v", failed.Name, got, tt.line, failed.DockerfileLines)
				}
			})
		}
	})
}

func markedLine(s Step) int {
	for _, l := range s.DockerfileLines {
		if l.Marked {
			return l.Number
		}
	}
	return 0
}

func TestBuildFailureKeepsOutput(t *testing.T) {
	builders(t, func(t *testing.T, build func(context.Context, BuildOptions, func(BuildProgress)) (BuildResult, error), c *Client) {
		dir := folder(t, map[string]string{"Dockerfile": "FROM " + busybox(t, c) + "\nRUN echo out; echo err >&2; exit 3\nRUN echo never\n"})
		var r recorder
		_, err := build(t.Context(), labeled(t, c, BuildOptions{Dir: dir}), r.take)
		if err == nil {
			t.Fatal("it built")
		}
		failed, _ := r.last.Failed()
		if got := strings.Join(failed.Logs, "|"); !strings.Contains(got, "out") || !strings.Contains(got, "err") {
			t.Errorf("output = %q", got)
		}
		for _, s := range r.last.Steps {
			if strings.Contains(s.Name, "never") && s.State != StepCanceled {
				t.Errorf("the step behind is %s", s.State)
			}
		}
	})
}

func TestBuildCancel(t *testing.T) {
	builders(t, func(t *testing.T, build func(context.Context, BuildOptions, func(BuildProgress)) (BuildResult, error), c *Client) {
		mark := "86" + filepath.Base(t.TempDir()) // no other process sleeps for this long
		dir := folder(t, map[string]string{"Dockerfile": "FROM " + busybox(t, c) + "\nRUN echo begun; sleep " + mark + "98765\n"})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var r recorder
		_, err := build(ctx, labeled(t, c, BuildOptions{Dir: dir}), func(p BuildProgress) {
			r.take(p)
			for _, s := range p.Steps {
				if strings.Contains(strings.Join(s.Logs, ""), "begun") {
					cancel()
				}
			}
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("error = %v", err)
		}
		if s := r.step(t, "sleep "); s.State != StepCanceled {
			t.Errorf("the step is %s", s.State)
		}
		eventually(t, "the process ends", func() bool { return !running("sleep\x00" + mark + "98765") })
	})
}

// running reports whether a process of this machine has such a command line.
func running(arguments string) bool {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range files {
		if line, err := os.ReadFile(f); err == nil && strings.Contains(string(line), arguments) {
			return true
		}
	}
	return false
}

func TestBuildTargetAndOutsideDockerfile(t *testing.T) {
	builders(t, func(t *testing.T, build func(context.Context, BuildOptions, func(BuildProgress)) (BuildResult, error), c *Client) {
		context := folder(t, map[string]string{"a": "x"})
		outside := folder(t, map[string]string{"web.Dockerfile": "FROM scratch AS one\nCOPY a /a\nLABEL stage=one\nFROM one AS two\nLABEL stage=two\n"})
		o := labeled(t, c, BuildOptions{Dir: context, Dockerfile: filepath.Join(outside, "web.Dockerfile"), Target: "one"})
		var r recorder
		if _, err := build(t.Context(), o, r.take); err != nil {
			t.Fatal(err, r.dump())
		}
		image, err := c.engineOf(t).ImageInspect(t.Context(), o.Tags[0])
		if err != nil || image.Config.Labels["stage"] != "one" {
			t.Errorf("stage = %q, %v", image.Config.Labels["stage"], err)
		}
	})
}

func TestBuildReadOnly(t *testing.T) {
	_, err := New(Options{ReadOnly: true, Host: "unix:///nowhere"}).Build(t.Context(), BuildOptions{Dir: t.TempDir()}, func(BuildProgress) {})
	if !errors.Is(err, ErrReadOnly) {
		t.Errorf("error = %v", err)
	}
}
