package lineage

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gantry/aws"
	"gantry/docker"
)

// word says who runs it, for a service of so many tasks.
func (r *runner) word(all int) {
	r.runs = "run"
	if r.count == 1 {
		r.runs = "runs"
	}
	switch {
	case r.count < all:
		r.who = fmt.Sprintf("%d of its %d tasks", r.count, all)
	case all == 1:
		r.who = "its task"
	default:
		r.who = fmt.Sprintf("its %d tasks", all)
	}
}

// redeploy is how the new image comes to run.
func (r *runner) redeploy() string {
	switch {
	case r.stopped:
		return ""
	case r.moving:
		return "a deployment is under way: wait for its end, then r redeploys what is left"
	case r.mine:
		return "r redeploys it with the new image"
	case r.service != "":
		return "r on service " + r.service + " redeploys it with the new image"
	}
	return "run the task again to use it"
}

// ship is how an image comes to run at all.
func (r *runner) ship() string {
	switch {
	case r.mine:
		return "S ships an image to it"
	case r.service != "":
		return "S on service " + r.service + " ships an image to it"
	}
	return "p on a local image pushes it with that tag"
}

// tellRunner is what there is to say about what runs.
func (x *Index) tellRunner(r runner) []Finding {
	if r.digest == "" {
		return []Finding{{Level: Note, Text: "ECS has named no digest for " + r.who + ": which image it " + r.runs + " is not known."}}
	}
	var told []Finding
	if gone := x.tellGone(r); gone != nil {
		told = append(told, *gone)
	}
	if r.ref.Digest != "" {
		told = append(told, Finding{Note, "The definition names the image by digest: it changes with a new revision only.", ""})
	} else {
		told = append(told, x.tellTag(r)...)
	}
	return append(told, x.tellNewer(r)...)
}

// tellGone tells that what runs is not in its repository any more.
func (x *Index) tellGone(r runner) *Finding {
	uri := r.ref.Repository
	if !x.repositoryRead(uri) || x.storedIn(uri, r.digest) != nil {
		return nil
	}
	for _, d := range x.relatives(r.digest) {
		if x.storedIn(uri, d) != nil {
			return nil
		}
	}
	f := Finding{Trouble, fmt.Sprintf("The image that %s %s is no longer in %s: it was deleted, or a lifecycle policy took it.", r.who, r.runs, x.repositoryName(uri)), ""}
	if !r.stopped {
		f.Text += " What runs goes on, but the next task cannot pull it."
		f.Do = r.ship() + "; then look at the repository's lifecycle policy"
	}
	return &f
}

// tellTag compares what runs with what its tag is now.
func (x *Index) tellTag(r runner) []Finding {
	uri, tag := r.ref.Repository, r.ref.Tag
	if !x.repositoryRead(uri) {
		return nil
	}
	now := x.tagged(r.ref)
	switch {
	case now == nil && r.stopped:
		return []Finding{{Level: Note, Text: fmt.Sprintf("%s has no tag %s any more.", x.repositoryName(uri), tag)}}
	case now == nil:
		return []Finding{{
			Trouble, fmt.Sprintf("%s has no tag %s any more: a new deployment, or a task run by hand, cannot pull it.", x.repositoryName(uri), tag), r.ship(),
		}}
	case x.same(now.Digest, r.digest):
		return []Finding{{Level: Good, Text: fmt.Sprintf("%s is still the image that %s %s.", tag, r.who, r.runs)}}
	case x.unsure(now):
		return []Finding{{Level: Note, Text: fmt.Sprintf("%s joins images of several platforms; whether what runs is one of them was not read.", tag)}}
	}
	return append([]Finding{x.tellMoved(r, now)}, x.tellUntagged(r)...)
}

// unsure reports whether the image joins others that are not known.
func (x *Index) unsure(r *aws.RepositoryImage) bool {
	return Joins(r.MediaType) && len(r.Manifests) == 0
}

// Joins tells an index of several platforms by its media type (OCI image
// specification, Docker registry schema 2).
func Joins(mediaType string) bool {
	return strings.Contains(mediaType, "image.index") || strings.Contains(mediaType, "manifest.list")
}

func (x *Index) tellMoved(r runner, now *aws.RepositoryImage) Finding {
	f := Finding{Level: Behind, Do: r.redeploy()}
	switch {
	case now.Pushed.After(r.last):
		f.Text = fmt.Sprintf("%s has moved since %s started: it is %s now, pushed %s; %s %s %s.",
			r.ref.Tag, r.who, Short(now.Digest), x.clock(now.Pushed), r.who, r.runs, Short(r.digest))
	case r.service != "":
		f.Text = fmt.Sprintf("%s is another image than %s %s: %s, pushed %s, not %s. ECS starts every task of a deployment from what the tag was when it began.",
			r.ref.Tag, r.who, r.runs, Short(now.Digest), x.clock(now.Pushed), Short(r.digest))
	default:
		f.Text = fmt.Sprintf("%s is another image than %s %s: %s, pushed %s, not %s.",
			r.ref.Tag, r.who, r.runs, Short(now.Digest), x.clock(now.Pushed), Short(r.digest))
	}
	if names := x.localNames(now.Digest); names != "" {
		f.Text += " It is your local " + names + "."
	}
	return f
}

