package cli

import (
	"os"

	"golang.org/x/sys/windows"
)

// drawEscapes makes the console act on escape sequences.
func drawEscapes(out *os.File) (restore func()) {
	console := windows.Handle(out.Fd())
	var was uint32
	if windows.GetConsoleMode(console, &was) != nil {
		return func() {}
	}
	_ = windows.SetConsoleMode(console, was|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING|windows.DISABLE_NEWLINE_AUTO_RETURN)
	return func() { _ = windows.SetConsoleMode(console, was) }
}
