package lineage_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gantry/aws"
	"gantry/docker"
	"gantry/ui/lineage"
)

const uri = "000000000000.dkr.ecr.us-east-1.amazonaws.com/shop/web"

// at is a time of the day on which everything happens.
func at(hour, minute int) time.Time { return time.Date(2026, 3, 4, hour, minute, 0, 0, time.UTC) }

func clock(t time.Time) string { return t.UTC().Format("15:04") }

// sha is a digest that is told by its first letter.
func sha(letter string) string { return "sha256:" + strings.Repeat(letter, 64) }

func task(service, image, digest string, started time.Time) aws.Task {
	return aws.Task{
		ARN: "arn:task/" + service + image + digest, ID: "7f3a", Cluster: "shop", ClusterARN: "arn:cluster/shop", Service: service,
		TaskDefinition: "web:7", LastStatus: "RUNNING", DesiredStatus: "RUNNING", Started: started,
		Containers: []aws.Container{{Name: "app", Image: image, Digest: digest}},
	}
}

func stored(letter string, pushed time.Time, tags ...string) aws.RepositoryImage {
	return aws.RepositoryImage{Repository: "shop/web", URI: uri, Digest: sha(letter), Tags: tags, Pushed: pushed, MediaType: "application/vnd.oci.image.manifest.v1+json"}
}

func local(name, id string, created time.Time, digests ...string) docker.Image {
	i := strings.LastIndexByte(name, ':')
	return docker.Image{ID: "sha256:id" + id, Repository: name[:i], Tag: name[i+1:], Created: created, Digests: digests}
}

// world is one in which everything was read: a repository, and what a test puts
// into it.
func world() lineage.World {
	read := lineage.State{Read: true, At: at(12, 0)}
	return lineage.World{
		Repositories: []aws.Repository{{Name: "shop/web", URI: uri}},
		Definitions: []aws.Definition{{
			ARN: "arn:aws:ecs:us-east-1:000000000000:task-definition/web:7", Family: "web", Revision: 7,
			Containers: []aws.DefinedContainer{{Name: "app", Image: uri + ":latest"}},
		}},
		Services: []aws.Service{{Name: "web", Cluster: "shop", ClusterARN: "arn:cluster/shop", TaskDefinition: "web:7", Desired: 1, Running: 1}},
		Parts: map[lineage.Part]lineage.State{
			{Kind: lineage.LocalImages}: read, {Kind: lineage.Repositories}: read, {Kind: lineage.RepositoryImages, Name: uri}: read,
			{Kind: lineage.Clusters}: read, {Kind: lineage.Services, Name: "arn:cluster/shop"}: read, {Kind: lineage.Tasks, Name: "arn:cluster/shop"}: read,
		},
	}
}

// forget makes a world in which the part was not read.
func forget(w lineage.World, p lineage.Part) lineage.World {
	w.Parts[p] = lineage.State{Err: errors.New("denied")}
	return w
}

// said is what a strand tells, in one text.
func said(strands ...lineage.Strand) string {
	var b strings.Builder
	for _, s := range strands {
		for _, f := range s.Told {
			fmt.Fprintf(&b, "%d %s -> %s\n", f.Level, f.Text, f.Do)
		}
	}
	return b.String()
}

