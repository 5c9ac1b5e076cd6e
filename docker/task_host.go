package docker

import (
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
)

// host is the engine's other half of a container: what it may use.
func (t TaskContainer) host(bindings network.PortMap) *container.HostConfig {
	h := &container.HostConfig{
		PortBindings: bindings, NetworkMode: container.NetworkMode(t.Network), PidMode: container.PidMode(t.PID),
		ReadonlyRootfs: t.ReadOnlyRoot, Tmpfs: t.Tmpfs, ShmSize: t.SharedMemory, CapDrop: t.DropCapabilities,
		// The engine's own default may be a driver whose log cannot be read back.
		LogConfig: container.LogConfig{Type: "json-file", Config: t.LogOptions},
		Resources: container.Resources{
			// No swap: a task that needs more memory than it has must be told so.
			Memory: t.Memory, MemorySwap: t.Memory, MemoryReservation: t.MemoryReservation, CPUShares: t.CPUShares, NanoCPUs: t.NanoCPUs,
		},
	}
	if t.Init {
		h.Init = &t.Init
	}
	for _, u := range t.Ulimits {
		h.Ulimits = append(h.Ulimits, &container.Ulimit{Name: u.Name, Soft: u.Soft, Hard: u.Hard})
	}
	for _, v := range t.Volumes {
		h.Mounts = append(h.Mounts, mount.Mount{Type: mount.TypeVolume, Source: v.Source, Target: v.Destination, ReadOnly: v.ReadOnly, VolumeOptions: &mount.VolumeOptions{Labels: t.VolumeLabels}})
	}
	return h
}
