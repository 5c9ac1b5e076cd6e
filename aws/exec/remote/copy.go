package remote

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"

	"gantry/internal/diagnose"
)

// Copied is what a copy has brought.
type Copied struct {
	Files   int
	Bytes   int64
	Skipped []Skipped
}

// Skipped is an entry of a folder that was not copied.
type Skipped struct {
	Path   string // within the folder, sanitised
	Reason string // "symbolic link", "device" …
}

// Report hears how many bytes of contents are through, and the total, 0 where
// that is not known.
type Report func(done, total int64)

// tally counts for a Report.
type tally struct {
	Copied
	total  int64
	report Report
}

func (t *tally) Write(p []byte) (int, error) {
	t.Bytes += int64(len(p))
	if t.report != nil {
		t.report(t.Bytes, t.total)
	}
	return len(p), nil
}

func (t *tally) skip(name, reason string) {
	t.Skipped = append(t.Skipped, Skipped{sanitise(name), reason})
}

// temporary is a name for what is not complete yet, on either side.
func temporary() string { return ".gantry-" + strings.ToLower(rand.Text()[:12]) }

// put types body into a file of the container and compares the checksums. The
// target is a word of the shell's.
func (s *Shell) put(ctx context.Context, target string, body io.Reader) error {
	sum, up := s.newChecksum(), s.upward()
	feeding, stop := context.WithCancel(ctx)
	defer stop()
	feed := make(chan []byte)
	var read error
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(feed)
		read = up.feed(feeding, io.TeeReader(body, sum), feed)
	})
	var said bytes.Buffer
	status, err := s.converse(ctx, "(umask 077; "+up.command+" >"+target+") 2>&1", feed, &said)
	stop()
	wg.Wait()
	switch {
	case ctx.Err() != nil:
		s.abandon("\n" + up.end)
		return ctx.Err()
	case err != nil:
		return err
	case read != nil && !errors.Is(read, context.Canceled):
		return read
	case status != 0:
		return fmt.Errorf("write in the container: %s", s.words(said.String(), status))
	}
	return s.verify(ctx, target, sum)
}

// words is what a command in the container said when it failed. Where echo
// cannot be turned off, that is lost among what was typed.
func (s *Shell) words(said string, status int) string {
	if text := sanitise(said); text != "" && !s.crlf {
		return text
	}
	return fmt.Sprintf("exit status %d", status)
}

// verify compares a file in the container with the checksum of what was sent.
func (s *Shell) verify(ctx context.Context, target string, sum checksum) error {
	if sum.command == "" {
		back := checksum{Hash: sha256.New()}
		if err := s.fetchOnce(ctx, s.reader()+" <"+target, back); err != nil {
			return err
		}
		if back.text() != sum.text() {
			return errDamaged
		}
		return nil
	}
	var printed strings.Builder
	if _, err := s.ask(ctx, sum.command+" <"+target, &printed); err != nil {
		return err
	}
	if !sum.matches(printed.String()) {
		return errDamaged
	}
	return nil
}

var (
	errDamaged = errors.New("the copy differs from the original: it was damaged on its way")
	errChanged = errors.New("the copy differs from the original: it changed meanwhile, or was damaged on its way")
)

// abandon stops a command that waits for data and removes what is incomplete,
// within a little while. The loop does the latter itself when its terminal goes.
func (s *Shell) abandon(end string) {
	const while = 3 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), while)
	defer cancel()
	select {
	case s.in <- []byte(end):
	case <-s.deaf:
		return
	case <-ctx.Done():
		return
	}
	_, _ = s.ask(ctx, `rm -rf "$t"; t=`, io.Discard)
}

// reader is the command that copies its input to its output.
func (s *Shell) reader() string {
	if s.tools["cat"] {
		return "cat"
	}
	return "dd bs=65536 2>/dev/null"
}

