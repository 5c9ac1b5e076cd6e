package lineage

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gantry/aws"
	"gantry/docker"
)

// tellStored is what there is to say about an image in a repository.
func (x *Index) tellStored(r aws.RepositoryImage) []Finding {
	if r.Failure != "" {
		return nil
	}
	var told []Finding
	at := x.places(r.Digest)
	for _, tag := range r.Tags {
		told = append(told, x.tellStragglers(r, tag)...)
	}
	told = append(told, x.tellOverwritten(r, at)...)
	if len(r.Tags) == 0 && len(at) > 0 && len(x.kin[r.Digest]) == 0 {
		told = append(told, Finding{Trouble, "It has no tag while tasks run it: a lifecycle policy for untagged images would take it from under them.", "p pulls it; then push it with a tag"})
	}
	told = append(told, x.tellNewerThanStored(r)...)
	if len(at) == 0 && x.world.tasksWhole() {
		told = append(told, Finding{Level: Note, Text: "No task runs this image."})
	}
	return told
}

// tellStragglers tells who asked for a tag of this image and runs what it was
// before.
func (x *Index) tellStragglers(r aws.RepositoryImage, tag string) []Finding {
	var others []place
	for _, p := range x.asks[r.URI+":"+tag] {
		c := &x.world.Tasks[p.row].Containers[p.container]
		if c.Digest != "" && !x.same(c.Digest, r.Digest) && !x.unsure(&r) {
			others = append(others, p)
		}
	}
	if len(others) == 0 {
		return nil
	}
	uses := x.uses(others)
	return []Finding{{
		Behind, fmt.Sprintf("%s is this image now, but what it was before still runs: %s.", tag, list(uses)), redeployAll(uses),
	}}
}

// tellOverwritten tells of tags that this image had when its tasks started.
func (x *Index) tellOverwritten(r aws.RepositoryImage, at []place) []Finding {
	if !x.repositoryRead(r.URI) {
		return nil
	}
	byTag := map[string][]place{}
	for _, p := range at {
		ref := Parse(x.world.Tasks[p.row].Containers[p.container].Image)
		if ref.Repository != r.URI || ref.Digest != "" {
			continue
		}
		now := x.tagged(ref)
		if now == nil || !x.same(now.Digest, r.Digest) && !x.unsure(now) {
			byTag[ref.Tag] = append(byTag[ref.Tag], p)
		}
	}
	var told []Finding
	for _, tag := range slices.Sorted(maps.Keys(byTag)) {
		uses := x.uses(byTag[tag])
		now := x.tagged(Reference{Repository: r.URI, Tag: tag})
		if now == nil {
			told = append(told, Finding{Trouble, fmt.Sprintf("%s asked for it as %s, and that tag is gone: the next deployment cannot pull it.", list(uses), tag), "p pulls it; then push it with that tag"})
			continue
		}
		told = append(told, Finding{
			Behind, fmt.Sprintf("The tag %s was overwritten: it is %s now, pushed %s. This image still runs: %s.", tag, Short(now.Digest), x.clock(now.Pushed), list(uses)), redeployAll(uses),
		})
	}
	return told
}

func (x *Index) tellNewerThanStored(r aws.RepositoryImage) []Finding {
	if !x.world.Read(Part{Kind: LocalImages}) {
		return nil
	}
	since := x.age(r.URI, r.Digest, r.Pushed)
	for _, tag := range r.Tags {
		for _, name := range x.localFor(Reference{Repository: r.URI, Tag: tag}) {
			local := &x.world.Local[x.named[name]]
			if !x.isLocal(local, r.Digest) && local.Created.After(since) {
				return []Finding{{
					Behind, fmt.Sprintf("Your local %s (built %s) is newer than this image.", name, x.clock(local.Created)), "p on the local image pushes it, S ships it",
				}}
			}
		}
	}
	return nil
}

// tellLocal is what there is to say about a local image.
func (x *Index) tellLocal(r docker.Image) []Finding {
	var told []Finding
	rows := x.namesOf(r)
	for i := range rows {
		for _, ref := range x.namesIn(rows[i]) {
			told = append(told, x.tellLocalTag(&r, ref)...)
			told = append(told, x.tellBehindLocal(&r, ref)...)
		}
	}
	for _, d := range r.Digests {
		told = append(told, x.tellLocalGone(Parse(d))...)
	}
	if len(r.Digests) == 0 && len(told) == 0 && x.world.Read(Part{Kind: Repositories}) {
		told = append(told, Finding{Note, "This image is in no repository yet.", "p pushes it, S ships it to a service"})
	}
	return slices.CompactFunc(told, func(a, b Finding) bool { return a == b })
}

