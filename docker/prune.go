package docker

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/volume"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"gantry/internal/pattern"
)

// PruneKind is a group of things that can be removed together.
type PruneKind string

// The groups, in the order in which they are removed: what uses something goes
// before what it uses.
const (
	PruneContainers       PruneKind = "stopped containers"
	PruneDanglingImages   PruneKind = "dangling images"
	PruneUnusedImages     PruneKind = "images that no container uses"
	PruneNetworks         PruneKind = "networks that no container uses"
	PruneAnonymousVolumes PruneKind = "anonymous volumes that no container uses"
	PruneNamedVolumes     PruneKind = "named volumes that no container uses" // may hold data that somebody wants
	PruneBuildCache       PruneKind = "build cache"
)

// PruneItem is one thing that can go.
type PruneItem struct {
	ID     string
	Name   string
	Detail string // why it can go, or what it is
	Bytes  int64  // that are freed, 0 where the engine does not say
}

// PruneGroup is what can go of one kind.
type PruneGroup struct {
	Kind  PruneKind
	Items []PruneItem
}

// Bytes is what the group frees.
func (g PruneGroup) Bytes() int64 {
	var sum int64
	for _, item := range g.Items {
		sum += item.Bytes
	}
	return sum
}

// PrunePlan is what can go. Leave out of it what shall stay, and give the rest
// to Prune.
type PrunePlan []PruneGroup

// PlanPrune lists what nothing uses, with its bytes. Nothing that a stopped
// container needs is in it, so that any part of the plan can be carried out
// alone. The engine measures volumes for it, which can take seconds.
func (c *Client) PlanPrune(ctx context.Context) (PrunePlan, error) {
	const what = "find what can be pruned"
	api, err := c.api(ctx)
	if err != nil {
		return nil, c.explain(what, err)
	}
	var usage client.DiskUsageResult
	var networks client.NetworkListResult
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() (err error) {
		usage, err = api.DiskUsage(ctx, client.DiskUsageOptions{Containers: true, Images: true, Volumes: true, BuildCache: true, Verbose: true})
		return err
	})
	both.Go(func() (err error) {
		networks, err = api.NetworkList(ctx, client.NetworkListOptions{})
		return err
	})
	if err := both.Wait(); err != nil {
		return nil, c.explain(what, err)
	}
	dangling, unused := idleImages(usage.Images.Items, users(usage.Containers.Items))
	anonymous, named := idleVolumes(usage.Volumes.Items, usage.Containers.Items)
	plan := PrunePlan{
		{PruneContainers, stoppedContainers(usage.Containers.Items)},
		{PruneDanglingImages, dangling},
		{PruneUnusedImages, unused},
		{PruneNetworks, idleNetworks(networks.Items, usage.Containers.Items)},
		{PruneAnonymousVolumes, anonymous},
		{PruneNamedVolumes, named},
		{PruneBuildCache, idleCache(usage.BuildCache)},
	}
	for _, group := range plan {
		slices.SortStableFunc(group.Items, func(a, b PruneItem) int {
			return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), strings.Compare(a.Name, b.Name))
		})
	}
	return slices.DeleteFunc(plan, func(g PruneGroup) bool { return len(g.Items) == 0 }), nil
}

func stoppedContainers(all []container.Summary) []PruneItem {
	var items []PruneItem
	for _, s := range all {
		switch s.State {
		case container.StateExited, container.StateDead, container.StateCreated:
			items = append(items, PruneItem{ID: s.ID, Name: ownName(s.Names), Detail: s.Status, Bytes: s.SizeRw})
		case container.StateRunning, container.StatePaused, container.StateRestarting, container.StateRemoving:
		}
	}
	return items
}

// idleImages are those that no container uses and no other image is built on.
func idleImages(all []image.Summary, users map[string]int) (dangling, unused []PruneItem) {
	parents := map[string]bool{}
	for _, s := range all {
		parents[s.ParentID] = true
	}
	for _, s := range all {
		if users[s.ID] > 0 {
			continue
		}
		item := PruneItem{ID: s.ID, Name: short(s.ID), Detail: "created " + time.Unix(s.Created, 0).Format(time.DateTime), Bytes: s.Size - max(s.SharedSize, 0)}
		if tags := named(s.RepoTags); len(tags) > 0 {
			item.Name = strings.Join(tags, ", ")
			unused = append(unused, item)
		} else if !parents[s.ID] {
			dangling = append(dangling, item)
		}
	}
	return dangling, unused
}

// builtIn are the engine's own networks, which cannot be removed.
var builtIn = map[string]bool{"bridge": true, "host": true, "none": true, "nat": true, "podman": true}

func idleNetworks(all []network.Summary, containers []container.Summary) []PruneItem {
	used := map[string]bool{}
	for _, s := range containers {
		used[s.HostConfig.NetworkMode] = true
		if s.NetworkSettings == nil {
			continue
		}
		for name := range s.NetworkSettings.Networks {
			used[name] = true
		}
	}
	var items []PruneItem
	for _, n := range all {
		if n.Scope == "local" && !n.Ingress && !builtIn[n.Name] && !used[n.Name] && !used[n.ID] {
			items = append(items, PruneItem{ID: n.ID, Name: n.Name, Detail: n.Driver})
		}
	}
	return items
}

