package docker

import (
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/client"
)

func testImages(t *testing.T, c *Client, image string) {
	ctx := t.Context()
	ran(t, c, RunOptions{Image: image, Command: []string{"sleep", "300"}})
	find := func(ref string) (Image, bool) {
		rows, err := c.Images(ctx, TopImages)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(rows, func(r Image) bool { return r.Reference() == ref })
		if i < 0 {
			return Image{}, false
		}
		return rows[i], true
	}
	row, ok := find(image)
	if !ok || row.Containers != 1 || row.Size == 0 || row.Created.IsZero() || row.Labels[testLabel] == "" {
		t.Errorf("%v %+v", ok, row)
	}
	again := "localhost:5000/gantry-test/again:1"
	if err := c.Tag(ctx, image, again); err != nil {
		t.Fatal(err)
	}
	if second, ok := find(again); !ok || second.ID != row.ID || second.Repository != "localhost:5000/gantry-test/again" || second.Tag != "1" {
		t.Errorf("the second name: %v %+v", ok, second)
	}
	sizes, err := c.ImageSizes(ctx)
	if err != nil || sizes[row.ID].Shared+sizes[row.ID].Unique != row.Size {
		t.Errorf("sizes %+v of %d, %v", sizes[row.ID], row.Size, err)
	}
	layers, err := c.History(ctx, image)
	if err != nil || len(layers) < 2 || !slices.ContainsFunc(layers, func(l Layer) bool { return l.Size > 0 && l.CreatedBy != "" }) {
		t.Errorf("history %+v, %v", layers, err)
	}
	config, err := c.ImageConfig(ctx, image)
	if err != nil || config.ID != row.ID || !slices.Equal(config.Command, []string{"sh"}) || !strings.Contains(config.Platform, "/") {
		t.Errorf("%+v, %v", config, err)
	}
	tree, err := c.InspectImage(ctx, image)
	if err != nil || tree.(map[string]any)["Id"] != row.ID {
		t.Errorf("document: %v", err)
	}
	told(t, c.Tag(ctx, image, "Upper Case"), nil, "lower case")
	told(t, c.Tag(ctx, "gantry-test/nowhere:1", "x"), ErrImageGone)
	_, err = c.RemoveImage(ctx, row.ID, ImageRemoval{})
	told(t, err, ErrConflict, "by force")
	removed, err := c.RemoveImage(ctx, again, ImageRemoval{})
	if err != nil || !slices.Equal(removed.Untagged, []string{again}) || len(removed.Deleted) != 0 {
		t.Errorf("%+v, %v", removed, err)
	}
	_, err = c.RemoveImage(ctx, again, ImageRemoval{})
	told(t, err, ErrImageGone)
	if _, err := c.InspectImage(ctx, "gantry-test/nowhere:1"); err == nil {
		t.Error("an image that is not there was described")
	}
}

// The plan holds what nothing uses; Prune removes the part that it is given.
func testPrune(t *testing.T, c *Client, image string) {
	ctx := t.Context()
	api := c.engineOf(t)
	label := map[string]string{testLabel: t.Name()}
	volume := func(name string) string {
		made, err := api.VolumeCreate(ctx, client.VolumeCreateOptions{Name: name, Labels: label})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_, _ = api.VolumeRemove(cleanupContext(t), made.Volume.Name, client.VolumeRemoveOptions{Force: true})
		})
		return made.Volume.Name
	}
	used, idle, anonymous := volume("gantry-test-used"), volume("gantry-test-idle"), volume("")
	stopped := ran(t, c, RunOptions{Image: image, Name: "gantry-test-stopped", Command: []string{"true"}})
	running := ran(t, c, RunOptions{Image: image, Name: "gantry-test-running", Command: []string{"sleep", "300"}, Volumes: []string{used + ":/x"}})
	eventually(t, "it ends", func() bool { return listed(t, c, stopped).Exited() })
	net, err := api.NetworkCreate(ctx, "gantry-test-net", client.NetworkCreateOptions{Labels: label})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = api.NetworkRemove(cleanupContext(t), net.ID, client.NetworkRemoveOptions{}) })
	unused := built(t, c, BuildOptions{Dir: folder(t, map[string]string{"a": strings.Repeat("a", 5000), "Dockerfile": "FROM scratch\nCOPY a /a\n"})})

	plan, err := c.PlanPrune(ctx)
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{stopped, idle, anonymous, net.ID}
	mine := planned(plan, func(i PruneItem) bool { return slices.Contains(ids, i.ID) || i.Name == unused })
	kinds := map[PruneKind]int{}
	for _, group := range mine {
		kinds[group.Kind] = len(group.Items)
	}
	for _, kind := range []PruneKind{PruneContainers, PruneUnusedImages, PruneNetworks, PruneAnonymousVolumes, PruneNamedVolumes} {
		if kinds[kind] != 1 {
			t.Errorf("%d of %s are planned", kinds[kind], kind)
		}
	}
	kept := planned(plan, func(i PruneItem) bool {
		return i.ID == running || i.ID == used || i.Name == image || i.Name == "bridge"
	})
	if len(kept) != 0 {
		t.Errorf("what is in use is planned: %+v", kept)
	}
	i := slices.IndexFunc(mine, func(g PruneGroup) bool { return g.Kind == PruneUnusedImages })
	if i < 0 || mine[i].Bytes() < 5000 {
		t.Errorf("the image of 5000 bytes frees %+v", mine)
	}

	var last, total int64
	pruned, err := c.Prune(ctx, mine, func(done, all int64) { last, total = done, all })
	if err != nil || pruned.Removed != 5 || pruned.Bytes < 5000 || last != 5 || total != 5 {
		t.Errorf("%+v, %d of %d, %v", pruned, last, total, err)
	}
	if again, err := c.Prune(ctx, mine, func(int64, int64) {}); err != nil || again.Removed != 0 {
		t.Errorf("a second time: %+v, %v", again, err)
	}
	_, err = c.Prune(ctx, PrunePlan{{PruneContainers, []PruneItem{{ID: running, Name: "gantry-test-running"}}}}, nil)
	told(t, err, ErrConflict, "gantry-test-running")
}

// planned is the part of a plan whose items are wanted.
func planned(plan PrunePlan, want func(PruneItem) bool) PrunePlan {
	var part PrunePlan
	for _, group := range plan {
		items := slices.DeleteFunc(slices.Clone(group.Items), func(i PruneItem) bool { return !want(i) })
		if len(items) > 0 {
			part = append(part, PruneGroup{Kind: group.Kind, Items: items})
		}
	}
	return part
}