// homes are the URIs of repositories that an image would be pushed to: the one
// in its name, or those that are called as it is.
func (x *Index) homes(r docker.Image) []string {
	var uris []string
	for _, ref := range x.namesIn(r) {
		uris = append(uris, ref.Repository)
	}
	return uris
}

// namesIn are what the image is, or would be, called in the repositories of
// this account.
func (x *Index) namesIn(r docker.Image) []Reference {
	if r.Repository == "" || r.Tag == "" {
		return nil
	}
	if _, ours := x.uris[r.Repository]; ours {
		return []Reference{{Repository: r.Repository, Tag: r.Tag}}
	}
	var refs []Reference
	for i := range x.world.Repositories {
		if p := &x.world.Repositories[i]; p.Name == r.Repository || Base(p.Name) == r.Repository {
			refs = append(refs, Reference{Repository: p.URI, Tag: r.Tag})
		}
	}
	return refs
}

// tellLocalTag compares a local image with the tag of its name.
func (x *Index) tellLocalTag(r *docker.Image, ref Reference) []Finding {
	if !x.repositoryRead(ref.Repository) {
		return nil
	}
	name := x.repositoryName(ref.Repository) + ":" + ref.Tag
	now := x.tagged(ref)
	switch {
	case now == nil:
		return []Finding{{Note, fmt.Sprintf("The repository has no %s.", name), "p pushes it, S ships it to a service"}}
	case x.isLocal(r, now.Digest):
		return []Finding{{Level: Good, Text: name + " in the repository is this image."}}
	case x.unsure(now):
		return []Finding{{Level: Note, Text: name + " in the repository joins images of several platforms; whether this is one of them was not read."}}
	case x.wasIn(r, ref.Repository) && !r.Created.After(now.Pushed):
		return []Finding{{
			Behind, fmt.Sprintf("This tag was overwritten: %s in the repository is %s now, pushed %s.", name, Short(now.Digest), x.clock(now.Pushed)),
			"p on the repository's image pulls it",
		}}
	case r.Created.After(now.Pushed):
		return []Finding{{
			Behind, fmt.Sprintf("This build is newer than %s in the repository, pushed %s.", name, x.clock(now.Pushed)), "p pushes it, S ships it to a service",
		}}
	}
	return []Finding{{Level: Note, Text: fmt.Sprintf("%s in the repository is another image, pushed %s, after this one was built.", name, x.clock(now.Pushed))}}
}

// wasIn tells whether the image was pushed to the repository or pulled from it.
func (x *Index) wasIn(r *docker.Image, uri string) bool {
	return slices.ContainsFunc(r.Digests, func(d string) bool { return Parse(d).Repository == uri })
}

// tellBehindLocal tells who runs something older under this name.
func (x *Index) tellBehindLocal(r *docker.Image, ref Reference) []Finding {
	var older []place
	for _, p := range x.asks[ref.Name()] {
		t := &x.world.Tasks[p.row]
		d := t.Containers[p.container].Digest
		started := t.Started
		if d == "" || x.isLocal(r, d) || started.IsZero() || !r.Created.After(x.age(ref.Repository, d, started)) {
			continue
		}
		older = append(older, p)
	}
	if len(older) == 0 {
		return nil
	}
	uses := x.uses(older)
	do := "S ships it"
	if len(uses) == 1 && uses[0].Service != "" {
		do = "S ships it to " + uses[0].Service
	}
	return []Finding{{Behind, "Your local build is newer than what runs: " + list(uses) + ".", do}}
}

// tellLocalGone tells that a repository has lost what the engine still has.
func (x *Index) tellLocalGone(ref Reference) []Finding {
	uri := ref.Repository
	if !x.repositoryRead(uri) || x.storedIn(uri, ref.Digest) != nil {
		return nil
	}
	name := x.repositoryName(uri)
	if uses := x.Running(ref.Digest); len(uses) > 0 {
		return []Finding{{
			Trouble, fmt.Sprintf("The image is no longer in %s, and tasks run it: %s. The next one cannot pull it.", name, list(uses)), "p pushes it again",
		}}
	}
	return []Finding{{Note, fmt.Sprintf("It is no longer in %s: it was deleted, or a lifecycle policy took it.", name), "p pushes it again"}}
}

// list names the first few.
func list(uses []Use) string {
	const most = 4
	var names []string
	for _, u := range uses[:min(len(uses), most)] {
		names = append(names, u.String())
	}
	if more := len(uses) - most; more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

// redeployAll is how they come to the new image.
func redeployAll(uses []Use) string {
	var services []string
	for _, u := range uses {
		if u.Service == "" {
			return "r on a service redeploys it; a task by itself must be run again"
		}
		services = append(services, u.Service)
	}
	if len(services) == 1 {
		return "r on service " + services[0] + " redeploys it with the new image"
	}
	return "r on each service redeploys it with the new image"
}
