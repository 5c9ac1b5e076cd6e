package remote

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"time"
)

// exchange types what feed gives while it hands what is printed to take, until
// that has enough. A feed that is closed is at its end.
func (s *Shell) exchange(ctx context.Context, feed <-chan []byte, take func([]byte) (enough bool, err error)) error {
	var typed []byte
	for {
		from, to := feed, chan []byte(nil)
		if typed != nil {
			from, to = nil, s.in
		}
		select {
		case p, ok := <-from:
			if !ok {
				feed = nil
			}
			typed = p
		case to <- typed:
			typed = nil
		case p, ok := <-s.out:
			if !ok {
				return s.ended()
			}
			if enough, err := take(p); enough || err != nil {
				return err
			}
		case <-s.deaf:
			return s.ended()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// once is a feed of one piece.
func once(p []byte) <-chan []byte {
	feed := make(chan []byte, 1)
	feed <- p
	close(feed)
	return feed
}

// ask has the loop run a script, writes what it prints to out, and returns its
// exit status. The script's variables stay.
func (s *Shell) ask(ctx context.Context, script string, out io.Writer) (status int, err error) {
	s.number++
	a := s.answer(s.number, out)
	if err := s.exchange(ctx, once(s.request(script)), a.take); err != nil {
		return 0, err
	}
	return a.status, nil
}

// converse is ask with something to type while the script runs. The feed is
// asked for only once the script has begun.
func (s *Shell) converse(ctx context.Context, script string, feed <-chan []byte, out io.Writer) (status int, err error) {
	s.number++
	a := s.answer(s.number, out)
	begun := func(p []byte) (bool, error) {
		enough, err := a.take(p)
		return enough || a.begun, err
	}
	if err := s.exchange(ctx, once(s.request(script)), begun); err != nil {
		return 0, err
	}
	if a.done {
		return a.status, nil
	}
	if err := s.exchange(ctx, feed, a.take); err != nil {
		return 0, err
	}
	return a.status, nil
}

// request is a script as lines for the loop. It runs in the loop's own shell
// between the markers of the current request.
func (s *Shell) request(script string) []byte {
	script = fmt.Sprintf("%s\n{ %s\n}\n%s", s.mark("<%d>", s.number), script, s.mark("[%d:$?]", s.number))
	var lines bytes.Buffer
	fmt.Fprintf(&lines, "%sx=\n", s.secret)
	for len(script) > 0 {
		text, n := escape(script)
		fmt.Fprintf(&lines, "%sw=$(printf '%s.');x=$x${w%%.}\n", s.secret, text)
		script = script[n:]
	}
	fmt.Fprintf(&lines, "%seval \"$x\"\n", s.secret)
	return lines.Bytes()
}

// mark is the command that prints a marker.
func (s *Shell) mark(format string, number int) string {
	return `printf "%s" "$g$h` + fmt.Sprintf(format, number) + `"`
}

// interrupt presses ctrl+c, if the terminal takes it soon.
func (s *Shell) interrupt() {
	const soon = time.Second
	select {
	case s.in <- []byte{3}:
	case <-time.After(soon):
	case <-s.deaf:
	}
}

// answer finds what one request prints in the terminal's output.
type answer struct {
	start, end []byte // end lacks the status and the ]
	held       []byte // may be the beginning of a marker
	out        io.Writer
	crlf       *carriage // nil where the terminal adds none

	begun, done bool
	status      int
}

func (s *Shell) answer(number int, out io.Writer) *answer {
	nonce := s.nonce[0] + s.nonce[1]
	a := &answer{
		start: fmt.Appendf(nil, "%s<%d>", nonce, number),
		end:   fmt.Appendf(nil, "%s[%d:", nonce, number),
		out:   out,
	}
	if s.crlf {
		a.crlf = &carriage{to: out}
		a.out = a.crlf
	}
	return a
}

// take looks at the next piece of output. It is enough once the end marker is
// complete.
func (a *answer) take(p []byte) (enough bool, err error) {
	a.held = append(a.held, p...)
	if !a.begun {
		at := bytes.Index(a.held, a.start)
		if at < 0 {
			a.held = a.held[len(a.held)-overlap(a.held, a.start):]
			return false, nil
		}
		a.begun = true
		a.held = a.held[at+len(a.start):]
	}
	at := bytes.Index(a.held, a.end)
	if at < 0 {
		return false, a.pass(len(a.held) - overlap(a.held, a.end))
	}
	if err := a.pass(at); err != nil {
		return false, err
	}
	return a.finish()
}

// finish reads the status behind the end marker, once it is all there.
func (a *answer) finish() (enough bool, err error) {
	text, _, complete := bytes.Cut(a.held[len(a.end):], []byte("]"))
	if !complete {
		return false, nil
	}
	a.status, err = strconv.Atoi(string(text))
	if err != nil {
		return false, fmt.Errorf("read the exit status: %w", err)
	}
	a.done = true
	if a.crlf != nil {
		return true, a.crlf.flush()
	}
	return true, nil
}

// pass writes the first n bytes that are held.
func (a *answer) pass(n int) error {
	if n == 0 {
		return nil
	}
	_, err := a.out.Write(a.held[:n])
	a.held = append(a.held[:0], a.held[n:]...)
	return err
}

// overlap is how many bytes at the end of text could begin the marker.
func overlap(text, marker []byte) int {
	for n := min(len(marker)-1, len(text)); n > 0; n-- {
		if bytes.HasPrefix(marker, text[len(text)-n:]) {
			return n
		}
	}
	return 0
}

// carriage takes away the carriage return that a terminal has put before each
// newline, and no other.
type carriage struct {
	to   io.Writer
	held bool // a carriage return, until its follower is known
}

func (c *carriage) Write(p []byte) (int, error) {
	clean := make([]byte, 0, len(p)+1)
	for _, b := range p {
		if c.held && b != '\n' {
			clean = append(clean, '\r')
		}
		c.held = b == '\r'
		if !c.held {
			clean = append(clean, b)
		}
	}
	_, err := c.to.Write(clean)
	return len(p), err
}

func (c *carriage) flush() error {
	if !c.held {
		return nil
	}
	_, err := c.to.Write([]byte{'\r'})
	return err
}
