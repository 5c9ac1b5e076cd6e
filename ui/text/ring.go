package text

import (
	"math"
	"slices"
	"sort"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	maxLine      = 1 << 20  // bytes kept of a line
	maxBlock     = 64 << 10 // bytes of a block
	minBlock     = 256
	perBlock     = 128 // blocks that a ring is divided into
	entryBytes   = 16  // of an entry
	noTime       = math.MinInt64
	maxSources   = 1 << 15
	otherSources = "(others)"
)

// traits of a line.
type traits uint8

const (
	ascii  traits = 1 << iota // printable ASCII only
	dirty                     // must be cleaned before it is drawn
	stderr                    // was written to stderr
	halved                    // the rest was too much to keep
)

// entry is what a block knows of a line besides its text.
type entry struct {
	at     int64  // nanoseconds since 1970, or noTime
	end    uint32 // of its text in the block
	source uint16
	traits traits
}

func (e entry) is(t traits) bool { return e.traits&t != 0 }

func (e entry) time() time.Time {
	if e.at == noTime {
		return time.Time{}
	}
	return time.Unix(0, e.at)
}

// block is some lines after each other. It only grows, so that a copy of it
// stays true and can be read elsewhere.
type block struct {
	first int64 // number of its first line
	text  []byte
	lines []entry
}

func (b *block) end() int64 { return b.first + int64(len(b.lines)) }

// bytes is the memory that the block takes.
func (b *block) bytes() int { return cap(b.text) + cap(b.lines)*entryBytes }

func (b *block) start(i int) uint32 {
	if i == 0 {
		return 0
	}
	return b.lines[i-1].end
}

func (b *block) line(i int) []byte { return b.text[b.start(i):b.lines[i].end] }

// ring keeps lines within a number of bytes. A line's number stays the same
// whatever is dropped or put before it. Appending costs one copy of the text.
type ring struct {
	limit     int
	blockSize int
	blocks    []*block // oldest first
	bytes     int
	end       int64 // number of the line to come
	dropped   bool  // older lines were dropped
	sources   *sources
}

// sources are the names that lines come from; lines hold an index.
type sources struct {
	names []string
	index map[string]uint16
}

func newRing(limit int) *ring {
	return &ring{limit: limit, blockSize: min(max(limit/perBlock, minBlock), maxBlock), sources: &sources{index: map[string]uint16{}}}
}

// first is the number of the oldest line; end when there is none.
func (r *ring) first() int64 {
	if len(r.blocks) == 0 {
		return r.end
	}
	return r.blocks[0].first
}

func (r *ring) len() int { return int(r.end - r.first()) }

// append adds a line at the end and drops the oldest ones to make room.
func (r *ring) append(l Line) {
	e, text := r.entry(l)
	b := r.roomFor(len(text))
	r.bytes -= b.bytes()
	b.text = append(b.text, text...)
	e.end = uint32(len(b.text)) //nolint:gosec // a block is far smaller
	b.lines = append(b.lines, e)
	r.bytes += b.bytes()
	r.end++
	for r.bytes > r.limit && len(r.blocks) > 1 {
		r.dropOldest()
	}
}

func (r *ring) dropOldest() {
	r.bytes -= r.blocks[0].bytes()
	r.blocks[0] = nil
	r.blocks = r.blocks[1:]
	r.dropped = true
}

// keeps tells whether the line n will still be there after a line of so many
// bytes was appended.
func (r *ring) keeps(n int64, bytes int) bool {
	need := r.bytes + max(bytes, 2*r.blockSize) - r.limit
	for _, b := range r.blocks {
		if need <= 0 {
			return true
		}
		if n < b.end() {
			return false
		}
		need -= b.bytes()
	}
	return true
}

