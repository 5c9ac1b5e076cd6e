package ui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/docker"
	"gantry/ui/pane"
	"gantry/ui/text"
)

// logClient reads what containers write.
type logClient interface {
	Logs(ctx context.Context, id string, o docker.LogOptions, emit func([]docker.LogLine)) error
	OlderLogs(ctx context.Context, id string, p docker.LogPage, report func(read int)) ([]docker.LogLine, error)
	LogSource(ctx context.Context, id string) (docker.LogSource, error)
	LogFiles(ctx context.Context, id string) ([]docker.LogFile, error)
	TailFile(ctx context.Context, id, file string, o docker.TailOptions, emit func([]docker.LogLine)) error
	Describe(ctx context.Context, ids []string) ([]docker.Container, error)
	Events(ctx context.Context, emit func(docker.Event)) error
	CommandLine(command docker.Command) string
}

// filesPatience is how long the head line waits for the search for log files,
// which can be slow where a container has changed many files.
const filesPatience = 3 * time.Second

// containerLog is the log of a container, with the way to the files that its
// programs log to.
type containerLog struct {
	*text.Log
	client logClient
	row    docker.Container
	host   pane.Host
	files  pane.Load[[]docker.LogFile]
}

// newContainerLog is the log as a tab of a row.
func newContainerLog(c logClient, row docker.Container, o text.LogOptions) *containerLog {
	return &containerLog{Log: text.NewLog("log "+row.Name, containerFeed(c, row), o), client: c, row: row}
}

// logSession is the log as a tab that stays while the selection moves.
type logSession struct{ *containerLog }

// Title stays the same while lines come, so that a log that is opened again
// takes the place of the one before.
func (l logSession) Title() string { return "log " + l.row.Name }

// Init takes the host.
func (l *containerLog) Init(h pane.Host) tea.Cmd {
	l.host = h
	return l.Log.Init(h)
}

// Update takes the list of files.
func (l *containerLog) Update(msg tea.Msg) tea.Cmd {
	if mine, cmd := l.files.Update(msg); mine {
		l.chooseFile()
		return cmd
	}
	return l.Log.Update(msg)
}

// Close lets go of the log.
func (l *containerLog) Close() {
	l.files.Stop()
	l.Log.Close()
}

// Commands add the files and the equal command.
func (l *containerLog) Commands() []pane.Command {
	return append(
		l.Log.Commands(),
		pane.Command{Key: "L", Does: "log files", Run: l.askFiles},
		pane.Command{Key: "Y", Does: "copy the docker command", Quiet: true, Run: func() tea.Cmd {
			return toClipboard(l.host, l.client.CommandLine(docker.LogsCommand(l.row.Name, docker.LogOptions{Follow: true})))
		}},
	)
}

func (l *containerLog) askFiles() tea.Cmd {
	l.host.Say(pane.Notice{Text: "looking for log files in " + l.row.Name + " …"})
	return l.files.Start("files", func(ctx context.Context, _ func([]docker.LogFile)) ([]docker.LogFile, error) {
		return l.client.LogFiles(ctx, l.row.ID)
	})
}

// chooseFile offers the files that were found.
func (l *containerLog) chooseFile() {
	files, err := l.files.Value, l.files.Err
	switch {
	case err != nil:
		l.host.Say(pane.Notice{Err: err})
	case len(files) == 0:
		l.host.Say(pane.Notice{Text: l.row.Name + " writes no log files: its log is this one"})
	default:
		l.host.Ask(l.fileDialog(files))
	}
}

func (l *containerLog) fileDialog(files []docker.LogFile) pane.Dialog {
	return pane.Dialog{
		Title: "Log files in " + l.row.Name,
		Fields: []pane.Field{{Label: "file", Strict: true, Choices: func(typed string) []pane.Choice {
			var cs []pane.Choice
			for _, f := range files {
				if strings.Contains(f.Path, typed) {
					cs = append(cs, pane.Choice{Value: f.Path, Note: bytesText(f.Size) + "  " + moment(f.Modified)})
				}
			}
			return cs
		}}},
		Body: func(values []string) string {
			return l.client.CommandLine(docker.TailCommand(l.row.Name, values[0], docker.TailOptions{Follow: true}))
		},
		Check: func(values []string) error {
			if values[0] == "" {
				return errors.New("choose a file")
			}
			return nil
		},
		Do: func(values []string) tea.Cmd {
			l.host.Open(text.NewLog(l.row.Name+":"+values[0], fileFeed(l.client, l.row, values[0]), text.LogOptions{Closable: true}))
			return nil
		},
	}
}

// containerFeed follows a container's log over its restarts.
func containerFeed(c logClient, row docker.Container) text.Feed {
	f := &feed{client: c, id: row.ID}
	return text.Feed{
		Key:    row.ID,
		Follow: f.follow,
		Older:  f.older,
		Head:   f.head,
		Empty:  row.Name + " has written nothing to stdout and stderr. L shows the files that it logs to.",
	}
}

