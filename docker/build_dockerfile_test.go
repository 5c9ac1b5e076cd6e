package docker

import (
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gantry/internal/diagnose"
)

// seedDockerfile is the one from the notes that gantry was made for.
const seedDockerfile = `FROM eclipse-temurin:21　# eclipseをベースとする
# RUN groupadd spring && useradd spring -g spring　#　springユーザ、グループの作成
# USER spring:spring　# ユーザをspringとする
ARG JAR_FILE=target/*.jar　# 構築時build-time にユーザが渡せる変数を定義する。
COPY ${JAR_FILE} app.jar　# Docker クライアントで操作しているディレクトリから、ファイルを（コンテナのレイヤに）追加
ENTRYPOINT ["java","-jar","/app.jar"]  # コンテナ起動時にjavaを実行する
`

func TestProblems(t *testing.T) {
	for _, tt := range []struct {
		name, source string
		want         []string // line: what → do
	}{
		{"the seed", seedDockerfile, []string{
			"1: the comment behind FROM is read as its arguments (a full-width blank (U+3000) stands before it) → FROM eclipse-temurin:21",
			"4: the comment behind ARG is read as its arguments (a full-width blank (U+3000) stands before it) → ARG JAR_FILE=target/*.jar",
			"5: the comment behind COPY is read as its arguments (a full-width blank (U+3000) stands before it) → COPY ${JAR_FILE} app.jar",
			`6: the comment behind ENTRYPOINT turns the JSON list into a shell command → ENTRYPOINT ["java","-jar","/app.jar"]`,
		}},
		{"nothing wrong", "# syntax=docker/dockerfile:1\nFROM scratch\nLABEL a=\"b # c\"\nRUN echo a # the shell's comment\nCMD echo # too\n", nil},
		{"a blank alone", "FROM　alpine\n", []string{"1: a full-width blank (U+3000) stands where a plain blank belongs; it is taken as part of a word → FROM alpine"}},
		{"a no-break space", "FROM a\nRUN apk\u00a0add curl\n", []string{"2: a no-break space (U+00A0) stands where a plain blank belongs; it is taken as part of a word → RUN apk add curl"}},
		{"in quotes", "FROM a\nRUN echo '日本　語'\nENV A=\"x　y\"\n", nil},
		{"full-width number sign", "FROM a ＃ x\n", []string{"1: the comment behind FROM is read as its arguments → FROM a"}},
		{"continued lines", "FROM a\nCOPY a \\\n  # a comment between\n  b # not one\n", []string{"4: the comment behind COPY is read as its arguments → b"}},
		{"here-documents", "FROM a\nRUN <<EOF\nFROM x # not an instruction\nEOF\nCOPY <<\"A\" /x\n# y　z\nA\nUSER x # y\n", []string{"8: the comment behind USER is read as its arguments → USER x"}},
		{"words with #", "FROM a\nCOPY a#b c\nEXPOSE 80#\n", nil},
		{"Windows line ends", "FROM a # b\r\n", []string{"1: the comment behind FROM is read as its arguments → FROM a"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, p := range problems([]byte(tt.source)) {
				_, does, _ := strings.Cut(p.Do, ": ")
				got = append(got, strings.Join([]string{strconv.Itoa(p.Line.Number) + ": " + p.What, does}, " → "))
			}
			if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

func FuzzParseDockerfile(f *testing.F) {
	f.Add([]byte(seedDockerfile))
	f.Add([]byte("FROM a AS b\nRUN <<EOF\nx\nEOF\n"))
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = parseDockerfile("Dockerfile", data) })
}

func TestReadDockerfile(t *testing.T) {
	dir := folder(t, map[string]string{
		"Dockerfile": "ARG VERSION=21\nARG EMPTY\nFROM golang:$VERSION AS build\nARG VERSION\nARG TAGS=\"a b\"\nRUN true\n\nFROM scratch\nFROM build as last\n",
		"bad":        "FROM a b c d\n",
		"seed":       seedDockerfile,
	})
	d, err := ReadDockerfile(filepath.Join(dir, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	if want := []BuildArg{{"VERSION", "21"}, {"EMPTY", ""}, {"TAGS", "a b"}}; len(d.Args) != 3 || d.Args[0] != want[0] || d.Args[1] != want[1] || d.Args[2] != want[2] {
		t.Errorf("args: %+v", d.Args)
	}
	if len(d.Stages) != 3 || d.Stages[0] != (BuildStage{"build", "golang:$VERSION", 3}) || d.Stages[1] != (BuildStage{"1", "scratch", 8}) || d.Stages[2].Name != "last" {
		t.Errorf("stages: %+v", d.Stages)
	}
	for name, want := range map[string]string{"bad": "line 1: FROM takes an image", "seed": "line 1: the comment behind FROM", "none": "no such file", ".": "is a folder"} {
		_, err := ReadDockerfile(filepath.Join(dir, name))
		var told *diagnose.Error
		if !errors.As(err, &told) || !strings.Contains(told.Cause, want) || told.Do == "" {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

func TestDockerfiles(t *testing.T) {
	dir := folder(t, map[string]string{
		"Dockerfile": "", "Dockerfile.dev": "", "api/Dockerfile": "", "web.dockerfile": "", "Dockerfile.dockerignore": "", "a/b/c/Containerfile": "",
		"a/b/c/d/Dockerfile": "", "node_modules/x/Dockerfile": "", "Dockerfiles.md": "", "readme": "",
	})
	found, err := Dockerfiles(dir)
	if want := "Dockerfile Dockerfile.dev web.dockerfile api/Dockerfile a/b/c/Containerfile"; err != nil || strings.Join(found, " ") != want {
		t.Errorf("got %v, %v\nwant %s", found, err, want)
	}
	if _, err := Dockerfiles(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("a folder that is not there has none")
	}
}

func TestBuildPlan(t *testing.T) {
	dir := folder(t, map[string]string{
		"ok/Dockerfile": "FROM scratch AS base\nFROM base\n", "pod/Containerfile": "FROM scratch\n", "empty/Dockerfile": " \n",
		"deep/api/Dockerfile": "FROM scratch\n", "none/file": "", "odd/Dockerfile/file": "",
	})
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, tt := range []struct {
		name        string
		options     BuildOptions
		kind        error
		cause, does string
	}{
		{"fine", BuildOptions{Dir: at("ok"), Tags: []string{"web:1"}, Platform: "linux/arm64", Target: "BASE"}, nil, "", ""},
		{"a stage's number", BuildOptions{Dir: at("ok"), Target: "1"}, nil, "", ""},
		{"Containerfile", BuildOptions{Dir: at("pod")}, nil, "", ""},
		{"no folder given", BuildOptions{}, ErrBuildContext, "no folder", "choose"},
		{"no such folder", BuildOptions{Dir: at("nowhere")}, ErrBuildContext, "no such file", "exists"},
		{"a file", BuildOptions{Dir: at("ok/Dockerfile")}, ErrBuildContext, "is a file", at("ok")},
		{"no Dockerfile", BuildOptions{Dir: at("none")}, ErrDockerfile, "there is no Dockerfile in " + at("none"), "write one"},
		{"a Dockerfile below", BuildOptions{Dir: at("deep")}, ErrDockerfile, "there is no Dockerfile", "api/Dockerfile"},
		{"another name", BuildOptions{Dir: at("ok"), Dockerfile: "Dockerfile.dev"}, ErrDockerfile, "there is no Dockerfile.dev", "Dockerfile"},
		{"a folder of that name", BuildOptions{Dir: at("odd")}, ErrDockerfile, "is a folder", ""},
		{"empty", BuildOptions{Dir: at("empty")}, ErrDockerfile, "is empty", "FROM"},
		{"bad name", BuildOptions{Dir: at("ok"), Tags: []string{"Web:1"}}, ErrInvalid, `"Web:1" is no image name`, "lower case"},
		{"bad platform", BuildOptions{Dir: at("ok"), Platform: "a/b/c/d"}, ErrInvalid, "is no platform", "linux/amd64"},
		{"bad target", BuildOptions{Dir: at("ok"), Target: "tests"}, ErrDockerfile, `no stage "tests"`, "base, 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.options.plan()
			var told *diagnose.Error
			switch {
			case tt.kind == nil && err != nil:
				t.Error(err)
			case tt.kind == nil:
			case !errors.As(err, &told), !errors.Is(err, tt.kind), !strings.Contains(told.Cause, tt.cause), !strings.Contains(told.Do, tt.does):
				t.Errorf("got %v, want %v: %q, %q", err, tt.kind, tt.cause, tt.does)
			}
		})
	}
}
