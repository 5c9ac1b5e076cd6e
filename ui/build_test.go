package ui_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gantry/docker"
	"gantry/internal/diagnose"
	"gantry/ui"
	"gantry/ui/pane"
	"gantry/ui/uitest"
)

// buildFolder is a folder with these files in it.
func buildFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "shop")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// inFolder makes it the working directory, which is what b offers. Golden
// screens lie in the one there was.
func inFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := buildFolder(t, files)
	t.Chdir(dir)
	return dir
}

const plainDockerfile = "FROM scratch AS base\nARG WHO=nobody\nFROM base AS last\nCOPY a /\n"

// seedDockerfile has full-width blanks and comments behind instructions.
const seedDockerfile = "FROM eclipse-temurin:21　# eclipseをベースとする\nCOPY a app.jar　# コピー\nENTRYPOINT [\"java\",\"-jar\",\"/app.jar\"]  # 起動\n"

// step is a step that took so many seconds from its start.
func step(id string, state docker.StepState, stage, name string, from, took float64, logs ...string) docker.Step {
	at := func(seconds float64) time.Time { return then.Add(time.Duration(seconds * float64(time.Second))) }
	s := docker.Step{ID: id, State: state, Stage: stage, Name: name, Logs: logs}
	if state != docker.StepQueued {
		s.Started = at(from - 60)
	}
	if state != docker.StepQueued && state != docker.StepRunning {
		s.Completed = at(from - 60 + took)
	}
	return s
}

func halfway() docker.BuildProgress {
	context := step("c", docker.StepRunning, "[internal]", "load build context", 0.3, 0)
	context.Transfers = []docker.Transfer{{Name: "transferring context", Current: 6_000_000, Total: 10_000_000}, {Name: "sha256:0a1b", Current: 345_000}}
	return docker.BuildProgress{Steps: []docker.Step{
		step("d", docker.StepDone, "[internal]", "load build definition from Dockerfile", 0, 0.1, "transferring dockerfile: 282B"),
		step("1", docker.StepCached, "[1/3]", "FROM docker.io/library/eclipse-temurin:21@sha256:18f800a7a9b4e69567694315d7abba066ef33ed321642d872b324f171864e85e", 0.1, 0),
		context,
		step("2", docker.StepRunning, "[2/3]", "RUN mvn --quiet package", 48, 0, "[INFO] Scanning for projects...", "[INFO] 日本語のログ \x1b[31mred\x1b[0m", "\tat Main.main(Main.java:7)"),
		step("3", docker.StepQueued, "[3/3]", "COPY target/*.jar app.jar", 0, 0),
	}}
}

func finished() docker.BuildProgress {
	p := halfway()
	p.Steps[2] = step("c", docker.StepDone, "[internal]", "load build context", 0.3, 1.24)
	p.Steps[3].State, p.Steps[3].Completed = docker.StepDone, then
	p.Steps[4] = step("3", docker.StepDone, "[3/3]", "COPY target/*.jar app.jar", 60, 0.1)
	p.Warnings = []string{"SecretsUsedInArgOrEnv: do not use ARG for DB_PASSWORD"}
	return p
}

func broken() (docker.BuildProgress, error) {
	p := finished()
	p.Warnings = nil
	p.Steps[3].State, p.Steps[3].Error = docker.StepFailed, `process "/bin/sh -c mvn --quiet package" did not complete successfully: exit code: 1`
	p.Steps[3].DockerfileLines = []docker.SourceLine{{Number: 2, Text: "WORKDIR /src"}, {Number: 3, Text: "RUN mvn --quiet package", Marked: true}, {Number: 4, Text: "COPY target/*.jar app.jar"}}
	p.Steps[4] = docker.Step{ID: "3", State: docker.StepCanceled, Stage: "[3/3]", Name: "COPY target/*.jar app.jar"}
	return p, &diagnose.Error{
		What: "build web:2", Cause: "mvn --quiet package ended with exit code 1", Do: "read what it wrote, in the failed step above", Err: docker.ErrBuildStep,
	}
}

// reporting is a build that tells one state and ends when the test says so.
func reporting(p docker.BuildProgress) func(context.Context, docker.BuildOptions, func(docker.BuildProgress)) (docker.BuildResult, error) {
	return func(ctx context.Context, _ docker.BuildOptions, progress func(docker.BuildProgress)) (docker.BuildResult, error) {
		progress(p)
		<-ctx.Done()
		return docker.BuildResult{}, ctx.Err()
	}
}

func ending(p docker.BuildProgress, err error) func(context.Context, docker.BuildOptions, func(docker.BuildProgress)) (docker.BuildResult, error) {
	return func(_ context.Context, _ docker.BuildOptions, progress func(docker.BuildProgress)) (docker.BuildResult, error) {
		progress(halfway())
		progress(p)
		return docker.BuildResult{}, err
	}
}

