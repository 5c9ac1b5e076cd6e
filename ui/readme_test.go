package ui_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"gantry/docker"
	"gantry/ui"
	"gantry/ui/uitest"
)

const readme = "../README.md"

// The README's key table is what the Commands say.
func TestReadmeKeys(t *testing.T) {
	f := ui.New(ui.Options{
		AWS:        demoCloud(),
		Connect:    func(string, string) ui.Cloud { return demoCloud() },
		Docker:     newFakeEngine(),
		OpenDocker: func(docker.Options) ui.Engine { return newFakeEngine() },
	})
	s := uitest.Run(t, f, 120, 40)
	s.Wait("batch")
	s.Type("j\r")
	s.Wait("▸ api")
	s.Type("G") // worker
	s.Wait("▸ worker")
	s.Type("k") // web, which has tasks
	s.Wait("web/01111111")
	s.Type("3")
	s.Wait("▸ empty")
	s.Type("G")
	s.Wait("▸ web")
	s.Type("\r") // its images
	s.Wait("7 latest")
	s.Type("q")
	if err := s.Ended(); err != nil {
		t.Fatal(err)
	}
	want := ui.KeyTables(f)

	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), "-update -->\n")
	got, after, found := strings.Cut(rest, "<!-- end of keys -->")
	if !found {
		t.Fatal("the README has no place for the keys")
	}
	if got == want {
		return
	}
	if flag.Lookup("update").Value.String() != "true" {
		t.Fatalf("the README's keys are not those of the Commands; go test ./ui -run ReadmeKeys -update\nwant:\n%s", want)
	}
	out := before + "-update -->\n" + want + "<!-- end of keys -->" + after
	if err := os.WriteFile(readme, []byte(out), 0o644); err != nil {
		t.Fatal(err)
	}
}