func TestWhatIsToldOfATask(t *testing.T) {
	latest := uri + ":latest"
	for _, c := range []struct {
		name   string
		images []aws.RepositoryImage
		local  []docker.Image
		task   aws.Task
		forget []lineage.Part
		want   []string // in this order
		never  []string
	}{
		{
			name:   "its tag is still this image",
			images: []aws.RepositoryImage{stored("a", at(9, 0), "latest")},
			task:   task("web", latest, sha("a"), at(10, 0)),
			want:   []string{"3 latest is still the image that this task runs."},
			never:  []string{"moved", "newer", "no longer"},
		},
		{
			name:   "its tag has moved since",
			images: []aws.RepositoryImage{stored("a", at(9, 0), "v1"), stored("b", at(11, 0), "latest")},
			task:   task("web", latest, sha("a"), at(10, 0)),
			want:   []string{"1 latest has moved since this task started: it is bbbbbbbbbbbb now, pushed 11:00; this task runs aaaaaaaaaaaa. -> r on service web redeploys it with the new image"},
			never:  []string{"no tag left"},
		},
		{
			name:   "a task by itself",
			images: []aws.RepositoryImage{stored("a", at(9, 0), "v1"), stored("b", at(11, 0), "latest")},
			task:   task("", latest, sha("a"), at(10, 0)),
			want:   []string{"latest has moved", "-> run the task again to use it"},
		},
		{
			name:   "it was moved before the task started, and the deployment had begun before",
			images: []aws.RepositoryImage{stored("a", at(8, 0), "v1"), stored("b", at(9, 0), "latest")},
			task:   task("web", latest, sha("a"), at(10, 0)),
			want:   []string{"1 latest is another image than this task runs: bbbbbbbbbbbb, pushed 09:00, not aaaaaaaaaaaa. ECS starts every task of a deployment"},
			never:  []string{"has moved since"},
		},
		{
			name:   "what runs has no tag left",
			images: []aws.RepositoryImage{stored("a", at(9, 0)), stored("b", at(11, 0), "latest")},
			task:   task("web", latest, sha("a"), at(10, 0)),
			want:   []string{"1 latest has moved", "2 What runs has no tag left"},
		},
		{
			name:   "what runs was taken by a lifecycle policy",
			images: []aws.RepositoryImage{stored("b", at(11, 0), "latest")},
			task:   task("web", latest, sha("a"), at(10, 0)),
			want:   []string{"0 The image that this task runs is no longer in shop/web", "-> S on service web ships an image to it; then look at the repository's lifecycle policy", "1 latest has moved"},
		},
		{
			name:   "a stopped task's image is gone: nothing to do",
			images: []aws.RepositoryImage{stored("b", at(11, 0), "latest")},
			task:   stopped(task("web", latest, sha("a"), at(10, 0))),
			want:   []string{"0 The image that this task ran is no longer in shop/web: it was deleted, or a lifecycle policy took it. -> \n", "1 latest has moved"},
			never:  []string{"goes on", "redeploys"},
		},
		{
			name:   "its tag is gone",
			images: []aws.RepositoryImage{stored("a", at(9, 0), "v1")},
			task:   task("web", latest, sha("a"), at(10, 0)),
			want:   []string{"0 shop/web has no tag latest any more"},
		},
		{
			name:   "a tag is left out: it is latest",
			images: []aws.RepositoryImage{stored("a", at(9, 0), "latest")},
			task:   task("web", uri, sha("a"), at(10, 0)),
			want:   []string{"3 latest is still the image"},
		},
		{
			name:   "by digest",
			images: []aws.RepositoryImage{stored("a", at(9, 0)), stored("b", at(11, 0), "latest")},
			task:   task("web", uri+"@"+sha("a"), sha("a"), at(10, 0)),
			want:   []string{"2 The definition names the image by digest"},
			never:  []string{"moved", "no tag"},
		},
		{
			name:   "a local build of the same name is newer",
			images: []aws.RepositoryImage{stored("a", at(9, 0), "latest")},
			local:  []docker.Image{local(latest, "2", at(11, 0))},
			task:   task("web", latest, sha("a"), at(10, 0)),
			want:   []string{"1 Your local " + latest + " (built 11:00) is newer than what this task runs. -> S on the image ships it to web", "3 latest is still"},
		},
		{
			name:   "a local build under the repository's name is newer than the build that was pushed",
			images: []aws.RepositoryImage{stored("a", at(9, 0), "latest")},
			local:  []docker.Image{local("web:latest", "2", at(8, 30)), local(latest, "1", at(8, 0), uri+"@"+sha("a"))},
			task:   task("web", latest, sha("a"), at(10, 0)),
			want:   []string{"1 Your local web:latest (built 08:30) is newer than what this task runs."},
		},
		{
			name:   "a local build that is older",
			images: []aws.RepositoryImage{stored("a", at(9, 0), "latest")},
			local:  []docker.Image{local("web:latest", "2", at(8, 0))},
			task:   task("web", latest, sha("a"), at(10, 0)),
			want:   []string{"3 latest is still"},
			never:  []string{"newer"},
		},
		{
			name:   "the newer build is pushed already: that the tag has moved says it",
			images: []aws.RepositoryImage{stored("a", at(9, 0), "v1"), stored("b", at(11, 0), "latest")},
			local:  []docker.Image{local("web:latest", "2", at(10, 30), uri+"@"+sha("b"))},
			task:   task("web", latest, sha("a"), at(10, 0)),
			want:   []string{"1 latest has moved since this task started", "It is your local web:latest."},
			never:  []string{"newer"},
		},
		{
			name:   "the repository was not read: nothing is claimed of its tags",
			images: []aws.RepositoryImage{stored("b", at(11, 0), "latest")},
			task:   task("web", latest, sha("a"), at(10, 0)),
			forget: []lineage.Part{{Kind: lineage.RepositoryImages, Name: uri}},
			never:  []string{"latest", "no longer"},
		},
		{
			name:   "the local images were not read",
			images: []aws.RepositoryImage{stored("a", at(9, 0), "latest")},
			local:  []docker.Image{local(latest, "2", at(11, 0))},
			task:   task("web", latest, sha("a"), at(10, 0)),
			forget: []lineage.Part{{Kind: lineage.LocalImages}},
			never:  []string{"newer"},
		},
		{
			name:  "no digest yet",
			task:  task("web", latest, "", time.Time{}),
			want:  []string{"2 ECS has named no digest for this task"},
			never: []string{"moved", "no longer"},
		},
		{
			name:   "the tag joins platforms, and one of them runs",
			images: []aws.RepositoryImage{index("c", at(9, 0), []string{"a", "b"}, "latest"), stored("a", at(9, 0)), stored("b", at(9, 0))},
			task:   task("web", latest, sha("a"), at(10, 0)),
			want:   []string{"3 latest is still the image"},
			never:  []string{"no tag left", "moved"},
		},
		{
			name:   "the tag joins other platforms by now",
			images: []aws.RepositoryImage{index("c", at(11, 0), []string{"d"}, "latest"), stored("a", at(9, 0)), stored("d", at(11, 0))},
			task:   task("web", latest, sha("a"), at(10, 0)),
			want:   []string{"1 latest has moved since"},
		},
		{
			name:   "what the tag joins was not read",
			images: []aws.RepositoryImage{index("c", at(11, 0), nil, "latest"), stored("a", at(9, 0))},
			task:   task("web", latest, sha("a"), at(10, 0)),
			want:   []string{"2 latest joins images of several platforms; whether what runs is one of them was not read."},
			never:  []string{"moved"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := world()
			w.Images, w.Local = c.images, c.local
			for _, p := range c.forget {
				w = forget(w, p)
			}
			check(t, said(lineage.New(w, clock).OfTask(c.task)...), c.want, c.never)
		})
	}
}

