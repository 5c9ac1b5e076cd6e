package aws_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"gantry/aws"
	"gantry/internal/diagnose"
)

// writer writes to the world's CloudWatch Logs.
type writer struct {
	*world
	raw *cloudwatchlogs.Client
}

func (w *world) writer() *writer {
	transport := &http.Transport{}
	w.t.Cleanup(transport.CloseIdleConnections)
	return &writer{w, cloudwatchlogs.NewFromConfig(sdk.Config{
		Region: w.server.Region(), BaseEndpoint: sdk.String(w.server.URL()), HTTPClient: &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider(w.server.AccessKeyID(), w.server.SecretAccessKey(), ""),
	})}
}

func (w *writer) group(name string) {
	_, err := w.raw.CreateLogGroup(w.t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &name})
	w.must(err)
}

func (w *writer) stream(group, name string) {
	_, err := w.raw.CreateLogStream(w.t.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: &group, LogStreamName: &name})
	w.must(err)
}

// lines writes "LABEL 0", "LABEL 1" …, a millisecond apart.
func (w *writer) lines(group, stream, label string, from time.Time, n int) {
	events := make([]logtypes.InputLogEvent, n)
	for i := range events {
		events[i] = logtypes.InputLogEvent{Timestamp: sdk.Int64(from.UnixMilli() + int64(i)), Message: sdk.String(fmt.Sprintf("%s %d", label, i))}
	}
	_, err := w.raw.PutLogEvents(w.t.Context(), &cloudwatchlogs.PutLogEventsInput{LogGroupName: &group, LogStreamName: &stream, LogEvents: events})
	w.must(err)
}

