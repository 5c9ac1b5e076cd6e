package text

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/internal/diagnose"
	"gantry/ui/pane"
	"gantry/ui/style"
)

// maxClipboard is how much is sent to the terminal's clipboard: xterm, tmux and
// others cut or drop what is longer.
const maxClipboard = 74_994

// selection is a range of lines that is being marked, from where it began to
// where the cursor is.
type selection struct{ from, to int64 }

func (s *selection) has(n int64) bool {
	return s != nil && n >= min(s.from, s.to) && n <= max(s.from, s.to)
}

func (s *selection) at(n int64) bool { return s != nil && s.to == n }

// mark begins to mark lines at the last one that shows.
func (l *Log) mark() {
	rows := l.visible()
	if len(rows) == 0 {
		return
	}
	l.pause()
	last := rows[len(rows)-1].line
	if l.match != nil && l.search.pattern != nil && l.showing(l.matchPlace()) {
		last = *l.match
	}
	l.marked = &selection{last, last}
	l.stale()
}

// marking are the commands while lines are marked.
func (l *Log) marking() []pane.Command {
	return []pane.Command{
		{Key: "y", Does: "copy the marked lines", Run: l.copyMarked},
		{Key: "esc v", Does: "mark none", Run: do(l.unmark)},
	}
}

func (l *Log) unmark() {
	l.marked = nil
	l.stale()
}

// stretch moves the end of the marked range.
func (l *Log) stretch(by int) tea.Cmd {
	if l.total() == 0 {
		return nil
	}
	i := min(max(l.index(l.marked.to)+by, 0), l.total()-1)
	l.marked.to = l.number(i)
	l.reveal(place{line: l.marked.to})
	return nil
}

func (l *Log) copyVisible() tea.Cmd {
	var lines []int64
	for _, p := range l.visible() {
		lines = append(lines, p.line)
	}
	return l.copy(slices.Compact(lines))
}

func (l *Log) copyMarked() tea.Cmd {
	var lines []int64
	for i := l.index(min(l.marked.from, l.marked.to)); i < l.total() && l.marked.has(l.number(i)); i++ {
		lines = append(lines, l.number(i))
	}
	l.unmark()
	return l.copy(lines)
}

func (l *Log) copy(lines []int64) tea.Cmd {
	var text []byte
	w := l.writing()
	for _, n := range lines {
		e, raw := l.ring.at(n)
		if text = w.append(text, e, raw); len(text) > maxClipboard {
			l.host.Say(pane.Notice{Text: "too much for a terminal's clipboard; S saves to a file"})
			return nil
		}
	}
	l.host.Say(pane.Notice{Text: "copied " + counted(len(lines), "line")})
	return tea.SetClipboard(strings.TrimSuffix(string(text), "\n"))
}

// writing is how lines leave the viewer: with what is shown of them.
type writing struct {
	times bool
	look  look
	names []string // of sources; none while there is only one
}

func (l *Log) writing() *writing {
	w := &writing{times: l.times, look: l.look}
	if l.sourceWidth() > 0 {
		w.names = slices.Clone(l.ring.sources.names)
	}
	return w
}

// append appends a line and its end.
func (w *writing) append(dst []byte, e entry, raw []byte) []byte {
	if w.times && e.at != noTime {
		dst = e.time().AppendFormat(dst, time.RFC3339Nano)
		dst = append(dst, ' ')
	}
	if w.names != nil {
		dst = append(append(dst, style.Plain(w.names[e.source])...), ' ')
	}
	switch {
	case e.is(ascii):
		dst = append(dst, raw...)
	case w.look == escaped:
		dst = appendEscaped(dst, raw)
	case e.is(dirty):
		dst, _ = appendClean(dst, raw)
	default:
		dst = append(dst, raw...)
	}
	return append(dst, '\n')
}

// askSave asks where the lines that can be seen are to be saved.
func (l *Log) askSave() {
	lines := counted(l.total(), "line")
	l.host.Ask(pane.Dialog{
		Title:  "Save " + lines,
		Fields: []pane.Field{{Label: "File", Value: fileName(l.title, time.Now())}},
		Body:   pane.Static("All lines that are in the viewer and match its filter, as they are shown: " + lines + "."),
		Check:  func(values []string) error { return free(values[0]) },
		Do: func(values []string) tea.Cmd {
			l.host.Start(l.saving(values[0]))
			return nil
		},
	})
}

// fileName is a name for a log that any file system takes.
func fileName(title string, at time.Time) string {
	safe := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' {
			return c
		}
		return '-'
	}, title)
	return strings.Trim(safe, "-.") + "-" + at.Format("20060102-150405") + ".log"
}

// free tells whether a file of that name can be made. A file that is there is
// never replaced.
func free(name string) error {
	path, err := homePath(name)
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%s exists already", path)
	}
	dir, err := os.Stat(filepath.Dir(path))
	if err != nil || !dir.IsDir() {
		return fmt.Errorf("there is no folder %s", filepath.Dir(path))
	}
	return nil
}

// homePath is a path as a shell understands it.
func homePath(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" {
		return "", errors.New("a file name is needed")
	}
	if rest, ok := strings.CutPrefix(name, "~/"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("find your home folder: %w", err)
		}
		return filepath.Join(home, rest), nil
	}
	return name, nil
}

// saving writes the lines that are here now; what comes later is not in it.
func (l *Log) saving(name string) *pane.Job {
	from, to := l.ring.first(), l.ring.end
	blocks := l.ring.snapshot(from, to)
	var only []int64
	if l.filter.found != nil {
		only = slices.Clone(l.filter.found.lines)
		if only == nil {
			only = []int64{}
		}
	}
	w := l.writing()
	return &pane.Job{Name: "save " + style.Plain(name), Run: func(ctx context.Context, report func(done, total int64)) error {
		err := save(name, func(out *bufio.Writer) error {
			return w.lines(ctx, out, blocks, from, to, only, report)
		})
		if err != nil && ctx.Err() == nil {
			return &diagnose.Error{What: "save " + style.Plain(name), Cause: reason(err), Err: err}
		}
		return err
	}}
}

// reason is an error of the file system without its path, which is told
// already.
func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

// save makes a file that only its owner can read. Nothing stays of one that
// could not be written to its end.
func save(name string, write func(*bufio.Writer) error) error {
	path, err := homePath(name)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the user names it
	if err != nil {
		return err
	}
	out := bufio.NewWriter(f)
	err = errors.Join(write(out), out.Flush())
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// lines writes the lines of blocks; of these only some, unless only is nil.
func (w *writing) lines(ctx context.Context, out *bufio.Writer, blocks []block, from, to int64, only []int64, report func(done, total int64)) error {
	var line []byte
	var err error
	each(blocks, from, to, func(n int64, e entry, raw []byte) bool {
		if only != nil {
			if len(only) == 0 || only[0] != n {
				return len(only) > 0
			}
			only = only[1:]
		}
		line = w.append(line[:0], e, raw)
		if _, err = out.Write(line); err != nil {
			return false
		}
		if n%lookedAt == 0 {
			report(n-from, to-from)
			err = ctx.Err()
		}
		return err == nil
	})
	return err
}
