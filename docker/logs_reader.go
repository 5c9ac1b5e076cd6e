package docker

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
)

const (
	readAhead     = 64 << 10
	maxPiece      = 64 << 10 // bytes of a LogLine
	maxBatch      = 2000     // lines
	maxBatchBytes = 1 << 20
	// daemonPiece is where the engine splits a line: each piece is a message
	// of its own, with its own timestamp. (moby daemon/logger/copier.go)
	daemonPiece = 16 << 10
)

// logReader splits an engine's log stream into lines. It reads frames itself,
// since only they tell the engine's messages apart: a long line comes in
// several, and each has a timestamp in front.
type logReader struct {
	in    *bufio.Reader
	emit  func([]LogLine) error
	batch []LogLine
	size  int
	open  [3]openLine // by stream
	// timed says that each message has the engine's timestamp in front. What
	// tail prints has none, and may begin with a time of its own.
	timed bool
}

// openLine is a line that has not ended.
type openLine struct {
	at      time.Time
	text    []byte
	started bool
}

func newLogReader(r io.Reader, emit func([]LogLine) error) *logReader {
	return &logReader{in: bufio.NewReaderSize(r, readAhead), emit: emit, timed: true}
}

// flush hands over the batch. Emitted slices are the receiver's.
func (r *logReader) flush() error {
	if len(r.batch) == 0 {
		return nil
	}
	full := r.batch
	r.batch, r.size = nil, 0
	return r.emit(full)
}

// pause is called between messages: it hands over what there is when nothing
// more has arrived, or when there is much.
func (r *logReader) pause() error {
	if r.in.Buffered() == 0 || len(r.batch) >= maxBatch || r.size >= maxBatchBytes {
		return r.flush()
	}
	return nil
}

// finish emits lines without an end, and the last batch.
func (r *logReader) finish() error {
	for stream := range r.open {
		if r.open[stream].started {
			r.end(LogStream(stream))
		}
	}
	return r.flush()
}

// readFrames reads a stream with stdcopy's frames: stream, three zeros, and
// the length in four bytes, big-endian.
func (r *logReader) readFrames() error {
	var head [8]byte
	for {
		if err := r.pause(); err != nil {
			return err
		}
		if _, err := io.ReadFull(r.in, head[:]); err != nil {
			return errors.Join(r.finish(), eof(err))
		}
		stream, length := stdcopy.StdType(head[0]), int(binary.BigEndian.Uint32(head[4:]))
		switch stream {
		case stdcopy.Stdin, stdcopy.Stdout, stdcopy.Stderr:
		case stdcopy.Systemerr:
			text, _ := io.ReadAll(io.LimitReader(r.in, int64(min(length, maxPiece))))
			return errors.Join(r.finish(), errors.New(string(text)))
		default:
			return errors.Join(r.finish(), fmt.Errorf("the log's stream is damaged: frame of type %d", head[0]))
		}
		if err := r.message(max(LogStream(stream), Stdout), length); err != nil {
			return errors.Join(r.finish(), eof(err))
		}
	}
}

// message reads one message: a line with its end, or a piece of one without.
func (r *logReader) message(stream LogStream, length int) error {
	first := true
	for length > 0 {
		chunk, err := r.in.Peek(min(length, readAhead))
		if len(chunk) == 0 {
			return err
		}
		rest := chunk
		if first {
			r.begin(stream, &rest)
			first = false
		}
		r.add(stream, rest)
		n := len(chunk)
		if _, err := r.in.Discard(n); err != nil {
			return err
		}
		length -= n
	}
	return nil
}

// begin cuts the timestamp off a message. It is the line's, unless one is open
// that this message continues.
func (r *logReader) begin(stream LogStream, message *[]byte) {
	var at time.Time
	if r.timed {
		at, *message = cutTime(*message)
	}
	if line := &r.open[stream]; !line.started {
		line.started, line.at = true, at
	}
}

