package table

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/style"
)

// filter is what the user wants to see, and whether it is being typed.
type filter struct {
	text   string
	query  query
	typing bool
}

// startFilter takes the keys.
func (t *body[T]) startFilter() { t.filter.typing = true }

// setFilter narrows the rows down to what the text says.
func (t *body[T]) setFilter(text string) tea.Cmd {
	if text == t.filter.text {
		return nil
	}
	titles := make([]string, len(t.spec.Columns))
	for i, c := range t.spec.Columns {
		titles[i] = c.Title
	}
	t.filter.text, t.filter.query = text, parse(text, titles)
	return t.arrange()
}

// typed takes a key while the filter is being typed. The cursor can be moved
// meanwhile.
func (t *body[T]) typed(key tea.KeyPressMsg) tea.Cmd {
	if !t.filter.typing {
		return nil
	}
	text := t.filter.text
	switch key.String() {
	case "enter":
		t.filter.typing = false
	case "esc", "ctrl+c":
		t.filter.typing, text = false, ""
	case "backspace", "ctrl+h":
		if text == "" {
			t.filter.typing = false
		}
		runes := []rune(text)
		text = string(runes[:max(0, len(runes)-1)])
	case "ctrl+u":
		text = ""
	case "ctrl+w", "alt+backspace":
		trimmed := strings.TrimRight(text, " ")
		text = trimmed[:strings.LastIndexByte(trimmed, ' ')+1]
	case "up":
		t.move(-1)
	case "down":
		t.move(1)
	case "pgup":
		t.move(-t.page())
	case "pgdown":
		t.move(t.page())
	default:
		text += key.Text
	}
	return tea.Batch(t.setFilter(text), t.settle())
}

// pasted appends to the filter while it is being typed.
func (t *body[T]) pasted(msg tea.PasteMsg) tea.Cmd {
	if !t.filter.typing {
		return nil
	}
	return tea.Batch(t.setFilter(t.filter.text+strings.TrimSpace(style.Plain(msg.Content))), t.settle())
}
