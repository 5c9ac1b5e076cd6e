package sandbox

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Whoever holds the sandbox's key may run containers, and no more than that: a
// definition that reaches for the machine below them is refused by name.

// setting is one setting of a definition, and whether it is made.
type setting struct {
	name string
	made bool
}

// names are those of the settings that are made.
func names(settings []setting, where string) []string {
	var made []string
	for _, s := range settings {
		if s.made {
			made = append(made, s.name+where)
		}
	}
	return made
}

func inContainer(c *types.ContainerDefinition) string {
	return fmt.Sprintf(" (container %s)", aws.ToString(c.Name))
}

// forbiddenOfTask are settings of a definition that reach beyond its tasks.
func forbiddenOfTask(d *types.TaskDefinition) []string {
	forbidden := names([]setting{
		{"networkMode host", d.NetworkMode == types.NetworkModeHost},
		{"pidMode host", d.PidMode == types.PidModeHost},
		{"ipcMode host", d.IpcMode == types.IpcModeHost},
	}, "")
	for _, v := range d.Volumes {
		if v.Host != nil && aws.ToString(v.Host.SourcePath) != "" {
			forbidden = append(forbidden, "host.sourcePath of the volume "+aws.ToString(v.Name))
		}
	}
	return forbidden
}

func forbiddenOfContainer(c *types.ContainerDefinition) []string {
	l := c.LinuxParameters
	if l == nil {
		l = &types.LinuxParameters{}
	}
	return names([]setting{
		{"privileged", aws.ToBool(c.Privileged)},
		{"linuxParameters.devices", len(l.Devices) > 0},
		{"linuxParameters.capabilities.add", l.Capabilities != nil && len(l.Capabilities.Add) > 0},
		{"dockerSecurityOptions", len(c.DockerSecurityOptions) > 0},
		{"systemControls", len(c.SystemControls) > 0},
		{"resourceRequirements", len(c.ResourceRequirements) > 0},
	}, inContainer(c))
}

// lackingOfTask are settings that the sandbox has nothing for. A task that
// relies on one must not seem to run well without it.
func lackingOfTask(d *types.TaskDefinition) []string {
	lacking := names([]setting{
		{"ipcMode " + string(d.IpcMode), d.IpcMode == types.IpcModeTask},
		{"proxyConfiguration", d.ProxyConfiguration != nil},
	}, "")
	for i := range d.Volumes {
		if !ephemeral(&d.Volumes[i]) {
			lacking = append(lacking, "the volume "+aws.ToString(d.Volumes[i].Name))
		}
	}
	return lacking
}

// ephemeral reports whether a volume is one that lives and ends with its task.
func ephemeral(v *types.Volume) bool {
	return v.EfsVolumeConfiguration == nil && v.FsxWindowsFileServerVolumeConfiguration == nil &&
		v.DockerVolumeConfiguration == nil && !aws.ToBool(v.ConfiguredAtLaunch)
}

func lackingOfContainer(c *types.ContainerDefinition) []string {
	return names([]setting{
		{"secrets", len(c.Secrets) > 0},
		{"environmentFiles", len(c.EnvironmentFiles) > 0},
		{"repositoryCredentials", c.RepositoryCredentials != nil},
		{"volumesFrom", len(c.VolumesFrom) > 0},
		{"links", len(c.Links) > 0},
		{"extraHosts", len(c.ExtraHosts) > 0},
		{"dnsServers", len(c.DnsServers) > 0},
		{"dnsSearchDomains", len(c.DnsSearchDomains) > 0},
		{"disableNetworking", aws.ToBool(c.DisableNetworking)},
		{"firelensConfiguration", c.FirelensConfiguration != nil},
		{"restartPolicy", c.RestartPolicy != nil && aws.ToBool(c.RestartPolicy.Enabled)},
	}, inContainer(c))
}
