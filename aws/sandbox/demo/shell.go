package demo

import (
	"path/filepath"
	"strings"
)

// shellMarker is the first argument of an executable that is to confine a
// shell, in place of a container's.
const shellMarker = marker + "shell"

// shell is a command to confine.
type shell struct {
	dir     string   // the one directory of this machine that it can write to
	temp    string   // what it has as /tmp
	hide    []string // directories that it finds empty
	command []string // a path and arguments; none only tries the confinement
}

// ShellArgs are the arguments, without the program's name, that make the
// executable confine a command, whose first word is a path. It sees this
// machine read-only but for dir, has temp as /tmp, and finds the directories of
// hide empty, besides those that everybody's secrets are in. Without a command
// it only tries whether this machine can do that, and ends with 0 if so. The
// executable has to be started in new user, mount and PID namespaces, in dir,
// and with the owner's pipe as OwnerFD.
func ShellArgs(dir, temp string, hide, command []string) []string {
	return append([]string{shellMarker, dir, temp, strings.Join(hide, string(filepath.ListSeparator))}, command...)
}

// readShell reads what ShellArgs wrote behind the marker.
func readShell(args []string) shell {
	const fixed = 3
	if len(args) < fixed {
		return shell{}
	}
	return shell{dir: args[0], temp: args[1], hide: filepath.SplitList(args[2]), command: args[fixed:]}
}