// check finds the wanted texts in this order, and none of the others.
func check(t *testing.T, got string, want, never []string) {
	t.Helper()
	rest := got
	for _, w := range want {
		i := strings.Index(rest, w)
		if i < 0 {
			t.Errorf("does not say, in this order, %q:\n%s", w, got)
			continue
		}
		rest = rest[i+len(w):]
	}
	for _, n := range never {
		if strings.Contains(got, n) {
			t.Errorf("says %q:\n%s", n, got)
		}
	}
}

func stopped(t aws.Task) aws.Task {
	t.LastStatus, t.DesiredStatus = "STOPPED", "STOPPED"
	return t
}

func index(letter string, pushed time.Time, of []string, tags ...string) aws.RepositoryImage {
	r := stored(letter, pushed, tags...)
	r.MediaType = "application/vnd.oci.image.index.v1+json"
	for _, m := range of {
		r.Manifests = append(r.Manifests, sha(m))
	}
	return r
}

func TestWhatIsToldOfAService(t *testing.T) {
	latest := uri + ":latest"
	for _, c := range []struct {
		name   string
		images []aws.RepositoryImage
		local  []docker.Image
		tasks  []aws.Task
		moving bool
		want   []string
		never  []string
	}{
		{
			name:   "its tasks run what the tag was",
			images: []aws.RepositoryImage{stored("a", at(9, 0), "v1"), stored("b", at(11, 0), "latest")},
			tasks:  []aws.Task{task("web", latest, sha("a"), at(10, 0)), task("web", latest, sha("a"), at(10, 5))},
			want:   []string{"latest has moved since its 2 tasks started", "its 2 tasks run aaaaaaaaaaaa. -> r redeploys it with the new image"},
		},
		{
			name:   "one of its tasks started before the push, one after",
			images: []aws.RepositoryImage{stored("a", at(9, 0), "v1"), stored("b", at(11, 0), "latest")},
			tasks:  []aws.Task{task("web", latest, sha("a"), at(10, 0)), task("web", latest, sha("a"), at(12, 0))},
			want:   []string{"latest is another image than its 2 tasks run"},
			never:  []string{"moved since"},
		},
		{
			name:   "its tasks run different images",
			images: []aws.RepositoryImage{stored("a", at(9, 0), "v1"), stored("b", at(11, 0), "latest")},
			tasks:  []aws.Task{task("web", latest, sha("a"), at(10, 0)), task("web", latest, sha("b"), at(11, 5))},
			want:   []string{"do not all run the same image as app", "latest is still the image that 1 of its 2 tasks runs"},
		},
		{
			name:   "a deployment replaces them",
			images: []aws.RepositoryImage{stored("a", at(9, 0), "v1"), stored("b", at(11, 0), "latest")},
			tasks:  []aws.Task{task("web", latest, sha("a"), at(10, 0)), task("web", latest, sha("b"), at(11, 5))},
			moving: true,
			want:   []string{"latest has moved since 1 of its 2 tasks started", "-> a deployment is under way: wait", "do not all run the same image as app. A deployment is under way."},
		},
		{
			name:   "no task can start from its tag",
			images: []aws.RepositoryImage{stored("a", at(9, 0), "v1")},
			want:   []string{"0 shop/web has no tag latest: no task can start from web:7. -> S ships an image to this service"},
		},
		{
			name:   "no task runs",
			images: []aws.RepositoryImage{stored("a", at(9, 0), "latest")},
			want:   []string{"No task of this service runs this container now."},
		},
		{
			name:   "a local build is newer",
			images: []aws.RepositoryImage{stored("a", at(9, 0), "latest")},
			local:  []docker.Image{local("shop/web:latest", "1", at(9, 30))},
			tasks:  []aws.Task{task("web", latest, sha("a"), at(10, 0))},
			want:   []string{"Your local shop/web:latest (built 09:30) is newer than what its task runs. -> S on the image ships it to web"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := world()
			w.Images, w.Tasks, w.Local = c.images, c.tasks, c.local
			if c.moving {
				w.Services[0].Pending = 1
			}
			check(t, said(lineage.New(w, clock).OfService(w.Services[0])...), c.want, c.never)
		})
	}
}

