package text

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/style"
)

// prompt is a search or a filter while it is being typed.
type prompt struct {
	sign string // "/" or "&"; empty when nothing is typed
	text string
	err  error // what is typed cannot be looked for
}

// Typing says that keys are text now.
func (l *Log) Typing() bool { return l.prompt.sign != "" }

func (l *Log) ask(sign string) func() tea.Cmd {
	return func() tea.Cmd {
		l.prompt, l.steps = prompt{sign: sign}, nil
		l.settle()
		return nil
	}
}

// typed takes a key while a search or a filter is being typed.
func (l *Log) typed(key tea.KeyPressMsg) tea.Cmd {
	if !l.Typing() {
		return nil
	}
	text := l.prompt.text
	switch key.String() {
	case "enter":
		return l.accept()
	case "esc", "ctrl+c":
		return l.dismiss()
	case "backspace", "ctrl+h":
		if text == "" {
			return l.dismiss()
		}
		runes := []rune(text)
		text = string(runes[:len(runes)-1])
	case "ctrl+u":
		text = ""
	case "ctrl+w", "alt+backspace":
		trimmed := strings.TrimRight(text, " ")
		text = trimmed[:strings.LastIndexByte(trimmed, ' ')+1]
	default:
		text += key.Text
	}
	return l.edit(text)
}

// pasted appends to what is being typed.
func (l *Log) pasted(msg tea.PasteMsg) tea.Cmd {
	if !l.Typing() {
		return nil
	}
	return l.edit(l.prompt.text + strings.TrimSpace(style.Plain(msg.Content)))
}

// edit shows at once what the text would find; a filter already narrows.
func (l *Log) edit(text string) tea.Cmd {
	l.stale()
	if text == l.prompt.text {
		return nil
	}
	l.prompt.text = text
	p, err := l.prompt.pattern()
	if l.prompt.err = err; err != nil {
		return nil
	}
	return l.use(p)
}

// pattern is what is being typed; nil while that is nothing.
func (p prompt) pattern() (*pattern, error) {
	compiled, err := compile(p.text)
	if p.sign == filterSign {
		compiled, err = compileFilter(p.text)
	}
	if err != nil || compiled.empty() {
		return nil, err
	}
	return compiled, nil
}

func (l *Log) use(p *pattern) tea.Cmd {
	q := &l.search
	if l.prompt.sign == filterSign {
		q = &l.filter
	}
	if p == nil {
		q.clear()
		l.settle()
		return nil
	}
	return q.start(p, l.ring, l.look, l.epoch)
}

// accept keeps what was typed. A search goes to the first match.
func (l *Log) accept() tea.Cmd {
	if l.prompt.err != nil {
		return nil
	}
	search := l.prompt.sign == searchSign
	l.prompt = prompt{}
	l.settle()
	if !search || l.search.pattern == nil {
		return nil
	}
	l.match = nil
	return l.step(1)
}

// dismiss leaves without a search or filter.
func (l *Log) dismiss() tea.Cmd {
	cmd := l.use(nil)
	l.prompt = prompt{}
	l.settle()
	return cmd
}
