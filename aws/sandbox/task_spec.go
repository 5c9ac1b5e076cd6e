package sandbox

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// ECS's defaults for a health check (types.HealthCheck).
const (
	usualHealthInterval = 30
	usualHealthTimeout  = 5
	usualHealthRetries  = 3
)

// spec is the task as a runtime needs it.
func (t *task) spec() TaskSpec {
	d := &t.definition.TaskDefinition
	s := definitionSpec(d.ContainerDefinitions, t.override)
	s.ID, s.Cluster, s.Family = t.id, t.cluster.name, *d.Family
	cpu, memory := d.Cpu, d.Memory
	if o := t.overrides; o != nil {
		cpu, memory = cmp.Or(o.Cpu, cpu), cmp.Or(o.Memory, memory)
	}
	s.CPU, s.Memory = taskSize(cpu, cpuUnits), taskSize(memory, mebibytes)
	s.Platform = platformOf(d.RuntimePlatform)
	s.SharedPID = d.PidMode == types.PidModeTask
	s.Forbidden = append(forbiddenOfTask(d), s.Forbidden...)
	s.Lacking = append(lackingOfTask(d), s.Lacking...)
	return s
}

// definitionSpec is what the containers of a definition say, with overrides.
func definitionSpec(containers []types.ContainerDefinition, override func(name string) types.ContainerOverride) TaskSpec {
	var s TaskSpec
	for i := range containers {
		c := &containers[i]
		s.Containers = append(s.Containers, containerSpec(c, override(aws.ToString(c.Name))))
		s.Forbidden = append(s.Forbidden, forbiddenOfContainer(c)...)
		s.Lacking = append(s.Lacking, lackingOfContainer(c)...)
	}
	return s
}

// taskSize reads a size that was checked when the definition was registered, or
// an override.
func taskSize(text *string, read func(string) (int, bool)) int32 {
	n, ok := read(aws.ToString(text))
	if !ok || n < 0 {
		return 0
	}
	return int32(n) //nolint:gosec // Fargate's sizes
}

// platformOf is empty unless the definition names an architecture.
func platformOf(p *types.RuntimePlatform) string {
	if p == nil {
		return ""
	}
	switch p.CpuArchitecture {
	case types.CPUArchitectureX8664:
		return "linux/amd64"
	case types.CPUArchitectureArm64:
		return "linux/arm64"
	}
	return ""
}

// override is what RunTask said about a container, empty if nothing.
func (t *task) override(name string) types.ContainerOverride {
	if t.overrides != nil {
		for _, o := range t.overrides.ContainerOverrides {
			if aws.ToString(o.Name) == name {
				return o
			}
		}
	}
	return types.ContainerOverride{}
}

func containerSpec(d *types.ContainerDefinition, over types.ContainerOverride) ContainerSpec {
	s := ContainerSpec{
		Name: aws.ToString(d.Name), Image: aws.ToString(d.Image),
		EntryPoint: d.EntryPoint, Command: d.Command,
		StopTimeout: seconds(d.StopTimeout, defaultStopTimeout), StartTimeout: seconds(d.StartTimeout, 0),
		Env:    environment(d.Environment, over.Environment),
		Health: healthCheck(d.HealthCheck),
		CPU:    d.Cpu, Memory: aws.ToInt32(d.Memory), MemoryReservation: aws.ToInt32(d.MemoryReservation),
		User: aws.ToString(d.User), WorkingDirectory: aws.ToString(d.WorkingDirectory),
		ReadOnlyRoot: aws.ToBool(d.ReadonlyRootFilesystem), Terminal: aws.ToBool(d.PseudoTerminal), Interactive: aws.ToBool(d.Interactive),
		Labels: d.DockerLabels,
	}
	if over.Command != nil {
		s.Command = over.Command
	}
	s.CPU = aws.ToInt32(cmp.Or(over.Cpu, &s.CPU))
	s.Memory = aws.ToInt32(cmp.Or(over.Memory, &s.Memory))
	s.MemoryReservation = aws.ToInt32(cmp.Or(over.MemoryReservation, &s.MemoryReservation))
	for _, p := range d.PortMappings {
		protocol := cmp.Or(p.Protocol, types.TransportProtocolTcp)
		s.Ports = append(s.Ports, ContainerPort{Port: aws.ToInt32(p.ContainerPort), Protocol: string(protocol)})
	}
	for _, on := range d.DependsOn {
		s.DependsOn = append(s.DependsOn, Dependency{Container: aws.ToString(on.ContainerName), Condition: on.Condition})
	}
	for _, u := range d.Ulimits {
		s.Ulimits = append(s.Ulimits, Ulimit{Name: string(u.Name), Soft: int64(u.SoftLimit), Hard: int64(u.HardLimit)})
	}
	for _, m := range d.MountPoints {
		s.Mounts = append(s.Mounts, VolumeMount{Volume: aws.ToString(m.SourceVolume), Path: aws.ToString(m.ContainerPath), ReadOnly: aws.ToBool(m.ReadOnly)})
	}
	if l := d.LinuxParameters; l != nil {
		s.readLinux(l)
	}
	return s
}

func (s *ContainerSpec) readLinux(l *types.LinuxParameters) {
	s.Init, s.SharedMemory = aws.ToBool(l.InitProcessEnabled), aws.ToInt32(l.SharedMemorySize)
	if l.Capabilities != nil {
		s.DropCapabilities = l.Capabilities.Drop
	}
	for _, t := range l.Tmpfs {
		if s.Tmpfs == nil {
			s.Tmpfs = make(map[string]string)
		}
		options := append([]string{"size=" + strconv.Itoa(int(t.Size)) + "m"}, t.MountOptions...)
		s.Tmpfs[aws.ToString(t.ContainerPath)] = strings.Join(options, ",")
	}
}

// environment is the definition's, with what a task overrides.
func environment(defined, over []types.KeyValuePair) []string {
	var env []string
	at := make(map[string]int)
	for _, e := range slices.Concat(defined, over) {
		name := aws.ToString(e.Name)
		line := name + "=" + aws.ToString(e.Value)
		if i, there := at[name]; there {
			env[i] = line
			continue
		}
		at[name] = len(env)
		env = append(env, line)
	}
	return env
}

func healthCheck(h *types.HealthCheck) *HealthCheck {
	if h == nil {
		return nil
	}
	or := func(n *int32, usual int32) int32 { return *cmp.Or(n, &usual) }
	every := func(n int32) time.Duration { return time.Duration(n) * time.Second }
	return &HealthCheck{
		Command: h.Command, Interval: every(or(h.Interval, usualHealthInterval)), Timeout: every(or(h.Timeout, usualHealthTimeout)),
		StartPeriod: every(or(h.StartPeriod, 0)), Retries: int(or(h.Retries, usualHealthRetries)),
	}
}

func seconds(n *int32, usual time.Duration) time.Duration {
	if n == nil {
		return usual
	}
	return time.Duration(*n) * time.Second
}
