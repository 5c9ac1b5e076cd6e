package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// shelf is a log group "g" with a stream "s", through the real SDK.
type shelf struct {
	t     *testing.T
	api   *cloudwatchlogs.Client
	clock *manualClock
	s     *Server
}

func newShelf(t *testing.T) shelf {
	t.Helper()
	clock := newManualClock()
	s := startServer(t, func(c *Config) { c.Clock = clock })
	api := cloudwatchlogs.NewFromConfig(client(t, s))
	if _, err := api.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("g")}); err != nil {
		t.Fatal(err)
	}
	l := shelf{t, api, clock, s}
	l.stream("s")
	return l
}

func (l shelf) stream(name string) {
	l.t.Helper()
	if _, err := l.api.CreateLogStream(l.t.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: aws.String("g"), LogStreamName: &name}); err != nil {
		l.t.Fatal(err)
	}
}

// put writes texts, one a second from a second on.
func (l shelf) put(stream string, second int, texts ...string) {
	l.t.Helper()
	in := &cloudwatchlogs.PutLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: &stream}
	for i, text := range texts {
		in.LogEvents = append(in.LogEvents, logtypes.InputLogEvent{Timestamp: aws.Int64(l.at(second + i)), Message: aws.String(text)})
	}
	if _, err := l.api.PutLogEvents(l.t.Context(), in); err != nil {
		l.t.Fatal(err)
	}
}

func (l shelf) at(second int) int64 {
	return l.clock.Now().Add(time.Duration(second) * time.Second).UnixMilli()
}

func (l shelf) get(change func(*cloudwatchlogs.GetLogEventsInput)) (texts string, out *cloudwatchlogs.GetLogEventsOutput) {
	l.t.Helper()
	in := &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s"), Limit: aws.Int32(2)}
	change(in)
	out, err := l.api.GetLogEvents(l.t.Context(), in)
	if err != nil {
		l.t.Fatal(err)
	}
	var all []string
	for _, e := range out.Events {
		all = append(all, *e.Message)
	}
	return strings.Join(all, " "), out
}

func TestGetLogEventsGoesForwardAndBackward(t *testing.T) {
	l := newShelf(t)
	l.put("s", 0, "a", "b", "c", "d", "e")
	var read []string
	forward := func(token *string) *string {
		texts, out := l.get(func(in *cloudwatchlogs.GetLogEventsInput) { in.NextToken, in.StartFromHead = token, aws.Bool(true) })
		read = append(read, texts)
		return out.NextForwardToken
	}
	token := forward(forward(forward(nil)))
	if same := forward(token); *same != *token {
		t.Errorf("at the end the token %s became %s", *token, *same)
	}
	l.put("s", 9, "f")
	forward(token)
	if want := []string{"a b", "c d", "e", "", "f"}; !slices.Equal(read, want) {
		t.Errorf("forward %q, want %q", read, want)
	}
	read = nil
	backward := func(token *string) *string {
		texts, out := l.get(func(in *cloudwatchlogs.GetLogEventsInput) { in.NextToken = token })
		read = append(read, texts)
		return out.NextBackwardToken
	}
	backward(backward(backward(backward(nil))))
	if want := []string{"e f", "c d", "a b", ""}; !slices.Equal(read, want) {
		t.Errorf("backward %q, want %q", read, want)
	}
	texts, _ := l.get(func(in *cloudwatchlogs.GetLogEventsInput) {
		in.StartTime, in.EndTime, in.Limit = aws.Int64(l.at(1)), aws.Int64(l.at(4)), nil
	})
	if texts != "b c d" {
		t.Errorf("from second 1 to before 4: %q", texts)
	}
}