func TestWhereALogIs(t *testing.T) {
	w := newWorld(t)
	c := w.client(nil)
	for i, k := range []struct {
		name   string
		log    *types.LogConfiguration
		launch string
		want   aws.LogStream
		says   string
	}{
		{
			name: "awslogs",
			log:  &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{"awslogs-group": "/ecs/web", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "ecs"}},
			want: aws.LogStream{Region: "us-east-1", Group: "/ecs/web", Name: "ecs/app/7f3a", Prefix: "ecs/app/", Task: "7f3a", Container: "app"},
		},
		{
			name: "awslogs without a prefix", launch: "EC2",
			log:  &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{"awslogs-group": "/ecs/web", "awslogs-region": "eu-west-1"}},
			want: aws.LogStream{Region: "eu-west-1", Group: "/ecs/web", Name: "r1", Task: "7f3a", Container: "app"},
		},
		{name: "none", launch: "FARGATE", says: "its definition configures no log: what app writes is kept nowhere"},
		{name: "none on an instance", launch: "EC2", says: "the engine of the container instance keeps what app writes"},
		{
			name: "splunk", says: "app logs by the driver splunk: its lines are in https://splunk.example:8088",
			log: &types.LogConfiguration{LogDriver: types.LogDriverSplunk, Options: map[string]string{"splunk-url": "https://splunk.example:8088", "splunk-token": "hunter2"}},
		},
		{
			name: "firelens", says: "a router in the task sends its lines to datadog",
			log: &types.LogConfiguration{LogDriver: types.LogDriverAwsfirelens, Options: map[string]string{"Name": "datadog", "apikey": "hunter2"}},
		},
		{name: "json-file", launch: "EC2", says: "its lines are on the container instance", log: &types.LogConfiguration{LogDriver: types.LogDriverJsonFile}},
	} {
		t.Run(k.name, func(t *testing.T) {
			family := fmt.Sprintf("logs%d", i)
			_, err := w.raw.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
				Family: &family, Cpu: sdk.String("256"), Memory: sdk.String("512"),
				ContainerDefinitions: []types.ContainerDefinition{{Name: sdk.String("app"), Image: sdk.String("gantry/demo"), Memory: sdk.Int32(128), LogConfiguration: k.log}},
			})
			w.must(err)
			got, err := c.LogStream(t.Context(), aws.Task{
				ID: "7f3a", TaskDefinition: family + ":1", LaunchType: k.launch, Containers: []aws.Container{{Name: "app", RuntimeID: "r1"}},
			}, "app")
			if k.says != "" {
				var told *diagnose.Error
				if !errors.Is(err, aws.ErrNoLog) || !errors.As(err, &told) || !strings.Contains(told.Cause, k.says) || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("says %v", err)
				}
				return
			}
			if err != nil || got != k.want {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func texts(events []aws.LogEvent) []string {
	var ts []string
	for _, e := range events {
		ts = append(ts, e.Text)
	}
	return ts
}

func TestReadALog(t *testing.T) {
	w := newWorld(t).writer()
	c := w.client(nil)
	ctx := t.Context()
	w.group("/ecs/web")
	w.stream("/ecs/web", "ecs/app/1")
	s := aws.LogStream{Group: "/ecs/web", Name: "ecs/app/1", Task: "1", Container: "app"}

	page, err := c.LastLog(ctx, s, time.Time{}, 100)
	if err != nil || len(page.Events) > 0 || !page.Start {
		t.Fatalf("an empty stream: %+v, %v", page, err)
	}
	begin := time.Now().Add(-time.Minute).Truncate(time.Millisecond)
	w.lines("/ecs/web", "ecs/app/1", "line", begin, 50)
	if page, err = c.NextLog(ctx, s, page.Next, time.Time{}); err != nil || len(page.Events) != 50 {
		t.Fatalf("what follows an empty stream: %d, %v", len(page.Events), err)
	}

	page, err = c.LastLog(ctx, s, time.Time{}, 3)
	if err != nil || !slices.Equal(texts(page.Events), []string{"line 47", "line 48", "line 49"}) || page.Start {
		t.Errorf("the last three: %v, %v", texts(page.Events), err)
	}
	before, err := c.LastLog(ctx, s, page.Events[0].At, 2)
	if err != nil || !slices.Equal(texts(before.Events), []string{"line 45", "line 46"}) {
		t.Errorf("the two before: %v, %v", texts(before.Events), err)
	}
	if first, err := c.LastLog(ctx, s, begin.Add(2*time.Millisecond), 10); err != nil || len(first.Events) != 2 || !first.Start {
		t.Errorf("the start: %+v, %v", first, err)
	}

	w.lines("/ecs/web", "ecs/app/1", "more", begin.Add(time.Second), 2)
	next, err := c.NextLog(ctx, s, page.Next, time.Time{})
	if err != nil || !slices.Equal(texts(next.Events), []string{"more 0", "more 1"}) {
		t.Errorf("what follows: %v, %v", texts(next.Events), err)
	}
	last, err := c.NextLog(ctx, s, next.Next, time.Time{})
	if err != nil || len(last.Events) > 0 || last.Next != next.Next {
		t.Errorf("the end: %+v, %v", last, err)
	}
	since, err := c.NextLog(ctx, s, "", begin.Add(48*time.Millisecond))
	if err != nil || !slices.Equal(texts(since.Events), []string{"line 48", "line 49", "more 0", "more 1"}) {
		t.Errorf("since a time: %v, %v", texts(since.Events), err)
	}

	w.stream("/ecs/web", "ecs/app/2")
	w.stream("/ecs/web", "ecs/log/2")
	w.lines("/ecs/web", "ecs/app/2", "other", begin.Add(900*time.Millisecond), 1)
	w.lines("/ecs/web", "ecs/log/2", "not this", begin.Add(900*time.Millisecond), 1)
	for name, q := range map[string]aws.LogSearch{
		"prefix": {Group: "/ecs/web", Prefix: "ecs/app/", Since: begin.Add(49 * time.Millisecond)},
		"names":  {Group: "/ecs/web", Names: []string{"ecs/app/1", "ecs/app/2"}, Since: begin.Add(49 * time.Millisecond)},
	} {
		var found []aws.LogEvent
		w.must(c.SearchLog(ctx, q, func(page []aws.LogEvent) { found = append(found, page...) }))
		if !slices.Equal(texts(found), []string{"line 49", "other 0", "more 0", "more 1"}) || found[1].Stream != "ecs/app/2" || found[0].ID == "" {
			t.Errorf("by %s: %+v", name, found)
		}
	}
}

func TestLastOfSeveralLogs(t *testing.T) {
	w := newWorld(t).writer()
	c := w.client(nil)
	begin := time.Now().Add(-time.Minute).Truncate(time.Millisecond)
	w.group("/ecs/web")
	for _, stream := range []string{"ecs/app/1", "ecs/app/2", "ecs/app/3"} {
		w.stream("/ecs/web", stream)
	}
	w.lines("/ecs/web", "ecs/app/1", "one", begin, 5)
	w.lines("/ecs/web", "ecs/app/2", "two", begin.Add(5*time.Millisecond), 5)
	w.lines("/ecs/web", "ecs/app/3", "of another service", begin.Add(9*time.Millisecond), 5)
	q := aws.LogSearch{Group: "/ecs/web", Prefix: "ecs/app/"}
	mine := func(stream string) bool { return stream != "ecs/app/3" }
	page, err := c.SearchLastLog(t.Context(), q, time.Time{}, 100, mine)
	if err != nil || !page.Start || len(page.Events) != 10 || page.Events[0].Text != "one 0" || page.Events[9].Text != "two 4" {
		t.Errorf("all: %+v, %v", page, err)
	}
	page, err = c.SearchLastLog(t.Context(), q, begin.Add(6*time.Millisecond), 100, mine)
	if err != nil || !slices.Equal(texts(page.Events), []string{"one 0", "one 1", "one 2", "one 3", "one 4", "two 0"}) {
		t.Errorf("before: %v, %v", texts(page.Events), err)
	}
}

func TestLogsThatAreNotThere(t *testing.T) {
	w := newWorld(t).writer()
	c := w.client(nil)
	_, err := c.LastLog(t.Context(), aws.LogStream{Group: "/none", Name: "ecs/app/1"}, time.Time{}, 10)
	told(t, err, aws.ErrNotFound, "there is no log group /none")
	w.group("/ecs/web")
	_, err = c.LastLog(t.Context(), aws.LogStream{Group: "/ecs/web", Name: "ecs/app/1"}, time.Time{}, 10)
	told(t, err, aws.ErrNoStream, "there is no such stream in /ecs/web")
	w.server.Faults().Deny("GetLogEvents")
	_, err = c.NextLog(t.Context(), aws.LogStream{Group: "/ecs/web", Name: "ecs/app/1"}, "", time.Time{})
	told(t, err, aws.ErrDenied, "no permission for logs:GetLogEvents")
	w.server.Faults().Deny("FilterLogEvents")
	err = c.SearchLog(t.Context(), aws.LogSearch{Group: "/ecs/web", Prefix: "ecs/app/"}, func([]aws.LogEvent) {})
	told(t, err, aws.ErrDenied, "no permission for logs:FilterLogEvents")
}
