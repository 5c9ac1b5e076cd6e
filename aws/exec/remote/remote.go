// Package remote does what can be done over a shell in a container when all
// there is of it is a terminal's byte stream: run a command and learn its exit
// status, and copy files in and out. It knows nothing of ECS, so that a
// terminal of docker exec will do as well, and asks of the container a POSIX
// shell and whichever of base64, od, tar, sha256sum, cksum, tee and stty it
// has; busybox is enough.
//
// A small loop replaces the interactive shell: it reads a line from the
// terminal, obeys it if it begins with a secret word, and else ignores it, so
// that data is never taken for a command. Everything sent is printable ASCII in
// lines below 1,000 bytes, since a terminal that is not raw cuts lines at
// 4,095 bytes and acts on control characters. Everything that comes back stands
// between markers that hold a random word, which the loop puts together from
// two halves: an echo of what was sent can never look like one.
package remote

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"gantry/internal/diagnose"
)

// Shell is a session that was taken over. Its methods are not safe for
// concurrent use, and after one of them has failed it is only good for Close.
type Shell struct {
	stream io.ReadWriteCloser
	in     chan []byte   // what is typed, to the goroutine that writes it
	out    chan []byte   // what is printed; closed when the stream ends
	deaf   chan struct{} // closed when nothing can be typed any more
	over   chan struct{} // closed by Close
	once   sync.Once
	wg     sync.WaitGroup

	nonce  [2]string // of the markers
	secret string    // that the loop obeys
	number int       // of the last request
	crlf   bool      // the terminal prints \r\n for \n and cannot be told not to
	tools  map[string]bool
}

// patience is how long a shell may take from its start to its first answer. Its
// profile may be slow, and the agent as well.
const patience = 30 * time.Second

// Open takes over a session whose shell has just started, and looks which
// tools the container has. The Shell owns the stream from now on; it is closed
// here if Open fails. The error is ctx's or a *diagnose.Error.
func Open(ctx context.Context, stream io.ReadWriteCloser) (*Shell, error) {
	s := &Shell{
		stream: stream,
		in:     make(chan []byte),
		out:    make(chan []byte),
		deaf:   make(chan struct{}),
		over:   make(chan struct{}),
		nonce:  [2]string{rand.Text()[:13], rand.Text()[:13]},
		secret: rand.Text()[:16],
	}
	s.wg.Go(s.read)
	s.wg.Go(s.write)
	if err := s.begin(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close ends the session and whatever still runs in it.
func (s *Shell) Close() (err error) {
	s.once.Do(func() {
		close(s.over)
		err = s.stream.Close()
		s.wg.Wait()
	})
	return err
}

func (s *Shell) read() {
	defer close(s.out)
	buf := make([]byte, 32<<10)
	for {
		n, err := s.stream.Read(buf)
		if n > 0 {
			select {
			case s.out <- append([]byte(nil), buf[:n]...):
			case <-s.over:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (s *Shell) write() {
	for {
		select {
		case p := <-s.in:
			if _, err := s.stream.Write(p); err != nil {
				close(s.deaf)
				return
			}
		case <-s.over:
			return
		}
	}
}

// loop is what replaces the shell: %[1]s and %[2]s are the halves of the nonce,
// %[3]s is the secret. It holds no single quote. Descriptor 5 is the terminal;
// what the loop's shell says itself, "Killed" for instance, is nobody's output.
// t is whatever is to be removed at the end, o the terminal's settings before.
const loop = `g=%[1]s;h=%[2]s;t=;exec 5>&1 2>/dev/null;` +
	`trap : INT;trap "exit 129" HUP TERM;trap "test -z \"\$t\"||rm -rf \"\$t\"" EXIT;` +
	`o=$(stty -g);stty -echo -opost;` +
	`printf "%%s" "$g$h<0>$g$h[0:0]";` +
	`while IFS= read -r l;do case $l in %[3]s*)eval "${l#%[3]s}";;esac;done`

// wanted are the tools that are of use here.
var wanted = []string{
	"base64", "cat", "chmod", "cksum", "dd", "mkdir", "mv", "od", "rm", "sha256sum", "stat", "stty", "tar", "tee", "wc",
}

// probe prints the tools that are there. A base64 that cannot decode, an od
// with other options, a tee that cannot write to a descriptor and what is only a
// name do not count.
const probe = `printf "go\n"
for c in %s; do command -v $c >/dev/null && printf "%%s\n" $c; done
[ "$(printf aGk= | base64 -d)" = hi ] || printf "no base64\n"
[ "$(printf a | od -An -v -tx1)" = " 61" ] || printf "no od\n"
[ "$(printf a | cksum)" = "1220704766 1" ] || printf "no cksum\n"
case $(printf a | sha256sum) in ca978112*) ;; *) printf "no sha256sum\n";; esac
[ "$({ printf a | tee /dev/fd/3; } 3>&1)" = aa ] || printf "no tee\n"`

func (s *Shell) begin(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := s.takeOver(waiting)
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return &diagnose.Error{
			What:  "talk to the shell in the container",
			Cause: fmt.Sprintf("it did not answer within %s", patience),
			Do:    "it must be a POSIX shell, and its profile must not ask for input",
			Err:   err,
		}
	}
	return err
}

func (s *Shell) takeOver(ctx context.Context) error {
	line := fmt.Sprintf(" unset HISTFILE;exec sh -c '"+loop+"'\n", s.nonce[0], s.nonce[1], s.secret)
	started := s.answer(0, io.Discard)
	if err := s.exchange(ctx, once([]byte(line)), started.take); err != nil {
		return err
	}
	var found strings.Builder
	if _, err := s.ask(ctx, fmt.Sprintf(probe, strings.Join(wanted, " ")), &found); err != nil {
		return err
	}
	s.crlf = strings.HasPrefix(found.String(), "go\r\n")
	s.tools = map[string]bool{}
	for _, tool := range strings.Fields(strings.ReplaceAll(found.String(), "no ", "no-")) {
		if missing, ok := strings.CutPrefix(tool, "no-"); ok {
			delete(s.tools, missing)
			continue
		}
		s.tools[tool] = true
	}
	return nil
}

// ended tells why the stream is over.
func (s *Shell) ended() error {
	if told, ok := s.stream.(interface{ Err() error }); ok {
		if err := told.Err(); err != nil {
			return err
		}
	}
	return &diagnose.Error{What: "the session in the container has ended", Cause: "its shell exited or the task stopped", Do: "open a new session"}
}
