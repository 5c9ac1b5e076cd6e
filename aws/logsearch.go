package aws

import (
	"context"
	"slices"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// LogSearch says which events to look for: of one group, in the streams that
// begin with Prefix, or else in those of Names, from a time on.
type LogSearch struct {
	Region, Group, Prefix string
	Names                 []string // at most 100
	Since                 time.Time
}

// SearchLog reads what was written to several streams, the oldest first, a page
// at a time from the calling goroutine.
func (c *Client) SearchLog(ctx context.Context, q LogSearch, page func([]LogEvent)) error {
	what := "read the logs in " + q.Group
	session, err := c.connect(ctx)
	if err != nil {
		return c.explain(what, err)
	}
	in := q.input()
	if !q.Since.IsZero() {
		in.StartTime = sdk.Int64(q.Since.UnixMilli())
	}
	return c.explainLog(what, q.Group, eachPage(func(token *string) (*string, error) {
		in.NextToken = token
		out, err := session.logs.FilterLogEvents(ctx, in, inRegion(q.Region))
		if err != nil {
			return nil, err
		}
		if events := foundEvents(out.Events); len(events) > 0 {
			page(events)
		}
		return out.NextToken, nil
	}))
}

// backFrom is the earliest time that a search may go back to (FilterLogEvents
// API reference, startFromHead).
var backFrom = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// pagesBack is how many pages one search goes back: in a group with much of
// other tasks it ends with what it has.
const pagesBack = 20

// SearchLastLog reads the last events before a time that keep wants by their
// stream, some more than most perhaps; zero is the present. The page says
// Start where there is nothing older.
func (c *Client) SearchLastLog(ctx context.Context, q LogSearch, before time.Time, most int, keep func(stream string) bool) (LogPage, error) {
	what := "read the logs in " + q.Group
	session, err := c.connect(ctx)
	if err != nil {
		return LogPage{}, c.explain(what, err)
	}
	in := q.input()
	in.StartFromHead, in.StartTime = sdk.Bool(false), sdk.Int64(backFrom.UnixMilli())
	if !before.IsZero() {
		in.EndTime = sdk.Int64(before.UnixMilli())
	}
	var page LogPage
	for n := 0; n < pagesBack && len(page.Events) < most; n++ {
		out, err := session.logs.FilterLogEvents(ctx, in, inRegion(q.Region))
		if err != nil {
			return LogPage{}, c.explainLog(what, q.Group, err)
		}
		for _, e := range foundEvents(out.Events) {
			if keep(e.Stream) && (before.IsZero() || e.At.Before(before)) {
				page.Events = append(page.Events, e)
			}
		}
		if in.NextToken = out.NextToken; sdk.ToString(out.NextToken) == "" {
			page.Start = true
			break
		}
	}
	slices.Reverse(page.Events)
	slices.SortStableFunc(page.Events, func(a, b LogEvent) int { return a.At.Compare(b.At) })
	return page, nil
}

func (q LogSearch) input() *cloudwatchlogs.FilterLogEventsInput {
	in := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &q.Group}
	if q.Prefix != "" {
		in.LogStreamNamePrefix = &q.Prefix
	} else {
		in.LogStreamNames = q.Names
	}
	return in
}

func foundEvents(found []types.FilteredLogEvent) []LogEvent {
	events := make([]LogEvent, len(found))
	for i, e := range found {
		events[i] = LogEvent{
			ID: sdk.ToString(e.EventId), At: time.UnixMilli(sdk.ToInt64(e.Timestamp)), Stream: sdk.ToString(e.LogStreamName), Text: sdk.ToString(e.Message),
		}
	}
	return events
}
