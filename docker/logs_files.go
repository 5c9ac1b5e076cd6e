package docker

import (
	"archive/tar"
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"gantry/internal/diagnose"
	"gantry/internal/pattern"
)

// LogFile is a file in a container that its programs write their log to,
// instead of stdout.
type LogFile struct {
	Path     string // in the container
	Size     int64
	Modified time.Time
}

// maxLogFiles bounds the files that are looked at one by one.
const maxLogFiles = 50

// LogFiles finds the log files of a container: files that were written since it
// was made, outside its volumes, and are named like logs. The newest come
// first. Tomcat's catalina.out and its like are found so; nginx, whose logs are
// links to stdout, has none.
func (c *Client) LogFiles(ctx context.Context, id string) ([]LogFile, error) {
	what := "look for log files in " + short(id)
	api, err := c.api(ctx)
	if err != nil {
		return nil, c.explain(what, err)
	}
	ctx, cancel := c.within(ctx)
	defer cancel()
	diff, err := api.ContainerDiff(ctx, id, client.ContainerDiffOptions{})
	if err != nil {
		return nil, c.explain(what, err)
	}
	var paths []string
	for _, change := range diff.Changes {
		if change.Kind != container.ChangeDelete && namedLikeLog(change.Path) {
			paths = append(paths, change.Path)
		}
	}
	files, err := statLogs(ctx, api, id, paths[:min(len(paths), maxLogFiles)])
	return files, c.explain(what, err)
}

// statLogs looks at each path and keeps the plain files.
func statLogs(ctx context.Context, api *client.Client, id string, paths []string) ([]LogFile, error) {
	found := make([]LogFile, len(paths))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i, p := range paths {
		group.Go(func() error {
			out, err := api.ContainerStatPath(ctx, id, client.ContainerStatPathOptions{Path: p})
			if gone(err) {
				return nil
			}
			if err == nil && out.Stat.Mode.IsRegular() {
				found[i] = LogFile{Path: p, Size: out.Stat.Size, Modified: out.Stat.Mtime}
			}
			return err
		})
	}
	err := group.Wait()
	found = slices.DeleteFunc(found, func(f LogFile) bool { return f.Path == "" })
	slices.SortFunc(found, func(a, b LogFile) int {
		return cmp.Or(b.Modified.Compare(a.Modified), strings.Compare(a.Path, b.Path))
	})
	return found, err
}

// logNames are the names that servers give their logs: app.log, catalina.out,
// catalina.2026-11-23.log, localhost_access_log.2026-11-23.txt, error_log,
// app.log.1.
var logNames = pattern.Late(`(?i)(\.log(\.\d+)?|\.out|_log(\.[\d-]+)?(\.txt)?|\.log\.[\d-]+)$`)

// notLogs are files of package tools and shells with such names.
var notLogs = pattern.Late(`^/var/log/(apt|dpkg|alternatives|installer|yum|dnf)|\.(gz|zip|xz|bz2)$|^/(proc|sys|dev)/`)

func namedLikeLog(p string) bool {
	return logNames().MatchString(path.Base(p)) && !notLogs().MatchString(p)
}

// TailOptions says how much of a file to read.
type TailOptions struct {
	Lines  int  // of the end of the file; 0 is 1000
	Follow bool // go on with what is written, also when the file is rotated
}

const defaultTail = 1000

// ErrNoTail is a file that cannot be followed: the container has no tail.
var ErrNoTail = errors.New("no tail in the container")

// TailFile reads the last lines of a file in a container, and follows it until
// ctx ends, which is no error. It runs tail in the container; in read-only
// mode, for a container that does not run, and where there is no tail, it
// fetches the file instead, and cannot follow: then the error behind the lines
// is ErrNoTail.
func (c *Client) TailFile(ctx context.Context, id, file string, o TailOptions, emit func([]LogLine)) error {
	what := fmt.Sprintf("read %s in %s", clean(file), short(id))
	api, err := c.api(ctx)
	if err != nil {
		return c.explain(what, err)
	}
	if !path.IsAbs(file) {
		return &diagnose.Error{What: what, Cause: "the path does not begin with /", Do: "give the whole path", Err: ErrInvalid}
	}
	o.Lines = orElse(max(o.Lines, 0), defaultTail)
	in, err := c.inspect(ctx, api, id)
	if err != nil {
		return c.explain(what, err)
	}
	if described(in).State == string(container.StateRunning) && !c.opts.ReadOnly {
		err := execTail(ctx, api, id, file, o, emit)
		if !errors.Is(err, ErrNoTail) {
			return c.endLogs(ctx, what, LogOptions{Follow: o.Follow}, err)
		}
	}
	if err := fetchTail(ctx, api, id, file, o.Lines, emit); err != nil || !o.Follow {
		return c.explain(what, err)
	}
	return &diagnose.Error{What: what, Cause: "it cannot be followed: that needs a running container with sh and tail, and no --read-only", Do: "read it again", Err: ErrNoTail}
}