// fetch hands what a command of the container prints to sink, and compares the
// checksums. With tee the container computes its own of the very bytes that it
// sends; else the command is run once more.
func (s *Shell) fetch(ctx context.Context, command string, sink io.Writer) error {
	sum := s.newChecksum()
	to := io.MultiWriter(sum, sink)
	if sum.command != "" && s.tools["tee"] {
		tee := fmt.Sprintf(`| tee /dev/fd/3 | %s | { read -r a b; printf "\nh=%%s %%s\n" "$a" "$b" >&4; }`, sum.command)
		printed, err := s.transfer(ctx, command, tee, to)
		if err == nil && !sum.matches(printed) {
			err = errDamaged
		}
		return err
	}
	if err := s.fetchOnce(ctx, command, to); err != nil {
		return err
	}
	return s.compare(ctx, command, sum)
}

// compare runs a command for its checksum alone.
func (s *Shell) compare(ctx context.Context, command string, sum checksum) error {
	if sum.command == "" {
		again := checksum{Hash: sha256.New()}
		if err := s.fetchOnce(ctx, command, again); err != nil {
			return err
		}
		if again.text() != sum.text() {
			return errChanged
		}
		return nil
	}
	var printed strings.Builder
	if _, err := s.ask(ctx, "{ "+command+"; } | "+sum.command, &printed); err != nil {
		return err
	}
	if !sum.matches(printed.String()) {
		return errChanged
	}
	return nil
}

// fetchOnce is fetch on trust.
func (s *Shell) fetchOnce(ctx context.Context, command string, sink io.Writer) error {
	_, err := s.transfer(ctx, command, "", sink)
	return err
}

// transfer prints a command's output in an encoding. A tee behind the command
// may write to descriptor 3, where the encoding goes, and to 4, where the
// command's exit status and complaints are kept; what it says there as h=… is
// returned.
func (s *Shell) transfer(ctx context.Context, command, tee string, sink io.Writer) (noted string, err error) {
	down, err := s.downward()
	if err != nil {
		return "", err
	}
	if tee == "" {
		tee = "| " + s.reader() + " >&3"
	}
	script := fmt.Sprintf(`c=$({ { { { %s
} 2>&4; printf "\ns=$?\n" >&4; } %s; } 3>&1 | %s >&5; } 4>&1)`, command, tee, down.command)
	decoded := &decoder{downward: down, to: sink}
	if _, err := s.ask(ctx, script, decoded); err != nil {
		if ctx.Err() != nil {
			s.interrupt()
		}
		return "", err
	}
	if err := decoded.close(); err != nil {
		return "", err
	}
	var kept strings.Builder
	if _, err := s.ask(ctx, `printf "%s" "$c"`, &kept); err != nil {
		return "", err
	}
	return readNotes(kept.String())
}

// readNotes takes apart what transfer kept.
func readNotes(text string) (noted string, err error) {
	status := ""
	var said []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if h, ok := strings.CutPrefix(line, "h="); ok {
			noted = h
		} else if n, ok := strings.CutPrefix(line, "s="); ok {
			status = n
		} else if line != "" && !harmless(line) {
			said = append(said, line)
		}
	}
	if status == "0" || (status == "1" && len(said) == 0) {
		return noted, nil
	}
	if len(said) == 0 {
		said = []string{"exit status " + status}
	}
	return "", fmt.Errorf("read in the container: %s", sanitise(strings.Join(said, "; ")))
}

// harmless are tar's complaints about folders in use, which need not keep
// anybody from copying the logs in them.
func harmless(line string) bool {
	return strings.HasSuffix(line, "file changed as we read it") || strings.HasSuffix(line, "File removed before we read it")
}

// sanitise makes one short line of a text from the container.
func sanitise(text string) string {
	const most = 300
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, ansi.Strip(text))
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return string(runes)
}

// failed tells why a copy came to nothing; the end of a context stays as it is.
func failed(what string, err error) error {
	var told *diagnose.Error
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &told) {
		return err
	}
	return &diagnose.Error{What: what, Cause: err.Error(), Do: "check permissions and free space on both sides, then try again", Err: err}
}
