// Package winsize follows the size of the terminal that a program runs in.
package winsize

import (
	"sync"
	"time"
)

// interval is how often the size is looked at: Windows has no signal.
const interval = 500 * time.Millisecond

// Watch calls changed often enough to follow the terminal's size, until stop,
// which waits for the last call.
func Watch(changed func()) (stop func()) {
	end := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(interval)
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
