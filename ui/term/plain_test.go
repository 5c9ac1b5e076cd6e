package term

import "github.com/charmbracelet/x/ansi"

func plainView(s string) string { return ansi.Strip(s) }
