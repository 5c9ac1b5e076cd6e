package sandbox

import "gantry/aws/sandbox/agent"

// ConnectionFaults are ways in which the data channel of a session fails: lost,
// doubled, swapped and late messages, connections that break or fall silent.
type ConnectionFaults = agent.Faults

// execFaults are the switches of ECS Exec.
type execFaults struct {
	connections  ConnectionFaults
	notConnected int // how many more sessions are refused
	needsKMS     bool
}

// Connections makes the data channels that clients open from now on fail. Zero
// ends it.
func (f *Faults) Connections(c ConnectionFaults) { f.set(func() { f.exec.connections = c }) }

// NotConnected answers the next n calls of ExecuteCommand and StartSession as
// if the agent in the container were not connected yet.
func (f *Faults) NotConnected(n int) { f.set(func() { f.exec.notConnected = n }) }

// RequireKMS encrypts the Exec sessions opened while it is on, in clusters
// without a key of their own too.
func (f *Faults) RequireKMS(on bool) { f.set(func() { f.exec.needsKMS = on }) }

func (f *Faults) notConnects() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.exec.notConnected == 0 {
		return false
	}
	f.exec.notConnected--
	return true
}

func (f *Faults) requiresKMS() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.exec.needsKMS
}

func (f *Faults) connectionFaults() ConnectionFaults {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.exec.connections
}
