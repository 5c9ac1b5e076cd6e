package sandbox

import "sync"

// How much output is kept per container: the newest lines, as long as they are
// not too many or too long.
const (
	keptLines = 1000
	keptBytes = 256 << 10
)

// lineRing keeps the newest lines of a container. It has its own lock: output
// must not wait for the scheduler, nor the other way round.
type lineRing struct {
	mu    sync.Mutex
	lines []LogLine
	bytes int
}

func (r *lineRing) add(line LogLine) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line)
	r.bytes += len(line.Text)
	for len(r.lines) > keptLines || r.bytes > keptBytes {
		r.bytes -= len(r.lines[0].Text)
		r.lines[0] = LogLine{} // the array below lives on for a while
		r.lines = r.lines[1:]
	}
}

// all returns the lines, the oldest first.
func (r *lineRing) all() []LogLine {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]LogLine(nil), r.lines...)
}
