package term

import (
	"fmt"
	"unicode"

	tea "charm.land/bubbletea/v2"
)

// keyboard is what the program has set of how keys are sent.
type keyboard struct {
	cursor    bool // application cursor keys (DECCKM)
	keypad    bool // application keypad (DECNKM)
	newline   bool // enter sends a line feed too (LNM)
	backspace bool // backspace sends BS instead of DEL (DECBKM)
	other     int  // modifyOtherKeys
}

func (t *Term) keyboard() keyboard {
	t.session.mu.Lock()
	defer t.session.mu.Unlock()
	s := t.session.screen
	return keyboard{cursor: s.Mode(1), keypad: s.Mode(66), newline: s.NewLine(), backspace: s.Mode(67), other: s.OtherKeys()}
}

// Sequences as xterm sends them, https://invisible-island.net/xterm/ctlseqs/ctlseqs.html,
// under "PC-Style Function Keys" and "VT220-Style Function Keys".
var (
	// letterKeys send CSI x, with modifiers CSI 1 ; m x.
	letterKeys = map[rune]byte{
		tea.KeyUp: 'A', tea.KeyDown: 'B', tea.KeyRight: 'C', tea.KeyLeft: 'D', tea.KeyBegin: 'E', tea.KeyEnd: 'F', tea.KeyHome: 'H',
		tea.KeyKpUp: 'A', tea.KeyKpDown: 'B', tea.KeyKpRight: 'C', tea.KeyKpLeft: 'D', tea.KeyKpBegin: 'E', tea.KeyKpEnd: 'F', tea.KeyKpHome: 'H',
	}
	// tildeKeys send CSI n ~, with modifiers CSI n ; m ~.
	tildeKeys = map[rune]int{
		tea.KeyFind: 1, tea.KeyInsert: 2, tea.KeyDelete: 3, tea.KeySelect: 4, tea.KeyPgUp: 5, tea.KeyPgDown: 6,
		tea.KeyKpInsert: 2, tea.KeyKpDelete: 3, tea.KeyKpPgUp: 5, tea.KeyKpPgDown: 6,
		tea.KeyF5: 15, tea.KeyF6: 17, tea.KeyF7: 18, tea.KeyF8: 19, tea.KeyF9: 20, tea.KeyF10: 21, tea.KeyF11: 23, tea.KeyF12: 24,
	}
	// firstKeys send SS3 x, with modifiers CSI 1 ; m x.
	firstKeys = map[rune]byte{tea.KeyF1: 'P', tea.KeyF2: 'Q', tea.KeyF3: 'R', tea.KeyF4: 'S'}
	// keypadKeys send their character, or SS3 x for programs that want to tell
	// them from the others.
	keypadKeys = map[rune]struct {
		char, application byte
	}{
		tea.KeyKp0: {'0', 'p'}, tea.KeyKp1: {'1', 'q'}, tea.KeyKp2: {'2', 'r'}, tea.KeyKp3: {'3', 's'}, tea.KeyKp4: {'4', 't'},
		tea.KeyKp5: {'5', 'u'}, tea.KeyKp6: {'6', 'v'}, tea.KeyKp7: {'7', 'w'}, tea.KeyKp8: {'8', 'x'}, tea.KeyKp9: {'9', 'y'},
		tea.KeyKpMultiply: {'*', 'j'}, tea.KeyKpPlus: {'+', 'k'}, tea.KeyKpComma: {',', 'l'}, tea.KeyKpSep: {',', 'l'},
		tea.KeyKpMinus: {'-', 'm'}, tea.KeyKpDecimal: {'.', 'n'}, tea.KeyKpDivide: {'/', 'o'}, tea.KeyKpEqual: {'=', 'X'},
		tea.KeyKpEnter: {'\r', 'M'},
	}
	// controlKeys are the characters besides letters that make a control with
	// ctrl, where a keyboard has them or where terminals have always put them.
	controlKeys = map[rune]byte{
		' ': 0, '@': 0, '2': 0, '[': 0x1b, '3': 0x1b, '\\': 0x1c, '4': 0x1c, ']': 0x1d, '5': 0x1d,
		'^': 0x1e, '6': 0x1e, '~': 0x1e, '`': 0, '_': 0x1f, '-': 0x1f, '/': 0x1f, '7': 0x1f, '?': 0x7f, '8': 0x7f,
	}
)

// encodeKey is what a program on a terminal gets for a key; nothing for one
// that no terminal sends, such as shift alone.
func encodeKey(k tea.KeyPressMsg, kb keyboard) string {
	mod := modifiers(k.Mod)
	code := k.Code
	if code >= tea.KeyF13 && code <= tea.KeyF24 { // shift with F1 to F12, says terminfo's xterm
		code -= tea.KeyF13 - tea.KeyF1
		mod |= shifted
	}
	if letter, ok := letterKeys[code]; ok {
		return letterKey(letter, mod, kb.cursor)
	}
	if n, ok := tildeKeys[code]; ok {
		if mod == 0 {
			return fmt.Sprintf("\x1b[%d~", n)
		}
		return fmt.Sprintf("\x1b[%d;%d~", n, mod+1)
	}
	if letter, ok := firstKeys[code]; ok {
		return letterKey(letter, mod, true)
	}
	if key, ok := keypadKeys[code]; ok {
		return keypadKey(key.char, key.application, mod, kb)
	}
	return characterKey(k, mod, kb)
}

// The modifiers as sequences count them, less one.
const (
	shifted = 1
	alted   = 2
	ctrled  = 4
	metaed  = 8
)

func modifiers(m tea.KeyMod) int {
	mod := 0
	for bit, of := range map[int]tea.KeyMod{shifted: tea.ModShift, alted: tea.ModAlt, ctrled: tea.ModCtrl, metaed: tea.ModMeta} {
		if m.Contains(of) {
			mod |= bit
		}
	}
	return mod
}

