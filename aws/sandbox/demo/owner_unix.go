//go:build unix

package demo

import "syscall"

// killGroup ends this process and its descendants. The runtime makes every
// container the leader of a process group of its own; a process that is none
// must not end its neighbours.
func killGroup() {
	if syscall.Getpgrp() == syscall.Getpid() {
		_ = syscall.Kill(0, syscall.SIGKILL) // this process is in it: there is nobody to tell
	}
}