// feed is a container's log as the viewer wants it.
type feed struct {
	client logClient
	id     string
	loaded atomic.Int64 // lines that were read, for the way back
}

func (f *feed) follow(ctx context.Context, since text.Mark, emit func([]text.Line)) error {
	var join joiner
	if f.empty(ctx, since) {
		emit(nil)
	}
	for {
		at := since.At
		o := docker.LogOptions{Since: since.At, Tail: since.Tail, Follow: true}
		err := f.client.Logs(ctx, f.id, o, func(lines []docker.LogLine) {
			whole := join.lines(lines)
			f.loaded.Add(int64(len(whole)))
			if n := len(lines); n > 0 && !lines[n-1].At.IsZero() {
				at = lines[n-1].At.Add(1)
			}
			if len(whole) > 0 {
				emit(whole)
			}
		})
		if err != nil || ctx.Err() != nil {
			return err
		}
		if !f.startsAgain(ctx) {
			return nil
		}
		if at.IsZero() {
			since.Tail = 0 // nothing was there: whatever comes is new
		}
		since = text.Mark{At: at}
	}
}

// empty looks whether there is a line yet: an engine that is asked to follow a
// log says nothing before the first one.
func (f *feed) empty(ctx context.Context, since text.Mark) bool {
	none := true
	err := f.client.Logs(ctx, f.id, docker.LogOptions{Since: since.At, Tail: 1}, func([]docker.LogLine) { none = false })
	return err == nil && none
}

// startsAgain waits until the container runs; it tells whether that can still
// happen. The engine's events say so: nothing is asked in the meantime.
func (f *feed) startsAgain(ctx context.Context) bool {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	again := false
	_ = f.client.Events(ctx, func(e docker.Event) {
		switch {
		case e.Kind == docker.EngineEvent && e.Action == docker.Resync:
			rows, err := f.client.Describe(ctx, []string{f.id})
			gone := err == nil && len(rows) == 0
			if again = len(rows) == 1 && rows[0].Running(); again || gone {
				stop()
			}
		case e.ID == f.id && e.Action == "start":
			again = true
			stop()
		case e.ID == f.id && e.Action == "destroy":
			stop()
		}
	})
	return again
}

func (f *feed) older(ctx context.Context, before time.Time, most int) ([]text.Line, error) {
	lines, err := f.client.OlderLogs(ctx, f.id, docker.LogPage{Before: before, Loaded: int(f.loaded.Load()), Lines: most}, func(int) {})
	var join joiner
	whole := join.lines(lines)
	f.loaded.Add(int64(len(whole)))
	return whole, err
}

// head says how the log is kept, after the files that are logs as well: where
// there are some, they are what the user looks for.
func (f *feed) head(ctx context.Context) (string, error) {
	found := make(chan int, 1)
	filesCtx, stop := context.WithTimeout(ctx, filesPatience)
	defer stop()
	go func() {
		files, _ := f.client.LogFiles(filesCtx, f.id)
		found <- len(files)
	}()
	source, err := f.client.LogSource(ctx, f.id)
	n := <-found
	if err != nil {
		return "", err
	}
	if n > 0 {
		return fmt.Sprintf("logs to %s too (L) · %s", plural(n, "file"), source), nil
	}
	return source.String(), nil
}

// fileFeed follows a file in a container.
func fileFeed(c logClient, row docker.Container, file string) text.Feed {
	return text.Feed{
		Key: row.ID + " " + file,
		Follow: func(ctx context.Context, since text.Mark, emit func([]text.Line)) error {
			var join joiner
			return c.TailFile(ctx, row.ID, file, docker.TailOptions{Lines: since.Tail, Follow: true}, func(lines []docker.LogLine) { emit(join.lines(lines)) })
		},
		Empty: file + " is empty",
	}
}

// longestLine is how much of a line is put together; the viewer keeps no more.
const longestLine = 1 << 20

// joiner puts lines together that came in pieces.
type joiner struct {
	begun map[docker.LogStream]*strings.Builder
}

func (j *joiner) lines(pieces []docker.LogLine) []text.Line {
	whole := make([]text.Line, 0, len(pieces))
	for _, p := range pieces {
		b := j.begun[p.Stream]
		if p.Partial {
			j.begin(p)
			continue
		}
		line := text.Line{At: p.At, Stderr: p.Stream == docker.Stderr, Text: p.Text}
		if b != nil {
			b.WriteString(p.Text)
			line.Text = b.String()
			delete(j.begun, p.Stream)
		}
		whole = append(whole, line)
	}
	return whole
}

func (j *joiner) begin(p docker.LogLine) {
	if j.begun == nil {
		j.begun = map[docker.LogStream]*strings.Builder{}
	}
	b := j.begun[p.Stream]
	if b == nil {
		b = &strings.Builder{}
		j.begun[p.Stream] = b
	}
	if b.Len() < longestLine {
		b.WriteString(p.Text)
	}
}
