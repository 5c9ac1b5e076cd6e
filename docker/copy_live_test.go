package docker

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/moby/moby/client"
)

func testCopy(t *testing.T, c *Client, image string) {
	ctx := t.Context()
	id := ran(t, c, RunOptions{Image: image, Command: []string{"sh", "-c", `
mkdir -p /d/sub /d/dev && echo one > /d/one && chmod 6711 /d/one && head -c 3000000 /dev/zero > /d/sub/big && ln -s /etc/passwd /d/link &&
ln -s ../../../../../etc /d/up && ln /d/one /d/hard && mkfifo /d/pipe && mknod /d/dev/null c 1 3; ln -s /d/one /short; touch /done; exec sleep 300`}})
	eventually(t, "the files are made", func() bool {
		_, err := c.engineOf(t).ContainerStatPath(ctx, id, client.ContainerStatPathOptions{Path: "/done"})
		return err == nil
	})
	dst := t.TempDir()
	var done int64
	copied, err := c.CopyOut(ctx, id, "/d", dst, func(n, _ int64) { done = n })
	if err != nil {
		t.Fatal(err)
	}
	if copied.Bytes != 3000004 || done != copied.Bytes || copied.Files != 2 || len(copied.Skipped) != 5 {
		t.Errorf("%+v", copied)
	}
	info, err := os.Lstat(filepath.Join(dst, "d", "sub", "big"))
	if err != nil || info.Size() != 3000000 {
		t.Errorf("big: %v, %v", info, err)
	}
	err = filepath.WalkDir(dst, func(path string, e fs.DirEntry, err error) error {
		if info, statErr := e.Info(); err == nil && statErr == nil && !e.IsDir() && !info.Mode().IsRegular() || info.Mode()&(fs.ModeSetuid|fs.ModeSetgid) != 0 {
			t.Errorf("%s came along as %s", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	// The second time it would overwrite.
	_, err = c.CopyOut(ctx, id, "/d", dst, nil)
	told(t, err, fs.ErrExist, "exists already")
	if copied, err := c.CopyOut(ctx, id, "/short", t.TempDir(), nil); err != nil || copied.Files+len(copied.Skipped) != 1 {
		t.Errorf("a link to a file: %+v, %v", copied, err)
	}
	_, err = c.CopyOut(ctx, id, "/nowhere", dst, nil)
	told(t, err, ErrNotFound, "copy /nowhere out of")
	_, err = c.CopyOut(ctx, id, "/d/one", filepath.Join(dst, "missing"), nil)
	told(t, err, fs.ErrNotExist, "directory that exists")

	canceled, cancel := context.WithCancel(ctx)
	fresh := t.TempDir()
	_, err = c.CopyOut(canceled, id, "/d/sub", fresh, func(int64, int64) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if left, err := os.ReadDir(fresh); err != nil || len(left) != 0 {
		t.Errorf("a canceled copy left %v, %v", left, err)
	}
}

func testEvents(t *testing.T, c *Client, image string) {
	got, stop := followed(t, c)
	expect(t, got, EngineEvent, Resync)
	id := ran(t, c, RunOptions{Image: image, Command: []string{"sleep", "300"}})
	s, err := c.Exec(t.Context(), id, []string{"sh"}, 80, 24)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	if err := c.Kill(t.Context(), id, ""); err != nil {
		t.Fatal(err)
	}
	if err := c.RemoveContainer(t.Context(), id, ContainerRemoval{}); err != nil && !errors.Is(err, ErrConflict) {
		t.Fatal(err)
	}
	var mine []string
	deadline := time.After(20 * time.Second)
	for !slices.Contains(mine, "destroy") {
		select {
		case e := <-got:
			if e.ID != id {
				continue
			}
			mine = append(mine, e.Action)
			if e.Action == "die" && e.ExitCode != 137 {
				t.Errorf("%+v", e)
			}
		case <-deadline:
			t.Fatalf("no destroy among %q", mine)
		}
	}
	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if want := []string{"create", "start", "kill", "die", "destroy"}; !slices.Equal(mine, want) {
		t.Errorf("got %q, want %q", mine, want)
	}
}
