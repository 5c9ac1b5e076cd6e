package term

import (
	"fmt"
	"testing"

	tea "charm.land/bubbletea/v2"
)

const (
	shift = tea.ModShift
	alt   = tea.ModAlt
	ctrl  = tea.ModCtrl
)

func press(code rune, mods ...tea.KeyMod) tea.KeyPressMsg {
	k := tea.KeyPressMsg{Code: code}
	for _, m := range mods {
		k.Mod |= m
	}
	return k
}

func typed(text string, code rune, mods ...tea.KeyMod) tea.KeyPressMsg {
	k := press(code, mods...)
	k.Text = text
	return k
}

func TestKeys(t *testing.T) {
	for _, c := range []struct {
		key  tea.KeyPressMsg
		want string
	}{
		{typed("a", 'a'), "a"},
		{typed("A", 'a', shift), "A"},
		{typed("A", 'A', shift), "A"},
		{typed("!", '1', shift), "!"},
		{tea.KeyPressMsg{Code: 'a', Text: "a", IsRepeat: true, BaseCode: 'a'}, "a"},
		{typed("A", 'a', tea.ModCapsLock), "A"},
		{typed("1", '1', tea.ModNumLock), "1"},
		{typed("é", 'é'), "é"},
		{typed("日本", tea.KeyExtended), "日本"},
		{typed("👩‍👩‍👧", tea.KeyExtended), "👩‍👩‍👧"},
		{typed(" ", tea.KeySpace), " "},
		{typed(" ", tea.KeySpace, shift), " "},

		{press('a', ctrl), "\x01"},
		{press('z', ctrl), "\x1a"},
		{press('c', ctrl, shift), "\x03"},
		{press('A', ctrl), "\x01"},
		{press(tea.KeySpace, ctrl), "\x00"},
		{press('@', ctrl), "\x00"},
		{press('2', ctrl), "\x00"},
		{press('[', ctrl), "\x1b"},
		{press('\\', ctrl), "\x1c"},
		{press(']', ctrl), "\x1d"},
		{press('^', ctrl), "\x1e"},
		{press('_', ctrl), "\x1f"},
		{press('/', ctrl), "\x1f"},
		{press('?', ctrl), "\x7f"},
		{press('1', ctrl), "1"},
		{press('ö', ctrl), "ö"},

		{press('a', alt), "\x1ba"},
		{press('a', alt, shift), "\x1bA"},
		{tea.KeyPressMsg{Code: '1', ShiftedCode: '!', Mod: alt | shift}, "\x1b!"},
		{typed("a", 'a', alt), "\x1ba"},
		{press('a', alt, ctrl), "\x1b\x01"},
		{press(tea.KeySpace, alt), "\x1b "},
		{press('é', alt), "\x1bé"},
		{press('a', tea.ModMeta), "\x1ba"},
		{typed("@", 'q', alt, ctrl), "@"},
		{press('c', tea.ModSuper), ""},

		{press(tea.KeyEnter), "\r"},
		{press(tea.KeyEnter, shift), "\r"},
		{press(tea.KeyEnter, alt), "\x1b\r"},
		{press(tea.KeyTab), "\t"},
		{press(tea.KeyTab, shift), "\x1b[Z"},
		{press(tea.KeyTab, ctrl), "\t"},
		{press(tea.KeyBackspace), "\x7f"},
		{press(tea.KeyBackspace, shift), "\x7f"},
		{press(tea.KeyBackspace, ctrl), "\b"},
		{press(tea.KeyBackspace, alt), "\x1b\x7f"},
		{press(tea.KeyEscape), "\x1b"},
		{press(tea.KeyEscape, alt), "\x1b\x1b"},

		{press(tea.KeyUp), "\x1b[A"},
		{press(tea.KeyDown), "\x1b[B"},
		{press(tea.KeyRight), "\x1b[C"},
		{press(tea.KeyLeft), "\x1b[D"},
		{press(tea.KeyHome), "\x1b[H"},
		{press(tea.KeyEnd), "\x1b[F"},
		{press(tea.KeyBegin), "\x1b[E"},
		{press(tea.KeyUp, shift), "\x1b[1;2A"},
		{press(tea.KeyUp, alt), "\x1b[1;3A"},
		{press(tea.KeyDown, shift, alt), "\x1b[1;4B"},
		{press(tea.KeyRight, ctrl), "\x1b[1;5C"},
		{press(tea.KeyLeft, ctrl, shift), "\x1b[1;6D"},
		{press(tea.KeyHome, ctrl, alt), "\x1b[1;7H"},
		{press(tea.KeyEnd, ctrl, alt, shift), "\x1b[1;8F"},
		{press(tea.KeyUp, tea.ModMeta), "\x1b[1;9A"},

		{press(tea.KeyInsert), "\x1b[2~"},
		{press(tea.KeyDelete), "\x1b[3~"},
		{press(tea.KeyPgUp), "\x1b[5~"},
		{press(tea.KeyPgDown), "\x1b[6~"},
		{press(tea.KeyFind), "\x1b[1~"},
		{press(tea.KeySelect), "\x1b[4~"},
		{press(tea.KeyDelete, ctrl), "\x1b[3;5~"},
		{press(tea.KeyPgDown, alt), "\x1b[6;3~"},

		{press(tea.KeyF1), "\x1bOP"},
		{press(tea.KeyF4), "\x1bOS"},
		{press(tea.KeyF1, shift), "\x1b[1;2P"},
		{press(tea.KeyF3, ctrl), "\x1b[1;5R"},
		{press(tea.KeyF5), "\x1b[15~"},
		{press(tea.KeyF6), "\x1b[17~"},
		{press(tea.KeyF10), "\x1b[21~"},
		{press(tea.KeyF11), "\x1b[23~"},
		{press(tea.KeyF12), "\x1b[24~"},
		{press(tea.KeyF12, alt), "\x1b[24;3~"},
		{press(tea.KeyF13), "\x1b[1;2P"},
		{press(tea.KeyF16), "\x1b[1;2S"},
		{press(tea.KeyF17), "\x1b[15;2~"},
		{press(tea.KeyF24), "\x1b[24;2~"},
		{press(tea.KeyF24, ctrl), "\x1b[24;6~"},

		{typed("5", tea.KeyKp5), "5"},
		{press(tea.KeyKp5), "5"},
		{press(tea.KeyKpPlus), "+"},
		{press(tea.KeyKpDivide, alt), "\x1b/"},
		{press(tea.KeyKpEnter), "\r"},
		{press(tea.KeyKpUp), "\x1b[A"},
		{press(tea.KeyKpPgUp), "\x1b[5~"},
		{press(tea.KeyKpBegin), "\x1b[E"},

		{press(tea.KeyLeftShift, shift), ""},
		{press(tea.KeyCapsLock), ""},
		{press(tea.KeyMediaPlay), ""},
		{press(tea.KeyPrintScreen), ""},
	} {
		if got := encodeKey(c.key, keyboard{}); got != c.want {
			t.Errorf("%s (%+v) sends %q, want %q", c.key.Keystroke(), c.key, got, c.want)
		}
	}
}