func letterKey(letter byte, mod int, application bool) string {
	switch {
	case mod != 0:
		return fmt.Sprintf("\x1b[1;%d%c", mod+1, letter)
	case application:
		return "\x1bO" + string(letter)
	}
	return "\x1b[" + string(letter)
}

func keypadKey(char, application byte, mod int, kb keyboard) string {
	switch {
	case kb.keypad && mod != 0:
		return fmt.Sprintf("\x1bO%d%c", mod+1, application)
	case kb.keypad:
		return "\x1bO" + string(application)
	case char == '\r':
		return enterKey(mod, kb)
	}
	return withAlt(string(char), mod)
}

// characterKey encodes text, and the keys that send one control.
func characterKey(k tea.KeyPressMsg, mod int, kb keyboard) string {
	switch k.Code {
	case tea.KeyEnter:
		return enterKey(mod, kb)
	case tea.KeyTab:
		return tabKey(mod, kb)
	case tea.KeyBackspace:
		return backspaceKey(mod, kb)
	case tea.KeyEscape:
		return controlKey("\x1b", tea.KeyEscape, mod, kb)
	}
	switch both := ctrled | alted; {
	case k.Mod.Contains(tea.ModSuper) || k.Mod.Contains(tea.ModHyper): // a shortcut of the desktop
		return ""
	case k.Text != "" && (mod&(both|metaed) == 0 || mod&both == both): // both are how Windows tells of AltGr
		return k.Text
	}
	r := character(k)
	if r == 0 {
		return withAlt(k.Text, mod)
	}
	if mod&ctrled == 0 {
		return withAlt(string(r), mod)
	}
	if b, ok := controlByte(r); ok {
		return withAlt(string(b), mod)
	}
	return controlKey(string(r), r, mod, kb)
}

// character is the character that the key makes without ctrl and alt; 0 when
// it makes none.
func character(k tea.KeyPressMsg) rune {
	r := k.Code
	if r <= 0 || r >= tea.KeyExtended || !unicode.IsPrint(r) && r != ' ' {
		return 0
	}
	if k.Mod.Contains(tea.ModShift) {
		if k.ShiftedCode != 0 {
			return k.ShiftedCode
		}
		if t := []rune(k.Text); len(t) == 1 {
			return t[0]
		}
		return unicode.ToUpper(r)
	}
	return r
}

func controlByte(r rune) (byte, bool) {
	if l := unicode.ToLower(r); l >= 'a' && l <= 'z' {
		return byte(l) & 0x1f, true
	}
	b, ok := controlKeys[r]
	return b, ok
}

func withAlt(text string, mod int) string {
	if mod&(alted|metaed) != 0 && text != "" {
		return "\x1b" + text
	}
	return text
}

// controlKey is a key whose modifiers only a program learns that asked for
// them (modifyOtherKeys).
func controlKey(plain string, code rune, mod int, kb keyboard) string {
	if kb.other > 0 && mod&^alted != 0 {
		return fmt.Sprintf("\x1b[27;%d;%d~", mod+1, code)
	}
	return withAlt(plain, mod)
}

func enterKey(mod int, kb keyboard) string {
	plain := "\r"
	if kb.newline {
		plain = "\r\n"
	}
	return controlKey(plain, '\r', mod, kb)
}

func tabKey(mod int, kb keyboard) string {
	if mod&shifted != 0 && mod&ctrled == 0 {
		return withAlt("\x1b[Z", mod)
	}
	return controlKey("\t", '\t', mod, kb)
}

func backspaceKey(mod int, kb keyboard) string {
	plain, other := "\x7f", "\b"
	if kb.backspace {
		plain, other = other, plain
	}
	if mod&ctrled != 0 {
		plain = other
	}
	return controlKey(plain, 0x7f, mod&^ctrled, kb)
}

// key takes a key press: for the search, for the history, or for the program.
func (t *Term) key(msg tea.KeyPressMsg) tea.Cmd {
	switch {
	case t.search.asking:
		t.searchKey(msg)
	case t.phase == connecting:
		t.hold(msg)
	case t.phase != live:
	case t.scrollKey(msg.String()):
	default:
		// Also while the history shows: the frame sends keys here that the user
		// means for the shell, such as ctrl+] pressed twice.
		if s := encodeKey(msg, t.keyboard()); s != "" {
			t.send(s)
			t.follow()
		}
	}
	return nil
}

// mostAhead bounds what is typed ahead of a session that does not open.
const mostAhead = 4096

// hold keeps what is typed or pasted while the session is still being opened,
// so that typing ahead reaches the shell and nothing else.
func (t *Term) hold(msg tea.Msg) {
	if len(t.ahead) < mostAhead {
		t.ahead = append(t.ahead, msg)
	}
}

// release gives the program what was typed ahead.
func (t *Term) release() {
	ahead := t.ahead
	t.ahead = nil
	for _, msg := range ahead {
		switch msg := msg.(type) {
		case tea.KeyPressMsg:
			t.key(msg)
		case tea.PasteMsg:
			t.paste(msg.Content)
		}
	}
}

// scrollKey takes the keys that scroll, unless a program fills the screen and
// may want them itself.
func (t *Term) scrollKey(key string) bool {
	step := map[string]int{"shift+pgup": -t.page(), "shift+pgdown": t.page()}[key]
	if step == 0 || !t.scroll.browsing && t.altScreen() {
		return false
	}
	t.move(step)
	return true
}

func (t *Term) altScreen() bool {
	t.session.mu.Lock()
	defer t.session.mu.Unlock()
	return t.session.screen.Alt()
}
