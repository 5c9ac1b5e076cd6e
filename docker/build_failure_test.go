package docker

import (
	"errors"
	"strings"
	"testing"

	"gantry/internal/diagnose"
)

// The texts are the engines' own: 20.10, 29 (BuildKit 0.2x), classic, Podman.
func TestExplainBuild(t *testing.T) {
	dir := folder(t, map[string]string{"Dockerfile": "", "pom.xml": "", "there.txt": "", ".dockerignore": "*.txt\n!other.txt\n", "package.json": ""})
	const three = "FROM alpine\nRUN make\nCOPY a b\n"
	for _, tt := range []struct {
		name, source, step, text string
		kind                     error
		cause, does              string
		line                     int
	}{
		{"exit code, new", three, "[2/3] RUN make", `process "/bin/sh -c make" did not complete successfully: exit code: 2`, ErrBuildStep, "RUN make ended with exit code 2", "output", 2},
		{"exit code, old", three, "[2/3] RUN make", `executor failed running [/bin/sh -c make]: exit code: 127`, ErrBuildStep, "exit code 127", "missing in the image", 2},
		{"exit code, classic", three, "[2/3] RUN make", `The command '/bin/sh -c make' returned a non-zero code: 126`, ErrBuildStep, "exit code 126", "chmod", 2},
		{"out of memory", three, "[2/3] RUN make", `process "/bin/sh -c make" did not complete successfully: exit code: 137`, ErrBuildStep, "137", "memory", 2},
		{"Podman", three, "[2/3] RUN make", `building at STEP "RUN make": while running runtime: exit status 3`, ErrBuildStep, "exit code 3", "output", 2},
		{"no shell", "FROM scratch\nRUN make\n", "[1/1] RUN make", `failed to create task for container: OCI runtime create failed: exec: "/bin/sh": stat /bin/sh: no such file or directory`, ErrBuildStep, "no /bin/sh", "shell", 2},
		{"other processor", three, "[2/3] RUN make", `process "/bin/sh -c make" did not complete successfully: exec format error`, ErrBuildStep, "another processor", "emulator", 2},
		{"COPY, new", three, "[3/3] COPY a b", `failed to calculate checksum of ref abc::def: "/a": not found`, ErrBuildContext, "a is not in " + dir, "correct the path", 3},
		{"COPY, old", three, "[3/3] COPY a b", `failed to compute cache key: "/target/app.jar" not found: not found`, ErrBuildContext, "target/app.jar is not in", "mvn package", 3},
		{"COPY, dist", three, "[3/3] COPY a b", `failed to compute cache key: failed to calculate checksum of ref x: "/dist": not found`, ErrBuildContext, "dist is not in", "npm run build", 3},
		{"COPY, ignored", three, "[3/3] COPY a b", `failed to compute cache key: "/there.txt" not found: not found`, ErrBuildContext, `"*.txt" in .dockerignore`, "!there.txt", 3},
		{"COPY, classic", three, "[3/3] COPY a b", `COPY failed: file not found in build context or excluded by .dockerignore: stat a: file does not exist`, ErrBuildContext, "a is not in", "COPY", 3},
		{"COPY, from above", three, "[3/3] COPY ../a b", `failed to calculate checksum of ref x: "/a": not found`, ErrBuildContext, "a is not in", "", 3},
		{"no base image", three, "[internal] load metadata for docker.io/library/alpine:9", `docker.io/library/alpine:9: not found`, ErrBaseImage, "alpine:9 does not exist", "check name and tag", 0},
		{"base image denied", three, "[internal] load metadata for docker.io/me/x:1", `pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`, ErrBaseImage, "me/x:1 does not exist, or", "docker login", 0},
		{"no network", three, "[internal] load metadata for docker.io/library/alpine:latest", `failed to do request: Head "https://registry-1.docker.io/v2/library/alpine/manifests/latest": dial tcp: lookup registry-1.docker.io: no such host`, ErrBaseImage, "cannot reach the registry of alpine:latest", "proxy", 0},
		{"rate limit", three, "[internal] load metadata for docker.io/library/alpine:latest", `429 Too Many Requests - toomanyrequests: You have reached your pull rate limit`, ErrBaseImage, "refuses more pulls", "docker login", 0},
		{"platform", three, "[internal] load metadata for docker.io/library/alpine:latest", `no match for platform in manifest sha256:1: not found`, ErrBaseImage, "does not exist for this engine's platform", "platform", 0},
		{"syntax line", "# syntax=docker/dockerfile:1\nFROM a\n", "resolve image config for docker.io/docker/dockerfile:1", `failed to do request: Head "https://registry-1.docker.io/v2/docker/dockerfile/manifests/1": dial tcp: i/o timeout`, ErrBaseImage, "wants the image docker/dockerfile:1", "remove the line", 0},
		{"full", three, "[2/3] RUN make", `write /var/lib/docker/tmp/x: no space left on device`, ErrNoSpace, "disk is full", "prune", 2},
		{"parse error", "FROM a\nCOPYY a b\n", "", `dockerfile parse error line 2: unknown instruction: COPYY`, ErrDockerfile, "unknown instruction: COPYY", "correct", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plan := buildPlan{BuildOptions: BuildOptions{Dir: dir, Tags: []string{"x"}}, file: dir + "/Dockerfile", source: []byte(tt.source)}
			g := newGraph()
			if tt.step != "" {
				n := g.node("1")
				n.rename(tt.step)
				n.step.State, n.step.Error = StepFailed, tt.text
			}
			err := explainBuild(plan, g, errors.New("failed to solve: "+tt.text))
			var told *diagnose.Error
			if !errors.As(err, &told) || !errors.Is(err, tt.kind) || !strings.Contains(told.Cause, tt.cause) || !strings.Contains(told.Do, tt.does) {
				t.Errorf("got %v\nwant %v: %q, %q", err, tt.kind, tt.cause, tt.does)
			}
			if tt.line == 0 {
				return
			}
			if s, _ := g.snapshot().Failed(); markedLine(s) != tt.line {
				t.Errorf("points at line %d, want %d", markedLine(s), tt.line)
			}
		})
	}
}

func TestInstruction(t *testing.T) {
	plan := buildPlan{source: []byte("ARG V=1\nFROM golang:$V AS build\nWORKDIR /src\nCOPY . .\nRUN go \\\n  build\n\nFROM scratch\nCOPY --from=build /a /a\nFROM build\nRUN x\n")}
	for _, tt := range []struct {
		stage, name string
		first, last int
	}{
		{"[build 1/4]", "FROM docker.io/library/golang:1", 2, 2},
		{"[build 3/4]", "COPY . .", 4, 4},
		{"[build 4/4]", "RUN go   build", 5, 6},
		{"[linux/amd64 build 4/4]", "RUN go build", 5, 6},
		{"[stage-1 1/1]", "COPY --from=build /a /a", 9, 9},
		{"[stage-2 1/1]", "RUN x", 11, 11},
		{"[7/9]", "COPY --from=build /a /a", 9, 9}, // classic: every instruction counts
		{"[internal]", "load build context", 0, 0},
		{"[build 9/4]", "RUN x", 0, 0},
		{"", "exporting to image", 0, 0},
	} {
		first, last := plan.instruction(Step{Stage: tt.stage, Name: tt.name})
		if first != tt.first || last != tt.last {
			t.Errorf("%s %s: lines %d to %d, want %d to %d", tt.stage, tt.name, first, last, tt.first, tt.last)
		}
	}
}
