//go:build unix

// Package winsize follows the size of the terminal that a program runs in.
package winsize

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// Watch calls changed whenever the terminal's size has changed, until stop,
// which waits for the last call.
func Watch(changed func()) (stop func()) {
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
