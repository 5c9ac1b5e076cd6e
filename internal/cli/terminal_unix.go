//go:build unix

package cli

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// watchSize calls changed whenever the terminal's size has changed, until stop,
// which waits for the last call.
func watchSize(changed func()) (stop func()) {
	signals, end := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGWINCH)
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			select {
			case <-signals:
				changed()
			case <-end:
				return
			}
		}
	})
	return func() {
		signal.Stop(signals)
		close(end)
		watching.Wait()
	}
}

// drawEscapes has nothing to do: every terminal here acts on escape sequences.
func drawEscapes(*os.File) (restore func()) { return func() {} }