// tailScript runs tail until its own standard input ends. The end of a
// connection ends no process in a container; it does end the input.
const tailScript = `command -v tail >/dev/null || exit 127
tail "$@" </dev/null & t=$!
cat >/dev/null; kill $t 2>/dev/null; wait $t 2>/dev/null`

// tailOnce shows the end of a file. Its exit code counts.
const tailOnce = `command -v tail >/dev/null || exit 127
exec tail "$@"`

// execTail runs tail in the container.
func execTail(ctx context.Context, api *client.Client, id, file string, o TailOptions, emit func([]LogLine)) error {
	script, flags := tailOnce, []string{"-n", strconv.Itoa(o.Lines)}
	if o.Follow {
		script, flags = tailScript, append(flags, "-F")
	}
	made, err := api.ExecCreate(ctx, id, client.ExecCreateOptions{
		AttachStdin: o.Follow, AttachStdout: true, AttachStderr: true,
		Cmd: append(append([]string{"sh", "-c", script, "tail"}, flags...), file),
	})
	if err != nil {
		return err
	}
	conn, err := api.ExecAttach(ctx, made.ID, client.ExecAttachOptions{})
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, conn.Close)()
	var complaint string
	r := newLogReader(conn.Reader, func(lines []LogLine) error {
		if o.Follow {
			emit(lines)
			return nil
		}
		complaint = handOver(lines, emit, complaint)
		return nil
	})
	r.timed = false
	read := r.readFrames()
	out, err := api.ExecInspect(ctx, made.ID, client.ExecInspectOptions{})
	switch {
	case err != nil:
		return err
	case out.ExitCode == 126 || out.ExitCode == 127:
		return ErrNoTail // the engine's words for that may come without a frame
	case read != nil:
		return read
	case out.ExitCode != 0 && !o.Follow:
		return fmt.Errorf("%w: %s", ErrNotFound, orElse(clean(complaint), "tail ended with an error"))
	}
	return nil
}

// handOver emits what tail printed. What it complains about, and what the
// engine writes in its place when there is no shell, is kept apart.
func handOver(lines []LogLine, emit func([]LogLine), complaint string) string {
	shown := make([]LogLine, 0, len(lines))
	for _, l := range lines {
		if l.Stream == Stderr || strings.HasPrefix(l.Text, "OCI runtime exec failed") {
			complaint = l.Text
			continue
		}
		shown = append(shown, l)
	}
	if len(shown) > 0 {
		emit(shown)
	}
	return complaint
}

// fetchTail reads a file through the archive API, which needs nothing in the
// container, and keeps its last lines.
func fetchTail(ctx context.Context, api *client.Client, id, file string, lines int, emit func([]LogLine)) error {
	out, err := api.CopyFromContainer(ctx, id, client.CopyFromContainerOptions{SourcePath: file})
	if err != nil {
		return err
	}
	defer out.Content.Close()
	archive := tar.NewReader(out.Content)
	head, err := archive.Next()
	if err != nil {
		return err
	}
	if head.Typeflag != tar.TypeReg {
		return fmt.Errorf("%w: %s is not a plain file", ErrInvalid, file)
	}
	ring := &lineRing{most: lines}
	r := newLogReader(archive, func(batch []LogLine) error {
		for _, l := range batch {
			ring.add(l)
		}
		return ctx.Err()
	})
	if err := r.readPlain(); err != nil {
		return err
	}
	if len(ring.kept) > 0 {
		emit(ring.kept)
	}
	return nil
}

// readPlain reads lines without frames and times.
func (r *logReader) readPlain() error {
	for {
		if err := r.pause(); err != nil {
			return err
		}
		if _, err := r.in.Peek(1); err != nil {
			return errors.Join(r.finish(), eof(err))
		}
		chunk, _ := r.in.Peek(r.in.Buffered())
		r.add(Stdout, chunk)
		if _, err := r.in.Discard(len(chunk)); err != nil {
			return err
		}
	}
}