func TestWhatIsToldOfAnImageInARepository(t *testing.T) {
	latest := uri + ":latest"
	for _, c := range []struct {
		name   string
		others []aws.RepositoryImage
		image  aws.RepositoryImage
		local  []docker.Image
		tasks  []aws.Task
		forget []lineage.Part
		want   []string
		never  []string
	}{
		{name: "nothing runs it", image: stored("a", at(9, 0), "latest"), want: []string{"2 No task runs this image."}},
		{
			name: "whether something runs it is not known", image: stored("a", at(9, 0), "latest"),
			forget: []lineage.Part{{Kind: lineage.Tasks, Name: "arn:cluster/batch"}}, never: []string{"No task"},
		},
		{
			name: "its tag was overwritten", image: stored("a", at(9, 0), "v1"), others: []aws.RepositoryImage{stored("b", at(11, 0), "latest")},
			tasks: []aws.Task{task("web", latest, sha("a"), at(10, 0)), task("", latest, sha("a"), at(10, 0))},
			want:  []string{"1 The tag latest was overwritten: it is bbbbbbbbbbbb now, pushed 11:00. This image still runs: family web in shop ×1, web in shop ×1."},
		},
		{
			name: "its tag is gone", image: stored("a", at(9, 0), "v1"),
			tasks: []aws.Task{task("web", latest, sha("a"), at(10, 0))},
			want:  []string{"0 web in shop ×1 asked for it as latest, and that tag is gone"},
		},
		{
			name: "it has no tag while tasks run it", image: stored("a", at(9, 0)), others: []aws.RepositoryImage{stored("b", at(11, 0), "latest")},
			tasks: []aws.Task{task("web", latest, sha("a"), at(10, 0))},
			want:  []string{"0 It has no tag while tasks run it", "1 The tag latest was overwritten"},
		},
		{
			name: "others run what its tag was before", image: stored("b", at(11, 0), "latest"), others: []aws.RepositoryImage{stored("a", at(9, 0))},
			tasks: []aws.Task{task("web", latest, sha("a"), at(10, 0))},
			want:  []string{"1 latest is this image now, but what it was before still runs: web in shop ×1. -> r on service web redeploys it with the new image", "No task runs this image."},
		},
		{
			name: "a local build is newer", image: stored("a", at(9, 0), "latest"), local: []docker.Image{local("web:latest", "2", at(10, 0))},
			want: []string{"1 Your local web:latest (built 10:00) is newer than this image."},
		},
		{
			name: "a platform of an index needs no tag", image: stored("a", at(9, 0)), others: []aws.RepositoryImage{index("c", at(9, 0), []string{"a"}, "latest")},
			tasks: []aws.Task{task("web", latest, sha("a"), at(10, 0))},
			never: []string{"no tag", "overwritten"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := world()
			w.Images, w.Local, w.Tasks = slices.Concat(c.others, []aws.RepositoryImage{c.image}), c.local, c.tasks
			for _, p := range c.forget {
				w = forget(w, p)
			}
			check(t, said(lineage.New(w, clock).OfStored(c.image)), c.want, c.never)
		})
	}
}

