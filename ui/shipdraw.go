package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gantry/ui/style"
)

// planRow is the cursor's place on the plan, above the first stage.
const planRow = -1

// shipScreen is how a shipment is looked at: which stage is unfolded, and how
// far what stands below it is scrolled.
type shipScreen struct {
	w, h   int
	cursor int  // the stage that is unfolded, or planRow
	folded bool // none is
	follow bool // the stage that runs is unfolded
	top    int  // of what is below it
	room   int  // lines for it
	graph  buildGraph
	view   string
}

func newShipScreen() shipScreen { return shipScreen{cursor: planRow, graph: newBuildGraph()} }

func (c *shipScreen) resize(w, h int) { c.w, c.h = w, h }

// move unfolds another stage.
func (c *shipScreen) move(by, stages int) {
	c.follow, c.folded, c.top = false, false, 0
	c.cursor = max(planRow, min(c.cursor+by, stages-1))
}

func (c *shipScreen) toggle() { c.folded, c.follow = !c.folded, false }

func (c *shipScreen) scroll(by int) {
	c.graph.scroll(by)
	c.top = max(0, c.top+by)
}

// draw draws the shipment as it is now.
func (s *ship) draw() {
	c := &s.screen
	if c.w <= 0 || c.h <= 0 {
		c.view = ""
		return
	}
	var lines []string
	switch {
	case s.begun:
		lines = s.stageLines()
	case s.ready():
		lines = c.window(s.planScreen(), c.h)
	default:
		lines = s.waitingLines()
	}
	c.view = style.Block(lines, c.w, c.h)
}

// window are as many lines as there is room for. That there are more below is
// said: what is to be confirmed must not be overlooked.
func (c *shipScreen) window(lines []string, room int) []string {
	c.room = max(0, room)
	c.top = max(0, min(c.top, len(lines)-c.room))
	shown := slices.Clone(lines[c.top:min(len(lines), c.top+c.room)])
	if more := len(lines) - c.top - len(shown); more > 0 && len(shown) > 1 {
		shown[len(shown)-1] = style.Now().Dim.Render(" ↓ " + plural(more+1, "more line"))
	}
	return shown
}

// waitingLines say what is still to come, or to be chosen.
func (s *ship) waitingLines() []string {
	t, w := style.Now(), s.screen.w-1
	switch err := s.trouble(); {
	case s.reading():
		return []string{t.Dim.Render(" " + s.readingWords() + " …")}
	case err != nil:
		return append(errorLines(err, w), "", t.Dim.Render("  ⏎ tries again"))
	case s.order.name() == "":
		return styled(t.Dim, hanging(" ", "Nothing is chosen yet: ⏎ asks what to ship to "+s.order.target()+".", w))
	}
	return styled(t.Dim, hanging(" ", "Nothing is chosen yet: ⏎ asks where to ship "+s.order.name()+".", w))
}

func (s *ship) readingWords() string {
	switch {
	case s.targets.Busy():
		return "reading which services there are"
	case s.sources.Busy():
		return "reading what could be shipped"
	case s.offer.Busy():
		return "reading what a new service can be made of"
	}
	return "reading what would be done"
}

// planScreen is the plan before it is confirmed.
func (s *ship) planScreen() []string {
	t, w := style.Now(), s.screen.w
	lines := styled(t.Accent, hanging(" ", "Nothing is done yet. ⏎ ships it as said here, e changes it, x leaves.", w-1))
	lines = append(lines, "")
	return append(lines, planLines(&s.current.plan, w)...)
}

// stageLines are the stages, with what one of them does below it.
func (s *ship) stageLines() []string {
	c, m := &s.screen, &s.current
	if c.follow {
		if at := m.at(); at != c.cursor {
			c.cursor, c.top = at, 0
		}
		c.folded = false
	}
	head := s.summary()
	rest := c.h - len(head) - len(m.steps) - 1
	var lines []string
	add := func(row int, line string) {
		if row == c.cursor {
			line = style.Now().Selected.Render(style.Fit("▸"+strings.TrimPrefix(line, " "), c.w))
		}
		lines = append(lines, line)
		if row == c.cursor && !c.folded {
			lines = append(lines, s.detail(row, max(0, rest))...)
		}
	}
	add(planRow, stageLine("✓", "plan", "as it was confirmed", "", c.w))
	now := s.now()
	for i, step := range m.steps {
		line := stageLine(stageSign(step.state), stageNamed[step.stage], step.words, tookText(step, now), c.w)
		if i != c.cursor {
			line = stageStyle(step.state).Render(line)
		}
		add(i, line)
	}
	return append(head, lines...)
}

// stageSign is a state as a sign.
func stageSign(state shipState) string {
	return map[shipState]string{shipWaiting: "○", shipRunning: "●", shipDone: "✓", shipFailed: "✗", shipCanceled: "–", shipTakenBack: "↩"}[state]
}

func stageStyle(state shipState) style.Style {
	t := style.Now()
	switch state {
	case shipRunning:
		return t.Busy
	case shipFailed, shipTakenBack:
		return t.Bad
	case shipDone:
		return t.Good
	case shipWaiting, shipCanceled:
	}
	return t.Dim
}

// stageWidth is the place for the longest name of a stage.
const stageWidth = 11

func stageLine(sign, name, words, took string, w int) string {
	left := " " + sign + " " + style.Fit(name, stageWidth)
	room := w - style.Width(left) - style.Width(took) - 2
	return left + style.Fit(style.Plain(words), max(0, room)) + " " + took
}

func tookText(s shipStep, now time.Time) string {
	if s.began.IsZero() {
		return ""
	}
	took := s.took(now)
	if s.state == shipRunning {
		took = max(0, took.Truncate(time.Second))
	}
	return secondsText(took)
}

// summary is what stands above the stages: what happens where, and when it has
// stopped, what was done.
func (s *ship) summary() []string {
	t, m, w := style.Now(), &s.current, s.screen.w-1
	o := &m.plan.order
	text := o.name() + " → " + o.target()
	place := styled(t.Dim, hanging(" ", where(o.scope, o.cluster()), w))
	took := secondsText(s.took().Truncate(time.Second))
	if !m.over {
		verb := "● shipping "
		if m.step(stageBack) != nil {
			verb = "● rolling back "
		}
		return append([]string{t.Busy.Render(style.Cut(" "+verb+style.Plain(text)+" · "+took, w))}, place...)
	}
	sign, look := "✓", t.Good
	switch {
	case s.canceled():
		sign, look = "–", t.Dim
		took = "canceled after " + took
		if m.updated() {
			took = "not watched any more; ECS goes on with it"
		}
	case s.Mark() == "↩":
		sign, look, took = "↩", t.Bad, "rolled back after "+took
	case m.err != nil:
		sign, look, took = "✗", t.Bad, "stopped after "+took
	}
	lines := styled(look, hanging(" "+sign+" ", fmt.Sprintf("%s · %s", text, took), w-1))
	lines = append(lines, styled(t.Text, hanging("   ", m.story(), w-1))...)
	return append(lines, place...)
}
