package table

import (
	"cmp"
	"encoding/binary"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// order is which column rows are sorted by.
type order struct {
	column  int
	reverse bool
}

// arrangement is rows and the order they show in. The two belong together:
// while new rows are still being sorted, the old pair is drawn.
type arrangement[T any] struct {
	rows  []T
	order []int // indexes into rows
	whole bool  // rows are all there are
}

func (a *arrangement[T]) at(i int) *T { return &a.rows[a.order[i]] }

// alone is how many rows one goroutine handles before a second one pays.
const alone = 4096

// arrange gives the indexes of the rows that pass the query, sorted. It
// changes nothing, so that it can run outside the event loop.
func (s *Spec[T]) arrange(rows []T, by order, q query) []int {
	if len(s.Columns) == 0 {
		return s.pass(rows, 0, len(rows), q)
	}
	workers := max(1, min(runtime.GOMAXPROCS(0), 4, len(rows)/alone))
	parts := make([][]entry, workers)
	var wait sync.WaitGroup
	for i := range workers {
		from, to := i*len(rows)/workers, (i+1)*len(rows)/workers
		wait.Go(func() { parts[i] = s.entries(rows, from, to, by, q) })
	}
	wait.Wait()
	entries := slices.Concat(parts...)
	ranks := rank(entries)
	sortParallel(ranks, make([]ranked, len(ranks)), workers, s.comparison(rows, entries, by))
	sorted := make([]int, len(ranks))
	for i, r := range ranks {
		sorted[i] = entries[r.entry].row
	}
	return sorted
}

// pass are the rows from..to that the query lets through.
func (s *Spec[T]) pass(rows []T, from, to int, q query) []int {
	kept := make([]int, 0, to-from)
	for i := from; i < to; i++ {
		if q.empty() || s.matches(&rows[i], q) {
			kept = append(kept, i)
		}
	}
	return kept
}

// entry is what a row is sorted by.
type entry struct {
	row int
	key string // natural key of By or Text; the ID in a column that compares
	id  string
}

func (s *Spec[T]) entries(rows []T, from, to int, by order, q query) []entry {
	kept := s.pass(rows, from, to, q)
	entries := make([]entry, len(kept))
	column := s.Columns[by.column]
	text := column.Text
	if column.By != nil {
		text = column.By
	}
	var keys strings.Builder
	for i, row := range kept {
		id := s.ID(rows[row])
		entries[i] = entry{row: row, key: id, id: id}
		if column.Compare == nil {
			start := keys.Len()
			writeNatural(&keys, text(rows[row]))
			entries[i].key = keys.String()[start:]
		}
	}
	return entries
}

// ranked is an entry while it is being moved about: small, and with the part
// of its key that settles most comparisons.
type ranked struct {
	prefix uint64
	entry  int
}

// rank takes as prefixes the eight bytes after what all keys have in common.
// Names of one account mostly begin alike, so the very first bytes would tell
// nothing.
func rank(entries []entry) []ranked {
	ranks := make([]ranked, len(entries))
	common := ""
	if len(entries) > 0 {
		common = entries[0].key
	}
	for i := range entries {
		for !strings.HasPrefix(entries[i].key, common) {
			common = common[:len(common)-1]
		}
	}
	for i := range entries {
		var first [8]byte
		copy(first[:], entries[i].key[len(common):])
		ranks[i] = ranked{binary.BigEndian.Uint64(first[:]), i}
	}
	return ranks
}

// comparison is how entries are ordered: by the column, ties by ID.
func (s *Spec[T]) comparison(rows []T, entries []entry, by order) func(a, b ranked) int {
	sign := 1
	if by.reverse {
		sign = -1
	}
	byKey := func(a, b ranked) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		return strings.Compare(entries[a.entry].key, entries[b.entry].key)
	}
	if compare := s.Columns[by.column].Compare; compare != nil {
		return func(a, b ranked) int {
			if c := compare(rows[entries[a.entry].row], rows[entries[b.entry].row]); c != 0 {
				return sign * c
			}
			return byKey(a, b)
		}
	}
	return func(a, b ranked) int {
		if c := byKey(a, b); c != 0 {
			return sign * c
		}
		return strings.Compare(entries[a.entry].id, entries[b.entry].id)
	}
}

// sortParallel sorts with as many goroutines as there are workers.
func sortParallel(ranks, scratch []ranked, workers int, compare func(a, b ranked) int) {
	if workers < 2 {
		slices.SortFunc(ranks, compare)
		return
	}
	half := len(ranks) / 2
	var wait sync.WaitGroup
	wait.Go(func() { sortParallel(ranks[:half], scratch[:half], workers/2, compare) })
	sortParallel(ranks[half:], scratch[half:], workers-workers/2, compare)
	wait.Wait()
	merge(ranks, half, scratch, compare)
}

// merge joins the two sorted halves of ranks.
func merge(ranks []ranked, half int, scratch []ranked, compare func(a, b ranked) int) {
	copy(scratch, ranks)
	left, right := scratch[:half], scratch[half:]
	for i := range ranks {
		if len(right) == 0 || len(left) > 0 && compare(left[0], right[0]) <= 0 {
			ranks[i], left = left[0], left[1:]
		} else {
			ranks[i], right = right[0], right[1:]
		}
	}
}

// writeNatural writes a key whose bytes sort as people do: without case, and
// numbers by value ("web-9" before "web-10"). A number is its length, then its
// digits.
func writeNatural(b *strings.Builder, s string) {
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case '0' <= c && c <= '9':
			for i < len(s)-1 && s[i] == '0' && isDigit(s[i+1]) {
				i++
			}
			start := i
			for i < len(s) && isDigit(s[i]) {
				i++
			}
			b.WriteByte('0')
			b.WriteByte(byte(min(i-start, 255)))
			b.WriteString(s[start:i])
			continue
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		b.WriteByte(c)
		i++
	}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
