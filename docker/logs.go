package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"gantry/internal/diagnose"
)

// LogStream is where a line was written to.
type LogStream uint8

// The streams. Containers with a terminal write to Stdout alone.
const (
	Stdout LogStream = 1
	Stderr LogStream = 2
)

func (s LogStream) String() string {
	if s == Stderr {
		return "stderr"
	}
	return "stdout"
}

// LogLine is a line as it was written: any bytes but its line end. Escape
// sequences are still in it.
type LogLine struct {
	At     time.Time // zero for lines of a file
	Stream LogStream
	Text   string
	// Partial says that the line goes on in the next LogLine of its stream. No
	// piece is longer than 64 KB.
	Partial bool
}

// LogOptions says which lines to read.
type LogOptions struct {
	// Since and Until bound the time of the lines; zero is no bound. Engines
	// ignore Until together with Tail, or answer nothing; use OlderLogs.
	Since, Until time.Time
	// Tail is how many of the last lines to read; 0 is all.
	Tail int
	// Limit ends the reading after so many lines; 0 is none. For the start of a
	// log.
	Limit int
	// Only is the stream to read; 0 is both.
	Only LogStream
	// Follow goes on with new lines until the context or the container ends.
	Follow bool
}

// ErrLogsUnreadable is a log that cannot be read: the container's log driver keeps nothing that the engine
// could read back.
var ErrLogsUnreadable = errors.New("logs not readable")

// errEnough ends a reading that has what it wants.
var errEnough = errors.New("enough lines")

// Logs reads a container's log. emit gets lines in batches, as many as there
// are at that moment, in the order of the log, from one goroutine; while it
// works nothing more is read, so memory stays bounded. It returns nil at the
// end of the log, and when ctx is canceled while following.
func (c *Client) Logs(ctx context.Context, id string, o LogOptions, emit func([]LogLine)) error {
	what := "read the log of " + short(id)
	api, err := c.api(ctx)
	if err != nil {
		return c.explain(what, err)
	}
	left := o.Limit
	err = c.readLogs(ctx, api, id, o, func(lines []LogLine) error {
		if o.Limit == 0 {
			emit(lines)
			return nil
		}
		emit(lines[:min(left, len(lines))])
		if left -= len(lines); left <= 0 {
			return errEnough
		}
		return nil
	})
	return c.endLogs(ctx, what, o, err)
}

// endLogs tells the quiet ends of a reading from the others.
func (c *Client) endLogs(ctx context.Context, what string, o LogOptions, err error) error {
	switch {
	case err == nil, errors.Is(err, errEnough):
		return nil
	case o.Follow && errors.Is(ctx.Err(), context.Canceled):
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case strings.Contains(err.Error(), "does not support reading"):
		return &diagnose.Error{
			What: what, Cause: "its log driver keeps nothing that can be read back",
			Do: "run it with --log-driver json-file or local", Err: fmt.Errorf("%w: %w", ErrLogsUnreadable, err),
		}
	}
	return c.explain(what, err)
}

// readLogs opens the log and splits it into lines.
func (c *Client) readLogs(ctx context.Context, api *client.Client, id string, o LogOptions, emit func([]LogLine) error) error {
	// A terminal's output has no frames, and only inspect tells.
	in, err := c.inspect(ctx, api, id)
	if err != nil {
		return err
	}
	body, err := api.ContainerLogs(ctx, id, o.request())
	if err != nil {
		return err
	}
	defer body.Close()
	r := newLogReader(body, emit)
	if in.Config != nil && in.Config.Tty {
		return r.readTerminal()
	}
	return r.readFrames()
}

// request are the options as the engine takes them.
func (o LogOptions) request() client.ContainerLogsOptions {
	r := client.ContainerLogsOptions{
		ShowStdout: o.Only != Stderr,
		ShowStderr: o.Only != Stdout,
		Since:      engineTime(o.Since),
		Until:      engineTime(o.Until),
		Timestamps: true,
		Follow:     o.Follow,
	}
	if o.Tail > 0 {
		r.Tail = strconv.Itoa(o.Tail)
	}
	return r
}

