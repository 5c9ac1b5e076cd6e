package text

import (
	"context"
	"time"
)

// Line is one line of a log as it was written, without its line end.
type Line struct {
	At     time.Time // zero when not known
	Source string    // container, task or stream; "" where there is only one
	Stderr bool
	Text   string // any bytes
}

// Mark says which lines a feed begins with.
type Mark struct {
	At   time.Time // the first ones are of this time; zero: of any
	Tail int       // at most so many of the last lines; 0: all
}

// Feed is where a log's lines come from. Its functions run outside Update and
// end with their context.
type Feed struct {
	// Key tells this log from others.
	Key string
	// Follow emits the lines since mark, the oldest first, and then what follows,
	// until the log ends. It reconnects where that makes sense. emit blocks while
	// the screen is behind.
	Follow func(ctx context.Context, since Mark, emit func([]Line)) error
	// Older gives at most so many of the last lines before a time, the oldest
	// first; none at the start of the log. nil where that is not possible.
	Older func(ctx context.Context, before time.Time, most int) ([]Line, error)
	// Head tells of the log itself: "json-file · /var/lib/… · 165 MB". nil: no
	// head line.
	Head func(ctx context.Context) (string, error)
	// Empty says why there may be no line: "web has written nothing yet".
	Empty string
}

// LogOptions is how a log is shown at first. Zero fields take the defaults.
type LogOptions struct {
	Bytes int // of lines kept in memory; 8 MB
	Tail  int // lines to begin with; 5,000
	// Closable gives the log a key that closes it: it is a session, not a tab of
	// a row.
	Closable bool
}

const (
	defaultBytes = 8 << 20
	defaultTail  = 5000
)

func (o LogOptions) withDefaults() LogOptions {
	if o.Bytes <= 0 {
		o.Bytes = defaultBytes
	}
	if o.Tail <= 0 {
		o.Tail = defaultTail
	}
	return o
}
