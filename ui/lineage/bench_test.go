package lineage_test

import (
	"fmt"
	"testing"
	"time"

	"gantry/aws"
	"gantry/docker"
	"gantry/ui/lineage"
)

// BenchmarkLineage makes the index of 5,000 tasks and 2,000 images, half of
// them local, and looks an image up from each of its ends. It must stay below
// 50 ms.
func BenchmarkLineage(b *testing.B) {
	w := large(5000, 1000)
	b.ReportAllocs()
	for b.Loop() {
		x := lineage.New(w, clock)
		if s := x.OfTask(w.Tasks[4711])[0]; len(s.Running) == 0 {
			b.Fatal("nothing runs")
		}
		x.OfStored(w.Images[17])
		x.OfLocal(w.Local[17])
		x.OfService(w.Services[17])
	}
}

// BenchmarkLookUp is one look-up in an index that is there: what a redraw
// costs.
func BenchmarkLookUp(b *testing.B) {
	w := large(5000, 1000)
	x := lineage.New(w, clock)
	b.ReportAllocs()
	for b.Loop() {
		x.OfTask(w.Tasks[4711])
	}
}

// large is a world of so many tasks in 100 services, and twice so many images.
func large(tasks, images int) lineage.World {
	w := world()
	w.Services, w.Definitions = nil, nil
	for i := range 100 {
		name := fmt.Sprintf("s%d", i)
		w.Services = append(w.Services, aws.Service{Name: name, Cluster: "shop", ClusterARN: "arn:cluster/shop", TaskDefinition: name + ":1"})
		w.Definitions = append(w.Definitions, aws.Definition{ARN: "arn/" + name + ":1", Containers: []aws.DefinedContainer{{Name: "app", Image: uri + ":" + name}}})
	}
	digest := func(i int) string { return fmt.Sprintf("sha256:%064x", i%images) }
	for i := range images {
		pushed := at(1, 0).Add(time.Duration(i) * time.Second)
		w.Images = append(w.Images, aws.RepositoryImage{Repository: "shop/web", URI: uri, Digest: digest(i), Tags: []string{fmt.Sprintf("s%d", i)}, Pushed: pushed})
		w.Local = append(w.Local, docker.Image{ID: digest(i), Repository: uri, Tag: fmt.Sprintf("s%d", i), Created: pushed, Digests: []string{uri + "@" + digest(i)}})
	}
	for i := range tasks {
		t := task(fmt.Sprintf("s%d", i%100), fmt.Sprintf("%s:s%d", uri, i%100), digest(i%100), at(10, 0))
		t.ARN, t.TaskDefinition = fmt.Sprintf("arn:task/%d", i), fmt.Sprintf("s%d:1", i%100)
		w.Tasks = append(w.Tasks, t)
	}
	return w
}
