package cli

import (
	"os"
	"sync"
	"time"

	"golang.org/x/sys/windows"
)

// sizeInterval is how often the size is looked at: Windows has no signal.
const sizeInterval = 500 * time.Millisecond

// watchSize calls changed often enough to follow the terminal's size, until
// stop, which waits for the last call.
func watchSize(changed func()) (stop func()) {
	end := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(sizeInterval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				changed()
			case <-end:
				return
			}
		}
	})
	return func() {
		close(end)
		watching.Wait()
	}
}

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
