package aws

import (
	"cmp"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"gantry/internal/diagnose"
	"gantry/internal/secret"
)

// LogConfig says where the output of a container goes.
type LogConfig struct {
	Driver string // awslogs, awsfirelens, splunk …; "" where nothing is configured
	// Group, Region and Prefix are those of awslogs.
	Group, Region, Prefix string
	// To is where another driver sends it, as far as its options say.
	To string
}

const awslogs = string(types.LogDriverAwslogs)

// logTargets are the options that say where a driver sends lines (ECS API
// reference, LogConfiguration). Tokens and keys are none of them.
var logTargets = map[string][]string{
	"awsfirelens": {"Name", "@type", "Host"},
	"splunk":      {"splunk-url"},
	"fluentd":     {"fluentd-address"},
	"gelf":        {"gelf-address"},
	"syslog":      {"syslog-address"},
}

// logConfig is where a definition sends the output of a container.
func logConfig(k *types.LogConfiguration) LogConfig {
	if k == nil {
		return LogConfig{}
	}
	log := LogConfig{Driver: string(k.LogDriver)}
	if log.Driver == awslogs {
		log.Group, log.Region, log.Prefix = k.Options["awslogs-group"], k.Options["awslogs-region"], k.Options["awslogs-stream-prefix"]
		return log
	}
	for _, option := range logTargets[log.Driver] {
		if to := k.Options[option]; to != "" {
			log.To = clean(secret.Line(to))
			break
		}
	}
	return log
}

// elsewhere tells why there is nothing to read in CloudWatch.
func (l LogConfig) elsewhere(what, container, launch string) error {
	e := &diagnose.Error{What: what, Err: ErrNoLog}
	switch l.Driver {
	case "":
		e.Cause = "its definition configures no log: what " + container + " writes is kept nowhere"
		if launch == "EC2" || launch == "EXTERNAL" {
			e.Cause = "its definition configures no log: the engine of the container instance keeps what " + container + " writes"
		}
		e.Do = "add a logConfiguration with the driver awslogs to the definition, and deploy it"
	case "json-file", "local", "journald":
		e.Cause = container + " logs by the driver " + l.Driver + ": its lines are on the container instance"
		e.Do = "read them there (docker logs, journalctl)"
	case "awsfirelens":
		e.Cause = container + " logs by FireLens: a router in the task sends its lines to " + cmp.Or(l.To, "where that is configured to")
		e.Do = "read them there; the router's own log may tell what fails"
	default:
		e.Cause = container + " logs by the driver " + clean(l.Driver) + ": its lines are in " + cmp.Or(l.To, "that system")
		e.Do = "read them there"
	}
	return e
}
