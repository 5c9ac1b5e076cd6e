package sandbox

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// foundEvent is an event and the stream that it is in.
type foundEvent struct {
	logEvent
	stream string
}

// FilterLogEvents searches the streams of a group, the oldest event first
// unless asked otherwise.
func (b *logsBackend) FilterLogEvents(_ context.Context, in *cloudwatchlogs.FilterLogEventsInput) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	limit, err := logLimit(in.Limit)
	if err != nil {
		return nil, err
	}
	matches, err := parseLogPattern(aws.ToString(in.FilterPattern))
	if err != nil {
		return nil, err
	}
	if len(in.LogStreamNames) > 0 && in.LogStreamNamePrefix != nil {
		return nil, logsInvalid("logStreamNamePrefix and logStreamNames cannot both be specified.")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	g, err := b.group(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	name := question("FilterLogEvents", g.name, aws.ToString(in.FilterPattern), aws.ToString(in.LogStreamNamePrefix), strings.Join(in.LogStreamNames, "\x00"))
	from, backward := spot{at: -1}, in.StartFromHead != nil && !*in.StartFromHead
	if token := aws.ToString(in.NextToken); token != "" {
		var ok bool
		if from, backward, ok = b.openSpot(name, token); !ok {
			return nil, logsInvalid("The specified nextToken is invalid.")
		}
	}
	streams, err := g.chosen(in)
	if err != nil {
		return nil, err
	}
	found, more := search(streams, in, matches, cursor{from, backward}, limit)
	out := &cloudwatchlogs.FilterLogEventsOutput{Events: []types.FilteredLogEvent{}, SearchedLogStreams: []types.SearchedLogStream{}}
	for _, e := range found {
		out.Events = append(out.Events, types.FilteredLogEvent{
			EventId: aws.String(sequenceToken(e.number)), LogStreamName: aws.String(e.stream),
			Timestamp: aws.Int64(e.at), IngestionTime: aws.Int64(e.ingested), Message: aws.String(e.text),
		})
	}
	if more {
		out.NextToken = aws.String(b.closeSpot(name, found[len(found)-1].spot(), backward))
	}
	return out, nil
}

// chosen are the streams that a search goes through.
func (g *logGroup) chosen(in *cloudwatchlogs.FilterLogEventsInput) ([]*logStream, error) {
	if len(in.LogStreamNames) == 0 {
		return g.sorted(aws.ToString(in.LogStreamNamePrefix), types.OrderByLogStreamName), nil
	}
	var chosen []*logStream
	for i := range in.LogStreamNames {
		s, err := g.stream(&in.LogStreamNames[i])
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, s)
	}
	return chosen, nil
}

// cursor is where a search goes on, and in which direction.
type cursor struct {
	at       spot
	backward bool
}

// beyond reports whether an event is still to come.
func (c cursor) beyond(e *logEvent) bool {
	order := e.spot().compare(c.at)
	if c.backward {
		return c.at.at < 0 || order < 0
	}
	return order > 0
}

// search gathers the events that match, in order, and tells whether there are
// more than the answer holds.
func search(streams []*logStream, in *cloudwatchlogs.FilterLogEventsInput, matches func(string) bool, c cursor, limit int) (found []foundEvent, more bool) {
	for _, s := range streams {
		for _, e := range s.between(in.StartTime, in.EndTime) {
			if c.beyond(&e) && matches(e.text) {
				found = append(found, foundEvent{e, s.name})
			}
		}
	}
	slices.SortFunc(found, func(x, y foundEvent) int {
		if c.backward {
			x, y = y, x
		}
		return x.spot().compare(y.spot())
	})
	bytes := 0
	for i, e := range found {
		bytes += len(e.text) + eventOverhead
		if i == limit || i > 0 && bytes > maxLogAnswer {
			return found[:i], true
		}
	}
	return found, false
}

// closeSpot makes the token of a search that goes on behind a spot.
func (b *logsBackend) closeSpot(name string, at spot, backward bool) string {
	where := fmt.Sprintf("%d.%t", at.at, backward)
	return where + "." + b.pager.close(question(name, where), at.number)
}

func (b *logsBackend) openSpot(name, token string) (at spot, backward, ok bool) {
	parts := strings.SplitN(token, ".", 3)
	if len(parts) != 3 {
		return spot{}, false, false
	}
	number, ok := b.pager.open(question(name, parts[0]+"."+parts[1]), parts[2])
	when, err := strconv.ParseInt(parts[0], 10, 64)
	return spot{when, number}, parts[1] == "true", ok && err == nil
}