// tellUntagged warns of what policies for untagged images do.
func (x *Index) tellUntagged(r runner) []Finding {
	stored := x.storedIn(r.ref.Repository, r.digest)
	if r.stopped || stored == nil || len(stored.Tags) > 0 || len(x.kin[r.digest]) > 0 {
		return nil
	}
	return []Finding{{Level: Note, Text: "What runs has no tag left in the repository: a lifecycle policy for untagged images would take it."}}
}

// tellNewer tells of a local image that is younger than what runs.
func (x *Index) tellNewer(r runner) []Finding {
	if r.stopped || !x.world.Read(Part{Kind: LocalImages}) || r.ref.Digest != "" {
		return nil
	}
	since := x.age(r.ref.Repository, r.digest, r.first)
	for _, name := range x.localFor(r.ref) {
		local := &x.world.Local[x.named[name]]
		if x.isLocal(local, r.digest) || !local.Created.After(since) || x.isTag(local, r.ref) {
			continue
		}
		do := "p on the image pushes it"
		if r.service != "" {
			do = "S on the image ships it to " + r.service
		}
		return []Finding{{Behind, fmt.Sprintf("Your local %s (built %s) is newer than what %s.", name, x.clock(local.Created), r.who+" "+r.runs), do}}
	}
	return nil
}

// age is the time that a build must be younger than to count as newer than an
// image: its own build, else when it was pushed, else when it was started.
func (x *Index) age(uri, digest string, started time.Time) time.Time {
	for _, d := range x.relatives(digest) {
		for _, i := range x.local[d] {
			return x.world.Local[i].Created
		}
	}
	if stored := x.storedIn(uri, digest); stored != nil {
		return stored.Pushed
	}
	return started
}

// localFor are the local names that stand for what a reference names: its own,
// the repository's name and the last part of that.
func (x *Index) localFor(ref Reference) []string {
	candidates := []string{ref.Name()}
	if i, ok := x.uris[ref.Repository]; ok {
		name := x.world.Repositories[i].Name
		candidates = append(candidates, name+":"+ref.Tag, Base(name)+":"+ref.Tag)
	}
	var names []string
	for _, name := range candidates {
		if _, ok := x.named[name]; ok && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// isLocal tells whether a local image is this digest.
func (x *Index) isLocal(local *docker.Image, digest string) bool {
	return slices.ContainsFunc(local.Digests, func(d string) bool { return x.same(digestOf(d), digest) })
}

// isTag tells whether a local image is what the tag is now.
func (x *Index) isTag(local *docker.Image, ref Reference) bool {
	now := x.tagged(ref)
	return now != nil && x.isLocal(local, now.Digest)
}

// localNames are the names of a digest's local image.
func (x *Index) localNames(digest string) string {
	var names []string
	for _, d := range x.relatives(digest) {
		for _, i := range x.local[d] {
			names = append(names, x.world.Local[i].Reference())
		}
	}
	if len(names) == 0 {
		return ""
	}
	return slices.MinFunc(names, func(a, b string) int { return len(a) - len(b) })
}

func (x *Index) repositoryName(uri string) string {
	if i, ok := x.uris[uri]; ok {
		return x.world.Repositories[i].Name
	}
	return uri
}

// tellMixed tells that the tasks of a service do not run the same image.
func tellMixed(strands []Strand, s aws.Service) {
	for i := 1; i < len(strands); i++ {
		if strands[i].Container != strands[i-1].Container || strands[i].Digest == "" || strands[i-1].Digest == "" {
			continue
		}
		text := fmt.Sprintf("The tasks of %s do not all run the same image as %s.", s.Name, strands[i].Container)
		if s.Moving() {
			text += " A deployment is under way."
		}
		strands[i-1].tell(Finding{Level: Note, Text: text})
	}
}

// tellWanted tells whether what a service's definition names is there to be
// pulled. No task of it runs that container.
func (x *Index) tellWanted(ref Reference, s aws.Service) []Finding {
	if !x.repositoryRead(ref.Repository) {
		return nil
	}
	if absent := x.tellAbsent(ref, s.TaskDefinition); absent != nil {
		absent.Do = "S ships an image to this service"
		return []Finding{*absent}
	}
	return []Finding{{Level: Note, Text: "No task of this service runs this container now."}}
}

// tellNamed tells what a revision means by an image.
func (x *Index) tellNamed(ref Reference, definition string) []Finding {
	if x.repositoryRead(ref.Repository) {
		if absent := x.tellAbsent(ref, definition); absent != nil {
			absent.Do = "S on a service ships an image in a new revision"
			return []Finding{*absent}
		}
	}
	if ref.Digest != "" {
		return []Finding{{Level: Note, Text: "Named by digest: every task of this revision runs this image."}}
	}
	return []Finding{{Level: Note, Text: fmt.Sprintf("Named by tag: a task runs what %s is when it starts.", ref.Tag)}}
}

// tellAbsent tells that what a revision names is not in its repository, which
// was read.
func (x *Index) tellAbsent(ref Reference, definition string) *Finding {
	name := x.repositoryName(ref.Repository)
	switch {
	case ref.Digest != "" && x.storedIn(ref.Repository, ref.Digest) == nil:
		return &Finding{Level: Trouble, Text: fmt.Sprintf("%s names an image by digest that is not in %s: no task can start from it.", definition, name)}
	case ref.Digest == "" && x.tagged(ref) == nil:
		return &Finding{Level: Trouble, Text: fmt.Sprintf("%s has no tag %s: no task can start from %s.", name, ref.Tag, definition)}
	}
	return nil
}