func TestWhatIsToldOfALocalImage(t *testing.T) {
	latest := uri + ":latest"
	for _, c := range []struct {
		name   string
		image  docker.Image
		others []docker.Image
		images []aws.RepositoryImage
		tasks  []aws.Task
		forget []lineage.Part
		want   []string
		never  []string
	}{
		{name: "it is nowhere else", image: local("api:latest", "1", at(9, 0)), want: []string{"2 This image is in no repository yet. -> p pushes it, S ships it to a service"}},
		{
			name: "it is what the tag is", image: local(latest, "1", at(9, 0), uri+"@"+sha("a")), images: []aws.RepositoryImage{stored("a", at(9, 1), "latest")},
			want: []string{"3 shop/web:latest in the repository is this image."},
		},
		{
			name: "it is newer than the tag", image: local("web:latest", "1", at(10, 0)), images: []aws.RepositoryImage{stored("a", at(9, 1), "latest")},
			want: []string{"1 This build is newer than shop/web:latest in the repository, pushed 09:01."},
		},
		{
			name: "its tag was overwritten by somebody", image: local(latest, "1", at(9, 0), uri+"@"+sha("a")),
			images: []aws.RepositoryImage{stored("a", at(9, 1)), stored("b", at(10, 0), "latest")},
			want:   []string{"1 This tag was overwritten: shop/web:latest in the repository is bbbbbbbbbbbb now, pushed 10:00."},
		},
		{
			name: "the tag is not there", image: local("web:v2", "1", at(9, 0)),
			want: []string{"2 The repository has no shop/web:v2."},
		},
		{
			name: "it is newer than what runs", image: local("web:latest", "1", at(11, 0)), images: []aws.RepositoryImage{stored("a", at(9, 1), "latest")},
			tasks: []aws.Task{task("web", latest, sha("a"), at(10, 0))},
			want:  []string{"1 This build is newer", "1 Your local build is newer than what runs: web in shop ×1. -> S ships it to web"},
		},
		{
			name: "it is older than what runs", image: local("web:latest", "1", at(8, 0)), images: []aws.RepositoryImage{stored("a", at(9, 1), "latest")},
			tasks: []aws.Task{task("web", latest, sha("a"), at(10, 0))},
			want:  []string{"2 shop/web:latest in the repository is another image, pushed 09:01, after this one was built."},
			never: []string{"newer"},
		},
		{
			name: "the repository has lost it, and tasks run it", image: local(latest, "1", at(9, 0), uri+"@"+sha("a")), images: []aws.RepositoryImage{stored("b", at(10, 0), "latest")},
			tasks: []aws.Task{task("web", latest, sha("a"), at(10, 0))},
			want:  []string{"0 The image is no longer in shop/web, and tasks run it: web in shop ×1."},
		},
		{
			name: "the repository has lost it", image: local(latest, "1", at(9, 0), uri+"@"+sha("a")), images: []aws.RepositoryImage{stored("b", at(10, 0), "latest")},
			want: []string{"2 It is no longer in shop/web"},
		},
		{
			name: "the repository was not read", image: local(latest, "1", at(9, 0), uri+"@"+sha("a")),
			forget: []lineage.Part{{Kind: lineage.RepositoryImages, Name: uri}}, never: []string{"shop/web", "no repository"},
		},
		{
			name: "no repository was read", image: local("api:latest", "1", at(9, 0)),
			forget: []lineage.Part{{Kind: lineage.Repositories}}, never: []string{"no repository"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := world()
			w.Images, w.Tasks, w.Local = c.images, c.tasks, slices.Concat(c.others, []docker.Image{c.image})
			for _, p := range c.forget {
				w = forget(w, p)
			}
			check(t, said(lineage.New(w, clock).OfLocal(c.image)), c.want, c.never)
		})
	}
}

