package docker

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"gantry/internal/diagnose"
	"gantry/internal/pattern"
)

// SourceLine is a line of a Dockerfile.
type SourceLine struct {
	Number int // from 1
	Text   string
	Marked bool // the line is meant; others are its surroundings
}

// Dockerfile is what a form wants to know about one before a build.
type Dockerfile struct {
	Path   string // as it was asked for
	Args   []BuildArg
	Stages []BuildStage
	// Problems are lines that build, or fail to, in a way nobody meant.
	Problems []DockerfileProblem
}

// BuildArg is an ARG that a build can be given a value for.
type BuildArg struct {
	Name    string
	Default string // "" also when it has none
}

// BuildStage is a FROM; its name or number can be a build's target.
type BuildStage struct {
	Name string // "builder", or the number from 0 when it has no name
	Base string // "eclipse-temurin:21", "scratch"
	Line int    // number of the FROM line
}

// DockerfileProblem is a line that does not say what it seems to say.
type DockerfileProblem struct {
	Line SourceLine
	What string // "the comment is taken as arguments of FROM"
	Do   string // the line as it should be
}

// maxDockerfile bounds what is read of a file that may be anything.
const maxDockerfile = 1 << 20

// maxFolders bounds the search for Dockerfiles in a large tree.
const maxFolders = 2000

// skipFolders hold other people's Dockerfiles.
var skipFolders = []string{"node_modules", "vendor", ".git", "target", "dist", ".venv", "venv", "__pycache__"}

// Dockerfiles are the files below dir, at most three folders deep, that look
// like Dockerfiles by their name: Dockerfile, Containerfile, Dockerfile.dev,
// api.Dockerfile. Paths are relative to dir, the nearest first.
func Dockerfiles(dir string) ([]string, error) {
	var found []string
	folders := 0
	root := filepath.Clean(dir)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			if path == root {
				return err
			}
			return nil // a folder that cannot be read hides nothing else
		}
		rel, _ := filepath.Rel(root, path)
		if entry.IsDir() {
			folders++
			return enter(rel, entry.Name(), folders)
		}
		if isDockerfileName(entry.Name()) {
			found = append(found, rel)
		}
		return nil
	})
	if err != nil {
		return nil, &diagnose.Error{What: "look for Dockerfiles in " + dir, Cause: reason(err), Do: "choose another folder", Err: err}
	}
	slices.SortStableFunc(found, nearest)
	return found, nil
}

// enter says whether the search goes into a folder.
func enter(rel, name string, folders int) error {
	depth := strings.Count(rel, string(filepath.Separator))
	switch {
	case rel == ".":
		return nil
	case folders > maxFolders:
		return filepath.SkipAll
	case depth >= 3, slices.Contains(skipFolders, name):
		return filepath.SkipDir
	}
	return nil
}

func isDockerfileName(name string) bool {
	lower := strings.ToLower(name)
	if strings.HasSuffix(lower, ".dockerignore") {
		return false
	}
	for _, n := range []string{"dockerfile", "containerfile"} {
		if lower == n || strings.HasPrefix(lower, n+".") || strings.HasSuffix(lower, "."+n) {
			return true
		}
	}
	return false
}

// nearest orders paths: fewer folders first, plain Dockerfile before others.
func nearest(a, b string) int {
	rank := func(p string) int {
		r := 2 * strings.Count(p, string(filepath.Separator))
		if filepath.Base(p) != "Dockerfile" {
			r++
		}
		return r
	}
	if d := rank(a) - rank(b); d != 0 {
		return d
	}
	return strings.Compare(a, b)
}

// reason is the system's own word for a failed file operation.
func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Path + ": " + path.Err.Error()
	}
	return err.Error()
}

// ReadDockerfile reads and parses a Dockerfile. When it does not parse, the
// error names the line, and the Dockerfile still carries its Problems.
func ReadDockerfile(path string) (Dockerfile, error) {
	data, err := readDockerfile(path)
	if err != nil {
		return Dockerfile{Path: path}, &diagnose.Error{What: "read " + path, Cause: reason(err), Do: "name another Dockerfile", Err: err}
	}
	return parseDockerfile(path, data)
}

