package sandbox

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// CloudWatch's limits on a batch of events and on an answer.
const (
	maxLogEvents  = 10_000
	maxLogAnswer  = 1 << 20 // bytes
	oldestEvent   = 14 * 24 * time.Hour
	newestEventIn = 2 * time.Hour // ahead of now
)

// PutLogEvents writes events to a stream.
func (b *logsBackend) PutLogEvents(_ context.Context, in *cloudwatchlogs.PutLogEventsInput) (*cloudwatchlogs.PutLogEventsOutput, error) {
	if n := len(in.LogEvents); n < 1 || n > maxLogEvents {
		return nil, logsInvalid("1 validation error detected: Value at 'logEvents' failed to satisfy constraint: Member must have length between 1 and %d", maxLogEvents)
	}
	for i, e := range in.LogEvents {
		switch {
		case e.Timestamp == nil || aws.ToString(e.Message) == "":
			return nil, logsInvalid("Log event message must have a timestamp and a message.")
		case i > 0 && *e.Timestamp < *in.LogEvents[i-1].Timestamp:
			return nil, logsInvalid("Log events in a single PutLogEvents request must be in chronological order.")
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	g, err := b.group(in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	s, err := g.stream(in.LogStreamName)
	if err != nil {
		return nil, err
	}
	out := &cloudwatchlogs.PutLogEventsOutput{}
	oldest, newest := b.now()-oldestEvent.Milliseconds(), b.now()+newestEventIn.Milliseconds()
	for i, e := range in.LogEvents {
		n := int32(i)
		switch {
		case *e.Timestamp < oldest:
			rejected(out).TooOldLogEventEndIndex = aws.Int32(n + 1)
		case *e.Timestamp > newest:
			if rejected(out).TooNewLogEventStartIndex == nil {
				out.RejectedLogEventsInfo.TooNewLogEventStartIndex = aws.Int32(n)
			}
		default:
			b.add(s, *e.Timestamp, *e.Message)
		}
	}
	out.NextSequenceToken = aws.String(sequenceToken(b.sequence))
	return out, nil
}

func rejected(out *cloudwatchlogs.PutLogEventsOutput) *types.RejectedLogEventsInfo {
	if out.RejectedLogEventsInfo == nil {
		out.RejectedLogEventsInfo = &types.RejectedLogEventsInfo{}
	}
	return out.RejectedLogEventsInfo
}

// between are the events of a stream with a time from start on and before end.
func (s *logStream) between(start, end *int64) []logEvent {
	events := s.events
	byTime := func(e logEvent, at int64) int {
		if e.at < at {
			return -1
		}
		return 1
	}
	if start != nil {
		i, _ := slices.BinarySearchFunc(events, *start, byTime)
		events = events[i:]
	}
	if end != nil {
		i, _ := slices.BinarySearchFunc(events, *end, byTime)
		events = events[:i]
	}
	return events
}

// streamToken says where a reader of a stream is, and in which direction it
// goes: "f/…/s" or "b/…/s", as CloudWatch has it.
func streamToken(direction string, at spot) *string {
	return aws.String(fmt.Sprintf("%s/%020d%036d/s", direction, at.at, at.number))
}

func readStreamToken(token string) (direction string, at spot, err error) {
	parts := strings.Split(token, "/")
	const digits = 20 + 36
	if len(parts) != 3 || len(parts[1]) != digits || parts[2] != "s" || parts[0] != "f" && parts[0] != "b" {
		return "", spot{}, logsInvalid("The specified nextToken is invalid.")
	}
	when, err1 := strconv.ParseInt(parts[1][:20], 10, 64)
	number, err2 := strconv.ParseUint(parts[1][20:], 10, 64)
	if err1 != nil || err2 != nil {
		return "", spot{}, logsInvalid("The specified nextToken is invalid.")
	}
	return parts[0], spot{when, number}, nil
}

// GetLogEvents reads a stream, forward or backward. A page that repeats its
// token is the last for now.
func (b *logsBackend) GetLogEvents(_ context.Context, in *cloudwatchlogs.GetLogEventsInput) (*cloudwatchlogs.GetLogEventsOutput, error) {
	limit, err := logLimit(in.Limit)
	if err != nil {
		return nil, err
	}
	direction, at := "b", spot{at: 1<<63 - 1}
	if aws.ToBool(in.StartFromHead) {
		direction, at = "f", spot{}
	}
	if in.NextToken != nil {
		if direction, at, err = readStreamToken(*in.NextToken); err != nil {
			return nil, err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	g, err := b.group(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	s, err := g.stream(in.LogStreamName)
	if err != nil {
		return nil, err
	}
	events := cutEvents(s.between(in.StartTime, in.EndTime), direction, at, limit)
	out := &cloudwatchlogs.GetLogEventsOutput{Events: []types.OutputLogEvent{}}
	for _, e := range events {
		out.Events = append(out.Events, types.OutputLogEvent{Timestamp: aws.Int64(e.at), IngestionTime: aws.Int64(e.ingested), Message: aws.String(e.text)})
	}
	first, last := at, at
	switch n := len(events); {
	case n > 0:
		first, last = events[0].spot(), events[n-1].spot()
	case in.NextToken == nil:
		// Nothing yet: forward goes on with whatever comes.
		first, last = spot{}, spot{}
	}
	out.NextForwardToken, out.NextBackwardToken = streamToken("f", last), streamToken("b", first)
	return out, nil
}

// cutEvents takes as many events as an answer holds: those after a spot, or the
// last before it.
func cutEvents(events []logEvent, direction string, at spot, limit int) []logEvent {
	i, found := slices.BinarySearchFunc(events, at, func(e logEvent, s spot) int { return e.spot().compare(s) })
	bytes := 0
	if direction == "b" {
		events = events[:i]
		from := len(events)
		for from > 0 && len(events)-from < limit && bytes < maxLogAnswer {
			from--
			bytes += len(events[from].text) + eventOverhead
		}
		return events[from:]
	}
	if found {
		i++
	}
	events = events[i:]
	to := 0
	for to < len(events) && to < limit && bytes < maxLogAnswer {
		bytes += len(events[to].text) + eventOverhead
		to++
	}
	return events[:to]
}

func logLimit(asked *int32) (int, error) {
	if asked == nil {
		return maxLogEvents, nil
	}
	if *asked < 1 || *asked > maxLogEvents {
		return 0, logsInvalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must be between 1 and %d", *asked, maxLogEvents)
	}
	return int(*asked), nil
}
