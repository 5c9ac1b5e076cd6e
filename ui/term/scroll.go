package term

import "gantry/ui/style"

// scroll is which part of the history and the screen shows. Lines have the
// numbers of the history; the screen's come after it.
type scroll struct {
	following bool // the newest lines show
	top       int  // the first line that shows, when not following
	browsing  bool // the keys move about instead of going to the session
}

// lines is the numbers of the lines there are, first and one past the last.
// The session's lock is held.
func (s *session) lines() (start, end int) {
	h := s.screen.History()
	_, rows := s.screen.Size()
	return h.Start(), h.End() + rows
}

// lineOf is a line with its colours, in so many columns. The lock is held.
func (s *session) lineOf(n, width int) string {
	h := s.screen.History()
	if n < h.End() {
		return style.Fit(h.Line(n), width)
	}
	row := s.screen.Row(n - h.End())
	if w, _ := s.screen.Size(); w != width {
		return style.Fit(row, width)
	}
	return row // of every cell
}

// text is a line without them. The lock is held.
func (s *session) text(n int) string {
	h := s.screen.History()
	if n < h.End() {
		return h.Text(n)
	}
	return s.screen.Text(n - h.End())
}

// newest is the first line that shows when following, in so many rows: that of
// the screen, or a later one when a bar takes away rows that are in use.
func (s *session) newest(rows int) int {
	end, cursor := s.screen.History().End(), s.screen.Cursor().Y
	_, last := s.screen.Size()
	if last <= rows {
		return end
	}
	for last--; last > cursor && s.screen.Text(last) == ""; {
		last--
	}
	return end + max(0, last+1-rows)
}

// top is the first line that shows. The lock is held.
func (t *Term) top() int {
	newest := t.session.newest(t.body())
	if t.scroll.following {
		return newest
	}
	start, _ := t.session.lines()
	return min(max(t.scroll.top, start), newest)
}

// body is how many rows show lines.
func (t *Term) body() int {
	if t.hasBar() {
		return t.h - 1
	}
	return t.h
}

// move scrolls by so many lines, up when negative.
func (t *Term) move(lines int) {
	if t.session == nil {
		return
	}
	t.session.mu.Lock()
	defer t.session.mu.Unlock()
	t.scrollTo(t.top() + lines)
}

// scrollTo shows that line first. The lock is held.
func (t *Term) scrollTo(top int) {
	start, _ := t.session.lines()
	t.scroll.top = max(top, start)
	t.scroll.following = t.scroll.top >= t.session.newest(t.body())
	t.stale = true
}

// page is how far a page key goes.
func (t *Term) page() int { return max(t.body()-1, 1) }

// follow shows the newest lines again.
func (t *Term) follow() {
	t.scroll = scroll{following: true}
	t.selection = selection{}
	t.stale = true
}
