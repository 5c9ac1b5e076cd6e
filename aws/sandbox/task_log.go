package sandbox

import "sync"

// keptLines is how many lines of output are kept per container.
const keptLines = 1000

// lineRing keeps the newest lines of a container. It has its own lock: output
// must not wait for the scheduler, nor the other way round.
type lineRing struct {
	mu    sync.Mutex
	lines []LogLine
	first int // where the oldest stands once the ring is full
}

func (r *lineRing) add(line LogLine) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.lines) < keptLines {
		r.lines = append(r.lines, line)
		return
	}
	r.lines[r.first] = line
	r.first = (r.first + 1) % keptLines
}

// all returns the lines, the oldest first.
func (r *lineRing) all() []LogLine {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(append(make([]LogLine, 0, len(r.lines)), r.lines[r.first:]...), r.lines[:r.first]...)
}