// Engines from 23.0 on label anonymous volumes; before, only the name tells.
const anonymousLabel = "com.docker.volume.anonymous"

var anonymousName = pattern.Late(`^[0-9a-f]{64}$`)

func idleVolumes(all []volume.Volume, containers []container.Summary) (anonymous, named []PruneItem) {
	used := map[string]bool{}
	for _, s := range containers {
		for _, m := range s.Mounts {
			used[m.Name] = true
		}
	}
	for _, v := range all {
		if used[v.Name] || v.UsageData != nil && v.UsageData.RefCount > 0 {
			continue
		}
		item := PruneItem{ID: v.Name, Name: v.Name, Detail: "created " + v.CreatedAt}
		if v.UsageData != nil {
			item.Bytes = max(v.UsageData.Size, 0)
		}
		if _, labeled := v.Labels[anonymousLabel]; labeled || anonymousName().MatchString(v.Name) {
			item.Name = short(v.Name)
			anonymous = append(anonymous, item)
		} else {
			named = append(named, item)
		}
	}
	return anonymous, named
}

func idleCache(usage client.BuildCacheDiskUsage) []PruneItem {
	var items []PruneItem
	for _, record := range usage.Items {
		if record.InUse || record.Shared {
			continue
		}
		items = append(items, PruneItem{ID: record.ID, Name: clean(record.Description), Detail: record.Type, Bytes: record.Size})
	}
	return items
}

// Pruned is what a prune did.
type Pruned struct {
	Removed int
	Bytes   int64
}

// Prune removes what is in the plan and nothing else, but for the build cache,
// of which the engine removes all that is unused by then. What has gone
// meanwhile is no failure; what has come into use stays and is in the error,
// which joins those of all items. report, unless nil, gets the items done and
// the total.
func (c *Client) Prune(ctx context.Context, plan PrunePlan, report func(done, total int64)) (Pruned, error) {
	api, err := c.mutable(ctx, "prune")
	if err != nil {
		return Pruned{}, err
	}
	var total, done int64
	for _, group := range plan {
		total += int64(len(group.Items))
	}
	var pruned Pruned
	var failed []error
	step := func(items int) {
		done += int64(items)
		if report != nil {
			report(done, total)
		}
	}
	for _, group := range plan {
		if group.Kind == PruneBuildCache {
			failed = append(failed, c.pruneCache(ctx, api, group, &pruned))
			step(len(group.Items))
			continue
		}
		for _, item := range group.Items {
			if err := ctx.Err(); err != nil {
				return pruned, errors.Join(append(failed, err)...)
			}
			failed = append(failed, c.pruneOne(ctx, api, group.Kind, item, &pruned))
			step(1)
		}
	}
	return pruned, errors.Join(failed...)
}

// pruneOne removes one thing and counts it. That it has gone is no failure.
func (c *Client) pruneOne(ctx context.Context, api *client.Client, kind PruneKind, item PruneItem, pruned *Pruned) error {
	err := pruneItem(ctx, api, kind, item.ID)
	if gone(err) {
		return nil
	}
	if err != nil {
		return c.explain("remove "+item.Name, err)
	}
	pruned.Removed++
	pruned.Bytes += item.Bytes
	return nil
}

// pruneCache has the engine remove its unused build cache, and counts it.
func (c *Client) pruneCache(ctx context.Context, api *client.Client, group PruneGroup, pruned *Pruned) error {
	out, err := api.BuildCachePrune(ctx, client.BuildCachePruneOptions{All: true})
	if err != nil {
		return c.explain("prune the build cache", err)
	}
	pruned.Removed += len(group.Items)
	pruned.Bytes += int64(out.Report.SpaceReclaimed) //nolint:gosec // bytes of a disk
	return nil
}

// pruneItem removes one thing, never by force: what is in use again stays.
func pruneItem(ctx context.Context, api *client.Client, kind PruneKind, id string) (err error) {
	switch kind {
	case PruneContainers:
		_, err = api.ContainerRemove(ctx, id, client.ContainerRemoveOptions{})
	case PruneDanglingImages:
		_, err = api.ImageRemove(ctx, id, client.ImageRemoveOptions{PruneChildren: true})
	case PruneUnusedImages:
		err = untagAll(ctx, api, id)
	case PruneNetworks:
		_, err = api.NetworkRemove(ctx, id, client.NetworkRemoveOptions{})
	case PruneAnonymousVolumes, PruneNamedVolumes:
		_, err = api.VolumeRemove(ctx, id, client.VolumeRemoveOptions{})
	case PruneBuildCache:
	}
	return err
}

// untagAll removes an image by its names: the engine wants force for an ID with
// several of them, and force would also take it from stopped containers.
func untagAll(ctx context.Context, api *client.Client, id string) error {
	in, err := api.ImageInspect(ctx, id)
	if err != nil {
		return err
	}
	references := append(slices.Clone(named(in.RepoTags)), named(in.RepoDigests)...)
	for _, ref := range references {
		if _, err := api.ImageRemove(ctx, ref, client.ImageRemoveOptions{PruneChildren: true}); err != nil && !gone(err) {
			return err
		}
	}
	return nil
}
