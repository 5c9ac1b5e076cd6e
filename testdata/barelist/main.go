// Command barelist is the least that a Bubble Tea list can be: what gantry's
// start is measured against.
package main

import (
	"fmt"
	"os"
	"strings"

	tea "charm.land/bubbletea/v2"
)

type list struct {
	rows   []string
	cursor int
}

func (l list) Init() tea.Cmd { return nil }

func (l list) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	key, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return l, nil
	}
	switch key.String() {
	case "q":
		return l, tea.Quit
	case "j":
		l.cursor = min(l.cursor+1, len(l.rows)-1)
	case "k":
		l.cursor = max(l.cursor-1, 0)
	}
	return l, nil
}

func (l list) View() tea.View {
	var screen strings.Builder
	for i, r := range l.rows {
		sign := "  "
		if i == l.cursor {
			sign = "▸ "
		}
		screen.WriteString(sign + r + "\n")
	}
	return tea.View{Content: screen.String(), AltScreen: true, WindowTitle: "list"}
}

func main() {
	rows := make([]string, 20)
	for i := range rows {
		rows[i] = fmt.Sprintf("row %d", i+1)
	}
	if _, err := tea.NewProgram(list{rows: rows}).Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
