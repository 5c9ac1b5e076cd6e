package ui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
	"gantry/ui/style"
)

const noSession = -1

// stage is the right side: tabs about the selected row, and the sessions,
// which outlive every selection.
type stage struct {
	box      rect
	about    pane.Stage
	tab      int               // index into about.Tabs
	wanted   map[string]string // the tab last chosen, by the titles there were
	open     pane.Pane         // of the tab; made when it is first seen
	sessions []pane.Pane
	active   int       // index into sessions, or noSession
	last     pane.Pane // the session that showed last
	keyed    pane.Pane // that was told that it has the keys
	seen     pane.Pane // what shows, as was told
}

func newStage() stage { return stage{active: noSession, wanted: map[string]string{}} }

// ending is a session that tells whether it still runs, and whether its tab
// can go.
type ending interface {
	Live() bool
	Gone() bool
}

// marking is a session that has something to say in its tab: new output, end.
type marking interface{ Mark() string }

// lend tells the pane of the stage that has the keys now, and the one that had
// them; nil: none has.
func (s *stage) lend(p pane.Pane) {
	if p == s.keyed {
		return
	}
	if s.keyed != nil {
		blur(s.keyed)
	}
	if s.keyed = p; p != nil {
		focus(p)
	}
}

// ofSession says that the tabs are about a row of a session.
func (s *stage) ofSession() bool {
	return s.about.From != nil && slices.Contains(s.sessions, s.about.From)
}

// back shows a session that is there already; false: it is not.
func (s *stage) back(p pane.Pane) bool {
	i := slices.Index(s.sessions, p)
	if i < 0 {
		return false
	}
	s.active = i
	return true
}

// watching is a pane that looks for more only while it is seen.
type watching interface{ Watched(seen bool) }

// tell says which pane shows, when that has changed.
func (s *stage) tell() {
	now := s.current()
	if s.box.w <= 0 || s.box.h <= 0 {
		now = nil
	}
	if now == s.seen {
		return
	}
	if w, ok := s.seen.(watching); ok {
		w.Watched(false)
	}
	s.seen = now
	if w, ok := now.(watching); ok {
		w.Watched(true)
	}
}

// current is the pane that shows.
func (s *stage) current() pane.Pane {
	if s.active != noSession {
		return s.sessions[s.active]
	}
	return s.open
}

// live is every pane that may be waiting for an answer.
func (s *stage) live() []pane.Pane {
	if s.open == nil {
		return s.sessions
	}
	return append([]pane.Pane{s.open}, s.sessions...)
}

// alive counts the sessions that would be lost by quitting.
func (s *stage) alive() int {
	n := 0
	for _, p := range s.sessions {
		if e, ok := p.(ending); ok && e.Live() {
			n++
		}
	}
	return n
}

// leave shows the row's tabs again.
func (s *stage) leave() {
	if s.active != noSession {
		s.last, s.active = s.sessions[s.active], noSession
	}
}

// resume shows the session that showed last, or the newest, if there is one.
func (s *stage) resume() bool {
	if len(s.sessions) == 0 {
		return false
	}
	if s.active = slices.Index(s.sessions, s.last); s.active < 0 {
		s.active = len(s.sessions) - 1
	}
	return true
}

func (s *stage) count() int { return len(s.about.Tabs) + len(s.sessions) }

// show takes a row's tabs. The pane of a tab lives as long as its row's ID
// stays; the choice of tab outlives it.
func (s *stage) show(f *Frame, about pane.Stage) {
	same := about.ID == s.about.ID && titles(about.Tabs) == titles(s.about.Tabs)
	s.about = about
	if same {
		return
	}
	s.closeTab()
	s.tab = 0
	if wanted := s.wanted[titles(about.Tabs)]; wanted != "" {
		s.tab = max(0, slices.IndexFunc(about.Tabs, func(t pane.Tab) bool { return t.Title == wanted }))
	}
	s.openTab(f)
}

func titles(tabs []pane.Tab) string {
	names := make([]string, len(tabs))
	for i, t := range tabs {
		names[i] = t.Title
	}
	return strings.Join(names, "\x00")
}

func (s *stage) openTab(f *Frame) {
	if s.tab >= len(s.about.Tabs) {
		return
	}
	s.open = s.about.Tabs[s.tab].Open()
	f.later(s.open.Init(host{f, s.open}))
	if s.active == noSession {
		in := s.box.inner()
		f.later(s.open.Resize(in.w, in.h))
	}
}

func (s *stage) closeTab() {
	if s.open != nil {
		closePane(s.open)
		s.open = nil
	}
}

func (s *stage) close() {
	s.closeTab()
	for _, p := range s.sessions {
		closePane(p)
	}
	s.sessions, s.active = nil, noSession
}

// add takes a session and shows it. One with the same title is replaced when
// it has nothing to lose.
func (s *stage) add(p pane.Pane) {
	for i, old := range s.sessions {
		if e, ok := old.(ending); old.Title() == p.Title() && ok && !e.Live() {
			closePane(old)
			s.sessions[i], s.active = p, i
			return
		}
	}
	s.sessions = append(s.sessions, p)
	s.active = len(s.sessions) - 1
}

// sweep removes the sessions that are gone.
func (s *stage) sweep(f *Frame) {
	for i := len(s.sessions) - 1; i >= 0; i-- {
		if e, ok := s.sessions[i].(ending); !ok || !e.Gone() {
			continue
		}
		closePane(s.sessions[i])
		s.sessions = slices.Delete(s.sessions, i, i+1)
		switch {
		case s.active > i:
			s.active--
		case s.active == i:
			s.active = noSession
			f.later(f.focusSlot(f.focus))
		}
	}
}

