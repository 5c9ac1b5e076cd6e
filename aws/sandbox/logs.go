package sandbox

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"gantry/aws/sandbox/wire"
	"gantry/internal/pattern"
)

// logsBackend is Amazon CloudWatch Logs as far as reading and writing log
// streams. The output of tasks is in it, as their awslogs options say. One
// mutex guards everything; nothing else is called under it, so that output may
// come at any time.
type logsBackend struct {
	clock Clock
	pager pager

	mu       sync.Mutex
	sequence uint64 // numbers groups, streams and events
	bytes    int    // of all events
	groups   map[string]*logGroup
}

type logGroup struct {
	name      string
	created   int64 // Unix milliseconds, as every time in here
	retention *int32
	streams   map[string]*logStream
}

func newLogs(clock Clock) *logsBackend {
	return &logsBackend{clock: clock, pager: newPager(logsInvalid), groups: make(map[string]*logGroup)}
}

func (b *logsBackend) operations() []wire.Operation {
	return []wire.Operation{
		wire.Op(b.CreateLogGroup), wire.Op(b.DeleteLogGroup), wire.Op(b.DescribeLogGroups), wire.Op(b.PutRetentionPolicy),
		wire.Op(b.CreateLogStream), wire.Op(b.DescribeLogStreams),
		wire.Op(b.PutLogEvents), wire.Op(b.GetLogEvents), wire.Op(b.FilterLogEvents),
	}
}

func (b *logsBackend) next() uint64 {
	b.sequence++
	return b.sequence
}

func (b *logsBackend) now() int64 { return b.clock.Now().UnixMilli() }