func TestBuildScreens(t *testing.T) {
	failed, failure := broken()
	for _, screen := range []struct {
		name  string
		build func(context.Context, docker.BuildOptions, func(docker.BuildProgress)) (docker.BuildResult, error)
		wait  string
	}{
		{"running", reporting(halfway()), "Main.main"},
		{"finished", ending(finished(), nil), "✓ built web:2 in"},
		{"failed", ending(failed, failure), "→ read what it wrote"},
	} {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s %dx%d", screen.name, size.w, size.h), func(t *testing.T) {
				dir := buildFolder(t, map[string]string{"Dockerfile": plainDockerfile})
				e := newFakeImages()
				e.build = screen.build
				s := showImages(t, e, size.w, size.h)
				s.Wait("web:1")
				s.Type("b\x15" + dir + "\rweb:2\r")
				s.Wait(screen.wait)
				s.Settle()
				s.Golden()
			})
		}
	}
}

func TestBuildFromNothing(t *testing.T) {
	dir := inFolder(t, map[string]string{"Dockerfile": plainDockerfile, "api/Dockerfile.dev": "FROM scratch\n"})
	e := newFakeImages()
	e.rows = nil
	e.build = ending(finished(), nil)
	s := showImages(t, e, 120, 40)
	s.Wait("b builds one from a")
	s.Type("b")
	s.Wait("Dockerfile is there")
	s.Type("\r")
	s.Wait("docker build --tag shop:latest")
	s.Type("shop:3\t\tlast\t\tWHO='you all'\t\x1b[B\r") // tag, target, args, no cache
	s.Wait("✓ built shop:3")
	o := e.lastBuilt()
	if o.Dir != dir || o.Dockerfile != "Dockerfile" || o.Tags[0] != "shop:3" || o.Target != "last" || o.Args["WHO"] != "you all" || !o.NoCache {
		t.Errorf("built %+v", o)
	}
	s.Type("1")
	s.Wait("▸ shop:3") // the cursor is on what was built
	s.Type("b\r")
	s.Wait("WHO=")
	s.Gone("you all") // a value is never remembered
	s.Type("\r")
	s.Wait("never their values")
	s.Type("\x1b")
	s.Gone("never their values")
}

func TestBuildFolders(t *testing.T) {
	dir := inFolder(t, map[string]string{"api/Dockerfile": "FROM scratch\n", "web/index.html": "", "file": ""})
	e := newFakeImages()
	s := showImages(t, e, 120, 40)
	s.Wait("web:1")
	s.Type("b")
	s.Wait("looks three folders deep")
	s.Wait("shop/api")
	for _, wrong := range []struct{ typed, answer string }{
		{dir + "/none", "there is no such folder"},
		{dir + "/file", "it is a file"},
		{dir + "/web", "there is no Dockerfile in it"},
		{"", "type the folder"},
	} {
		s.Type("\x15" + wrong.typed + "\r")
		s.Wait(wrong.answer)
	}
	s.Type("\x15" + dir + "/a\x1b[B\r") // the choice that fits
	s.Wait("--tag api:latest")
	s.Type("\x1b")
	s.Gone("build args")
	s.Type("b\x1b[B\r") // the choice of the first field
	s.Wait("--tag api:latest")
}

func TestBuildAnswersAreChecked(t *testing.T) {
	inFolder(t, map[string]string{"Dockerfile": plainDockerfile, "Dockerfile.dev": "FROM scratch AS dev\n"})
	e := newFakeImages()
	s := showImages(t, e, 120, 40)
	s.Wait("web:1")
	for _, wrong := range []struct{ keys, answer string }{
		{"\x15\r", "the image has no name"},
		{"a b\r", "is no image name"},
		{"\tnone\r", "there is no none in it"},
		{"\tDockerfile.\r", "there is no Dockerfile. in it"},
		{"\t\x15\r", "no Dockerfile is chosen"},
		{"\t\tdev\r", `has no stage "dev"`},
		{"\t\t\t\tA\r", `"A" has no value`},
		{"\t\t\t\t=b\r", "has no name"},
		{"\t\t\t\tA='b\r", "quote"},
	} {
		s.Type("b\r")
		s.Wait("--tag shop:latest")
		s.Type(wrong.keys)
		s.Wait(wrong.answer)
		s.Type("\x1b")
		s.Gone("build args")
	}
	s.Type("b\r")
	s.Wait("--tag shop:latest")
	s.Type("\t\x1b[B\x1b[B")
	s.Wait("shop/Dockerfile.dev")
	if o := e.lastBuilt(); o.Dir != "" {
		t.Errorf("something was built: %+v", o)
	}
}

func TestBuildWarnsOfTheSeedsDockerfile(t *testing.T) {
	inFolder(t, map[string]string{"Dockerfile": seedDockerfile})
	s := showImages(t, newFakeImages(), 120, 40)
	s.Wait("web:1")
	s.Type("b\r")
	s.Wait("3 lines of Dockerfile will not do what is meant")
	s.Wait("(U+3000)")
	s.Wait("own and leave: FROM eclipse-temurin:21")
	s.Wait("turns the JSON list into a shell")
}