// roomFor is the last block when so many bytes fit in it, else a new one.
func (r *ring) roomFor(bytes int) *block {
	if n := len(r.blocks); n > 0 {
		last := r.blocks[n-1]
		if len(last.text)+bytes+(len(last.lines)+1)*entryBytes <= r.blockSize {
			return last
		}
	}
	b := r.newBlock(bytes)
	r.blocks = append(r.blocks, b)
	r.bytes += b.bytes()
	return b
}

// newBlock has the room that the block before it has used: lines of a log are
// alike.
func (r *ring) newBlock(bytes int) *block {
	n := len(r.blocks)
	if n == 0 {
		return &block{first: r.end}
	}
	last := r.blocks[n-1]
	return &block{
		first: r.end,
		text:  make([]byte, 0, max(bytes, min(len(last.text)*9/8, r.blockSize))),
		lines: make([]entry, 0, len(last.lines)*9/8+1),
	}
}

// prepend puts older lines before the first one. The newest ones are dropped
// to make room; it says how many.
func (r *ring) prepend(lines []Line) (lost int) {
	older := &ring{limit: r.limit, blockSize: r.blockSize, sources: r.sources}
	for _, l := range lines {
		older.append(l)
	}
	shift := r.first() - older.end
	for _, b := range older.blocks {
		b.first += shift
	}
	r.blocks = slices.Concat(older.blocks, r.blocks)
	r.bytes += older.bytes
	r.dropped = older.dropped
	before := r.end
	for r.bytes > r.limit && len(r.blocks) > 1 {
		last := r.blocks[len(r.blocks)-1]
		r.bytes -= last.bytes()
		r.end = last.first
		r.blocks = r.blocks[:len(r.blocks)-1]
	}
	return int(before - r.end)
}

func (r *ring) entry(l Line) (entry, string) {
	e := entry{at: noTime, source: r.sources.number(l.Source)}
	if !l.At.IsZero() {
		e.at = l.At.UnixNano()
	}
	text := l.Text
	if most := min(maxLine, r.limit/2); len(text) > most {
		text = text[:most]
		e.traits |= halved
	}
	e.traits |= classify(text)
	if l.Stderr {
		e.traits |= stderr
	}
	return e, text
}

// at is the line n, which must be there. Its text must not be changed.
func (r *ring) at(n int64) (entry, []byte) {
	i := sort.Search(len(r.blocks), func(i int) bool { return r.blocks[i].end() > n })
	b := r.blocks[i]
	return b.lines[n-b.first], b.line(int(n - b.first))
}

// snapshot is the lines from and up to a number, as they are now. It may be
// read while the ring goes on.
func (r *ring) snapshot(from, to int64) []block {
	var part []block
	for _, b := range r.blocks {
		if b.end() > from && b.first < to {
			part = append(part, *b)
		}
	}
	return part
}

// each goes through the lines of blocks that are in from…to until do says
// false.
func each(blocks []block, from, to int64, do func(n int64, e entry, text []byte) bool) {
	for i := range blocks {
		b := &blocks[i]
		for j := max(0, from-b.first); j < min(int64(len(b.lines)), to-b.first); j++ {
			if !do(b.first+j, b.lines[j], b.line(int(j))) {
				return
			}
		}
	}
}

func (s *sources) number(name string) uint16 {
	if n, ok := s.index[name]; ok {
		return n
	}
	if len(s.names) >= maxSources {
		name = otherSources
		if n, ok := s.index[name]; ok {
			return n
		}
	}
	n := uint16(len(s.names))  //nolint:gosec // at most maxSources
	name = strings.Clone(name) // it may be a part of something large
	s.names = append(s.names, name)
	s.index[name] = n
	return n
}

// classify says how much work it is to draw the text.
func classify(text string) traits {
	i := 0
	for i < len(text) && text[i] >= 0x20 && text[i] < 0x7f {
		i++
	}
	if i == len(text) {
		return ascii
	}
	for _, c := range text[i:] {
		if c == utf8.RuneError || c != '\t' && unfit(c) {
			return dirty
		}
	}
	return 0
}