func logsInvalid(format string, args ...any) error {
	return &types.InvalidParameterException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func logsNotFound(what string) error {
	return &types.ResourceNotFoundException{Message: aws.String("The specified log " + what + " does not exist.")}
}

func logsTaken(what string) error {
	return &types.ResourceAlreadyExistsException{Message: aws.String("The specified log " + what + " already exists")}
}

const logGroupARN = "arn:aws:logs:" + region + ":" + account + ":log-group:"

var logGroupName = pattern.Late(`^[.\-_/#A-Za-z0-9]{1,512}$`)

// group finds a group by its name, or by an identifier that may be its ARN.
func (b *logsBackend) group(name, identifier *string) (*logGroup, error) {
	if name != nil && identifier != nil {
		return nil, logsInvalid("Only one of logGroupName and logGroupIdentifier can be specified.")
	}
	ref := strings.TrimSuffix(strings.TrimPrefix(cmp.Or(aws.ToString(name), aws.ToString(identifier)), logGroupARN), ":*")
	if ref == "" {
		return nil, logsInvalid("One of logGroupName and logGroupIdentifier must be specified.")
	}
	if g := b.groups[ref]; g != nil {
		return g, nil
	}
	return nil, logsNotFound("group")
}

// CreateLogGroup makes an empty group.
func (b *logsBackend) CreateLogGroup(_ context.Context, in *cloudwatchlogs.CreateLogGroupInput) (*cloudwatchlogs.CreateLogGroupOutput, error) {
	name := aws.ToString(in.LogGroupName)
	switch {
	case !logGroupName().MatchString(name):
		return nil, logsInvalid("1 validation error detected: Value at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+")
	case in.KmsKeyId != nil:
		return nil, logsInvalid("The sandbox does not emulate log groups that are encrypted with a key.")
	case in.LogGroupClass != "" && in.LogGroupClass != types.LogGroupClassStandard:
		return nil, logsInvalid("The sandbox does not emulate log groups of the class %s.", in.LogGroupClass)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.groups[name] != nil {
		return nil, logsTaken("group")
	}
	b.addGroup(name)
	return &cloudwatchlogs.CreateLogGroupOutput{}, nil
}

func (b *logsBackend) addGroup(name string) *logGroup {
	g := &logGroup{name: name, created: b.now(), streams: make(map[string]*logStream)}
	b.groups[name] = g
	return g
}

// DeleteLogGroup removes a group and all that was written to it.
func (b *logsBackend) DeleteLogGroup(_ context.Context, in *cloudwatchlogs.DeleteLogGroupInput) (*cloudwatchlogs.DeleteLogGroupOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	g, err := b.group(in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	for _, s := range g.streams {
		b.drop(s)
	}
	delete(b.groups, g.name)
	return &cloudwatchlogs.DeleteLogGroupOutput{}, nil
}

// DescribeLogGroups pages through groups by name.
func (b *logsBackend) DescribeLogGroups(_ context.Context, in *cloudwatchlogs.DescribeLogGroupsInput) (*cloudwatchlogs.DescribeLogGroupsOutput, error) {
	prefix, pattern := aws.ToString(in.LogGroupNamePrefix), aws.ToString(in.LogGroupNamePattern)
	switch {
	case prefix != "" && pattern != "":
		return nil, logsInvalid("LogGroupNamePrefix and LogGroupNamePattern are mutually exclusive parameters.")
	case len(in.AccountIdentifiers) > 0 || aws.ToBool(in.IncludeLinkedAccounts):
		return nil, logsInvalid("The sandbox does not emulate other accounts.")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []*logGroup
	for _, g := range b.groups {
		if strings.HasPrefix(g.name, prefix) && strings.Contains(strings.ToLower(g.name), strings.ToLower(pattern)) &&
			(len(in.LogGroupIdentifiers) == 0 || slices.Contains(in.LogGroupIdentifiers, g.name) || slices.Contains(in.LogGroupIdentifiers, logGroupARN+g.name)) {
			all = append(all, g)
		}
	}
	slices.SortFunc(all, func(x, y *logGroup) int { return cmp.Compare(x.name, y.name) })
	name := question("DescribeLogGroups", prefix, pattern, strings.Join(in.LogGroupIdentifiers, " "))
	found, next, err := page(b.pager, query{name: name, fallback: 50, limit: 50, asked: in.Limit, token: in.NextToken}, rank(all))
	if err != nil {
		return nil, err
	}
	out := &cloudwatchlogs.DescribeLogGroupsOutput{LogGroups: []types.LogGroup{}, NextToken: next}
	for _, g := range found {
		out.LogGroups = append(out.LogGroups, g.item.describe())
	}
	return out, nil
}

func (g *logGroup) describe() types.LogGroup {
	var stored int64
	for _, s := range g.streams {
		stored += int64(s.bytes)
	}
	d := types.LogGroup{
		LogGroupName: aws.String(g.name), Arn: aws.String(logGroupARN + g.name + ":*"), LogGroupArn: aws.String(logGroupARN + g.name),
		CreationTime: aws.Int64(g.created), LogGroupClass: types.LogGroupClassStandard,
		MetricFilterCount: aws.Int32(0), StoredBytes: aws.Int64(stored),
	}
	if g.retention != nil {
		d.RetentionInDays = aws.Int32(*g.retention)
	}
	return d
}

// retentions are the days that CloudWatch lets one choose from, in the
// documentation of PutRetentionPolicy.
var retentions = []int32{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// PutRetentionPolicy keeps the setting. Events go when there are too many of
// them, long before a day is over.
func (b *logsBackend) PutRetentionPolicy(_ context.Context, in *cloudwatchlogs.PutRetentionPolicyInput) (*cloudwatchlogs.PutRetentionPolicyOutput, error) {
	if in.RetentionInDays == nil || !slices.Contains(retentions, *in.RetentionInDays) {
		return nil, logsInvalid("1 validation error detected: Value at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: %v", retentions)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	g, err := b.group(in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	g.retention = aws.Int32(*in.RetentionInDays)
	return &cloudwatchlogs.PutRetentionPolicyOutput{}, nil
}