// engineTime is a time as seconds and nanoseconds, exact on every API version.
func engineTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond())
}

// inspect reads a container within the time for a description, although the
// stream that follows has none.
func (c *Client) inspect(ctx context.Context, api *client.Client, id string) (container.InspectResponse, error) {
	ctx, cancel := c.within(ctx)
	defer cancel()
	out, err := api.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	return out.Container, err
}

// LogPage says which older lines to read.
type LogPage struct {
	Before time.Time // the time of the first line that is there already
	Loaded int       // how many lines are there from that one to the log's end
	Lines  int       // how many to read
}

// maxPageBytes bounds a page of older lines.
const maxPageBytes = 16 << 20

// OlderLogs reads lines that stand before those already there, the oldest
// first, at most p.Lines. report says now and then how many lines were read
// to get there.
//
// The engine cannot read backwards from a time (until with tail gives nothing
// on 20.10). It can begin a longer tail further up, which it finds by going
// back through the file: half way up a million lines costs it a tenth of a
// second. A wrong Loaded costs more, not other lines.
func (c *Client) OlderLogs(ctx context.Context, id string, p LogPage, report func(read int)) ([]LogLine, error) {
	what := "read older lines of " + short(id)
	api, err := c.api(ctx)
	if err != nil {
		return nil, c.explain(what, err)
	}
	// Lines that came since the page was drawn push the wanted ones away from
	// the end, and long lines count several times. When a longer tail begins
	// with the same line, that is the log's first one.
	var first time.Time
	for tail := p.Loaded + p.Lines + p.Lines/2 + 100; ; tail *= 2 {
		ring, begins, err := c.readPage(ctx, api, id, p, tail, report)
		if err != nil {
			return nil, c.endLogs(ctx, what, LogOptions{}, err)
		}
		if ring.full || len(ring.kept) == p.Lines || begins.Equal(first) {
			return ring.kept, nil
		}
		first = begins
	}
}

// disorder is how far a line's time may be ahead of the next one's: the engine
// reads stdout and stderr side by side, and writes what it has first.
const disorder = time.Second

// readPage reads a tail up to the first line that is there already, which is
// known by its exact time; without it, times alone decide. begins is the time
// of the tail's first line, zero for an empty log.
func (c *Client) readPage(ctx context.Context, api *client.Client, id string, p LogPage, tail int, report func(int)) (page *lineRing, begins time.Time, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ring := &lineRing{most: p.Lines}
	before := &lineRing{most: p.Lines}
	read := 0
	err = c.readLogs(ctx, api, id, LogOptions{Tail: tail}, func(lines []LogLine) error {
		if read == 0 {
			begins = lines[0].At
		}
		for _, l := range lines {
			switch {
			case l.At.Equal(p.Before):
				before = ring
				return errEnough
			case l.At.After(p.Before.Add(disorder)):
				return errEnough
			case l.At.Before(p.Before):
				before.add(l)
			}
			ring.add(l)
		}
		read += len(lines)
		report(read)
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return before, begins, err
}

// lineRing keeps the last lines of a reading, bounded in number and bytes.
type lineRing struct {
	kept  []LogLine
	bytes int
	most  int
	full  bool // older lines fell out
}

func (r *lineRing) add(l LogLine) {
	r.kept = append(r.kept, l)
	r.bytes += len(l.Text)
	drop := 0
	for len(r.kept)-drop > r.most || r.bytes > maxPageBytes && len(r.kept)-drop > 1 {
		r.bytes -= len(r.kept[drop].Text)
		drop++
	}
	if drop > 0 {
		r.full = true
		clear(r.kept[:drop])
		r.kept = r.kept[drop:]
	}
}

// eof turns the two ways in which a stream just ends into nil.
func eof(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