// The same digest is found from each of its ends.
func TestPlacesFromEveryEnd(t *testing.T) {
	latest := uri + ":latest"
	w := world()
	image := local(latest, "1", at(9, 0), uri+"@"+sha("a"))
	other := local("web:dev", "1", at(9, 0), uri+"@"+sha("a"))
	w.Local = []docker.Image{image, other, local("db:1", "9", at(1, 0), "db@"+sha("9"))}
	w.Images = []aws.RepositoryImage{stored("a", at(9, 1), "latest", "v1"), stored("8", at(1, 0), "v0")}
	w.Tasks = []aws.Task{
		task("web", latest, sha("a"), at(10, 0)), task("web", latest, sha("a"), at(10, 1)),
		task("", uri+"@"+sha("a"), sha("a"), at(10, 2)), task("web", latest, sha("8"), at(1, 1)), stopped(task("", latest, sha("a"), at(2, 0))),
	}
	w.Tasks[2].TaskDefinition = "import:3"
	x := lineage.New(w, clock)
	for name, s := range map[string]lineage.Strand{
		"local": x.OfLocal(image), "repository": x.OfStored(w.Images[0]), "task": x.OfTask(w.Tasks[0])[0], "service": x.OfService(w.Services[0])[0],
	} {
		if len(s.Local) != 2 || len(s.Stored) != 1 || s.Stored[0].Digest != sha("a") {
			t.Errorf("%s: local %v, stored %v", name, s.Local, s.Stored)
		}
		if got, want := fmt.Sprint(s.Running), "[family import in shop ×1 web in shop ×2]"; got != want {
			t.Errorf("%s: running %s, want %s", name, got, want)
		}
		want := []lineage.DefinitionUse{{"import:3", uri + "@" + sha("a"), false}, {"web:7", latest, false}}
		if !slices.Equal(s.Definitions, want) {
			t.Errorf("%s: definitions %v", name, s.Definitions)
		}
		if got, want := fmt.Sprint(s.Services), "[{shop web web:7 1}]"; got != want {
			t.Errorf("%s: services %s", name, got)
		}
		if !slices.Equal(s.Wants, []string{uri}) {
			t.Errorf("%s: wants %v", name, s.Wants)
		}
	}
}

