package ui

import (
	"strconv"

	"gantry/aws"
	"gantry/ui/lineage"
)

// RunningInWhileItChanges asks who runs an image, as the sorting of many rows
// does, while more and more becomes known of that.
func RunningInWhileItChanges() string {
	ends := &clients{places: newLineages(nil, nil)}
	p := newRepositoryImages(nil, ends, aws.Repository{ARN: "r", Name: "r", URI: "host/r"})
	image, asked := aws.RepositoryImage{Digest: "sha256:a"}, make(chan string)
	go func() {
		said := ""
		for range 100 {
			said = p.runningIn(image)
		}
		asked <- said
	}()
	for n := range 100 {
		task := aws.Task{ID: strconv.Itoa(n), Cluster: "shop", Service: "web", Containers: []aws.Container{{Digest: image.Digest}}}
		ends.places.now = lineage.New(lineage.World{Tasks: []aws.Task{task}}, clock)
		p.Update(lineageKnown{})
	}
	<-asked
	return p.runningIn(image)
}
