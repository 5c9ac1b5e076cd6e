package sandbox

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// How much is kept, in streams, events and bytes: the newest.
const (
	keptStreams     = 5000     // of one group
	keptLogEvents   = 10_000   // of one stream
	keptBytes       = 1 << 20  // of one stream
	keptBytesOfAll  = 64 << 20 // of all streams together
	eventOverhead   = 26       // bytes that CloudWatch counts for an event beside its text
	longestLogEvent = 256 << 10
)

type logStream struct {
	group   *logGroup
	number  uint64
	name    string
	created int64
	events  []logEvent // by time, then number
	bytes   int
	newest  int64  // when the last event came in, 0 if none did
	turn    uint64 // number of the last event
	gone    bool
}

type logEvent struct {
	number       uint64
	at, ingested int64
	text         string
}

// spot is where an event stands among others.
type spot struct {
	at     int64
	number uint64
}

func (e *logEvent) spot() spot { return spot{e.at, e.number} }

func (s spot) compare(other spot) int {
	return cmp.Or(cmp.Compare(s.at, other.at), cmp.Compare(s.number, other.number))
}

// stream finds a stream of a group.
func (g *logGroup) stream(name *string) (*logStream, error) {
	if s := g.streams[aws.ToString(name)]; s != nil {
		return s, nil
	}
	return nil, logsNotFound("stream")
}

// CreateLogStream makes an empty stream.
func (b *logsBackend) CreateLogStream(_ context.Context, in *cloudwatchlogs.CreateLogStreamInput) (*cloudwatchlogs.CreateLogStreamOutput, error) {
	name := aws.ToString(in.LogStreamName)
	if n := utf8.RuneCountInString(name); n < 1 || n > 512 || strings.ContainsAny(name, ":*") {
		return nil, logsInvalid("1 validation error detected: Value at 'logStreamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [^:*]*")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	g, err := b.group(in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	if g.streams[name] != nil {
		return nil, logsTaken("stream")
	}
	b.addStream(g, name)
	return &cloudwatchlogs.CreateLogStreamOutput{}, nil
}

func (b *logsBackend) addStream(g *logGroup, name string) *logStream {
	s := &logStream{group: g, number: b.next(), name: name, created: b.now()}
	g.streams[name] = s
	if len(g.streams) > keptStreams {
		oldest := s
		for _, other := range g.streams {
			if other.number < oldest.number {
				oldest = other
			}
		}
		b.drop(oldest)
	}
	return s
}

// drop removes a stream. Whoever still writes to it writes nowhere.
func (b *logsBackend) drop(s *logStream) {
	b.bytes -= s.bytes
	s.events, s.bytes, s.gone = nil, 0, true
	delete(s.group.streams, s.name)
}

// add writes an event and forgets old ones where there are too many.
func (b *logsBackend) add(s *logStream, at int64, text string) {
	if s.gone || text == "" { // CloudWatch takes no empty event
		return
	}
	if len(text) > longestLogEvent {
		text = strings.ToValidUTF8(text[:longestLogEvent], "")
	}
	e := logEvent{number: b.next(), at: at, ingested: b.now(), text: text}
	i := len(s.events)
	for i > 0 && s.events[i-1].at > at {
		i--
	}
	s.events = slices.Insert(s.events, i, e)
	s.newest, s.turn = e.ingested, e.number
	size := len(text) + eventOverhead
	s.bytes += size
	b.bytes += size
	for len(s.events) > keptLogEvents || s.bytes > keptBytes {
		b.forget(s, 1)
	}
	for b.bytes > keptBytesOfAll {
		quietest := b.quietest()
		b.forget(quietest, len(quietest.events))
	}
}

// forget removes the n oldest events of a stream.
func (b *logsBackend) forget(s *logStream, n int) {
	for _, e := range s.events[:n] {
		s.bytes -= len(e.text) + eventOverhead
		b.bytes -= len(e.text) + eventOverhead
	}
	clear(s.events[:n]) // the array below lives on for a while
	s.events = s.events[n:]
}

// quietest is the stream with events that has been silent for longest.
func (b *logsBackend) quietest() *logStream {
	var found *logStream
	for _, g := range b.groups {
		for _, s := range g.streams {
			if len(s.events) > 0 && (found == nil || s.turn < found.turn) {
				found = s
			}
		}
	}
	return found
}

// DescribeLogStreams pages through the streams of a group, by name or by the
// time of their last event.
func (b *logsBackend) DescribeLogStreams(_ context.Context, in *cloudwatchlogs.DescribeLogStreamsInput) (*cloudwatchlogs.DescribeLogStreamsOutput, error) {
	prefix := aws.ToString(in.LogStreamNamePrefix)
	order := cmp.Or(in.OrderBy, types.OrderByLogStreamName)
	switch {
	case !slices.Contains(order.Values(), order):
		return nil, logsInvalid("1 validation error detected: Value at 'orderBy' failed to satisfy constraint: Member must satisfy enum value set: [LogStreamName, LastEventTime]")
	case prefix != "" && order == types.OrderByLastEventTime:
		return nil, logsInvalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	g, err := b.group(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	all := g.sorted(prefix, order)
	if aws.ToBool(in.Descending) {
		slices.Reverse(all)
	}
	name := question("DescribeLogStreams", g.name, prefix, string(order), fmt.Sprint(aws.ToBool(in.Descending)))
	found, next, err := page(b.pager, query{name: name, fallback: 50, limit: 50, asked: in.Limit, token: in.NextToken}, rank(all))
	if err != nil {
		return nil, err
	}
	out := &cloudwatchlogs.DescribeLogStreamsOutput{LogStreams: []types.LogStream{}, NextToken: next}
	for _, s := range found {
		out.LogStreams = append(out.LogStreams, s.item.describe())
	}
	return out, nil
}

func (g *logGroup) sorted(prefix string, order types.OrderBy) []*logStream {
	var all []*logStream
	for name, s := range g.streams {
		if strings.HasPrefix(name, prefix) {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(x, y *logStream) int {
		if order == types.OrderByLastEventTime {
			return cmp.Or(cmp.Compare(x.last(), y.last()), cmp.Compare(x.name, y.name))
		}
		return cmp.Compare(x.name, y.name)
	})
	return all
}

// last is the time of the last event, or that of the stream's making.
func (s *logStream) last() int64 {
	if n := len(s.events); n > 0 {
		return s.events[n-1].at
	}
	return s.created
}

func (s *logStream) describe() types.LogStream {
	d := types.LogStream{
		LogStreamName: aws.String(s.name), CreationTime: aws.Int64(s.created),
		Arn:                 aws.String(logGroupARN + s.group.name + ":log-stream:" + s.name),
		UploadSequenceToken: aws.String(sequenceToken(s.number)),
	}
	if n := len(s.events); n > 0 {
		d.FirstEventTimestamp, d.LastEventTimestamp = aws.Int64(s.events[0].at), aws.Int64(s.events[n-1].at)
		d.LastIngestionTime = aws.Int64(s.newest)
	}
	return d
}

// sequenceToken has the shape of CloudWatch's, which nobody needs any more.
func sequenceToken(n uint64) string { return fmt.Sprintf("%056d", n) }
