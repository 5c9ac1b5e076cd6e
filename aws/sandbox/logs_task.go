package sandbox

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// loggerReason begins the reason of a task that did not start because of its
// log configuration.
const loggerReason = "ResourceInitializationError: failed to validate logger args: "

// openStream makes the stream that an awslogs configuration asks for:
// GROUP, PREFIX/CONTAINER/TASK. It is nil for another driver, or none.
// Source: "Send Amazon ECS logs to CloudWatch" in the ECS developer guide.
func (b *logsBackend) openStream(c *container, task string) (*logStream, error) {
	config := c.definition.LogConfiguration
	if config == nil || config.LogDriver != types.LogDriverAwslogs {
		return nil, nil //nolint:nilnil // no stream is no failure
	}
	for _, option := range []string{"awslogs-group", "awslogs-region"} {
		if config.Options[option] == "" {
			return nil, fmt.Errorf("unable to get awslogs driver arguments: %s is required", option)
		}
	}
	if r := config.Options["awslogs-region"]; r != region {
		return nil, fmt.Errorf("awslogs-region is %s, and the sandbox has %s only", r, region)
	}
	name := c.runtimeID
	if prefix := config.Options["awslogs-stream-prefix"]; prefix != "" {
		name = prefix + "/" + *c.definition.Name + "/" + task
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	group := config.Options["awslogs-group"]
	g := b.groups[group]
	switch {
	case g != nil:
	case config.Options["awslogs-create-group"] == "true" && logGroupName().MatchString(group):
		g = b.addGroup(group)
	default:
		return nil, errors.New("create stream has been retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist.") //nolint:staticcheck // ECS's own words
	}
	if s := g.streams[name]; s != nil {
		return s, nil
	}
	return b.addStream(g, name), nil
}

// write adds a line of a container's output; a nil stream is none.
func (b *logsBackend) write(s *logStream, line LogLine) {
	if s == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.add(s, line.At.UnixMilli(), line.Text)
}

// openLogs makes the log streams of a task. The error is the reason for which
// the task cannot start.
func (b *ecsBackend) openLogs(t *task) error {
	for _, c := range t.containers {
		var err error
		if c.stream, err = b.logs.openStream(c, t.id); err != nil {
			c.reason = loggerReason + err.Error()
			return errors.New(c.reason)
		}
	}
	return nil
}

// cannotStart ends a task that the runtime was never asked to start.
func (b *ecsBackend) cannotStart(t *task, reason string) {
	if t.service != nil {
		b.say(t.service, "was unable to place a task. Reason: "+reason)
	}
	b.fail(t, types.TaskStopCodeTaskFailedToStart, reason)
}