func readDockerfile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	switch {
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder", path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a plain file", path)
	case info.Size() > maxDockerfile:
		return nil, fmt.Errorf("%s has %d bytes; that is no Dockerfile", path, info.Size())
	}
	return os.ReadFile(path) //nolint:gosec // the user chose the file
}

// parseDockerfile reads stages and arguments.
func parseDockerfile(path string, data []byte) (Dockerfile, error) {
	d := Dockerfile{Path: path, Problems: problems(data)}
	all, err := readInstructions(data)
	if err != nil {
		return d, d.explainParse(data, err)
	}
	known := map[string]bool{}
	for _, in := range all {
		switch in.keyword {
		case "FROM":
			stage, err := fromStage(in, len(d.Stages))
			if err != nil {
				return d, d.explainParse(data, err)
			}
			d.Stages = append(d.Stages, stage)
		case "ARG":
			d.addArgs(known, in.words)
		}
	}
	return d, nil
}

// fromStage reads FROM image [AS name].
func fromStage(in instruction, number int) (BuildStage, error) {
	stage := BuildStage{Name: strconv.Itoa(number), Line: in.first}
	switch {
	case len(in.words) == 1:
	case len(in.words) == 3 && strings.EqualFold(in.words[1], "AS"):
		stage.Name = in.words[2]
	default:
		return stage, fmt.Errorf("line %d: FROM takes an image, or an image AS a name", in.first)
	}
	stage.Base = in.words[0]
	return stage, nil
}

// addArgs adds arguments that are new. An ARG without a value below a FROM
// repeats a global one.
func (d *Dockerfile) addArgs(known map[string]bool, words []string) {
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		if known[name] {
			continue
		}
		known[name] = true
		d.Args = append(d.Args, BuildArg{Name: name, Default: strings.Trim(value, `"'`)})
	}
}

// explainParse tells a parser's error. A line that is known to mislead is the
// likelier cause than what the parser makes of it.
func (d *Dockerfile) explainParse(data []byte, err error) error {
	what := "read " + d.Path
	line := errorLine(err)
	for _, p := range d.Problems {
		if line == 0 || p.Line.Number == line {
			return &diagnose.Error{What: what, Cause: fmt.Sprintf("line %d: %s", p.Line.Number, p.What), Do: p.Do, Err: err}
		}
	}
	cause := firstLine(lineInError().ReplaceAllString(err.Error(), ""))
	if line == 0 {
		return &diagnose.Error{What: what, Cause: cause, Do: "correct the Dockerfile", Err: err}
	}
	for _, l := range sourceLines(data, line, line, 0) {
		return &diagnose.Error{What: what, Cause: fmt.Sprintf("line %d: %s", line, cause), Do: "correct the line: " + l.Text, Err: err}
	}
	return &diagnose.Error{What: what, Cause: fmt.Sprintf("line %d: %s", line, cause), Do: "correct that line", Err: err}
}

var lineInError = pattern.Late(`(?:on )?line (\d+): ?`)

// errorLine is the line that a parser's error is about, 0 if it names none.
func errorLine(err error) int {
	var at *parser.LocationError
	if errors.As(err, &at) {
		for _, ranges := range at.Locations {
			for _, r := range ranges {
				return r.Start.Line
			}
		}
	}
	n := 0
	if m := lineInError().FindStringSubmatch(err.Error()); m != nil {
		_, _ = fmt.Sscan(m[1], &n)
	}
	return n
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// sourceLines cuts lines first to last out of a file, marked, with around
// lines before and behind.
func sourceLines(data []byte, first, last, around int) []SourceLine {
	var out []SourceLine
	scanner := bufio.NewScanner(bytes.NewReader(data))
	scanner.Buffer(nil, maxDockerfile+1)
	for number := 1; scanner.Scan(); number++ {
		if number < first-around || number > last+around {
			continue
		}
		out = append(out, SourceLine{Number: number, Text: strings.TrimRight(scanner.Text(), "\r"), Marked: number >= first && number <= last})
	}
	return out
}
