package term

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// search is looking for text in the history and on the screen. Capital letters
// count when the pattern has some.
type search struct {
	asking  bool   // the pattern is being typed
	typed   string // so far
	pattern string
	found   place // of the match that n goes on from
}

// ask lets the user type a pattern.
func (t *Term) ask() tea.Cmd {
	if t.session != nil {
		t.search.asking, t.search.typed, t.stale = true, "", true
	}
	return nil
}

// searchKey takes a key while the pattern is being typed.
func (t *Term) searchKey(msg tea.KeyPressMsg) {
	t.stale = true
	s := &t.search
	switch msg.String() {
	case "enter":
		s.asking = false
		t.find()
	case "esc", "ctrl+c":
		s.asking = false
	case "backspace":
		if s.typed == "" {
			s.asking = false
			return
		}
		r := []rune(s.typed)
		s.typed = string(r[:len(r)-1])
	case "ctrl+u":
		s.typed = ""
	default:
		s.typed += msg.Text
	}
}

// find looks for what was typed, upwards from the end.
func (t *Term) find() {
	if t.search.typed != "" {
		t.search.pattern = t.search.typed
	}
	if t.search.pattern == "" {
		return
	}
	t.session.mu.Lock()
	_, end := t.session.lines()
	t.session.mu.Unlock()
	t.search.found = place{end, 0}
	t.scroll.browsing = true
	t.older()
}

// older goes to the next match above, newer to the one below.
func (t *Term) older() tea.Cmd { return t.nextMatch(-1) }

func (t *Term) newer() tea.Cmd { return t.nextMatch(1) }

func (t *Term) nextMatch(step int) tea.Cmd {
	if t.session == nil || t.search.pattern == "" {
		return nil
	}
	t.session.mu.Lock()
	at, ok := t.match(t.search.found, step)
	if ok {
		t.search.found = at
		t.scroll.browsing = true
		t.reveal(at.line)
	}
	t.session.mu.Unlock()
	if !ok {
		t.say("no "+map[int]string{-1: "earlier", 1: "later"}[step]+" match of "+t.search.pattern, nil)
	}
	return nil
}

// match is the first match before or after a place. The lock is held.
func (t *Term) match(from place, step int) (place, bool) {
	start, end := t.session.lines()
	for n := min(max(from.line, start-1), end); n >= start-1 && n <= end; n += step {
		best, ok := place{}, false
		for _, col := range matches(t.session.text(n), t.search.pattern) {
			p := place{n, col}
			if step > 0 && from.before(p) {
				return p, true
			}
			if step < 0 && p.before(from) {
				best, ok = p, true
			}
		}
		if ok {
			return best, true
		}
	}
	return place{}, false
}

// reveal scrolls as far as it takes to show the line. The lock is held.
func (t *Term) reveal(line int) {
	top := t.top()
	if line < top || line >= top+t.body() {
		t.scrollTo(line - t.body()/2)
	}
	t.stale = true
}

// matches is the columns at which a line has the pattern.
func matches(line, pattern string) []int {
	if pattern == "" {
		return nil
	}
	// Folding changes the length of a few letters, which then do not match: a
	// wrong column would be worse.
	if folded := strings.ToLower(line); pattern == strings.ToLower(pattern) && len(folded) == len(line) {
		line = folded
	}
	var cols []int
	for at := 0; ; {
		i := strings.Index(line[at:], pattern)
		if i < 0 {
			return cols
		}
		cols = append(cols, ansi.StringWidth(line[:at+i]))
		at += i + len(pattern)
	}
}
