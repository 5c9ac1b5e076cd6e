package main

import (
	"os/exec"
	"strings"
	"testing"
)

// The house's rules: a package that matches from must not depend, however far
// away, on one that starts with any of never.
var rules = []struct {
	from  string
	never []string
}{
	{"gantry/aws", []string{"gantry/ui", "gantry/docker", "charm.land", "github.com/moby", "github.com/docker"}},
	{"gantry/docker", []string{"gantry/ui", "gantry/aws", "charm.land", "github.com/aws"}},
	{"gantry/internal/diagnose", []string{"gantry/"}},
	{"gantry/ui/pane", []string{"gantry/"}},
	{"gantry/ui/style", []string{"gantry/"}},
	{"gantry/ui/table", []string{"gantry/aws", "gantry/docker", "gantry/ui/text", "gantry/ui/term"}},
	{"gantry/ui/text", []string{"gantry/aws", "gantry/docker", "gantry/ui/table", "gantry/ui/term"}},
	{"gantry/ui/term", []string{"gantry/aws", "gantry/docker", "gantry/ui/table", "gantry/ui/text"}},
	{"gantry/ui/lineage", []string{"gantry/ui/pane", "gantry/ui/style", "gantry/ui/table", "gantry/ui/text", "charm.land"}},
}

// direct are rules about a package's own imports only.
var direct = []struct {
	from, never string
	except      []string
}{
	{"gantry/ui", "github.com/aws/", nil},
	{"gantry/ui", "github.com/moby/", nil},
	{"gantry/ui", "github.com/docker/", nil},
	{"gantry/internal", "github.com/aws/", nil},
	{"gantry/ui", "gantry/aws/sandbox", nil},
	{"gantry/aws", "gantry/aws/sandbox", []string{"gantry/aws/sandbox"}},
}

func TestImports(t *testing.T) {
	for name, p := range packages(t) {
		for _, r := range rules {
			if name != r.from && !strings.HasPrefix(name, r.from+"/") {
				continue
			}
			for _, dep := range p.deps {
				if dep != name && !strings.HasPrefix(dep, r.from) && startsWithAny(dep, r.never) {
					t.Errorf("%s depends on %s", name, dep)
				}
			}
		}
		for _, r := range direct {
			if name != r.from && !strings.HasPrefix(name, r.from+"/") || startsWithAny(name, r.except) {
				continue
			}
			for _, dep := range p.imports {
				if strings.HasPrefix(dep, r.never) {
					t.Errorf("%s imports %s", name, dep)
				}
			}
		}
	}
}

// The stack on top of everything is main alone.
func TestNobodyImportsMain(t *testing.T) {
	for name, p := range packages(t) {
		for _, dep := range p.imports {
			if dep == "gantry" {
				t.Errorf("%s imports main", name)
			}
		}
	}
}

type listed struct{ imports, deps []string }

func packages(t *testing.T) map[string]listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.ImportPath}}|{{join .Imports \",\"}}|{{join .Deps \",\"}}", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	ps := map[string]listed{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.TrimSpace(line), "|")
		ps[fields[0]] = listed{strings.Split(fields[1], ","), strings.Split(fields[2], ",")}
	}
	return ps
}

func startsWithAny(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}
