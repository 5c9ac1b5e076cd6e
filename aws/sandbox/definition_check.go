package sandbox

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// checkDefinition refuses what ECS refuses, in its words where they are known.
func checkDefinition(in *ecs.RegisterTaskDefinitionInput) error {
	family := aws.ToString(in.Family)
	switch {
	case family == "":
		return clientError("Family should not be null or empty.")
	case !isResourceName(family):
		return clientError("Family contains invalid characters.")
	case len(in.ContainerDefinitions) == 0:
		return clientError("Container list cannot be empty.")
	}
	if slices.Contains(in.RequiresCompatibilities, types.CompatibilityFargate) {
		if err := checkFargate(in); err != nil {
			return err
		}
	}
	seen := make(map[string]bool)
	essential := false
	for i := range in.ContainerDefinitions {
		c := &in.ContainerDefinitions[i]
		if err := checkContainer(c, in); err != nil {
			return err
		}
		if seen[*c.Name] {
			return clientError("Container names must be unique. Duplicate name: %s", *c.Name)
		}
		seen[*c.Name] = true
		essential = essential || c.Essential == nil || *c.Essential
	}
	if !essential {
		return clientError("A task definition must have at least one essential container.")
	}
	return checkDependencies(in.ContainerDefinitions)
}

func checkContainer(c *types.ContainerDefinition, in *ecs.RegisterTaskDefinitionInput) error {
	name := aws.ToString(c.Name)
	switch {
	case name == "":
		return clientError("Container.name should not be null or empty.")
	case !isResourceName(name):
		return clientError("Container name contains invalid characters: %s", name)
	case aws.ToString(c.Image) == "":
		return clientError("Container.image should not be null or empty.")
	case c.Memory == nil && c.MemoryReservation == nil && aws.ToString(in.Memory) == "":
		return clientError("Invalid setting for container '%s'. At least one of 'memory' or 'memoryReservation' must be specified.", name)
	case c.StopTimeout != nil && (*c.StopTimeout < 0 || *c.StopTimeout > 120):
		return clientError("Invalid setting for container '%s'. 'stopTimeout' must be between 0 and 120 seconds.", name)
	}
	if err := checkHealthCheck(c); err != nil {
		return err
	}
	for _, m := range c.MountPoints {
		if !slices.ContainsFunc(in.Volumes, func(v types.Volume) bool { return aws.ToString(v.Name) == aws.ToString(m.SourceVolume) }) {
			return clientError("Unknown volume '%s'.", aws.ToString(m.SourceVolume))
		}
	}
	for _, e := range c.Environment {
		if aws.ToString(e.Name) == "" {
			return clientError("Invalid 'environment' setting for container '%s': a name is empty.", name)
		}
	}
	for _, p := range c.PortMappings {
		if p.ContainerPort == nil || *p.ContainerPort < 1 || *p.ContainerPort > 65535 {
			return clientError("Invalid 'containerPort' setting for container '%s'.", name)
		}
		if in.NetworkMode == types.NetworkModeAwsvpc && p.HostPort != nil && *p.HostPort != 0 && *p.HostPort != *p.ContainerPort {
			return clientError("When networkMode=awsvpc, the host ports and container ports in port mappings must match.")
		}
	}
	return nil
}

func checkFargate(in *ecs.RegisterTaskDefinitionInput) error {
	switch {
	case in.NetworkMode != types.NetworkModeAwsvpc:
		return clientError("Fargate only supports network mode ‘awsvpc’.")
	case aws.ToString(in.Cpu) == "":
		return clientError("Fargate requires that 'cpu' be defined at the task level.")
	case aws.ToString(in.Memory) == "":
		return clientError("Fargate requires that 'memory' be defined at the task level.")
	case !fargateSize(in.Cpu, in.Memory):
		return clientError("No Fargate configuration exists for given values: %s CPU, %s memory. See the Amazon ECS documentation for the valid values.", *in.Cpu, *in.Memory)
	}
	return nil
}

// memoryRange is which memory sizes (MiB) Fargate offers with a CPU size, from
// the documentation of RegisterTaskDefinition.
type memoryRange struct{ from, to, step int }

var fargateMemory = map[int]memoryRange{
	256:   {512, 2048, 512},
	512:   {1024, 4096, 1024},
	1024:  {2048, 8192, 1024},
	2048:  {4096, 16384, 1024},
	4096:  {8192, 30720, 1024},
	8192:  {16384, 61440, 4096},
	16384: {32768, 122880, 8192},
}

func fargateSize(cpu, memory *string) bool {
	c, okCPU := cpuUnits(aws.ToString(cpu))
	m, okMemory := mebibytes(aws.ToString(memory))
	r, offered := fargateMemory[c]
	if !okCPU || !okMemory || !offered || m < r.from || m > r.to || (m-r.from)%r.step != 0 {
		return false
	}
	return c != 256 || m != 1536 // 0.25 vCPU comes with 0.5, 1 or 2 GB only
}

// cpuUnits reads "256" or ".25 vCPU".
func cpuUnits(s string) (int, bool) {
	lower := strings.ToLower(strings.ReplaceAll(s, " ", ""))
	if cpus, isCPUs := strings.CutSuffix(lower, "vcpu"); isCPUs {
		n, err := strconv.ParseFloat(cpus, 64)
		return int(n * 1024), err == nil
	}
	n, err := strconv.Atoi(lower)
	return n, err == nil
}

// mebibytes reads "512" or "0.5 GB".
func mebibytes(s string) (int, bool) {
	lower := strings.ToLower(strings.ReplaceAll(s, " ", ""))
	if gigas, isGigas := strings.CutSuffix(lower, "gb"); isGigas {
		n, err := strconv.ParseFloat(gigas, 64)
		return int(n * 1024), err == nil
	}
	n, err := strconv.Atoi(lower)
	return n, err == nil
}
