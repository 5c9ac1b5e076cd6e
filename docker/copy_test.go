package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// archive answers a copy with entries, whatever they say.
func archive(t *testing.T, stat string, entries ...tar.Header) http.HandlerFunc {
	t.Helper()
	var body bytes.Buffer
	w := tar.NewWriter(&body)
	for _, header := range entries {
		text := ""
		if header.Typeflag == tar.TypeReg {
			text = "text of " + header.Name
			header.Size = int64(len(text))
		}
		if err := w.WriteHeader(&header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Docker-Container-Path-Stat", base64.StdEncoding.EncodeToString([]byte(stat)))
		_, _ = w.Write(body.Bytes())
	}
}

func file(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644} }

func dir(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: 0o755} }

// directory is the stat of a directory d, as Go writes file modes.
const directory = `{"name":"d","size":4096,"mode":2147484141}`

func TestCopyOutOfAMaliciousArchive(t *testing.T) {
	link := tar.Header{Name: "d/link", Typeflag: tar.TypeSymlink, Linkname: "/etc"}
	for name, test := range map[string]struct {
		stat    string
		entries []tar.Header
		want    []string // paths below the destination; nil: refused
	}{
		"as it should be":    {directory, []tar.Header{dir("d/"), file("d/a"), file("d/x/b")}, []string{"d/a", "d/x/b"}},
		"climbs out":         {directory, []tar.Header{dir("d/"), file("d/../../evil")}, nil},
		"climbs at once":     {directory, []tar.Header{file("../evil")}, nil},
		"climbs to d":        {directory, []tar.Header{file("d/../d/a")}, []string{"d/a"}},
		"absolute":           {directory, []tar.Header{file("/evil")}, []string{"d/evil"}},
		"another top":        {directory, []tar.Header{file("other/evil")}, []string{"d/other/evil"}},
		"through a link":     {directory, []tar.Header{dir("d/"), link, file("d/link/passwd")}, []string{"d/link/passwd"}},
		"twice":              {directory, []tar.Header{file("d/a"), file("d/a")}, nil},
		"a file as a folder": {directory, []tar.Header{file("d/a"), file("d/a/b")}, nil},
		"a name that climbs": {`{"name":"../evil","mode":420}`, []tar.Header{file("evil")}, nil},
		"the root":           {`{"name":"/","mode":2147484141}`, []tar.Header{dir("/"), file("/a"), file("etc/b")}, []string{"rootfs/a", "rootfs/etc/b"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := fake(t, "1.41", map[string]http.HandlerFunc{"/v1.41/containers/web/archive": archive(t, test.stat, test.entries...)})
			c := e.client(t, Options{})
			parent := t.TempDir()
			dst := filepath.Join(parent, "dst")
			if err := os.Mkdir(dst, 0o700); err != nil {
				t.Fatal(err)
			}
			_, err := c.CopyOut(t.Context(), "web", "/d", dst, nil)
			got := regular(t, parent)
			if test.want == nil {
				told(t, err, nil, "copy /d out of web")
				if len(got) != 0 {
					t.Errorf("a refused copy left %q", got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Join(test.want, " ")
			if strings.Join(got, " ") != strings.ReplaceAll("dst/"+want, " ", " dst/") {
				t.Errorf("wrote %q, want %q", got, want)
			}
		})
	}
}

// regular lists what is below a directory and is none.
func regular(t *testing.T, root string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(root, path)
			found = append(found, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestCopyOutOfAnEngineThatGoesAway(t *testing.T) {
	e := fake(t, "1.41", nil)
	e.mux.HandleFunc("/v1.41/containers/web/archive", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Docker-Container-Path-Stat", base64.StdEncoding.EncodeToString([]byte(`{"name":"big","size":1000000,"mode":420}`)))
		if r.Method == http.MethodHead {
			return
		}
		out := tar.NewWriter(w)
		_ = out.WriteHeader(&tar.Header{Name: "big", Typeflag: tar.TypeReg, Size: 1_000_000, Mode: 0o644})
		_, _ = out.Write(make([]byte, 70_000))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	c := e.client(t, Options{})
	dst, stopped := t.TempDir(), make(chan struct{})
	stop := sync.OnceFunc(func() {
		go func() {
			defer close(stopped)
			e.stop()
		}()
	})
	_, err := c.CopyOut(t.Context(), "web", "/big", dst, func(done, total int64) {
		if done >= 70_000 && total == 1_000_000 {
			stop()
		}
	})
	<-stopped
	told(t, err, nil, "copy /big out of web")
	if left := regular(t, dst); len(left) != 0 {
		t.Errorf("half a file was left: %q", left)
	}

	e.start()
	ctx, cancel := context.WithCancel(t.Context())
	_, err = c.CopyOut(ctx, "web", "/big", dst, func(done, _ int64) {
		if done >= 70_000 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("canceled while nothing came: %v", err)
	}
}
