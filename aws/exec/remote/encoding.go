package remote

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"gantry/internal/diagnose"
)

// upward is a way to type binary data: printable lines that a command in the
// container turns back, and what ends them.
type upward struct {
	command string // reads the lines, writes the data
	end     string
	most    int // bytes of data in a line
	line    func(data []byte) string
}

// upward encodes by base64, ended by ctrl+d, or by octal escapes that the
// shell's own printf understands, ended by a line that these cannot make.
func (s *Shell) upward() upward {
	if s.tools["base64"] {
		return upward{"base64 -d", "\x04", 720, base64.StdEncoding.EncodeToString}
	}
	return upward{
		command: `(e=0; while IFS= read -r l && [ "$l" != % ]; do printf "$l" || e=1; done; exit $e)`,
		end:     "%\n",
		most:    maxEscaped / len(`\000`),
		line:    func(data []byte) string { text, _ := escape(string(data)); return text },
	}
}

// batch is how many lines are typed at once.
const batch = 16

// feed types a whole reader, and the end in any case.
func (u upward) feed(ctx context.Context, body io.Reader, to chan<- []byte) error {
	data := make([]byte, u.most)
	for {
		var lines bytes.Buffer
		var err error
		for n := 0; n < batch && err == nil; n++ {
			var got int
			got, err = io.ReadFull(body, data)
			if got > 0 {
				lines.WriteString(u.line(data[:got]) + "\n")
			}
		}
		if err != nil {
			lines.WriteString(u.end)
		}
		select {
		case to <- lines.Bytes():
		case <-ctx.Done():
			return ctx.Err()
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// downward is the way to print binary data: a command in the container, and
// what turns its output back.
type downward struct {
	command string
	group   int // characters that decode together
	decode  func(dst, src []byte) (int, error)
}

func (s *Shell) downward() (downward, error) {
	switch {
	case s.tools["base64"]:
		return downward{"base64", 4, base64.StdEncoding.Decode}, nil
	case s.tools["od"]:
		return downward{"od -An -v -tx1", 2, hex.Decode}, nil
	}
	return downward{}, &diagnose.Error{
		What: "copy out of the container", Cause: "it has neither base64 nor od",
		Do: "copy from a container that has, or add one of them to the image",
	}
}

// decoder is a writer of what a downward command prints.
type decoder struct {
	downward
	to   io.Writer
	held []byte // an incomplete group
}

func (d *decoder) Write(p []byte) (int, error) {
	for _, b := range p {
		if !strings.ContainsRune(" \t\r\n", rune(b)) {
			d.held = append(d.held, b)
		}
	}
	whole := len(d.held) / d.group * d.group
	data := make([]byte, whole)
	n, err := d.decode(data, d.held[:whole])
	if err != nil {
		return 0, fmt.Errorf("decode what the container sent: %w", err)
	}
	d.held = append(d.held[:0], d.held[whole:]...)
	if _, err := d.to.Write(data[:n]); err != nil {
		return 0, err
	}
	return len(p), nil
}

// close complains about a group that was never completed.
func (d *decoder) close() error {
	if len(d.held) > 0 {
		return fmt.Errorf("decode what the container sent: %w", io.ErrUnexpectedEOF)
	}
	return nil
}