// add adds bytes to the open line; ends of lines in it end it.
func (r *logReader) add(stream LogStream, data []byte) {
	line := &r.open[stream]
	for len(data) > 0 {
		line.started = true
		end := bytes.IndexByte(data, '\n')
		ended := end >= 0
		if !ended {
			end = len(data)
		}
		room := maxPiece - len(line.text)
		if end > room {
			line.text = append(line.text, data[:room]...)
			data = data[room:]
			r.piece(stream)
			continue
		}
		line.text = append(line.text, data[:end]...)
		if !ended {
			return
		}
		r.end(stream)
		data = data[end+1:]
	}
}

// end emits the open line.
func (r *logReader) end(stream LogStream) {
	line := &r.open[stream]
	r.put(LogLine{At: line.at, Stream: stream, Text: strings.TrimSuffix(string(line.text), "\r")})
	line.text, line.started = line.text[:0], false
}

// piece emits what there is of a line that goes on.
func (r *logReader) piece(stream LogStream) {
	line := &r.open[stream]
	r.put(LogLine{At: line.at, Stream: stream, Text: string(line.text), Partial: true})
	line.text = line.text[:0]
}

func (r *logReader) put(l LogLine) {
	r.batch = append(r.batch, l)
	r.size += len(l.Text)
}

// readTerminal reads the log of a container with a terminal. It has no frames,
// so a message begins where a line does, and behind daemonPiece bytes without
// a line end.
func (r *logReader) readTerminal() error {
	unbroken := 0 // bytes of the message under way
	fresh := true // a message begins here
	for {
		if err := r.pause(); err != nil {
			return err
		}
		if fresh {
			if err := r.timestamp(); err != nil {
				return errors.Join(r.finish(), eof(err))
			}
			unbroken = 0
		}
		chunk, err := r.chunk(daemonPiece - unbroken)
		if len(chunk) == 0 {
			return errors.Join(r.finish(), eof(err))
		}
		r.add(Stdout, chunk)
		unbroken += len(chunk)
		fresh = chunk[len(chunk)-1] == '\n' || unbroken == daemonPiece
		if _, err := r.in.Discard(len(chunk)); err != nil {
			return errors.Join(r.finish(), eof(err))
		}
	}
}

// chunk looks at the bytes that are there, at most limit, to the first line
// end. It waits for one byte at least.
func (r *logReader) chunk(limit int) ([]byte, error) {
	if _, err := r.in.Peek(1); err != nil {
		return nil, err
	}
	chunk, _ := r.in.Peek(min(r.in.Buffered(), limit))
	if end := bytes.IndexByte(chunk, '\n'); end >= 0 {
		return chunk[:end+1], nil
	}
	return chunk, nil
}

// timestamp reads the time in front of a message. Without one, which is no
// engine's habit, nothing is consumed.
func (r *logReader) timestamp() error {
	// A message is longer than that, so this waits for no second one.
	if head, err := r.in.Peek(minTimestamp); len(head) == 0 {
		return err
	}
	head, _ := r.in.Peek(min(r.in.Buffered(), maxTimestamp))
	rest := head
	r.begin(Stdout, &rest)
	_, err := r.in.Discard(len(head) - len(rest))
	return err
}

// The lengths of RFC 3339 with nanoseconds and a blank, as Docker writes it and
// with a zone.
const (
	minTimestamp = len("2006-01-02T15:04:05.000000000Z ")
	maxTimestamp = len("2006-01-02T15:04:05.000000000+00:00 ")
)

// cutTime cuts the timestamp off a message.
func cutTime(message []byte) (time.Time, []byte) {
	end := bytes.IndexByte(message[:min(len(message), maxTimestamp)], ' ')
	if end < 0 {
		return time.Time{}, message
	}
	at, err := time.Parse(time.RFC3339Nano, string(message[:end]))
	if err != nil {
		return time.Time{}, message
	}
	return at, message[end+1:]
}