func TestFilterLogEvents(t *testing.T) {
	l := newShelf(t)
	l.stream("t/1")
	l.put("s", 0, "GET /a 200", "GET /b 500 error", "POST /a 200")
	l.put("t/1", 1, "disk full", `say "ERROR 7" twice`)
	for name, c := range map[string]struct {
		in   cloudwatchlogs.FilterLogEventsInput
		want []string
	}{
		"all, by time":     {cloudwatchlogs.FilterLogEventsInput{}, []string{"GET /a 200", "GET /b 500 error", "disk full", "POST /a 200", `say "ERROR 7" twice`}},
		"the latest first": {cloudwatchlogs.FilterLogEventsInput{StartFromHead: aws.Bool(false)}, []string{`say "ERROR 7" twice`, "POST /a 200", "disk full", "GET /b 500 error", "GET /a 200"}},
		"every term":       {cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String("GET 200")}, []string{"GET /a 200"}},
		"any term":         {cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String("?disk ?error")}, []string{"GET /b 500 error", "disk full"}},
		"not a term":       {cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String(`-"GET /a" -full -twice`)}, []string{"GET /b 500 error", "POST /a 200"}},
		"quotes":           {cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String(`"\"ERROR 7\""`)}, []string{`say "ERROR 7" twice`}},
		"a stream":         {cloudwatchlogs.FilterLogEventsInput{LogStreamNames: []string{"t/1"}, EndTime: aws.Int64(l.at(2))}, []string{"disk full"}},
		"a prefix":         {cloudwatchlogs.FilterLogEventsInput{LogStreamNamePrefix: aws.String("t/"), StartTime: aws.Int64(l.at(2))}, []string{`say "ERROR 7" twice`}},
	} {
		t.Run(name, func(t *testing.T) {
			c.in.LogGroupIdentifier, c.in.Limit = aws.String("arn:aws:logs:us-east-1:000000000000:log-group:g"), aws.Int32(1)
			var got []string
			for p := cloudwatchlogs.NewFilterLogEventsPaginator(l.api, &c.in); p.HasMorePages(); {
				out, err := p.NextPage(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range out.Events {
					got = append(got, *e.Message)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	for _, pattern := range []string{`{ $.status = 500 }`, `[ip, user]`, `%err.*%`, `GET ?POST`, `a/b`} {
		_, err := l.api.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("g"), FilterPattern: &pattern})
		wantCode(t, err, "InvalidParameterException")
	}
}

func TestLogGroupsAndStreamsAreListed(t *testing.T) {
	l := newShelf(t)
	for i := range 60 {
		l.stream(fmt.Sprintf("t/%02d", i))
	}
	l.clock.Advance(time.Second)
	l.put("t/07", 0, "new")
	out, err := l.api.DescribeLogStreams(t.Context(), &cloudwatchlogs.DescribeLogStreamsInput{
		LogGroupName: aws.String("g"), OrderBy: logtypes.OrderByLastEventTime, Descending: aws.Bool(true),
	})
	if err != nil || len(out.LogStreams) != 50 || out.NextToken == nil || *out.LogStreams[0].LogStreamName != "t/07" || *out.LogStreams[0].LastEventTimestamp != l.at(0) {
		t.Errorf("streams: %v, %+v", err, out)
	}
	if _, err := l.api.PutRetentionPolicy(t.Context(), &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String("g"), RetentionInDays: aws.Int32(7)}); err != nil {
		t.Error(err)
	}
	groups, err := l.api.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("g")})
	if err != nil || len(groups.LogGroups) != 1 || *groups.LogGroups[0].RetentionInDays != 7 || *groups.LogGroups[0].StoredBytes != int64(len("new"))+eventOverhead {
		t.Errorf("groups: %v, %+v", err, groups)
	}
	_, err = l.api.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("g")})
	wantCode(t, err, "ResourceAlreadyExistsException")
	if _, err := l.api.DeleteLogGroup(t.Context(), &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String("g")}); err != nil {
		t.Error(err)
	}
	_, err = l.api.DescribeLogStreams(t.Context(), &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: aws.String("g")})
	wantCode(t, err, "ResourceNotFoundException")
	_, err = l.api.DeleteRetentionPolicy(t.Context(), &cloudwatchlogs.DeleteRetentionPolicyInput{LogGroupName: aws.String("g")})
	wantCode(t, err, "UnknownOperationException")
}

func TestPutLogEventsRefusesAndRejects(t *testing.T) {
	l := newShelf(t)
	event := func(second int) logtypes.InputLogEvent {
		return logtypes.InputLogEvent{Timestamp: aws.Int64(l.at(second)), Message: aws.String("m")}
	}
	in := &cloudwatchlogs.PutLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s"), LogEvents: []logtypes.InputLogEvent{event(1), event(0)}}
	_, err := l.api.PutLogEvents(t.Context(), in)
	wantCode(t, err, "InvalidParameterException")
	in.LogEvents = []logtypes.InputLogEvent{event(-20 * 24 * 3600), event(0), event(3 * 3600)}
	out, err := l.api.PutLogEvents(t.Context(), in)
	if err != nil || *out.RejectedLogEventsInfo.TooOldLogEventEndIndex != 1 || *out.RejectedLogEventsInfo.TooNewLogEventStartIndex != 2 {
		t.Errorf("%v, %+v", err, out)
	}
	if texts, _ := l.get(func(*cloudwatchlogs.GetLogEventsInput) {}); texts != "m" {
		t.Errorf("kept %q", texts)
	}
	in.LogStreamName = aws.String("none")
	_, err = l.api.PutLogEvents(t.Context(), in)
	wantCode(t, err, "ResourceNotFoundException")
}

