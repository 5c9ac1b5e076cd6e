package agent

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// awaitExit returns when the process has ended and leaves it to be reaped.
func awaitExit(pid int) {
	for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
}

// killSession kills every process whose session leader is sid. An interactive
// shell puts its jobs in process groups of their own, so killing the leader's
// group alone would miss them.
func killSession(sid int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well-formed
	for _, file := range stats {
		stat, err := os.ReadFile(file) //nolint:gosec // a path under /proc
		if err != nil {
			continue // ended meanwhile
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err == nil && pid != sid && sessionOf(stat) == sid {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// sessionOf reads the session from /proc/PID/stat: the fourth field after the
// command name, which may itself contain spaces and parentheses.
func sessionOf(stat []byte) int {
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 4 {
		return 0
	}
	sid, err := strconv.Atoi(string(fields[3]))
	if err != nil {
		return 0
	}
	return sid
}
