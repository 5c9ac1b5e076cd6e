package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/muesli/cancelreader"
	"golang.org/x/term"

	"gantry/internal/diagnose"
	"gantry/internal/winsize"
)

// terminal is the terminal that the program was called from.
type terminal struct{ in, out *os.File }

// terminalOf is nil if input or output is something else.
func terminalOf(in io.Reader, out io.Writer) *terminal {
	i, inIsFile := in.(*os.File)
	o, outIsFile := out.(*os.File)
	if !inIsFile || !outIsFile || !term.IsTerminal(int(i.Fd())) || !term.IsTerminal(int(o.Fd())) {
		return nil
	}
	return &terminal{i, o}
}

// size is 80 by 24 where the terminal does not tell.
func (t *terminal) size() (cols, rows int) {
	cols, rows, err := term.GetSize(int(t.out.Fd()))
	if err != nil || cols <= 0 || rows <= 0 {
		return 80, 24
	}
	return cols, rows
}

// errLeft is the cause of a context that ended because the user typed ~.
var errLeft = errors.New("left")

// lend gives the terminal to a program elsewhere while use runs: every key goes
// to keys, sizes are followed. Its context ends when the user leaves. Whatever
// happens, the terminal is as before afterwards.
func (t *terminal) lend(ctx context.Context, resize func(cols, rows int) error, use func(ctx context.Context, keys <-chan []byte) error) error {
	restore, err := t.raw()
	if err != nil {
		return err
	}
	defer restore()
	keyboard, err := cancelreader.NewReader(t.in)
	if err != nil {
		return &diagnose.Error{What: "read the keyboard", Cause: err.Error(), Err: err}
	}
	defer func() { _ = keyboard.Close() }()
	ctx, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	keys := make(chan []byte)
	var typing sync.WaitGroup
	typing.Go(func() {
		defer restoreIfPanicking(restore)
		t.read(ctx, keyboard, keys, leave)
	})
	fit := func() { _ = resize(t.size()) } // a session that has ended needs no size
	fit()
	stop := winsize.Watch(fit)
	err = use(ctx, keys)
	stop()
	if ctx.Err() != nil { // somewhere in a line
		_, _ = io.WriteString(t.out, "\r\n")
	}
	leave(nil)
	keyboard.Cancel()
	typing.Wait()
	if errors.Is(context.Cause(ctx), errLeft) {
		return nil
	}
	return err
}

// raw makes the terminal pass every key at once.
func (t *terminal) raw() (restore func(), err error) {
	was, err := term.MakeRaw(int(t.in.Fd()))
	if err != nil {
		return nil, &diagnose.Error{What: "set the terminal to raw", Cause: err.Error(), Err: err}
	}
	restoreOutput := drawEscapes(t.out)
	return sync.OnceFunc(func() {
		// What a program leaves on that would disturb: mouse, paste marks, focus,
		// the other screen, a hidden cursor, colours.
		_, _ = io.WriteString(t.out, "\x1b[?1000;1002;1003;1004;1006;2004l\x1b[?1047l\x1b[?25h\x1b[m")
		restoreOutput()
		_ = term.Restore(int(t.in.Fd()), was)
	}), nil
}

// restoreIfPanicking gives the terminal back before a panic in a goroutine ends
// the program, so that its message can be read.
func restoreIfPanicking(restore func()) {
	if r := recover(); r != nil {
		restore()
		panic(fmt.Sprintf("%v", r))
	}
}

// read hands on what is typed until the user leaves or the keyboard ends.
func (t *terminal) read(ctx context.Context, keyboard io.Reader, keys chan<- []byte, leave context.CancelCauseFunc) {
	var e escape
	buf := make([]byte, 4096)
	for {
		n, err := keyboard.Read(buf)
		got := e.read(buf[:n])
		if len(got.text) > 0 {
			select {
			case keys <- got.text:
			case <-ctx.Done():
				return
			}
		}
		if got.help {
			_, _ = io.WriteString(t.out, escapeHelp)
		}
		switch {
		case got.leave || errors.Is(err, io.EOF): // the terminal is gone
			leave(errLeft)
			return
		case err != nil:
			return
		}
	}
}
