package docker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

var logTime = time.Date(2026, 11, 23, 9, 1, 19, 123456789, time.UTC)

// stamp is the time in front of message n, as the engine writes it.
func stamp(n int) string {
	return logTime.Add(time.Duration(n)).Format("2006-01-02T15:04:05.000000000Z07:00") + " "
}

func frame(stream byte, text string) string {
	head := make([]byte, 8)
	head[0] = stream
	binary.BigEndian.PutUint32(head[4:], uint32(len(text)))
	return string(head) + text
}

// long is a line as the engine splits it: pieces of 16 KB with a time each.
func long(text string, put func(string) string) string {
	var b strings.Builder
	for n := 0; ; n++ {
		piece := text[:min(len(text), daemonPiece)]
		text = text[len(piece):]
		if text == "" {
			b.WriteString(put(stamp(n) + piece + "\n"))
			return b.String()
		}
		b.WriteString(put(stamp(n) + piece))
	}
}

func readAllLines(t *testing.T, read func(*logReader) error, in io.Reader) ([]LogLine, error) {
	t.Helper()
	var all []LogLine
	r := newLogReader(in, func(lines []LogLine) error {
		if len(lines) == 0 {
			t.Error("an empty batch")
		}
		all = append(all, lines...)
		return nil
	})
	err := read(r)
	return all, err
}

func show(lines []LogLine) string {
	var b strings.Builder
	for _, l := range lines {
		text := l.Text
		if len(text) > 20 {
			text = fmt.Sprintf("%s…%d", text[:5], len(text))
		}
		fmt.Fprintf(&b, "%s%d:%s", l.Stream.String()[3:], l.At.Sub(logTime), text)
		if l.Partial {
			b.WriteString("+")
		}
		b.WriteString("|")
	}
	return b.String()
}

func TestLogReader(t *testing.T) {
	out := func(s string) string { return frame(1, s) }
	plain := func(s string) string { return s }
	x40k, x100k := strings.Repeat("x", 40_000), strings.Repeat("y", 100_000)
	for _, tt := range []struct {
		name string
		read func(*logReader) error
		in   string
		want string
	}{
		{"nothing", (*logReader).readFrames, "", ""},
		{"a line", (*logReader).readFrames, out(stamp(0) + "hello\n"), "out0:hello|"},
		{"both streams", (*logReader).readFrames, out(stamp(0)+"a\n") + frame(2, stamp(1)+"b\n") + out(stamp(2)+"c\n"), "out0:a|err1:b|out2:c|"},
		{"an empty line", (*logReader).readFrames, out(stamp(0) + "\n"), "out0:|"},
		{"without an end", (*logReader).readFrames, out(stamp(0) + "bye"), "out0:bye|"},
		{"a carriage return before the end", (*logReader).readFrames, out(stamp(0) + "a\r\n"), "out0:a|"},
		{"two lines in a message", (*logReader).readFrames, out(stamp(0) + "a\nb\n"), "out0:a|out0:b|"},
		{"pieces make one line", (*logReader).readFrames, long(x40k, out), "out0:xxxxx…40000|"},
		{"pieces of two streams", (*logReader).readFrames, out(stamp(0)+"a") + frame(2, stamp(1)+"b") + out(stamp(2)+"A\n") + frame(2, stamp(3)+"B\n"), "out0:aA|err1:bB|"},
		{"longer than a piece of ours", (*logReader).readFrames, long(x100k, out), "out0:yyyyy…65536+|out0:yyyyy…34464|"},
		{"exactly a piece of ours", (*logReader).readFrames, long(x100k[:maxPiece], out), "out0:yyyyy…65536|"},
		{"no time", (*logReader).readFrames, out("plain words\n"), "out" + fmt.Sprint(time.Time{}.Sub(logTime).Nanoseconds()) + ":plain words|"},
		{"terminal", (*logReader).readTerminal, stamp(0) + "a\r\n" + stamp(1) + "b\r\n", "out0:a|out1:b|"},
		{"terminal, long", (*logReader).readTerminal, long(x40k, plain) + stamp(9) + "z\n", "out0:xxxxx…40000|out9:z|"},
		{"terminal, exactly the engine's piece", (*logReader).readTerminal, stamp(0) + x40k[:daemonPiece] + stamp(1) + "\n" + stamp(2) + "z\n", "out0:xxxxx…16384|out2:z|"},
		{"file", (*logReader).readPlain, "a\nb\n\nc", "out" + none + ":a|out" + none + ":b|out" + none + ":|out" + none + ":c|"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := strings.ReplaceAll(tt.want, "out"+fmt.Sprint(time.Time{}.Sub(logTime).Nanoseconds())+":", "out"+none+":")
			for name, in := range map[string]io.Reader{
				"at once": strings.NewReader(tt.in), "byte by byte": iotest.OneByteReader(strings.NewReader(tt.in)), "in halves": iotest.HalfReader(strings.NewReader(tt.in)),
			} {
				lines, err := readAllLines(t, tt.read, in)
				if err != nil || show(lines) != want {
					t.Errorf("%s: got %s, %v\nwant %s", name, show(lines), err, want)
				}
			}
		})
	}
}

