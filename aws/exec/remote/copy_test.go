//go:build unix

package remote

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"gantry/internal/diagnose"
)

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

func write(t *testing.T, name string, data []byte, mode fs.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
}

// sameFile wants a file with that content and mode.
func sameFile(t *testing.T, name string, data []byte, mode fs.FileMode) {
	t.Helper()
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, data) {
		t.Errorf("%q has %d bytes of other content, want %d", name, len(got), len(data))
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != mode {
		t.Errorf("%q has mode %v, want %v", name, info.Mode(), mode)
	}
}

// nothingLeft wants no incomplete copy in a folder.
func nothingLeft(t *testing.T, dir string) {
	t.Helper()
	if left, _ := filepath.Glob(filepath.Join(dir, ".gantry-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// last is a Report that keeps what it heard last, and checks its order.
func last(t *testing.T, done, total *int64) Report {
	return func(d, n int64) {
		if d < *done {
			t.Errorf("%d bytes after %d", d, *done)
		}
		*done, *total = d, n
	}
}

// there and back again.
func roundTrip(t *testing.T, m *machine, s *Shell, data []byte) {
	t.Helper()
	here := t.TempDir()
	write(t, here+"/up", data, 0o751)
	var done, total int64
	up, err := s.Upload(within(t), here+"/up", "copied", last(t, &done, &total))
	if err != nil {
		t.Fatal(err)
	}
	sameFile(t, m.dir+"/copied", data, 0o751)
	n := int64(len(data))
	if up.Files != 1 || up.Bytes != n || len(data) > 0 && (done != n || total != n) {
		t.Errorf("up: %+v, reported %d of %d", up, done, total)
	}
	done = 0
	down, err := s.Download(within(t), "copied", here, last(t, &done, &total))
	if err != nil {
		t.Fatal(err)
	}
	if !s.tools["stat"] { // that it can be executed is all there is to know
		must(t, os.Chmod(here+"/copied", 0o751))
	}
	sameFile(t, here+"/copied", data, 0o751)
	if !s.tools["wc"] {
		total = n // or unknown
	}
	if down.Files != 1 || down.Bytes != n || len(data) > 0 && (done != n || total != n) {
		t.Errorf("down: %+v, reported %d of %d", down, done, total)
	}
	nothingLeft(t, m.dir)
	nothingLeft(t, here)
}

func TestCopyAFile(t *testing.T) {
	eachShell(t, func(t *testing.T, m *machine) {
		s := m.open(t)
		for _, data := range [][]byte{nil, {0}, []byte("one line\n"), []byte("\x04\x03\r\n%\n\xff"), random(100_001)} {
			roundTrip(t, m, s, data)
		}
	})
}

func TestCopyOverABadNetwork(t *testing.T) {
	eachShell(t, func(t *testing.T, m *machine) {
		roundTrip(t, m, m.overNetwork(t), random(1<<20))
	})
}

// lacking are containers without some of the tools.
var lacking = map[string][]string{
	"stty":               {"stty"},
	"base64":             {"base64"},
	"base64 and stty":    {"base64", "stty"},
	"tee":                {"tee"},
	"sha256sum":          {"sha256sum"},
	"checksums":          {"sha256sum", "cksum"},
	"checksums and stty": {"sha256sum", "cksum", "stty"},
	"cat":                {"cat"},
	"stat":               {"stat"},
	"wc":                 {"wc"},
	"tar":                {"tar"},
	"tar and base64":     {"tar", "base64"},
	"almost everything":  {"tar", "base64", "tee", "sha256sum", "cksum", "stty", "cat", "stat", "wc"},
}

func TestCopyWithFewTools(t *testing.T) {
	for name, missing := range lacking {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for shell, argv := range map[string][]string{"sh": shells["sh"], "busybox": shells["busybox"]} {
				t.Run(shell, func(t *testing.T) {
					m := newMachine(t, argv)
					if shell == "busybox" {
						m.only(t, busyboxTools...)
					} else {
						m.without(t, missing...)
					}
					s := m.open(t)
					for _, tool := range missing { // busybox finds its own tools wherever it is
						delete(s.tools, tool)
					}
					roundTrip(t, m, s, random(20_001))
					folderRoundTrip(t, m, s)
				})
			}
		})
	}
}

// names that have gone wrong somewhere.
var names = []string{
	"plain", "with blank", " leading", "trailing ", "-rf", "--help", "it's", `"quoted"`, "new\nline", "tab\t", "$HOME", "`id`", "a;b&c|d",
	"back\\slash", "*", "?", "[a]", "~", "#", "%s", "日本", "caf\xe9", "\xff\xfe", ".hidden", "..two", "...", "x.", "esc\x1b[31m", "bell\x07",
	strings.Repeat("long", 60),
}

func TestCopyOddNames(t *testing.T) {
	eachShell(t, func(t *testing.T, m *machine) {
		s := m.open(t)
		for _, name := range names {
			here, data := t.TempDir(), []byte("content of "+name)
			write(t, here+"/"+name, data, 0o644)
			if _, err := s.Upload(within(t), here+"/"+name, "./", nil); err != nil {
				t.Fatalf("%q: %v", name, err)
			}
			sameFile(t, m.dir+"/"+name, data, 0o644)
			back := t.TempDir()
			if _, err := s.Download(within(t), name, back, nil); err != nil {
				t.Fatalf("%q: %v", name, err)
			}
			sameFile(t, back+"/"+name, data, 0o644)
		}
	})
}

// tree is a folder as a map of its paths; a folder has no content.
type tree map[string]string

func oddTree() tree {
	all := tree{"deep/er/and deeper/file": "deep", "empty": "", "exec": "#!/bin/sh\n", "closed/file": "in it", "nothing/": ""}
	for _, name := range names {
		all["odd/"+name] = "content of " + name
		all["folders/"+name+"/x"] = name
	}
	return all
}

func (all tree) make(t *testing.T, dir string) {
	t.Helper()
	for name, content := range all {
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(dir+"/"+name, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		mode := fs.FileMode(0o640)
		if name == "exec" {
			mode = 0o755
		}
		write(t, dir+"/"+name, []byte(content), mode)
	}
	if err := os.Chmod(dir+"/closed", 0o500); err != nil {
		t.Fatal(err)
	}
	reopenAtEnd(t, dir+"/closed")
}

// reopenAtEnd lets the test's folder be removed with what a closed one holds.
func reopenAtEnd(t *testing.T, closed string) {
	t.Cleanup(func() {
		if err := os.Chmod(closed, 0o700); err != nil {
			t.Error(err)
		}
	})
}

// same wants the tree in a folder, and nothing else.
func (all tree) same(t *testing.T, dir string) {
	t.Helper()
	reopenAtEnd(t, dir+"/closed")
	found := tree{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		if d.Type().IsRegular() {
			data, err := os.ReadFile(path)
			found[rel] = string(data)
			return err
		}
		if left, _ := os.ReadDir(path); len(left) == 0 {
			found[rel+"/"] = ""
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(all, found) {
		for name := range all {
			if _, ok := found[name]; !ok {
				t.Errorf("%q is missing", name)
			}
		}
		for name := range found {
			if _, ok := all[name]; !ok {
				t.Errorf("%q is too much", name)
			}
		}
		t.Errorf("the folders differ: %d entries, want %d", len(found), len(all))
	}
}

// keptModes wants the modes in a folder that make gave.
func keptModes(t *testing.T, dir string) {
	t.Helper()
	for name, want := range map[string]fs.FileMode{"exec": 0o755, "empty": 0o640, "closed": fs.ModeDir | 0o500} {
		info, err := os.Stat(dir + "/" + name)
		if err != nil {
			t.Error(err)
		} else if info.Mode() != want {
			t.Errorf("%s: %v, want %v", name, info.Mode(), want)
		}
	}
}

func folderRoundTrip(t *testing.T, m *machine, s *Shell) {
	t.Helper()
	here, all := t.TempDir(), oddTree()
	all.make(t, here+"/some folder")
	up, err := s.Upload(within(t), here+"/some folder", "the folder", nil)
	if err != nil {
		t.Fatal(err)
	}
	all.same(t, m.dir+"/the folder")
	keptModes(t, m.dir+"/the folder")
	down, err := s.Download(within(t), "the folder/", here, nil)
	if err != nil {
		t.Fatal(err)
	}
	all.same(t, here+"/the folder")
	if s.tools["stat"] || s.tools["tar"] {
		keptModes(t, here+"/the folder")
	}
	if up.Files != len(all)-1 || down.Files != up.Files || up.Bytes != down.Bytes || up.Skipped != nil || down.Skipped != nil {
		t.Errorf("up %+v, down %+v, want %d files", up, down, len(all)-1)
	}
	nothingLeft(t, m.dir)
	nothingLeft(t, here)
}

func TestCopyAFolder(t *testing.T) {
	eachShell(t, func(t *testing.T, m *machine) { folderRoundTrip(t, m, m.open(t)) })
}

// Links and devices are neither followed nor copied, on either side.
func TestCopySkipsLinksAndPipes(t *testing.T) {
	for name, missing := range map[string][]string{"tar": {}, "no tar": {"tar"}} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, shells["sh"])
			m.without(t, missing...)
			s := m.open(t)
			here := t.TempDir()
			for _, dir := range []string{here + "/up", m.dir + "/down"} {
				write(t, dir+"/file", []byte("x"), 0o644)
				must(t, os.Symlink("/etc/passwd", dir+"/link"))
				must(t, os.Symlink("/etc", dir+"/folder"))
				must(t, syscall.Mkfifo(dir+"/pipe", 0o600))
			}
			if _, err := s.Upload(within(t), here+"/up", "", nil); err == nil {
				t.Error("copied to a path without a name")
			}
			up, err := s.Upload(within(t), here+"/up", ".", nil)
			if err != nil {
				t.Fatal(err)
			}
			down, err := s.Download(within(t), "down", here, nil)
			if err != nil {
				t.Fatal(err)
			}
			for where, copied := range map[string]Copied{m.dir + "/up": up, here + "/down": down} {
				if left, _ := os.ReadDir(where); len(left) != 1 || copied.Files != 1 || len(copied.Skipped) != 3 {
					t.Errorf("%s: %v, %+v", where, left, copied)
				}
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestCopyIsRefused(t *testing.T) {
	eachShell(t, func(t *testing.T, m *machine) {
		s := m.open(t)
		here := t.TempDir()
		for _, dir := range []string{here, m.dir} {
			write(t, dir+"/file", []byte("old"), 0o644)
			write(t, dir+"/folder/file/x", []byte("old"), 0o644)
			write(t, dir+"/other/x", []byte("new"), 0o644)
		}
		up := func(src, dst string) error { _, err := s.Upload(within(t), here+"/"+src, dst, nil); return err }
		down := func(src, dst string) error { _, err := s.Download(within(t), src, here+"/"+dst, nil); return err }
		for name, tt := range map[string]struct {
			copy     func(src, dst string) error
			src, dst string
			cause    string
		}{
			"up: no source":            {up, "missing", "x", "no such file"},
			"up: no folder":            {up, "file", "missing/x", "there is no folder missing"},
			"up: no folder to be in":   {up, "file", "missing/", "missing/ is no folder"},
			"up: file over folder":     {up, "file", "folder", "a file cannot replace it"},
			"up: folder over file":     {up, "other", "file", "a folder replaces nothing"},
			"up: folder over folder":   {up, "other", ".", "a folder replaces nothing"},
			"up: into a file":          {up, "file", "file/x", "there is no folder file"},
			"up: not writable":         {up, "file", "/proc/x", "mkdir"},
			"down: no source":          {down, "missing", "x", "there is no such file"},
			"down: device":             {down, "/dev/null", "x", "neither a file nor a folder"},
			"down: no folder":          {down, "file", "missing/x", "no such file"},
			"down: no folder to be in": {down, "file", "missing/", "is no folder here"},
			"down: file over folder":   {down, "file", "folder", "a file cannot replace it"},
			"down: folder over file":   {down, "other", "file", "a folder replaces nothing"},
			"down: folder over folder": {down, "other", "", "a folder replaces nothing"},
			"down: no name":            {down, "/", "", "there is no name for the copy"},
		} {
			err := tt.copy(tt.src, tt.dst)
			var told *diagnose.Error
			if !errors.As(err, &told) || !strings.Contains(told.Cause, tt.cause) {
				t.Errorf("%s: got %v, want %q", name, err, tt.cause)
			}
		}
		for _, dir := range []string{here, m.dir} {
			sameFile(t, dir+"/file", []byte("old"), 0o644)
			nothingLeft(t, dir)
		}
	})
}

func TestCopyReplacesAFile(t *testing.T) {
	eachShell(t, func(t *testing.T, m *machine) {
		s := m.open(t)
		here := t.TempDir()
		write(t, here+"/a", []byte("new"), 0o600)
		write(t, m.dir+"/b", []byte("old"), 0o644)
		write(t, here+"/b", []byte("old"), 0o644)
		if _, err := s.Upload(within(t), here+"/a", "b", nil); err != nil {
			t.Fatal(err)
		}
		sameFile(t, m.dir+"/b", []byte("new"), 0o600)
		if _, err := s.Download(within(t), "b", here, nil); err != nil {
			t.Fatal(err)
		}
		sameFile(t, here+"/b", []byte("new"), 0o600)
	})
}

func TestCopyIsCanceled(t *testing.T) {
	for name, missing := range map[string][]string{"base64": nil, "printf": {"base64"}} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, shells["sh"])
			m.without(t, missing...)
			here := t.TempDir()
			write(t, here+"/big", random(4<<20), 0o644)
			write(t, m.dir+"/big", random(4<<20), 0o644)
			stop := func(cancel func()) Report {
				return func(done, _ int64) {
					if done > 100_000 {
						cancel()
					}
				}
			}
			ctx, cancel := context.WithCancel(within(t))
			s := m.open(t)
			if _, err := s.Upload(ctx, here+"/big", "up", stop(cancel)); !errors.Is(err, context.Canceled) {
				t.Errorf("up: %v", err)
			}
			ctx, cancel = context.WithCancel(within(t))
			s = m.open(t)
			if _, err := s.Download(ctx, "big", here+"/down", stop(cancel)); !errors.Is(err, context.Canceled) {
				t.Errorf("down: %v", err)
			}
			for _, dir := range []string{here, m.dir} {
				nothingLeft(t, dir)
				if left, _ := os.ReadDir(dir); len(left) != 1 {
					t.Errorf("%s holds %v", dir, left)
				}
			}
		})
	}
}

// A container sends whatever it likes in the place of an archive.
func TestHostileArchives(t *testing.T) {
	file := func(name string) *tar.Header {
		return &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: 1, Mode: 0o4777}
	}
	for name, tt := range map[string]struct {
		headers []*tar.Header
		refused bool
		files   int
		skipped int
	}{
		"climbs":       {[]*tar.Header{file("../evil")}, true, 0, 0},
		"climbs later": {[]*tar.Header{file("./a/../../evil")}, true, 0, 0},
		"absolute":     {[]*tar.Header{file("/tmp/evil")}, true, 0, 0},
		"folder":       {[]*tar.Header{{Typeflag: tar.TypeDir, Name: "../evil/"}}, true, 0, 0},
		"link": {[]*tar.Header{
			{Typeflag: tar.TypeSymlink, Name: "./a", Linkname: "/tmp"}, {Typeflag: tar.TypeLink, Name: "./b", Linkname: "/etc/passwd"}, file("./a/evil"),
		}, false, 1, 2},
		"devices": {[]*tar.Header{
			{Typeflag: tar.TypeChar, Name: "./null"}, {Typeflag: tar.TypeBlock, Name: "./sda"}, {Typeflag: tar.TypeFifo, Name: "./pipe"},
		}, false, 0, 3},
		"twice":            {[]*tar.Header{file("./a"), file("./a")}, true, 1, 0},
		"file then folder": {[]*tar.Header{file("./a"), file("./a/b")}, true, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var archive bytes.Buffer
			w := tar.NewWriter(&archive)
			for _, h := range tt.headers {
				must(t, w.WriteHeader(h))
				_, err := w.Write(make([]byte, h.Size))
				must(t, err)
			}
			must(t, w.Close())
			dir := t.TempDir()
			must(t, os.Mkdir(dir+"/in", 0o700))
			root, err := os.OpenRoot(dir + "/in")
			must(t, err)
			defer root.Close()
			x := &extraction{root: root, count: &tally{}}
			err = errors.Join(x.unpack(&archive), x.finish())
			if (err != nil) != tt.refused || x.count.Files != tt.files || len(x.count.Skipped) != tt.skipped {
				t.Errorf("%v, %+v", err, x.count.Copied)
			}
			if left, _ := os.ReadDir(dir); len(left) != 1 {
				t.Errorf("written outside: %v", left)
			}
			if info, err := os.Lstat(dir + "/in/a"); err == nil && info.Mode()&(fs.ModeSetuid|fs.ModeSymlink) != 0 {
				t.Errorf("mode is %v", info.Mode())
			}
		})
	}
}

func FuzzExtraction(f *testing.F) {
	f.Add([]byte("not an archive"))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		root, err := os.OpenRoot(dir)
		must(t, err)
		defer root.Close()
		x := &extraction{root: root, count: &tally{}}
		_ = x.unpack(bytes.NewReader(data))
	})
}
