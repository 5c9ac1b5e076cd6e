package docker

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/patternmatcher"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"gantry/internal/diagnose"
	"gantry/internal/pattern"
)

// buildFailure is what the rules look at.
type buildFailure struct {
	plan buildPlan
	step Step // the one that failed; zero when none did
	text string
	err  error
}

// buildRules are asked in their order; the first that says something is taken.
var buildRules = []func(buildFailure) finding{
	diskFull, wrongPlatform, missingFrontend, missingFile, failedCommand, missingBase, badDockerfile, engineGone,
}

// explainBuild tells why a build failed, and gives the failed step its lines
// of the Dockerfile. The caller holds g.
func explainBuild(plan buildPlan, g *graph, err error) error {
	f := buildFailure{plan: plan, err: err, text: clean(innermost(err.Error()))}
	failed := g.failedNode()
	if failed != nil {
		f.step = failed.step
		f.text = clean(innermost(failed.step.Error)) + " " + f.text
	}
	lines := plan.locate(f)
	if failed == nil && len(lines) > 0 {
		failed = g.node("dockerfile")
		failed.step.Stage, failed.step.Name = "[internal]", "read "+filepath.Base(plan.file)
		failed.step.State, failed.step.Error = StepFailed, f.text
	}
	if failed != nil {
		failed.step.DockerfileLines = lines
	}
	if refused := plan.refuse.explain(plan.what()); refused != nil {
		return refused
	}
	for _, rule := range buildRules {
		if found := rule(f); found.kind != nil {
			return &diagnose.Error{What: plan.what(), Cause: found.cause, Do: found.do, Err: fmt.Errorf("%w: %w", found.kind, err)}
		}
	}
	if failed != nil {
		return &diagnose.Error{What: plan.what(), Cause: clean(innermost(failed.step.Error)), Do: "see the output of " + f.name(), Err: err}
	}
	return err
}

func (g *graph) failedNode() *node {
	for _, n := range g.order {
		if n.step.State == StepFailed {
			return n
		}
	}
	return nil
}

// innermost drops the layers that BuildKit and gRPC wrap around a message.
func innermost(text string) string {
	for _, layer := range []string{"failed to solve with frontend dockerfile.v0: ", "failed to solve: ", "failed to create LLB definition: "} {
		text = strings.ReplaceAll(text, layer, "")
	}
	return rpcLayer().ReplaceAllString(text, "")
}

var rpcLayer = pattern.Late(`rpc error: code = \w+ desc = `)

func (f buildFailure) says(phrases ...string) bool {
	text := strings.ToLower(f.text)
	for _, p := range phrases {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
}

// name is the failed step for a sentence.
func (f buildFailure) name() string {
	switch name := clean(f.step.Name); {
	case name == "":
		return "the build"
	case len(name) > 80:
		return strings.ToValidUTF8(name[:80], "") + "…"
	default:
		return name
	}
}

func diskFull(f buildFailure) finding {
	if !f.says("no space left on device", "disk quota exceeded") {
		return finding{}
	}
	return finding{ErrNoSpace, "the engine's disk is full", "make room: X in Images, or docker system prune"}
}

// wrongPlatform: binaries of another architecture without an emulator.
func wrongPlatform(f buildFailure) finding {
	written := strings.ToLower(strings.Join(f.step.Logs, "\n"))
	switch {
	case f.says("exec format error") || strings.Contains(written, "exec format error"):
		do := "build for the engine's own platform, or install an emulator: docker run --privileged --rm tonistiigi/binfmt --install all"
		return finding{ErrBuildStep, f.name() + " runs programs of another processor", do}
	case f.says("no match for platform", "does not match the specified platform"):
		return finding{ErrBaseImage, "the base image does not exist for " + orThis(f.plan.Platform), "choose another platform or base image"}
	}
	return finding{}
}

func orThis(platform string) string {
	if platform == "" {
		return "this engine's platform"
	}
	return platform
}

var syntaxLine = pattern.Late(`(?mi)^#\s*syntax\s*=\s*(\S+)`)

// missingFrontend: a `# syntax=` line wants an image before anything is built.
func missingFrontend(f buildFailure) finding {
	m := syntaxLine().FindSubmatch(firstLines(f.plan.source))
	if m == nil || !unreachableRegistry(f) || !strings.Contains(f.text+f.step.Name, pathOf(string(m[1]))) {
		return finding{}
	}
	return finding{
		ErrBaseImage,
		fmt.Sprintf("the Dockerfile's first line wants the image %s, which cannot be fetched", clean(string(m[1]))),
		"remove the line # syntax=…, or give the engine a way to the registry",
	}
}

// firstLines is the head of a Dockerfile, where its directives stand.
func firstLines(source []byte) []byte {
	end := 0
	for line := range bytes.Lines(source) {
		if !bytes.HasPrefix(bytes.TrimSpace(line), []byte("#")) {
			break
		}
		end += len(line)
	}
	return source[:end]
}

// pathOf is the repository's path in an image name.
func pathOf(image string) string {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return image
	}
	return reference.Path(named)
}

