package sandbox

import "time"

// Clock is the sandbox's source of time, so that a test can move hours of
// back-off and stop delays forward at once.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f once d has passed, never before AfterFunc returned and
	// never on the caller's goroutine while it holds a lock.
	AfterFunc(d time.Duration, f func()) Timer
}

// Timer is a call that a Clock still has to make.
type Timer interface {
	// Stop prevents the call and reports whether it did; false means the call
	// was made already.
	Stop() bool
}

// wallClock is the machine's own time.
type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

func (wallClock) AfterFunc(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) }
