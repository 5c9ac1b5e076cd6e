package term

import (
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// paste gives text to the program, or to the search.
func (t *Term) paste(text string) {
	switch {
	case t.search.asking:
		t.search.typed += oneLine(text)
		t.stale = true
	case t.phase == connecting:
		t.hold(tea.PasteMsg{Content: text})
	case t.Typing():
		encode := encodePaste
		if t.mode(2004) {
			encode = encodeBracketedPaste
		}
		t.send(encode(text))
		t.follow()
	}
}

// oneLine is text of several lines as one, without controls.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.Join(strings.Fields(s), " "))
}

// encodePaste is what a program gets when text is pasted: with carriage
// returns, as from the enter key, and without other controls, by which a paste
// could end itself and go on as typed keys.
func encodePaste(text string) string {
	text = strings.NewReplacer(ansi.BracketedPasteEnd, "", "\u009b201~", "", "\r\n", "\r", "\n", "\r").Replace(text)
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\r' && r != '\t' {
			return -1
		}
		return r
	}, text)
}

// encodeBracketedPaste also marks where the paste begins and ends, for
// programs that ask to tell it from typing.
func encodeBracketedPaste(text string) string {
	return ansi.BracketedPasteStart + encodePaste(text) + ansi.BracketedPasteEnd
}