func TestKeysInModes(t *testing.T) {
	for _, c := range []struct {
		keyboard keyboard
		key      tea.KeyPressMsg
		want     string
	}{
		{keyboard{cursor: true}, press(tea.KeyUp), "\x1bOA"},
		{keyboard{cursor: true}, press(tea.KeyHome), "\x1bOH"},
		{keyboard{cursor: true}, press(tea.KeyKpEnd), "\x1bOF"},
		{keyboard{cursor: true}, press(tea.KeyUp, ctrl), "\x1b[1;5A"},
		{keyboard{keypad: true}, press(tea.KeyKp0), "\x1bOp"},
		{keyboard{keypad: true}, typed("9", tea.KeyKp9), "\x1bOy"},
		{keyboard{keypad: true}, press(tea.KeyKpEnter), "\x1bOM"},
		{keyboard{keypad: true}, press(tea.KeyKpMinus, ctrl), "\x1bO5m"},
		{keyboard{newline: true}, press(tea.KeyEnter), "\r\n"},
		{keyboard{backspace: true}, press(tea.KeyBackspace), "\b"},
		{keyboard{backspace: true}, press(tea.KeyBackspace, ctrl), "\x7f"},
		{keyboard{other: 1}, press(tea.KeyEnter, shift), "\x1b[27;2;13~"},
		{keyboard{other: 2}, press(tea.KeyEnter, ctrl), "\x1b[27;5;13~"},
		{keyboard{other: 2}, press(tea.KeyTab, ctrl), "\x1b[27;5;9~"},
		{keyboard{other: 1}, press('1', ctrl), "\x1b[27;5;49~"},
		{keyboard{other: 1}, press(tea.KeyEnter), "\r"},
		{keyboard{other: 1}, press('c', ctrl), "\x03"},
	} {
		if got := encodeKey(c.key, c.keyboard); got != c.want {
			t.Errorf("%s with %+v sends %q, want %q", c.key.Keystroke(), c.keyboard, got, c.want)
		}
	}
}

// The program's own requests switch the modes.
func TestProgramsAskForKeys(t *testing.T) {
	for _, c := range []struct {
		asks string
		key  tea.KeyPressMsg
		want string
	}{
		{"\x1b[?1h", press(tea.KeyUp), "\x1bOA"},
		{"\x1b[?1h\x1b[?1l", press(tea.KeyUp), "\x1b[A"},
		{"\x1b=", press(tea.KeyKp1), "\x1bOq"},
		{"\x1b=\x1b>", press(tea.KeyKp1), "1"},
		{"\x1b[20h", press(tea.KeyEnter), "\r\n"},
		{"\x1b[>4;2m", press(tea.KeyEnter, shift), "\x1b[27;2;13~"},
		{"\x1b[>4;2m\x1b[>4m", press(tea.KeyEnter, shift), "\r"},
		{"\x1b[?1h\x1b[>4;2m\x1bc", press(tea.KeyUp), "\x1b[A"},
	} {
		t.Run(fmt.Sprintf("%q", c.asks), func(t *testing.T) {
			d := open(t, 20, 4)
			d.far.prints(t, c.asks+"ready")
			d.shows("ready")
			d.press(c.key)
			d.far.gets(t, c.want)
		})
	}
}
