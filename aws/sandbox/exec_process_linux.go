package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"gantry/aws/sandbox/agent"
	"gantry/aws/sandbox/demo"
)

// tryTimeout is how long the attempt at a confinement may take.
const tryTimeout = 10 * time.Second

// canConfine tries whether this machine lets a shell be confined:
// distributions and container engines forbid it in many ways.
func (p *processes) canConfine() bool {
	if err := p.tryConfinement(); err != nil {
		p.log.Warn("shells in tasks are not confined", "error", err)
		return false
	}
	return true
}

func (p *processes) tryConfinement() error {
	dir, err := os.MkdirTemp(p.dir, ".try-")
	if err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), tryTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.executable) //nolint:gosec // this program
	p.confineCommand(cmd, dir, dir, nil)
	cmd.Dir, cmd.Env = dir, []string{}
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(said.Bytes()))
		return errors.Join(err, os.RemoveAll(dir))
	}
	return os.RemoveAll(dir)
}

// execConfined starts a command as the only one that it can see, without
// privileges, on a read-only view of this machine. It ends with its owner.
func (p *processes) execConfined(ctx context.Context, in RunningContainer, command []string) (Terminal, error) {
	cmd, err := agent.Command(in.Dir, in.Env, command)
	if err != nil {
		return nil, err
	}
	// A container's name has no dot: this is no other container's directory.
	temp := in.Dir + ".tmp"
	if err := os.MkdirAll(temp, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of temporary files: %w", err)
	}
	words := slices.Concat([]string{cmd.Path}, command[1:])
	p.confineCommand(cmd, in.Dir, temp, words)
	return agent.StartCommand(ctx, cmd)
}

// confineCommand makes cmd this very program, which confines the command.
func (p *processes) confineCommand(cmd *exec.Cmd, dir, temp string, command []string) {
	hide := []string{p.dir}
	if home, err := os.UserHomeDir(); err == nil && filepath.IsAbs(home) && home != "/" {
		hide = append(hide, home)
	}
	cmd.Path = p.executable
	cmd.Args = append([]string{demo.Image}, demo.ShellArgs(dir, temp, hide, command)...)
	cmd.ExtraFiles = []*os.File{p.ownerRead}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
}