// How the builders say that a file to copy is missing: BuildKit 20.10 and
// newer, then the classic builder and Podman.
var missingFiles = []func() *regexp.Regexp{
	pattern.Late(`failed to (?:compute cache key|calculate checksum).*?"/?([^"]+)"(?:: not found| not found)`),
	pattern.Late(`(?:COPY|ADD) failed: file not found in build context or excluded by \.dockerignore: (?:stat|lstat) (.+?): file does not exist`),
	pattern.Late(`(?:COPY|ADD) failed: (no source files were specified)`),
	pattern.Late(`checking on sources under .*?: Rel.*?: ("?[^"]+"?)`),
	pattern.Late(`(?:no items matching glob|copier: stat:) "([^"]+)"`),
	pattern.Late(`(?:lstat|stat|failed to walk) (/var/lib/\S+ ?\S*: no such file or directory)`),
}

func missingFile(f buildFailure) finding {
	for _, late := range missingFiles {
		m := late().FindStringSubmatch(f.text)
		if m == nil {
			continue
		}
		return f.plan.explainMissing(f, m[1])
	}
	return finding{}
}

// explainMissing says why a file is not in the context: it is not there, or a
// line of .dockerignore keeps it out.
func (p buildPlan) explainMissing(f buildFailure, file string) finding {
	if strings.Contains(file, " ") { // the builder's own words or paths, not a name
		file = p.expand(strings.Join(sourcesOf(f.step.Name), " "))
	}
	file = strings.TrimPrefix(filepath.ToSlash(file), "/")
	if rel, err := filepath.Rel(p.Dir, "/"+file); err == nil && filepath.IsLocal(rel) {
		file = filepath.ToSlash(rel)
	}
	patterns, _ := p.ignored()
	if hits, err := filepath.Glob(filepath.Join(p.Dir, filepath.FromSlash(file))); err == nil && len(hits) > 0 {
		if rule := hidingPattern(patterns, p.Dir, hits[0]); rule != "" {
			return finding{ErrBuildContext, fmt.Sprintf("%s is there, but %q in .dockerignore keeps it out", clean(file), clean(rule)), "add this line to .dockerignore: !" + clean(file)}
		}
	}
	cause := fmt.Sprintf("%s is not in %s", clean(file), clean(p.Dir))
	return finding{ErrBuildContext, cause, adviceFor(file, p.Dir)}
}

// expand puts the build's arguments in: the classic builder names an
// instruction as it is written.
func (p buildPlan) expand(text string) string {
	d, _ := parseDockerfile(p.file, p.source)
	return os.Expand(text, func(name string) string {
		if value, given := p.Args[name]; given {
			return value
		}
		for _, a := range d.Args {
			if a.Name == name {
				return a.Default
			}
		}
		return "${" + name + "}"
	})
}

// hidingPattern is the last line of .dockerignore that keeps a file out.
func hidingPattern(patterns []string, dir, file string) string {
	rel, err := filepath.Rel(dir, file)
	if err != nil {
		return ""
	}
	hiding := ""
	for _, pattern := range patterns {
		rule := strings.TrimPrefix(pattern, "!")
		hit, err := patternmatcher.MatchesOrParentMatches(rel, []string{rule})
		switch {
		case err != nil || !hit:
		case rule != pattern:
			hiding = ""
		default:
			hiding = pattern
		}
	}
	return hiding
}

// adviceFor names the tool that usually makes the missing file.
func adviceFor(file, dir string) string {
	has := func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	}
	switch first, _, _ := strings.Cut(file, "/"); {
	case strings.HasPrefix(file, "../"):
		return "a build sees nothing above its folder: choose the folder above, and name the Dockerfile in it"
	case first == "target" && has("mvnw"):
		return "make it first: ./mvnw package"
	case first == "target" && has("Cargo.toml"):
		return "make it first: cargo build --release"
	case first == "target":
		return "make it first: mvn package"
	case first == "build" && (has("build.gradle") || has("build.gradle.kts")):
		return "make it first: gradle build"
	case (first == "dist" || first == "build") && has("package.json"):
		return "make it first: npm run build"
	}
	return "correct the path in COPY; it counts from the build's folder"
}

// sourcesOf are the words of a COPY but its last one, without options.
func sourcesOf(instruction string) []string {
	fields := strings.Fields(instruction)
	var sources []string
	for _, word := range fields[min(1, len(fields)):] {
		if !strings.HasPrefix(word, "--") {
			sources = append(sources, word)
		}
	}
	return sources[:max(0, len(sources)-1)]
}

