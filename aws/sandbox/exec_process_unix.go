//go:build unix

package sandbox

import (
	"context"
	"fmt"
	"os/user"

	"gantry/aws/sandbox/agent"
)

// Exec starts a command in the working directory of a container, confined as
// far as this machine allows. What is not confined is headed with a warning.
func (p *processes) Exec(ctx context.Context, in RunningContainer, command []string) (Terminal, error) {
	if p.confines() {
		return p.execConfined(ctx, in, command)
	}
	program, err := agent.StartPTY(ctx, in.Dir, in.Env, command)
	if err != nil {
		return nil, err
	}
	return &headed{Terminal: program, head: []byte(warning(in.Dir))}, nil
}

// warning tells whoever opens an unconfined shell what it can do.
func warning(dir string) string {
	name := "you"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return fmt.Sprintf("This shell runs on THIS machine as %s, in %s\r\n", name, dir)
}

// headed is a terminal on which something stands before the program's output.
type headed struct {
	Terminal
	head []byte
}

func (h *headed) Read(p []byte) (int, error) {
	if len(h.head) == 0 {
		return h.Terminal.Read(p)
	}
	n := copy(p, h.head)
	h.head = h.head[n:]
	return n, nil
}