// turn moves on by tabs, sessions after the row's.
func (s *stage) turn(f *Frame, by int) {
	n := s.count()
	if n == 0 {
		return
	}
	at := s.tab
	if s.active != noSession {
		at = len(s.about.Tabs) + s.active
	}
	s.choose(f, (at+by+n)%n)
}

// choose shows the i-th of tabs and sessions.
func (s *stage) choose(f *Frame, i int) {
	if i >= len(s.about.Tabs) {
		s.active = i - len(s.about.Tabs)
		return
	}
	s.leave()
	s.wanted[titles(s.about.Tabs)] = s.about.Tabs[i].Title
	if i == s.tab && s.open != nil {
		return
	}
	s.closeTab()
	s.tab = i
	s.openTab(f)
}

func (s *stage) resize(box rect) tea.Cmd {
	s.box = box
	in := box.inner()
	var cmds []tea.Cmd
	for _, p := range s.sessions {
		cmds = append(cmds, p.Resize(in.w, in.h))
	}
	if s.open != nil {
		if s.active != noSession { // behind a session, what it would show costs nothing
			in = rect{}
		}
		cmds = append(cmds, s.open.Resize(in.w, in.h))
	}
	return tea.Batch(cmds...)
}

// label is one word in the line of tabs; choice is -1 for what cannot be
// chosen.
type label struct {
	text   string
	mark   string // of a session: new output, end
	choice int
	on     bool
}

func (l label) String() string { return strings.TrimSuffix(l.text+" "+l.mark, " ") }

func (s *stage) labels() []label {
	ls := []label{{text: style.Plain(s.about.Name), choice: -1}}
	for i, t := range s.about.Tabs {
		ls = append(ls, label{text: t.Title, choice: i, on: s.active == noSession && i == s.tab})
	}
	for i, p := range s.sessions {
		l := label{text: style.Plain(p.Title()), choice: len(s.about.Tabs) + i, on: i == s.active}
		if m, ok := p.(marking); ok {
			l.mark = m.Mark()
		}
		ls = append(ls, l)
	}
	return slices.DeleteFunc(ls, func(l label) bool { return l.text == "" })
}

const between = " │ "

// before stands for the tabs that are left out.
const before = "‹ "

// title is the line of tabs. When they do not fit, the names of sessions are
// cut, but not their marks; then what stands before the chosen one is left out.
func (s *stage) title(w int) string {
	t := style.Now()
	var parts []string
	for _, l := range s.visible(w) {
		switch {
		case l.choice < 0:
			parts = append(parts, t.Header.Render(l.String()))
		case l.on:
			parts = append(parts, t.TabOn.Render(l.String()))
		default:
			parts = append(parts, t.Tab.Render(l.String()))
		}
	}
	return strings.Join(parts, t.FrameAway.Render(between))
}

func (s *stage) visible(w int) []label {
	ls := s.labels()
	const longest, shortest = 40, 8 // cells of a session's name
	for most := longest; most >= shortest && width(ls) > w-6; most-- {
		s.shorten(ls, most)
	}
	left := false // a tab is left out, not just the name before them
	for len(ls) > 1 && width(ls) > w-6 && !ls[0].on {
		left = left || ls[0].choice >= 0
		ls = ls[1:]
		if left {
			ls[0].text = before + ls[0].text
		}
	}
	return s.spare(ls, w-6)
}

// spare leaves tabs out that do not show, the last first, until the sessions
// behind them fit: a mark that says how one has ended tells more than the name
// of a tab.
func (s *stage) spare(ls []label, w int) []label {
	for len(s.sessions) > 0 && width(ls) > w {
		var at int
		for at = len(ls) - 1; at >= 0; at-- {
			if l := ls[at]; l.choice >= 0 && l.choice < len(s.about.Tabs) && !l.on {
				break
			}
		}
		if at < 0 {
			return ls
		}
		if next := at + 1; next < len(ls) && ls[next].text == leftOut {
			ls = slices.Delete(ls, next, next+1)
		}
		ls[at] = label{text: leftOut, choice: -1}
	}
	return ls
}

// leftOut stands for tabs that have no place.
const leftOut = "…"

// shorten cuts the names of the sessions that do not show.
func (s *stage) shorten(ls []label, most int) {
	for i, l := range ls {
		if l.choice >= len(s.about.Tabs) && !l.on {
			ls[i].text = style.Cut(style.Plain(s.sessions[l.choice-len(s.about.Tabs)].Title()), most)
		}
	}
}

func width(ls []label) int {
	n := 0
	for _, l := range ls {
		n += style.Width(l.String()) + len([]rune(between))
	}
	return n
}

// clickTab chooses the tab under column x of the screen.
func (s *stage) clickTab(f *Frame, x int) {
	at := s.box.x + 2
	for _, l := range s.visible(s.box.w) {
		w := style.Width(l.String())
		if x >= at && x < at+w && l.choice >= 0 {
			s.choose(f, l.choice)
			f.onStage = s.active != noSession || f.onStage
			return
		}
		at += w + len([]rune(between))
	}
}

func (s *stage) view(edge style.Edge) string {
	body := ""
	if p := s.current(); p != nil {
		body = p.View()
	}
	return edge.Box(s.title(s.box.w), "", body, s.box.w, s.box.h)
}
