//go:build unix

package docker

import (
	"os"
	"os/user"
	"slices"
	"strconv"
	"syscall"
)

// permit is how this user gets to open a socket: by the group that owns it.
func permit(path string) string {
	group := "docker"
	if info, err := os.Stat(path); err == nil {
		owner, ok := info.Sys().(*syscall.Stat_t)
		if ok && owner.Gid == 0 {
			return "run gantry as root, or give the socket to the group docker: sudo chgrp docker " + quote(path)
		}
		if ok {
			group = groupName(owner.Gid)
		}
	}
	if isMember(group) {
		return "you are in the group " + group + ", but not since this login: log in again, or run: newgrp " + group
	}
	return "sudo usermod -aG " + quote(group) + " $USER, then log in again"
}

func groupName(gid uint32) string {
	id := strconv.FormatUint(uint64(gid), 10)
	group, err := user.LookupGroupId(id)
	if err != nil {
		return id
	}
	return group.Name
}

// isMember reports whether the user database has this user in a group, which
// counts from the next login on.
func isMember(name string) bool {
	group, err := user.LookupGroup(name)
	if err != nil {
		return false
	}
	me, err := user.Current()
	if err != nil {
		return false
	}
	mine, err := me.GroupIds()
	return err == nil && slices.Contains(mine, group.Gid)
}
