package aws

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"gantry/internal/diagnose"
)

// LogStream is where the output of one container of one task is kept in
// CloudWatch Logs.
type LogStream struct {
	Scope
	Region string // of the log, which may be another one than the task's
	Group  string
	Name   string
	// Prefix is what the streams of this container begin with, of whatever task;
	// "" where streams have other names.
	Prefix    string
	Task      string // ID
	Container string
}

// LogEvent is a line of a log.
type LogEvent struct {
	ID     string // tells events apart; only of a search
	At     time.Time
	Stream string // its name
	Text   string // any bytes
}

// LogPage is a part of a stream, the oldest event first.
type LogPage struct {
	Events []LogEvent
	// Next leads on to what is younger. A page that repeats the token it was
	// asked for with is the last for now.
	Next string
	// Start says that nothing is older than this page.
	Start bool
}

// eventsPerPage is AWS's limit (GetLogEvents and FilterLogEvents API reference).
const eventsPerPage = 10_000

// emptyPages is how many pages without events are read before a stream counts
// as read: CloudWatch gives some between those that have any.
const emptyPages = 20

// LogStream tells where the output of a container is kept, by what the task's
// definition says. Another log driver, and none, are errors that say so
// (ErrNoLog).
func (c *Client) LogStream(ctx context.Context, t Task, container string) (LogStream, error) {
	what := "read the log of " + container + " in task " + t.ID
	d, err := c.Definition(ctx, t.TaskDefinition)
	if err != nil {
		return LogStream{}, err
	}
	i := slices.IndexFunc(d.Containers, func(k DefinedContainer) bool { return k.Name == container })
	if i < 0 {
		return LogStream{}, &diagnose.Error{
			What: what, Cause: t.TaskDefinition + " defines no container of that name, so nothing says where its log is", Err: ErrNoLog,
		}
	}
	log := d.Containers[i].Log
	if log.Driver != awslogs {
		return LogStream{}, log.elsewhere(what, container, t.LaunchType)
	}
	s := LogStream{Scope: t.Scope, Region: log.Region, Group: log.Group, Task: t.ID, Container: container}
	if log.Prefix != "" {
		s.Prefix = log.Prefix + "/" + container + "/"
		s.Name = s.Prefix + t.ID
		return s, nil
	}
	// Without a prefix the stream is called as the engine's container is (ECS
	// developer guide, "Send Amazon ECS logs to CloudWatch").
	if k := t.Container(container); k != nil {
		s.Name = k.RuntimeID
	}
	if s.Name == "" {
		return LogStream{}, &diagnose.Error{What: what, Cause: "the container has not started: its log stream will be called as the engine calls the container", Err: ErrNoStream}
	}
	return s, nil
}

// LastLog reads the last events of a stream before a time, at most so many;
// zero is the present.
func (c *Client) LastLog(ctx context.Context, s LogStream, before time.Time, most int) (LogPage, error) {
	in := s.input(min(most, eventsPerPage))
	if !before.IsZero() {
		in.EndTime = sdk.Int64(before.UnixMilli())
	}
	var page LogPage
	for empty := 0; len(page.Events) < most; {
		out, err := c.logEvents(ctx, s, in)
		if err != nil {
			return page, err
		}
		if page.Next == "" {
			page.Next = sdk.ToString(out.NextForwardToken)
		}
		page.Events = append(s.events(out), page.Events...)
		token := sdk.ToString(out.NextBackwardToken)
		if empty++; len(out.Events) > 0 {
			empty = 0
		}
		if token == "" || token == sdk.ToString(in.NextToken) || empty == emptyPages {
			page.Start = true
			break
		}
		in.NextToken = &token
	}
	if extra := len(page.Events) - most; extra > 0 {
		page.Events = page.Events[extra:]
	}
	return page, nil
}

// NextLog reads on from a token, or from a time where there is none yet.
func (c *Client) NextLog(ctx context.Context, s LogStream, token string, since time.Time) (LogPage, error) {
	in := s.input(eventsPerPage)
	in.StartFromHead = sdk.Bool(true)
	if token != "" {
		in.NextToken = &token
	}
	if !since.IsZero() {
		in.StartTime = sdk.Int64(since.UnixMilli())
	}
	out, err := c.logEvents(ctx, s, in)
	if err != nil {
		return LogPage{}, err
	}
	return LogPage{Events: s.events(out), Next: sdk.ToString(out.NextForwardToken)}, nil
}

func (s LogStream) input(limit int) *cloudwatchlogs.GetLogEventsInput {
	n := int32(limit) //nolint:gosec // 10,000 at most
	return &cloudwatchlogs.GetLogEventsInput{LogGroupName: &s.Group, LogStreamName: &s.Name, Limit: &n}
}

func (c *Client) logEvents(ctx context.Context, s LogStream, in *cloudwatchlogs.GetLogEventsInput) (*cloudwatchlogs.GetLogEventsOutput, error) {
	what := "read the log of " + s.Container + " in task " + s.Task
	session, err := c.connect(ctx)
	if err != nil {
		return nil, c.explain(what, err)
	}
	out, err := session.logs.GetLogEvents(ctx, in, inRegion(s.Region))
	return out, c.explainLog(what, s.Group, err)
}

// inRegion reads where the log is kept.
func inRegion(region string) func(*cloudwatchlogs.Options) {
	return func(o *cloudwatchlogs.Options) {
		if region != "" {
			o.Region = region
		}
	}
}

func (s LogStream) events(out *cloudwatchlogs.GetLogEventsOutput) []LogEvent {
	events := make([]LogEvent, len(out.Events))
	for i, e := range out.Events {
		events[i] = LogEvent{At: time.UnixMilli(sdk.ToInt64(e.Timestamp)), Stream: s.Name, Text: sdk.ToString(e.Message)}
	}
	return events
}

// explainLog tells a group that is missing from a stream that is: AWS has one
// code for both.
func (c *Client) explainLog(what, group string, err error) error {
	if err == nil || !hasCode(err, "ResourceNotFoundException") {
		return c.explain(what, err)
	}
	if strings.Contains(err.Error(), "log group") {
		return &diagnose.Error{
			What: what, Cause: "there is no log group " + group,
			Do:  "create it, or have the definition do so with awslogs-create-group and logs:CreateLogGroup for its execution role",
			Err: errors.Join(ErrNotFound, err),
		}
	}
	return &diagnose.Error{
		What: what, Cause: "there is no such stream in " + group + ": the container has written nothing yet, or never started",
		Do: "see why the task stopped, if it has", Err: errors.Join(ErrNoStream, err),
	}
}
