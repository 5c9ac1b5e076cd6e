package ui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	tea "charm.land/bubbletea/v2"

	"gantry/docker"
	"gantry/ui/pane"
)

// copyOut asks for a path in the container and a folder here, and copies in
// the background.
func (k *containers) copyOut(h pane.Host, rows []containerRow) tea.Cmd {
	r := rows[0]
	h.Ask(pane.Dialog{
		Title: "Copy out of " + r.Name,
		Fields: []pane.Field{
			{Label: "path in it", Value: k.copied.path},
			{Label: "to folder", Value: k.copied.folder},
		},
		Body: func(values []string) string {
			src, dst := copyPlaces(values)
			return "Links and devices are skipped, and nothing is overwritten.\n\n" + k.client.CommandLine(docker.CopyOutCommand(r.Name, src, dst))
		},
		Check: checkCopy,
		Do: func(values []string) tea.Cmd {
			k.copied.path, k.copied.folder = strings.TrimSpace(values[0]), strings.TrimSpace(values[1])
			src, dst := copyPlaces(values)
			h.Start(k.copyJob(r, src, dst))
			return nil
		},
	})
	return nil
}

// copyPlaces are the two paths as they are used.
func copyPlaces(values []string) (src, dst string) {
	src, dst = strings.TrimSpace(values[0]), strings.TrimSpace(values[1])
	if rest, ok := strings.CutPrefix(dst, "~"); ok && (rest == "" || os.IsPathSeparator(rest[0])) {
		if home, err := os.UserHomeDir(); err == nil {
			dst = filepath.Join(home, rest)
		}
	}
	return src, dst
}

func checkCopy(values []string) error {
	src, dst := copyPlaces(values)
	switch {
	case !path.IsAbs(src):
		return errors.New("type a path in the container that begins with /")
	case dst == "":
		return errors.New("type a folder; . is the one that gantry was started in")
	}
	at, err := os.Stat(dst)
	if err != nil {
		return fmt.Errorf("no such folder: %w", err)
	}
	if !at.IsDir() {
		return fmt.Errorf("%s is a file, not a folder", dst)
	}
	return nil
}

func (k *containers) copyJob(r containerRow, src, dst string) *pane.Job {
	var copied atomic.Pointer[docker.Copied]
	return &pane.Job{
		Name: "copy " + r.Name + ":" + src,
		Run: func(ctx context.Context, report func(done, total int64)) error {
			c, err := k.client.CopyOut(ctx, r.ID, src, dst, report)
			copied.Store(&c)
			return err
		},
		Outcome: func() string { return copiedText(*copied.Load(), dst) },
	}
}

// copiedText says what has come, and what has not.
func copiedText(c docker.Copied, dst string) string {
	text := fmt.Sprintf("%s, %s, to %s", plural(c.Files, "file"), bytesText(c.Bytes), dst)
	if len(c.Skipped) == 0 {
		return text
	}
	reasons := map[string]int{}
	for _, s := range c.Skipped {
		reasons[s.Reason]++
	}
	var parts []string
	for reason, n := range reasons {
		parts = append(parts, plural(n, reason))
	}
	slices.Sort(parts)
	return text + "; skipped " + strings.Join(parts, ", ") + " (" + c.Skipped[0].Path + " …)"
}