func TestLogsAreBounded(t *testing.T) {
	b := newLogs(newManualClock())
	g := b.addGroup("g")
	s := b.addStream(g, "s")
	for i := range 3 * keptLogEvents {
		b.add(s, int64(i), "short")
	}
	if n := len(s.events); n != keptLogEvents || s.events[0].at != 2*keptLogEvents {
		t.Errorf("%d events kept from %d on", n, s.events[0].at)
	}
	long := strings.Repeat("x", 64<<10)
	for range 2 * keptBytesOfAll / keptBytes {
		other := b.addStream(g, fmt.Sprint(b.sequence))
		for range keptBytes / len(long) {
			b.add(other, 0, long)
		}
	}
	if b.bytes > keptBytesOfAll || len(s.events) != 0 {
		t.Errorf("%d bytes kept, and %d events of the oldest stream", b.bytes, len(s.events))
	}
	for len(g.streams) < keptStreams {
		b.addStream(g, fmt.Sprint(b.sequence))
	}
	b.addStream(g, "one more")
	b.add(s, 0, "into nowhere")
	if n := len(g.streams); n != keptStreams || len(s.events) != 0 {
		t.Errorf("%d streams kept, and %d events in the one that went", n, len(s.events))
	}
}

// logsOfWeb makes the tasks of "web" log to a group.
func logsOfWeb(t *testing.T, b *ecsBackend, options map[string]string) {
	t.Helper()
	family := demoFamily{name: "web", tag: "1", command: []string{"serve"}, cpu: "256", memory: "512"}.input(account)
	family.ContainerDefinitions[0].LogConfiguration.Options = options
	if _, err := b.RegisterTaskDefinition(t.Context(), family); err != nil {
		t.Fatal(err)
	}
	updateWeb(t, b, ecs.UpdateServiceInput{TaskDefinition: aws.String("web"), DesiredCount: aws.Int32(1)})
}

func TestTasksWriteLogs(t *testing.T) {
	b, clock := newTestECS(t)
	createService(t, b, "serve", 0, nil)
	logsOfWeb(t, b, map[string]string{"awslogs-group": "/made", "awslogs-region": region, "awslogs-stream-prefix": "p", "awslogs-create-group": "true"})
	clock.Advance(time.Minute)
	task := webTasks(t, b, types.DesiredStatusRunning)[0]
	sinkOf(b, *task.TaskArn).Log("web", LogLine{At: clock.Now(), Stream: "stdout", Text: "hello"})
	id := (*task.TaskArn)[strings.LastIndexByte(*task.TaskArn, '/')+1:]
	out, err := b.logs.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("/made"), LogStreamName: aws.String("p/web/" + id)})
	if err != nil || len(out.Events) != 1 || *out.Events[0].Message != "hello" {
		t.Errorf("%v, %+v", err, out)
	}
}

func TestTaskWithoutItsLogGroupDoesNotStart(t *testing.T) {
	for name, c := range map[string]struct {
		options map[string]string
		want    string
	}{
		"no group": {
			map[string]string{"awslogs-group": "/none", "awslogs-region": region, "awslogs-stream-prefix": "p"},
			"ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist.",
		},
		"no region": {
			map[string]string{"awslogs-group": "/none"},
			"ResourceInitializationError: failed to validate logger args: unable to get awslogs driver arguments: awslogs-region is required",
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, clock := newTestECS(t)
			createService(t, b, "serve", 0, nil)
			logsOfWeb(t, b, c.options)
			clock.Advance(5 * time.Second)
			stopped := webTasks(t, b, types.DesiredStatusStopped)
			if len(stopped) == 0 {
				t.Fatal("no task has stopped")
			}
			if task := stopped[0]; *task.StoppedReason != c.want || task.StopCode != types.TaskStopCodeTaskFailedToStart || *task.Containers[0].Reason != c.want {
				t.Errorf("%s %q, container %q", task.StopCode, *task.StoppedReason, *task.Containers[0].Reason)
			}
			if said := messages(web(t, b)); !slices.ContainsFunc(said, func(m string) bool { return strings.Contains(m, c.want) }) {
				t.Errorf("the service says %q", said)
			}
		})
	}
}

func TestAWSCLIReadsLogs(t *testing.T) {
	cli := findAWSCLI(t)
	l := newShelf(t)
	l.put("s", 0, "hello from a task")
	out, err := awsCLI(t, l.s, cli, "logs", "filter-log-events", "--log-group-name", "g", "--filter-pattern", "hello", "--query", "events[0].message", "--output", "text")
	if err != nil || strings.TrimSpace(out) != "hello from a task" {
		t.Errorf("aws logs filter-log-events: %v: %s", err, out)
	}
}