// none is how show writes the time of a line without one.
var none = fmt.Sprintf("%d", time.Time{}.Sub(logTime))

func TestLogReaderErrors(t *testing.T) {
	lines, err := readAllLines(t, (*logReader).readFrames, strings.NewReader(frame(1, stamp(0)+"a\n")+frame(3, "the driver broke")))
	if show(lines) != "out0:a|" || err == nil || !strings.Contains(err.Error(), "the driver broke") {
		t.Errorf("got %s, %v", show(lines), err)
	}
	lines, err = readAllLines(t, (*logReader).readFrames, strings.NewReader(frame(1, stamp(0)+"a\n")+"rubbish and more of it"))
	if show(lines) != "out0:a|" || err == nil {
		t.Errorf("a damaged stream: %s, %v", show(lines), err)
	}
	lines, err = readAllLines(t, (*logReader).readFrames, strings.NewReader(frame(1, stamp(0)+"abc\n")[:40]))
	if len(lines) != 1 || !errors.Is(err, io.ErrUnexpectedEOF) && err != nil {
		t.Errorf("a stream that was cut: %v, %v", lines, err)
	}
	stop := errors.New("stop")
	r := newLogReader(strings.NewReader(frame(1, stamp(0)+"a\n")), func([]LogLine) error { return stop })
	if err := r.readFrames(); !errors.Is(err, stop) {
		t.Errorf("the receiver's error: %v", err)
	}
}

// A line is handed over although nothing follows it, and although the stream
// stays open.
func TestLogReaderDoesNotWait(t *testing.T) {
	for name, message := range map[string]string{"frames": frame(1, stamp(0)+"a\n"), "terminal": stamp(0) + "a\n"} {
		t.Run(name, func(t *testing.T) {
			in, out := io.Pipe()
			got, ended := make(chan []LogLine, 8), make(chan error)
			r := newLogReader(in, func(lines []LogLine) error { got <- lines; return nil })
			read := r.readFrames
			if name == "terminal" {
				read = r.readTerminal
			}
			go func() { ended <- read() }()
			if _, err := io.WriteString(out, message); err != nil {
				t.Fatal(err)
			}
			if lines := <-got; show(lines) != "out0:a|" {
				t.Errorf("got %s", show(lines))
			}
			out.Close()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

func FuzzLogReader(f *testing.F) {
	f.Add([]byte(frame(1, stamp(0)+"a\n")))
	f.Add([]byte(stamp(0) + "a\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, read := range []func(*logReader) error{(*logReader).readFrames, (*logReader).readTerminal, (*logReader).readPlain} {
			size := 0
			r := newLogReader(bytes.NewReader(data), func(lines []LogLine) error {
				for _, l := range lines {
					size += len(l.Text)
					if len(l.Text) > maxPiece {
						t.Errorf("a piece of %d bytes", len(l.Text))
					}
				}
				return nil
			})
			_ = read(r)
			if size > len(data) {
				t.Errorf("%d bytes out of %d", size, len(data))
			}
		}
	})
}
