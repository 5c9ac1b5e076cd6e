package term

import (
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// wheelStep is how many lines a notch of the wheel moves.
const wheelStep = 3

// The modes by which a program asks for the mouse, from presses alone to every
// movement, and those that say how it is told.
const (
	mouseX10    = 9
	mousePress  = 1000
	mouseDrag   = 1002
	mouseMotion = 1003
	mouseSGR    = 1006
	mouseURXVT  = 1015
)

// mouseModes is what the program asked for; 0 when it leaves the mouse alone.
func (t *Term) mouseModes() (wanted, encoding int, alt bool) {
	t.session.mu.Lock()
	defer t.session.mu.Unlock()
	s := t.session.screen
	for _, m := range []int{mouseX10, mousePress, mouseDrag, mouseMotion} {
		if s.Mode(m) {
			wanted = m
		}
	}
	for _, m := range []int{mouseURXVT, mouseSGR} {
		if s.Mode(m) {
			encoding = m
		}
	}
	return wanted, encoding, s.Alt()
}

// mouse goes to the program if it asks for it. Otherwise the wheel scrolls and
// dragging selects.
func (t *Term) mouse(msg tea.MouseMsg) tea.Cmd {
	if t.session == nil {
		return nil
	}
	wanted, encoding, alt := t.mouseModes()
	m := msg.Mouse()
	if t.phase == live && wanted != 0 && !t.scroll.browsing && t.scroll.following {
		if m.Y < t.rows() && m.X < t.w && m.X >= 0 && m.Y >= 0 {
			t.send(encodeMouse(msg, wanted, encoding))
		}
		return nil
	}
	switch msg.(type) {
	case tea.MouseWheelMsg:
		if alt && t.phase == live && !t.scroll.browsing {
			t.sendWheel(m.Button)
		} else {
			t.scrollWheel(m.Button)
		}
	case tea.MouseClickMsg:
		if m.Button == tea.MouseLeft {
			at := t.at(m)
			t.selection, t.stale = selection{anchor: at, head: at}, true
		}
	case tea.MouseMotionMsg:
		if m.Button == tea.MouseLeft {
			t.selection.head, t.selection.active, t.stale = t.at(m), true, true
		}
	case tea.MouseReleaseMsg:
		if t.selection.active {
			return t.copy()
		}
	}
	return nil
}

// scrollWheel scrolls the history.
func (t *Term) scrollWheel(notch tea.MouseButton) {
	switch notch {
	case tea.MouseWheelUp:
		t.move(-wheelStep)
	case tea.MouseWheelDown:
		t.move(wheelStep)
	}
}

// sendWheel gives arrow keys to a program on the alternate screen, which has
// no history, as most terminals do.
func (t *Term) sendWheel(notch tea.MouseButton) {
	arrow, ok := map[tea.MouseButton]rune{tea.MouseWheelUp: tea.KeyUp, tea.MouseWheelDown: tea.KeyDown}[notch]
	if !ok {
		return
	}
	t.send(strings.Repeat(encodeKey(tea.KeyPressMsg{Code: arrow}, t.keyboard()), wheelStep))
}

// at is the place under the mouse.
func (t *Term) at(m tea.Mouse) place {
	t.session.mu.Lock()
	defer t.session.mu.Unlock()
	y := min(max(m.Y, 0), max(t.body()-1, 0))
	return place{t.top() + y, min(max(m.X, 0), max(t.w-1, 0))}
}

// encodeMouse is what the program is told; nothing if it did not ask for that.
func encodeMouse(msg tea.MouseMsg, wanted, encoding int) string {
	m := msg.Mouse()
	_, motion := msg.(tea.MouseMotionMsg)
	_, release := msg.(tea.MouseReleaseMsg)
	switch {
	case motion && wanted != mouseMotion && (wanted != mouseDrag || m.Button == tea.MouseNone),
		release && wanted == mouseX10:
		return ""
	}
	b := ansi.EncodeMouseButton(m.Button, motion, m.Mod.Contains(tea.ModShift), m.Mod.Contains(tea.ModAlt), m.Mod.Contains(tea.ModCtrl))
	if encoding == mouseSGR {
		return ansi.MouseSgr(b, m.X, m.Y, release)
	}
	if release {
		b = legacyRelease(b)
	}
	if encoding == mouseURXVT {
		return "\x1b[" + strconv.Itoa(int(b)+32) + ";" + strconv.Itoa(m.X+1) + ";" + strconv.Itoa(m.Y+1) + "M"
	}
	return encodeMouseBytes(b, m.X, m.Y)
}

// encodeMouseBytes is a mouse event in the oldest encoding; nothing if the
// place does not fit into its bytes.
func encodeMouseBytes(b byte, x, y int) string {
	const most = 255 - 33
	if x < 0 || x > most || y < 0 || y > most {
		return ""
	}
	return "\x1b[M" + string([]byte{b + 32, byte(x) + 33, byte(y) + 33})
}

// legacyRelease is a released button as the encodings before SGR tell it: that
// there was one, but not which.
func legacyRelease(b byte) byte {
	const modifiers, released = 4 + 8 + 16, 3
	return b&modifiers | released
}
