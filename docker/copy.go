package docker

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/moby/moby/client"

	"gantry/internal/diagnose"
)

// Copied is what a copy has brought.
type Copied struct {
	Files   int
	Bytes   int64
	Skipped []Skipped
}

// Skipped is an entry that was not written.
type Skipped struct {
	Path   string
	Reason string // "symbolic link", "device", …
}

// CopyOut copies a file or directory of a container, running or not, into the
// directory dst, under its own name. What exists there is never overwritten.
// Only files and directories are written, and nothing outside of dst whatever
// the archive says: links and devices are skipped and counted, a path that
// climbs out ends the copy. report gets the bytes so far and the total, 0 where
// it is not known. A copy that fails removes what it has written.
func (c *Client) CopyOut(ctx context.Context, id, src, dst string, report func(done, total int64)) (Copied, error) {
	what := "copy " + clean(src) + " out of " + short(id)
	api, err := c.api(ctx)
	if err != nil {
		return Copied{}, c.explain(what, err)
	}
	out, err := openArchive(ctx, api, id, src)
	if err != nil {
		return Copied{}, c.explain(what, err)
	}
	defer out.Content.Close()
	// The engine goes on sending while nobody reads; a close ends it at once.
	stop := context.AfterFunc(ctx, func() { _ = out.Content.Close() })
	defer stop()

	root, err := os.OpenRoot(dst)
	if err != nil {
		return Copied{}, badDestination(what, err)
	}
	defer root.Close()
	if _, err := root.Lstat(out.Stat.Name); err == nil {
		return Copied{}, exists(what, filepath.Join(dst, out.Stat.Name))
	}
	w := &extraction{root: root, base: out.Stat.Name, report: report}
	if out.Stat.Mode.IsRegular() {
		w.total = out.Stat.Size
	}
	if err := w.all(ctx, tar.NewReader(out.Content)); err != nil {
		_ = root.RemoveAll(out.Stat.Name)
		if ctx.Err() != nil {
			return Copied{}, ctx.Err()
		}
		return Copied{}, c.explain(what, err)
	}
	return w.copied, nil
}

// openArchive asks for the archive of a path. A path that is a link is followed once,
// as its user means the file behind it; the engine has kept the target inside
// the container.
func openArchive(ctx context.Context, api *client.Client, id, src string) (client.CopyFromContainerResult, error) {
	stat, err := api.ContainerStatPath(ctx, id, client.ContainerStatPathOptions{Path: src})
	if err != nil {
		return client.CopyFromContainerResult{}, err
	}
	if stat.Stat.Mode&fs.ModeSymlink != 0 && stat.Stat.LinkTarget != "" {
		src = stat.Stat.LinkTarget
	}
	out, err := api.CopyFromContainer(ctx, id, client.CopyFromContainerOptions{SourcePath: src})
	if err != nil {
		return client.CopyFromContainerResult{}, err
	}
	if out.Stat.Name == "" || out.Stat.Name == "/" || out.Stat.Name == "." {
		out.Stat.Name = "rootfs"
	}
	if out.Stat.Name != filepath.Base(out.Stat.Name) || !filepath.IsLocal(out.Stat.Name) {
		out.Content.Close()
		return client.CopyFromContainerResult{}, errEscapes
	}
	return out, nil
}

// errEscapes: an archive names a path outside of the destination.
var errEscapes = errors.New("the archive names a path outside of the destination; nothing of it is trusted")

func badDestination(what string, err error) error {
	return &diagnose.Error{What: what, Cause: words(err), Do: "name a directory that exists and can be written", Err: err}
}

func exists(what, target string) error {
	return &diagnose.Error{What: what, Cause: target + " exists already", Do: "choose another directory, or move it away", Err: fs.ErrExist}
}

// extraction writes an archive below a root.
type extraction struct {
	root   *os.Root
	base   string // the one name at the top
	total  int64
	report func(done, total int64)
	copied Copied
}

func (w *extraction) all(ctx context.Context, archive *tar.Reader) error {
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		if err := w.entry(ctx, header, archive); err != nil {
			return err
		}
	}
}

// entry writes one entry, or counts it as skipped.
func (w *extraction) entry(ctx context.Context, header *tar.Header, body io.Reader) error {
	name, err := w.place(header.Name)
	if err != nil {
		return err
	}
	mode := fs.FileMode(header.Mode) & fs.ModePerm //nolint:gosec // the mask leaves nine bits
	switch header.Typeflag {
	case tar.TypeDir:
		return w.root.MkdirAll(name, mode|0o700)
	case tar.TypeReg:
		return w.file(ctx, name, mode, body)
	}
	w.copied.Skipped = append(w.copied.Skipped, Skipped{Path: clean(header.Name), Reason: kindOf(header.Typeflag)})
	return nil
}

// place is where an entry goes. Its first element is replaced by the base name:
// the engine sends "/" for the root of a container.
func (w *extraction) place(name string) (string, error) {
	name = path.Clean(strings.TrimPrefix(name, "./"))
	if name == "." || name == "/" {
		return w.base, nil
	}
	local := filepath.FromSlash(strings.TrimPrefix(name, "/"))
	if strings.HasPrefix(name, "../") || !filepath.IsLocal(local) {
		return "", errEscapes
	}
	if first, _, _ := strings.Cut(name, "/"); first != w.base {
		local = filepath.Join(w.base, local)
	}
	return local, nil
}

// file writes one file. O_EXCL refuses what exists, so that a link planted by
// an earlier entry or by somebody else is never followed.
func (w *extraction) file(ctx context.Context, name string, mode fs.FileMode, body io.Reader) error {
	if err := w.root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := w.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode|0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, &counted{ctx: ctx, from: body, add: w.add})
	w.copied.Files++
	return errors.Join(err, f.Close())
}

func (w *extraction) add(n int) {
	w.copied.Bytes += int64(n)
	if w.report != nil {
		w.report(w.copied.Bytes, w.total)
	}
}

// counted is a reader that ends with its context and tells what it has read.
type counted struct {
	ctx  context.Context
	from io.Reader
	add  func(n int)
}

func (r *counted) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.from.Read(p)
	if n > 0 {
		r.add(n)
	}
	return n, err
}

// kindOf names an entry that is no file.
func kindOf(flag byte) string {
	switch flag {
	case tar.TypeSymlink:
		return "symbolic link"
	case tar.TypeLink:
		return "hard link"
	case tar.TypeChar, tar.TypeBlock:
		return "device"
	case tar.TypeFifo:
		return "named pipe"
	}
	return fmt.Sprintf("entry of type %q", flag)
}
