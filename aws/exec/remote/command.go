package remote

import (
	"context"
	"io"
	"strings"

	"gantry/internal/diagnose"
)

// Run runs a command line in a shell of its own, without input, and writes
// what it prints to out, stdout and stderr in their order, byte for byte: no
// echo, no carriage returns. Its output is no terminal to it where the
// container has cat. The status is the command's exit status, 128 and more for
// a signal. It returns when the command has ended, not when all that it left
// in the background has.
//
// AWS's own agent damages one thing that comes through it: of the three bytes
// EF BF BD, the Unicode replacement character, it passes on the first alone
// (amazon-ssm-agent agent/session/shell/shell.go, processStdoutData).
func (s *Shell) Run(ctx context.Context, command string, out io.Writer) (status int, err error) {
	if err := checkCommand(command); err != nil {
		return 0, err
	}
	run := "(exec </dev/null 2>&1 5>&-; exec sh -c " + quote(command) + ")"
	if s.tools["cat"] {
		// The marker takes the output's way, so that it cannot overtake it.
		run = "{ " + run + "; " + s.mark("[%d:$?]", s.number+1) + "; } | cat"
	}
	status, err = s.ask(ctx, run, out)
	if ctx.Err() != nil {
		s.interrupt()
	}
	return status, err
}

// Attach runs a command line with the terminal as its input and output, as it
// was before the session was taken over: keys is what the user types.
func (s *Shell) Attach(ctx context.Context, command string, keys <-chan []byte, out io.Writer) (status int, err error) {
	if err := checkCommand(command); err != nil {
		return 0, err
	}
	crlf := s.crlf
	s.crlf = false // a terminal wants them
	defer func() { s.crlf = crlf }()
	script := `stty "$o"
sh -c ` + quote(command) + ` 2>&5 5>&-
e=$?
stty -echo -opost
(exit $e)`
	return s.converse(ctx, script, keys, out)
}

func checkCommand(command string) error {
	if strings.IndexByte(command, 0) < 0 {
		return nil
	}
	return &diagnose.Error{What: "run the command", Cause: "it holds a NUL byte", Do: "leave it out: no program takes one"}
}
