package agent

import (
	"context"
	"sync"

	"gantry/aws/exec/wire"
)

// The size of a terminal until the client tells another.
const (
	defaultCols = 80
	defaultRows = 24
)

// runShell runs the session's program until it ends or ctx does. It returns
// the reason for channel_closed, empty for a plain end.
func (sess *session) runShell(ctx context.Context) string {
	if ctx.Err() != nil {
		return ""
	}
	program, err := sess.o.Start(ctx, defaultCols, defaultRows)
	if err != nil {
		if ctx.Err() != nil {
			return ""
		}
		return "Unable to start command: " + err.Error()
	}
	sess.mu.Lock()
	sess.program = program
	sess.mu.Unlock()
	sess.link.Ready() // a size may be waiting

	stop := context.AfterFunc(ctx, func() { program.Close() })
	defer stop()
	var wg sync.WaitGroup
	wg.Go(func() { sess.copyInput(program) })
	sess.copyOutput(ctx, program)
	sess.input.close()
	program.Close()
	_ = program.Wait() // an exit code does not travel in interactive sessions
	wg.Wait()
	return ""
}

func (sess *session) copyInput(program Process) {
	for {
		chunk, err := sess.input.next(sess.link.Ready)
		if err != nil {
			return
		}
		if _, err := program.Write(chunk); err != nil {
			return
		}
	}
}

// copyOutput waits in Send while the client lags, which in turn makes the
// program wait for its terminal.
func (sess *session) copyOutput(ctx context.Context, program Process) {
	buf := make([]byte, 16<<10)
	for {
		n, err := program.Read(buf)
		if n > 0 && sess.send(ctx, wire.Output, buf[:n]) != nil {
			return
		}
		if err != nil {
			return
		}
	}
}
