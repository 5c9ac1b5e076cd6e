package ui

import "sync"

// readingAtOnce is how many lists are read at the same time.
const readingAtOnce = 8

// atOnce does n things, some at the same time.
func atOnce(n int, do func(i int)) {
	slots := make(chan struct{}, readingAtOnce)
	var wait sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			do(i)
		})
	}
	wait.Wait()
}