func TestWhatIsToldOfADefinition(t *testing.T) {
	w := world()
	w.Images = []aws.RepositoryImage{stored("a", at(9, 0), "latest")}
	x := lineage.New(w, clock)
	for image, want := range map[string]string{
		uri + ":latest":      "[{2 Named by tag: a task runs what latest is when it starts. }]",
		uri + ":gone":        "[{0 shop/web has no tag gone: no task can start from web:9. S on a service ships an image in a new revision}]",
		uri + "@" + sha("a"): "[{2 Named by digest: every task of this revision runs this image. }]",
		uri + "@" + sha("f"): "[{0 web:9 names an image by digest that is not in shop/web: no task can start from it. S on a service ships an image in a new revision}]",
		"nginx:1.27":         "[{2 Named by tag: a task runs what 1.27 is when it starts. }]",
	} {
		s := x.OfDefinition(aws.Definition{
			ARN: "arn:aws:ecs:us-east-1:000000000000:task-definition/web:9", Containers: []aws.DefinedContainer{{Name: "app", Image: image}},
		})
		if len(s) != 1 || s[0].Container != "app" || s[0].Reference != image || fmt.Sprint(s[0].Told) != want {
			t.Errorf("%s: %+v, want %s", image, s, want)
		}
	}
}

func TestRunningKnowsWhenItKnowsAll(t *testing.T) {
	w := world()
	if x := lineage.New(w, clock); !x.RunningKnown() || len(x.Running(sha("a"))) > 0 {
		t.Error("everything was read, and nothing runs")
	}
	w = forget(w, lineage.Part{Kind: lineage.Tasks, Name: "arn:cluster/batch"})
	if lineage.New(w, clock).RunningKnown() {
		t.Error("the tasks of one cluster were not read")
	}
	if x := lineage.New(w, clock); x.RunningComing() {
		t.Error("they could not be read: they will not come")
	}
	if x := lineage.New(lineage.World{}, clock); !x.RunningComing() {
		t.Error("nothing was read yet, and nothing has failed")
	}
	if gaps := w.Gaps(); len(gaps) != 1 || gaps[0].Part.Name != "arn:cluster/batch" || gaps[0].Err == nil {
		t.Errorf("gaps %v", gaps)
	}
}

func TestElsewhere(t *testing.T) {
	x := lineage.New(world(), clock)
	s := x.OfTask(task("web", "nginx:1.27", sha("e"), at(10, 0)))[0]
	if s.Elsewhere != "nginx" || len(s.Told) > 0 || len(s.Wants) > 0 {
		t.Errorf("elsewhere %q, told %v, wants %v", s.Elsewhere, s.Told, s.Wants)
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]lineage.Reference{
		"nginx":                     {"nginx", "latest", ""},
		"nginx:1.27":                {"nginx", "1.27", ""},
		"localhost:4566/web":        {"localhost:4566/web", "latest", ""},
		"localhost:4566/web:2":      {"localhost:4566/web", "2", ""},
		"a/b@sha256:12":             {"a/b", "", "sha256:12"},
		"a/b:3@sha256:12":           {"a/b", "3", "sha256:12"},
		"":                          {"", "latest", ""},
		"127.0.0.1:4566/shop/web":   {"127.0.0.1:4566/shop/web", "latest", ""},
		"[::1]:4566/web@sha256:12@": {"[::1]:4566/web", "", "sha256:12@"},
	} {
		if got := lineage.Parse(text); got != want {
			t.Errorf("Parse(%q) is %v", text, got)
		}
	}
}

func TestPath(t *testing.T) {
	for name, want := range map[string]string{
		"web": "web", "shop/web": "shop/web", "127.0.0.1:4566/shop/web": "shop/web", "ghcr.io/shop/web:1": "shop/web:1", "localhost/web": "localhost/web",
	} {
		if got := lineage.Path(name); got != want {
			t.Errorf("Path(%q) is %q, want %q", name, got, want)
		}
	}
}
