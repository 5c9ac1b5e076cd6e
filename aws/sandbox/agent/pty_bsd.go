//go:build unix && !linux

package agent

// awaitExit does not wait: there is no portable way to learn of an exit
// without reaping.
func awaitExit(int) {}

// killSession does nothing before the program has ended; the kernel hangs up
// on the terminal's foreground group, and the shell on its jobs.
func killSession(int) {}
