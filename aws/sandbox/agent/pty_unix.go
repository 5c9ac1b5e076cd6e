//go:build unix

package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"
)

// hangUpGrace is how long programs may take to end themselves after SIGHUP,
// to save an edited file for instance, before they are killed.
const hangUpGrace = 300 * time.Millisecond

// StartPTY starts argv with a terminal of its own, in a session of its own
// that is killed whole when ctx ends, on Close, or when argv itself ends. The
// program gets env alone, and TERM and LANG as AWS's agent sets them where
// env lacks them. argv[0] is looked for in env's PATH.
func StartPTY(ctx context.Context, dir string, env, argv []string) (Process, error) {
	cmd, err := Command(dir, env, argv)
	if err != nil {
		return nil, err
	}
	return StartCommand(ctx, cmd)
}

// Command is what StartPTY starts, for a caller that starts it in a way of its
// own.
func Command(dir string, env, argv []string) (*exec.Cmd, error) {
	if len(argv) == 0 {
		return nil, errors.New("no command")
	}
	path, err := lookPath(argv[0], dir, env)
	if err != nil {
		return nil, ptyError(err)
	}
	return &exec.Cmd{Path: path, Args: argv, Dir: dir, Env: withDefaults(env)}, nil
}

// StartCommand starts cmd with a terminal, as StartPTY does.
func StartCommand(ctx context.Context, cmd *exec.Cmd) (Process, error) {
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: defaultCols, Rows: defaultRows})
	if err != nil {
		return nil, ptyError(err)
	}
	p := &ptyProcess{File: terminal, cmd: cmd, ended: make(chan struct{})}
	stop := context.AfterFunc(ctx, func() { p.Close() })
	go func() {
		p.reap()
		stop()
	}()
	return p, nil
}

// ptyError is worded as AWS's agent does it.
func ptyError(err error) error { return fmt.Errorf("%s: %w", "Failed to start pty", err) }

func withDefaults(env []string) []string {
	env = append([]string(nil), env...)
	for _, def := range []string{"TERM=xterm-256color", "LANG=C.UTF-8"} {
		name, _, _ := strings.Cut(def, "=")
		if _, ok := lookupEnv(env, name); !ok {
			env = append(env, def)
		}
	}
	return env
}

func lookupEnv(env []string, name string) (string, bool) {
	for i := len(env) - 1; i >= 0; i-- {
		if v, ok := strings.CutPrefix(env[i], name+"="); ok {
			return v, true
		}
	}
	return "", false
}

// defaultPath is what a container without PATH gets from Docker.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// lookPath is exec.LookPath in the program's environment instead of ours.
func lookPath(name, dir string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		return name, executable(name)
	}
	path, ok := lookupEnv(env, "PATH")
	if !ok {
		path = defaultPath
	}
	for _, d := range filepath.SplitList(path) {
		if file := filepath.Join(d, name); filepath.IsAbs(d) && executable(file) == nil {
			return file, nil
		}
	}
	return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
}

// executable fails as starting the file would, in the same words.
func executable(file string) error {
	info, err := os.Stat(file)
	var missing *fs.PathError
	if errors.As(err, &missing) {
		missing.Op = "fork/exec"
		return missing
	}
	if err != nil {
		return err
	}
	if info.IsDir() || info.Mode()&0o111 == 0 {
		return &fs.PathError{Op: "fork/exec", Path: file, Err: fs.ErrPermission}
	}
	return nil
}

type ptyProcess struct {
	*os.File // the terminal's master side
	cmd      *exec.Cmd
	ended    chan struct{} // closed when the program was reaped
	err      error         // its exit, readable then
	once     sync.Once
}

// reap waits for the program and then kills what it left behind, which is
// safe only while its process number still belongs to it.
func (p *ptyProcess) reap() {
	defer close(p.ended)
	awaitExit(p.cmd.Process.Pid)
	killSession(p.cmd.Process.Pid)
	p.err = p.cmd.Wait()
}

func (p *ptyProcess) Resize(cols, rows int) error {
	return pty.Setsize(p.File, &pty.Winsize{Cols: uint16(cols), Rows: uint16(rows)}) //nolint:gosec // the caller bounds them to 16 bits
}

// Wait returns the program's exit as exec.Cmd.Wait does.
func (p *ptyProcess) Wait() error {
	<-p.ended
	return p.err
}

// Close hangs up on the program, as closing a terminal window does, and kills
// the whole session if that is not enough.
func (p *ptyProcess) Close() error {
	p.once.Do(func() {
		p.signal(syscall.SIGHUP)
		p.signal(syscall.SIGCONT)
		select {
		case <-p.ended:
		case <-time.After(hangUpGrace):
			p.signal(syscall.SIGKILL)
			<-p.ended
		}
		p.File.Close()
	})
	return nil
}

// signal reaches the program's process group while there is one.
func (p *ptyProcess) signal(sig syscall.Signal) {
	select {
	case <-p.ended:
	default:
		_ = syscall.Kill(-p.cmd.Process.Pid, sig)
	}
}
