package table

import (
	"time"

	tea "charm.land/bubbletea/v2"
)

// alarm wakes its owner once. At most one is pending: setting it again stops
// the one before, so no timer is ever left over.
type alarm struct {
	at   time.Time
	stop chan struct{} // nil while none is pending
}

// wake is the alarm going off. It names the setting it belongs to.
type wake struct{ of chan struct{} }

// set makes the alarm go off at a time, and at no other.
func (a *alarm) set(at time.Time) tea.Cmd {
	if a.stop != nil && a.at.Equal(at) {
		return nil
	}
	a.clear()
	stop := make(chan struct{})
	a.at, a.stop = at, stop
	return func() tea.Msg {
		timer := time.NewTimer(time.Until(at))
		defer timer.Stop()
		select {
		case <-timer.C:
			return wake{stop}
		case <-stop:
			return nil
		}
	}
}

// clear stops what is pending.
func (a *alarm) clear() {
	if a.stop != nil {
		close(a.stop)
		a.stop = nil
	}
}

// rings tells whether the message is this alarm going off.
func (a *alarm) rings(msg wake) bool {
	if a.stop == nil || msg.of != a.stop {
		return false
	}
	a.stop = nil
	return true
}

// pending says that the alarm is still to go off.
func (a *alarm) pending() bool { return a.stop != nil }
