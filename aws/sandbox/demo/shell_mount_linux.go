package demo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// hidden are directories that hold what is none of a container's business: the
// secrets of the people at this machine, and the sockets of its daemons, which
// a read-only mount alone does not keep anybody from using.
var hidden = []string{"/root", "/home", "/run", "/tmp", "/var/tmp", "/mnt", "/media"}

// devices are the device files that a container has.
var devices = []string{"null", "zero", "full", "random", "urandom", "tty"}

// isolate makes this mount namespace look like a container's: everything
// read-only but the shell's directory and its temporary files, its own /proc, few devices, and
// the hidden directories empty. It is undone with the namespace.
func isolate(s shell) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("detach the mounts: %w", err)
	}
	k, err := keepOpen(s)
	if err != nil {
		return err
	}
	defer k.close()
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	readOnly := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID}
	if err := unix.MountSetattr(unix.AT_FDCWD, "/", unix.AT_RECURSIVE, &readOnly); err != nil {
		return fmt.Errorf("make the root read-only: %w", err)
	}
	if err := k.mountDevices(); err != nil {
		return err
	}
	covered, err := cover(slices.Concat(hidden, s.hide))
	if err != nil {
		return err
	}
	if err := k.bindWritable(s.temp, "/tmp"); err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil { // it may be below a covered one
		return fmt.Errorf("make the working directory: %w", err)
	}
	if err := k.bindWritable(s.dir, s.dir); err != nil {
		return err
	}
	for _, path := range covered {
		if err := unix.MountSetattr(unix.AT_FDCWD, path, 0, &readOnly); err != nil {
			return fmt.Errorf("make %s read-only: %w", path, err)
		}
	}
	return os.Chdir(s.dir) // this one, not the one under the mount
}

// kept are files of before, open as paths, so that they can be mounted after
// their directories are covered.
type kept map[string]int

func keepOpen(s shell) (kept, error) {
	k := kept{}
	paths := []string{s.dir, s.temp}
	for _, d := range devices {
		paths = append(paths, "/dev/"+d)
	}
	if terminal, err := os.Readlink("/proc/self/fd/0"); err == nil && strings.HasPrefix(terminal, "/dev/pts/") {
		paths = append(paths, terminal)
	}
	for _, path := range paths {
		fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			k.close()
			return nil, fmt.Errorf("open %s: %w", path, err)
		}
		k[path] = fd
	}
	return k, nil
}

func (k kept) close() {
	for _, fd := range k {
		_ = unix.Close(fd)
	}
}

// bind mounts a kept file at a path.
func (k kept) bind(file, at string) error {
	if err := unix.Mount("/proc/self/fd/"+strconv.Itoa(k[file]), at, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount %s at %s: %w", file, at, err)
	}
	return nil
}

func (k kept) bindWritable(file, at string) error {
	if err := k.bind(file, at); err != nil {
		return err
	}
	if err := unix.MountSetattr(unix.AT_FDCWD, at, 0, &unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY}); err != nil {
		return fmt.Errorf("make %s writable: %w", at, err)
	}
	return nil
}

// mountDevices makes a /dev of the few devices and the session's terminal.
func (k kept) mountDevices() error {
	if err := mountEmpty("/dev", "mode=755,size=64k"); err != nil {
		return err
	}
	if err := errors.Join(os.Mkdir("/dev/pts", 0o700), os.Mkdir("/dev/shm", 0o700)); err != nil {
		return fmt.Errorf("fill /dev: %w", err)
	}
	for path := range k {
		if !strings.HasPrefix(path, "/dev/") {
			continue
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			return fmt.Errorf("fill /dev: %w", err)
		}
		if err := k.bind(path, path); err != nil {
			return err
		}
	}
	for name, to := range map[string]string{"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"} {
		if err := os.Symlink(to, "/dev/"+name); err != nil {
			return fmt.Errorf("fill /dev: %w", err)
		}
	}
	return nil
}

// cover hides directories behind empty ones and returns those that are to stay
// empty, which is all but the temporary files'.
func cover(paths []string) (covered []string, err error) {
	for _, path := range paths {
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() || path == "/" {
			continue // a symbolic link leads to what is covered itself
		}
		if err != nil {
			return covered, fmt.Errorf("hide %s: %w", path, err)
		}
		if err := mountEmpty(path, "mode=755,size=64k"); err != nil {
			return covered, err
		}
		if path != "/tmp" {
			covered = append(covered, path)
		}
	}
	return covered, nil
}

func mountEmpty(path, options string) error {
	if err := unix.Mount("tmpfs", path, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		return fmt.Errorf("cover %s: %w", path, err)
	}
	return nil
}
