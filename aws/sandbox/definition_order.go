package sandbox

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// checkOrder refuses an order of containers that the runtime does not keep: a
// definition that relies on it must not seem to work.
func (b *ecsBackend) checkOrder(containers []types.ContainerDefinition) error {
	spec := definitionSpec(containers, func(string) types.ContainerOverride { return types.ContainerOverride{} })
	if b.supervises(spec) {
		return nil
	}
	for _, c := range spec.Containers {
		for _, d := range c.DependsOn {
			if d.Condition != types.ContainerConditionStart {
				return clientError("Without its docker runtime the sandbox does not emulate dependsOn with condition %s (container '%s').", d.Condition, c.Name)
			}
		}
	}
	return nil
}

// checkDependencies refuses dependencies that can never come true.
func checkDependencies(containers []types.ContainerDefinition) error {
	for i := range containers {
		for _, d := range containers[i].DependsOn {
			if err := checkDependency(containers, &containers[i], d); err != nil {
				return err
			}
		}
	}
	for i := range containers {
		if name := *containers[i].Name; reaches(containers, name, name, nil) {
			return clientError("Invalid 'dependsOn' setting for container '%s': the dependencies form a cycle.", name)
		}
	}
	return nil
}

func checkDependency(containers []types.ContainerDefinition, c *types.ContainerDefinition, d types.ContainerDependency) error {
	on := aws.ToString(d.ContainerName)
	at := slices.IndexFunc(containers, func(other types.ContainerDefinition) bool { return *other.Name == on })
	if at < 0 {
		return clientError("Invalid 'dependsOn' setting for container '%s': no container '%s'.", *c.Name, on)
	}
	target := &containers[at]
	switch d.Condition {
	case types.ContainerConditionStart:
	case types.ContainerConditionHealthy:
		if target.HealthCheck == nil {
			return clientError("Invalid 'dependsOn' setting for container '%s': the condition HEALTHY needs a healthCheck of '%s'.", *c.Name, on)
		}
	case types.ContainerConditionComplete, types.ContainerConditionSuccess:
		if target.Essential == nil || *target.Essential {
			return clientError("Invalid 'dependsOn' setting for container '%s': '%s' is essential, so the task ends with it and the condition %s is of no use.", *c.Name, on, d.Condition)
		}
	default:
		return clientError("Invalid 'dependsOn' setting for container '%s': there is no condition %q.", *c.Name, string(d.Condition))
	}
	return nil
}

// reaches reports whether dependencies lead from one container to another.
func reaches(containers []types.ContainerDefinition, from, to string, passed []string) bool {
	if slices.Contains(passed, from) {
		return false
	}
	passed = append(passed, from)
	at := slices.IndexFunc(containers, func(c types.ContainerDefinition) bool { return *c.Name == from })
	return slices.ContainsFunc(containers[at].DependsOn, func(d types.ContainerDependency) bool {
		on := aws.ToString(d.ContainerName)
		return on == to || reaches(containers, on, to, passed)
	})
}

// checkHealthCheck holds a check to the limits of types.HealthCheck.
func checkHealthCheck(c *types.ContainerDefinition) error {
	h := c.HealthCheck
	if h == nil {
		return nil
	}
	if len(h.Command) < 2 || h.Command[0] != "CMD" && h.Command[0] != "CMD-SHELL" {
		return clientError("Invalid 'healthCheck' setting for container '%s': the command must begin with CMD or CMD-SHELL and name one.", *c.Name)
	}
	for _, limit := range []struct {
		name     string
		value    *int32
		from, to int32
	}{
		{"interval", h.Interval, 5, 300}, {"timeout", h.Timeout, 2, 60}, {"retries", h.Retries, 1, 10}, {"startPeriod", h.StartPeriod, 0, 300},
	} {
		if limit.value != nil && (*limit.value < limit.from || *limit.value > limit.to) {
			return clientError("Invalid 'healthCheck' setting for container '%s': '%s' must be between %d and %d.", *c.Name, limit.name, limit.from, limit.to)
		}
	}
	return nil
}

// startOrder puts containers behind those that they depend on, and leaves the
// order of the definition else: START is all that a runtime honours which starts
// one after the other.
func startOrder(containers []ContainerSpec) []ContainerSpec {
	var ordered []ContainerSpec
	placed := func(name string) bool {
		return slices.ContainsFunc(ordered, func(c ContainerSpec) bool { return c.Name == name })
	}
	ready := func(c ContainerSpec) bool {
		return !placed(c.Name) && !slices.ContainsFunc(c.DependsOn, func(d Dependency) bool { return !placed(d.Container) })
	}
	for range containers {
		at := slices.IndexFunc(containers, ready)
		if at < 0 {
			break // a cycle, which no registered definition has
		}
		ordered = append(ordered, containers[at])
	}
	return ordered
}
