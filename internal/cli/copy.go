package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/docker/go-units"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"gantry/aws"
	"gantry/aws/exec/remote"
	"gantry/internal/diagnose"
)

// Copy is `gantry cp`: files and folders into a task and out of it. The options
// are those of AWSFlags.
func Copy(o *aws.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "cp SRC DST",
		Short: "Copy files and folders into a task, or out of it",
		Long: "One of SRC and DST is CLUSTER/TASK[/CONTAINER]:PATH, where TASK may also be SERVICE/ID. A relative PATH\n" +
			"begins where a shell in the container does. A local name with a colon is written ./NAME.\n" +
			"A file replaces a file, a folder replaces nothing. What was copied is compared by checksum.",
		Example: "gantry cp shop/7f3a:/var/log/app.log .\ngantry cp ./config shop/web/7f3a/app:/etc/app/",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCopy(cmd, *o, args[0], args[1])
		},
	}
}

func runCopy(cmd *cobra.Command, o aws.Options, src, dst string) error {
	from, srcIsRemote := parseSide(src)
	to, dstIsRemote := parseSide(dst)
	switch {
	case srcIsRemote == dstIsRemote:
		return &diagnose.Error{
			What: "cannot tell what to copy where", Cause: "exactly one side is to be in a task",
			Do: "write that one as CLUSTER/TASK:PATH, and a local name with a colon as ./NAME",
		}
	case dstIsRemote:
		return copyWith(cmd, o, to, func(ctx context.Context, s *remote.Shell, report remote.Report) (remote.Copied, error) {
			return s.Upload(ctx, src, to.path, report)
		})
	}
	// Copying out only reads: nothing that read-only mode forbids.
	o.ReadOnly = false
	return copyWith(cmd, o, from, func(ctx context.Context, s *remote.Shell, report remote.Report) (remote.Copied, error) {
		return s.Download(ctx, from.path, dst, report)
	})
}

// side is a path in a task, as it was written.
type side struct {
	cluster string
	rest    []string // TASK[/CONTAINER], where TASK may be SERVICE/ID
	path    string
}

// parseSide reads CLUSTER/TASK[/CONTAINER]:PATH; a task's ARN may stand for the
// first two. Everything else is local.
func parseSide(text string) (side, bool) {
	if strings.HasPrefix(text, "arn:") {
		return parseARNSide(text)
	}
	names, path, ok := strings.Cut(text, ":")
	parts := strings.Split(names, "/")
	if !ok || len(parts) < 2 || len(parts) > 4 || parts[0] == "." || parts[0] == ".." {
		return side{}, false
	}
	for _, p := range parts {
		if p == "" {
			return side{}, false
		}
	}
	return side{parts[0], parts[1:], path}, true
}

// parseARNSide reads arn:PARTITION:ecs:REGION:ACCOUNT:task/CLUSTER/ID[/CONTAINER]:PATH.
func parseARNSide(text string) (side, bool) {
	const colons = 7 // six parts of the ARN, and the path
	fields := strings.SplitN(text, ":", colons)
	if len(fields) < colons {
		return side{}, false
	}
	parts := strings.Split(fields[5], "/")
	if parts[0] != "task" || len(parts) < 3 || len(parts) > 4 {
		return side{}, false
	}
	return side{parts[1], parts[2:], fields[6]}, true
}

// readings are what the names may mean, in the order to try: a/b is a task of
// service a, or else container b of task a.
func (s side) readings() []taskFlags {
	switch len(s.rest) {
	case 1:
		return []taskFlags{{s.cluster, s.rest[0], ""}}
	case 2:
		return []taskFlags{{s.cluster, s.rest[0] + "/" + s.rest[1], ""}, {s.cluster, s.rest[0], s.rest[1]}}
	}
	return []taskFlags{{s.cluster, s.rest[0] + "/" + s.rest[1], s.rest[2]}}
}

type copier func(ctx context.Context, s *remote.Shell, report remote.Report) (remote.Copied, error)

func copyWith(cmd *cobra.Command, o aws.Options, at side, run copier) error {
	var err error
	for _, reading := range at.readings() {
		found := false
		err = withTask(cmd, o, reading, func(ctx context.Context, in inTask) error {
			found = true
			return in.copy(ctx, run, cmd.ErrOrStderr())
		})
		if found || !errors.Is(err, aws.ErrNotFound) {
			return err
		}
	}
	return err
}

func (in inTask) copy(ctx context.Context, run copier, messages io.Writer) error {
	shell, _, err := in.openRemote(ctx, 0, 0)
	if err != nil {
		return err
	}
	defer func() { _ = shell.Close() }()
	p := newProgress(messages)
	copied, err := run(ctx, shell, p.report)
	p.clear()
	if err != nil {
		return err
	}
	for _, skipped := range copied.Skipped {
		_, _ = fmt.Fprintf(messages, "gantry: skipped %s: %s\n", skipped.Path, skipped.Reason)
	}
	if p.live {
		_, _ = fmt.Fprintf(messages, "%d %s, %s\n", copied.Files, plural(copied.Files, "file"), units.HumanSize(float64(copied.Bytes)))
	}
	return nil
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// progress is one line on a terminal, and nothing elsewhere.
type progress struct {
	to    io.Writer
	live  bool
	drawn time.Time
}

// drawInterval is how often the line changes at most.
const drawInterval = 100 * time.Millisecond

func newProgress(to io.Writer) *progress {
	f, isFile := to.(*os.File)
	return &progress{to: to, live: isFile && term.IsTerminal(int(f.Fd()))}
}

func (p *progress) report(done, total int64) {
	if !p.live || time.Since(p.drawn) < drawInterval {
		return
	}
	p.drawn = time.Now()
	text := units.HumanSize(float64(done))
	if total > 0 {
		text = fmt.Sprintf("%3d %%  %s of %s", done*100/max(total, done), text, units.HumanSize(float64(total)))
	}
	_, _ = fmt.Fprintf(p.to, "\r\x1b[K%s", text)
}

func (p *progress) clear() {
	if !p.drawn.IsZero() {
		_, _ = io.WriteString(p.to, "\r\x1b[K")
	}
}