func TestBuildIsCanceledAndBegunAgain(t *testing.T) {
	inFolder(t, map[string]string{"Dockerfile": plainDockerfile})
	e := newFakeImages()
	e.build = reporting(halfway())
	s := showImages(t, e, 120, 40)
	s.Wait("web:1")
	s.Type("b\rweb:2\r")
	s.Wait("build web:2 40 %") // as a job
	s.Type("x")
	s.Wait("Cancel build web:2?")
	s.Type("n")
	s.Gone("Cancel build web:2?")
	s.Type("xy")
	s.Wait("canceled: build web:2")
	s.Wait("– canceled after")
	s.Type("r")
	s.Wait("building web:2")
	s.Type("xy")
	s.Wait("– canceled after")
	s.Type("x")
	s.Gone("canceled after")
}

func TestBuildStepsAreFoldedAndCopied(t *testing.T) {
	failed, failure := broken()
	inFolder(t, map[string]string{"Dockerfile": plainDockerfile})
	e := newFakeImages()
	e.build = ending(failed, failure)
	s := showImages(t, e, 120, 40)
	s.Wait("web:1")
	s.Type("b\rweb:2\r")
	s.Wait("→ read what it wrote")
	s.Wait("›   3 │ RUN mvn")
	s.Type("\r") // the failed step is the chosen one
	s.Gone("Main.main")
	s.Type("g ")
	s.Wait("transferring dockerfile: 282B")
	s.Type("y")
	s.Wait("copied ")
	s.Type("Y")
	s.Wait("copied docker build --tag web:2")
	s.Type("G\x04\x15jk")
	s.Wait("read what it wrote")
}

// What was begun ends with the program.
func TestBuildLeavesNothingBehind(t *testing.T) {
	inFolder(t, map[string]string{"Dockerfile": plainDockerfile})
	e := newFakeImages()
	e.build = reporting(halfway())
	f := ui.NewFrame(ui.ReadWrite, map[int]pane.Pane{1: ui.ImagesAt(e, func() time.Time { return then })})
	s := uitest.Run(t, f, 120, 40)
	s.Wait("web:1")
	before := goleak.IgnoreCurrent()
	s.Type("b\rweb:2\r")
	s.Wait("build web:2 40 %")
	s.Type("q")
	s.Wait("1 session and 1 job will end")
	s.Type("y")
	if err := s.Ended(); err != nil {
		t.Fatal(err)
	}
	f.Close()
	goleak.VerifyNone(t, before)
}

// A build that nothing happens in sends nothing to the terminal but its
// seconds, which stand still here.
func TestBuildDrawsOnlyWhatChanges(t *testing.T) {
	inFolder(t, map[string]string{"Dockerfile": plainDockerfile})
	e := newFakeImages()
	e.build = reporting(halfway())
	s := showImages(t, e, 120, 40)
	s.Wait("web:1")
	s.Type("b\rweb:2\r")
	s.Wait("build web:2 40 %")
	s.Settle()
	written := s.Written()
	s.Settle()
	if more := s.Written() - written; more > 0 {
		t.Errorf("%d bytes for nothing", more)
	}
}

func TestReadOnlyHasNoBuildRunOrPrune(t *testing.T) {
	s := showImagesAs(t, newFakeImages(), ui.ReadOnly, 120, 40)
	s.Wait("web:1")
	s.Type("?")
	s.Wait("All keys")
	s.Wait("describe")
	for _, does := range []string{" build", " run ", " prune", " delete"} {
		s.Gone(does + "\n")
	}
	s.Type("xb")
	s.Gone("which folder")
}

// TestBuildErrorOfAnotherKind shows that a failure of another kind is told too.
func TestBuildErrorOfAnotherKind(t *testing.T) {
	inFolder(t, map[string]string{"Dockerfile": plainDockerfile})
	e := newFakeImages()
	e.build = ending(docker.BuildProgress{}, errors.New("the engine went away\x1b[31m"))
	s := showImages(t, e, 80, 24)
	s.Wait("web:1")
	s.Type("b\rweb:2\r")
	s.Wait("✗ the engine went away")
	for _, size := range [][2]int{{1, 1}, {30, 5}, {200, 60}, {80, 24}} {
		s.Resize(size[0], size[1])
	}
	s.Wait("✗ the engine went away")
}

// BenchmarkBuildOfTenThousandLines draws a build whose ten steps have all
// written their thousand lines and are unfolded, while the last one goes on
// writing.
func BenchmarkBuildOfTenThousandLines(b *testing.B) {
	var p docker.BuildProgress
	for i := range 10 {
		var logs []string
		for j := range 1000 {
			logs = append(logs, fmt.Sprintf("[INFO] step %d line %d: %s", i, j, strings.Repeat("compiling ", j%20)))
		}
		p.Steps = append(p.Steps, step(fmt.Sprint(i), docker.StepRunning, fmt.Sprintf("[%d/10]", i+1), "RUN make", 1, 0, logs...))
	}
	draw := ui.BuildDrawing(100, 38)
	for i := 0; b.Loop(); i++ {
		p.Steps[9].LogsDropped = i
		draw(p, then)
	}
}
