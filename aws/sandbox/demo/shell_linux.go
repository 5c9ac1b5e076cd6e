package demo

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// confineShell sets the confinement up and runs the shell in it. This process
// is the first of its PID namespace, the init of a small container: everything
// in there ends with it.
func confineShell(s shell) int {
	// Capabilities belong to a thread, and the shell inherits this one's.
	runtime.LockOSThread()
	unix.CloseOnExec(OwnerFD)
	err := isolate(s)
	if err == nil {
		err = dropPrivileges()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "confine the shell:", err)
		return exitNotFound
	}
	if len(s.command) == 0 {
		return exitOK
	}
	status, err := runAsInit(s.command)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitNotFound
	}
	return status
}

// runAsInit runs a command in the foreground of the terminal, reaps every
// process that nobody else waits for, and returns the command's status.
func runAsInit(command []string) (int, error) {
	// A sandbox in the background of a script ignores interrupts, which the
	// shell must not inherit: what has a handler here is reset there.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGHUP, unix.SIGTERM, unix.SIGINT)
	go passOn(signals)
	p, err := os.StartProcess(command[0], command, &os.ProcAttr{
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
		Sys:   &syscall.SysProcAttr{Setpgid: true, Foreground: true, Ctty: 0},
	})
	if err != nil {
		return 0, err
	}
	for {
		var ws unix.WaitStatus
		pid, err := unix.Wait4(-1, &ws, unix.WUNTRACED, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, fmt.Errorf("wait for %s: %w", command[0], err)
		case pid != p.Pid:
		case ws.Stopped(): // nobody else could make it go on
			_ = unix.Kill(-pid, unix.SIGCONT)
		case ws.Signaled():
			return 128 + int(ws.Signal()), nil
		default:
			return ws.ExitStatus(), nil
		}
	}
}

// passOn tells every process in the namespace when the terminal hangs up. An
// interrupt reaches those in its foreground by itself.
func passOn(signals <-chan os.Signal) {
	for s := range signals {
		if s == unix.SIGINT {
			continue
		}
		_ = unix.Kill(-1, unix.SIGHUP) // they may all have ended
		_ = unix.Kill(-1, unix.SIGCONT)
	}
}

// dropPrivileges gives up every capability in the namespaces, for good: with
// them the shell could undo the mounts.
func dropPrivileges() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up new privileges: %w", err)
	}
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil && !errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("drop capability %d: %w", c, err) // EINVAL: this kernel does not know it
		}
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("drop ambient capabilities: %w", err)
	}
	// The inheritable set would pass through the bounding set's absence.
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return fmt.Errorf("read capabilities: %w", err)
	}
	sets[0].Inheritable, sets[1].Inheritable = 0, 0
	if err := unix.Capset(&header, &sets[0]); err != nil {
		return fmt.Errorf("drop inheritable capabilities: %w", err)
	}
	return nil
}