// How the builders say that a command ended badly: BuildKit, classic, Podman.
var exitCodes = []func() *regexp.Regexp{
	pattern.Late(`exit code: (\d+)`),
	pattern.Late(`returned a non-zero code: (\d+)`),
	pattern.Late(`exit status (\d+)`),
}

func failedCommand(f buildFailure) finding {
	for _, late := range exitCodes {
		m := late().FindStringSubmatch(f.text)
		if m == nil {
			continue
		}
		code, err := strconv.Atoi(m[1])
		if err != nil {
			return finding{}
		}
		cause := fmt.Sprintf("%s ended with exit code %d", f.name(), code)
		do := "read its output, the last lines of the failed step"
		switch code {
		case 126:
			do = "the program may not be executed: chmod +x it before COPY, or check its first line"
		case 127:
			do = "a program is missing in the image: install it in an earlier RUN, or choose another base image"
		case 137:
			do = "it was killed, most likely for want of memory: give the engine more, or build with less"
		}
		return finding{ErrBuildStep, cause, do}
	}
	if f.says("failed to create task", "oci runtime create failed", "executable file not found", "runc run failed") {
		return finding{ErrBuildStep, f.name() + " cannot start: the image has no /bin/sh", "use a base image with a shell, or write RUN as a JSON list"}
	}
	return finding{}
}

func unreachableRegistry(f buildFailure) bool {
	return f.says("failed to do request", "i/o timeout", "no such host", "connection refused", "network is unreachable",
		"tls handshake timeout", "server misbehaving", "request canceled while waiting for connection", "context deadline exceeded")
}

// missingBase: the image that FROM names.
func missingBase(f buildFailure) finding {
	image := baseImage(f)
	switch {
	case f.says("pull access denied", "authorization failed", "unauthorized", "no basic auth credentials", "401", "403 forbidden", "insufficient_scope"):
		return finding{ErrBaseImage, image + " does not exist, or its registry wants an account", "check the name; docker login, or for ECR choose the profile that may pull it"}
	case f.says("toomanyrequests", "too many requests", "rate limit"):
		return finding{ErrBaseImage, "the registry of " + image + " refuses more pulls for now", "docker login raises the limit, or wait an hour"}
	case f.says("manifest unknown", "name unknown") || f.says("not found") && f.says("docker.io/", "failed to resolve source metadata", "manifest for"):
		return finding{ErrBaseImage, image + " does not exist", "check name and tag"}
	case unreachableRegistry(f):
		return finding{ErrBaseImage, "the engine cannot reach the registry of " + image, "check the engine's network and proxy, or docker load the image"}
	}
	return finding{}
}

var metadataStep = pattern.Late(`(?:load metadata for|FROM) (\S+)`)

// baseImage names the image that a failure is about.
func baseImage(f buildFailure) string {
	if m := metadataStep().FindStringSubmatch(f.step.Name); m != nil {
		return clean(strings.TrimPrefix(strings.TrimPrefix(m[1], "docker.io/"), "library/"))
	}
	return "the base image"
}

// badDockerfile: the frontend does not take the Dockerfile.
func badDockerfile(f buildFailure) finding {
	d, parsed := parseDockerfile(filepath.Base(f.plan.file), f.plan.source)
	var told *diagnose.Error
	if errors.As(parsed, &told) {
		return finding{ErrDockerfile, told.Cause, told.Do}
	}
	if !f.says("parse error", "unknown instruction", "unknown flag", "invalid reference format", "requires exactly", "requires at least", "requires either", "failed to parse", "dockerfile") {
		return finding{}
	}
	if len(d.Problems) > 0 {
		p := d.Problems[0]
		return finding{ErrDockerfile, fmt.Sprintf("line %d: %s", p.Line.Number, p.What), p.Do}
	}
	return finding{ErrDockerfile, f.text, "correct the Dockerfile"}
}

func engineGone(f buildFailure) finding {
	if status.Code(f.err) != codes.Unavailable && !errors.Is(f.err, os.ErrClosed) {
		return finding{}
	}
	return finding{ErrStopped, "the engine went away while it built", "start it again and repeat the build; finished steps are cached"}
}

// locate is the part of the Dockerfile that a failure is about: where the
// engine says so, what gantry's own parser says, or the instruction that the
// failed step was made from.
func (p buildPlan) locate(f buildFailure) []SourceLine {
	for _, source := range errdefs.Sources(f.err) {
		for _, r := range source.Ranges {
			return sourceLines(p.source, int(r.Start.Line), int(max(r.End.Line, r.Start.Line)), 2)
		}
	}
	if _, err := parseDockerfile(p.file, p.source); err != nil {
		if line := errorLine(err); line > 0 {
			return sourceLines(p.source, line, line, 2)
		}
	}
	if first, last := p.instruction(f.step); first > 0 {
		return sourceLines(p.source, first, last, 2)
	}
	return nil
}
