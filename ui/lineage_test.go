package ui_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gantry/aws"
	"gantry/docker"
	"gantry/internal/diagnose"
	"gantry/ui"
	"gantry/ui/uitest"
)

const webURI = "000000000000.dkr.ecr.us-east-1.amazonaws.com/web"

// sha is a digest that is told by its first letter.
func sha(letter string) string { return "sha256:" + strings.Repeat(letter, 64) }

// traced is the demo cloud with a repository, whose tag latest has moved since
// the tasks of web started.
type traced struct {
	*cloud
	mu     sync.Mutex
	images []aws.RepositoryImage
	deny   map[string]bool // by call
	reads  int             // of the repository
	defs   int
}

func newTraced() *traced {
	c := &traced{cloud: demoCloud(), deny: map[string]bool{}, images: []aws.RepositoryImage{
		{Scope: scope, Repository: "web", URI: webURI, Digest: sha("b"), Tags: []string{"latest"}, Pushed: then.Add(time.Hour), Size: 2e6},
		{Scope: scope, Repository: "web", URI: webURI, Digest: sha("a"), Tags: []string{"v1"}, Pushed: then.Add(-time.Hour), Size: 2e6},
	}}
	shop := c.tasks[arn("cluster", "shop")]
	for i := range shop {
		shop[i].Containers[0].Image, shop[i].Containers[0].Digest = webURI+":latest", sha("a")
	}
	return c
}

func denied(action string) error {
	return &diagnose.Error{
		What: "read", Cause: "no permission for " + action, Err: aws.ErrDenied,
		Do: `needs the policy statement {"Effect":"Allow","Action":"` + action + `","Resource":"*"}`,
	}
}

func (c *traced) may(action string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.deny[action] {
		return denied(action)
	}
	return nil
}

func (c *traced) Repositories(_ context.Context, page func([]aws.Repository)) error {
	if err := c.may("ecr:DescribeRepositories"); err != nil {
		return err
	}
	page([]aws.Repository{{Scope: scope, Name: "web", URI: webURI}, {Scope: scope, Name: "api", URI: strings.Replace(webURI, "/web", "/api", 1)}})
	return nil
}

func (c *traced) RepositoryImages(_ context.Context, r aws.Repository, page func([]aws.RepositoryImage)) error {
	if err := c.may("ecr:DescribeImages"); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Name == "web" {
		c.reads++
		page(slices.Clone(c.images))
	}
	return nil
}

func (c *traced) DescribeRepositoryImages(context.Context, aws.Repository, []string) ([]aws.RepositoryImage, error) {
	return nil, nil
}

func (c *traced) Definition(_ context.Context, ref string) (aws.Definition, error) {
	c.mu.Lock()
	c.defs++
	c.mu.Unlock()
	if err := c.may("ecs:DescribeTaskDefinition"); err != nil {
		return aws.Definition{}, err
	}
	family, _, _ := strings.Cut(ref, ":")
	image := "gantry/demo:1"
	if family == "web" {
		image = webURI + ":latest"
	}
	return aws.Definition{ARN: arn("task-definition", ref), Family: family, Revision: 7, Containers: []aws.DefinedContainer{{Name: "app", Image: image}}}, nil
}

// Tasks may be denied.
func (c *traced) Tasks(ctx context.Context, cluster, service string, page func([]aws.Task)) error {
	if err := c.may("ecs:ListTasks " + cluster); err != nil && service == "" {
		return denied("ecs:ListTasks")
	}
	return c.cloud.Tasks(ctx, cluster, service, page)
}

// count is how often the repository was read.
func (c *traced) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reads
}

// push moves the tag latest to another image.
func (c *traced) push(letter string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.images {
		c.images[i].Tags = slices.DeleteFunc(slices.Clone(c.images[i].Tags), func(t string) bool { return t == "latest" })
	}
	c.images = append(c.images, aws.RepositoryImage{Scope: scope, Repository: "web", URI: webURI, Digest: sha(letter), Tags: []string{"latest"}, Pushed: then.Add(2 * time.Hour)})
}

// builder is an engine that has built images.
type builder struct {
	*fakeEngine
	rows []docker.Image
}

func (e *builder) Images(context.Context, docker.ImageScope) ([]docker.Image, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.rows), nil
}

func (e *builder) ImageSizes(context.Context) (map[string]docker.ImageSize, error) { return nil, nil }

func (e *builder) History(context.Context, string) ([]docker.Layer, error) { return nil, nil }

func newBuilder() *builder {
	image := func(name string, n int, created time.Time, digests ...string) docker.Image {
		i := fakeImage(name, n)
		i.Repository, i.Tag = name[:strings.LastIndexByte(name, ':')], name[strings.LastIndexByte(name, ':')+1:]
		i.Created, i.Digests = created, digests
		return i
	}
	return &builder{fakeEngine: newFakeEngine(), rows: []docker.Image{
		image("web:latest", 3, then.Add(3*time.Hour)),
		image(webURI+":v1", 1, then.Add(-2*time.Hour), webURI+"@"+sha("a")),
	}}
}

// tasksOfWeb shows the tasks of web, the first one selected.
func tasksOfWeb(t *testing.T, c ui.Cloud, e ui.Engine, w, h int) *uitest.Screen {
	t.Helper()
	t.Setenv("TZ", "UTC")
	f := ui.New(ui.Options{AWS: c, Docker: e, Cluster: "shop", Service: "web", Sandbox: "in memory"})
	t.Cleanup(f.Close)
	s := uitest.Run(t, f, w, h)
	s.Wait("Tasks 3 of web")
	return s
}

func TestLineageScreens(t *testing.T) {
	for _, size := range sizes {
		t.Run("task "+sizeName(size.w, size.h), func(t *testing.T) {
			s := tasksOfWeb(t, newTraced(), newBuilder(), size.w, size.h)
			s.Type("]]]")
			s.Wait("redeploys it")
			s.Settle()
			s.Shot("lineage-task-" + sizeName(size.w, size.h))
			s.Golden()
		})
		t.Run("service "+sizeName(size.w, size.h), func(t *testing.T) {
			s := tasksOfWeb(t, newTraced(), newBuilder(), size.w, size.h)
			s.Type("5]]")
			s.Wait("its 2 tasks")
			s.Settle()
			s.Shot("lineage-service-" + sizeName(size.w, size.h))
			s.Golden()
		})
		t.Run("image "+sizeName(size.w, size.h), func(t *testing.T) {
			s := tasksOfWeb(t, newTraced(), newBuilder(), size.w, size.h)
			s.Type("1G]]")
			s.Wait("S ships it to web")
			s.Settle()
			s.Shot("lineage-image-" + sizeName(size.w, size.h))
			s.Golden()
		})
		t.Run("definition "+sizeName(size.w, size.h), func(t *testing.T) {
			s := tasksOfWeb(t, newTraced(), newBuilder(), size.w, size.h)
			s.Type("]]]]")
			s.Wait("Named by tag")
			s.Settle()
			s.Shot("definition-" + sizeName(size.w, size.h))
			s.Golden()
		})
		t.Run("denied "+sizeName(size.w, size.h), func(t *testing.T) {
			c := newTraced()
			c.deny["ecr:DescribeImages"], c.deny["ecs:ListTasks "+arn("cluster", "batch")], c.deny["ecs:DescribeTaskDefinition"] = true, true, true
			s := tasksOfWeb(t, c, newBuilder(), size.w, size.h)
			s.Type("]]]")
			s.Wait("Not all could be read")
			s.Settle()
			s.Golden()
		})
	}
}

// Nothing is asked before a Lineage tab is looked at; then once, for whatever
// row is looked at next; and again when the user says so or has acted.
func TestLineageIsReadOnDemand(t *testing.T) {
	c := newTraced()
	s := tasksOfWeb(t, c, newBuilder(), 120, 40)
	s.Settle()
	if n := c.count(); n > 0 {
		t.Fatalf("the repository was read %d times before anybody looked", n)
	}
	lists := c.taskLists()
	s.Type("]]]")
	s.Wait("bbbbbbbbbbbb now")
	s.Type("j")
	s.Wait("▸ web/0111")
	s.Type("5]]")
	s.Wait("its 2 tasks")
	s.Settle()
	if n, more := c.count(), c.taskLists()-lists; n != 1 || more != 2 {
		t.Errorf("the repository was read %d times and tasks listed %d times, want 1 and 2 (one a cluster)", n, more)
	}
	c.push("c")
	s.Type("0\x12")
	s.Wait("cccccccccccc now")
	c.push("d")
	s.Type("5")
	s.Type("s4\r")
	s.Wait("dddddddddddd now")
}

// What cannot be read is told by part, and nothing is claimed of it.
func TestLineageClaimsNothingOfWhatIsNotRead(t *testing.T) {
	c := newTraced()
	c.deny["ecr:DescribeRepositories"] = true
	s := tasksOfWeb(t, c, newBuilder(), 120, 40)
	s.Type("]]]")
	s.Wait("not read: the list of repositories. no permission for")
	s.Settle()
	for _, claim := range []string{"moved", "no longer", "newer", "no repository of this account"} {
		s.Gone(claim)
	}
	s.Wait("web in shop ×2") // what was read still shows
}

// The revision is read when its tab is looked at, and again once that failed and
// the user says so.
func TestDefinitionIsReadOnDemand(t *testing.T) {
	c := newTraced()
	c.deny["ecs:DescribeTaskDefinition"] = true
	s := tasksOfWeb(t, c, newBuilder(), 120, 40)
	s.Settle()
	if c.defs > 0 {
		t.Error("it was read before anybody looked")
	}
	s.Type("]]]]")
	s.Wait("ecs:DescribeTaskDefinition")
	c.mu.Lock()
	delete(c.deny, "ecs:DescribeTaskDefinition")
	c.mu.Unlock()
	s.Type("0\x12")
	s.Wait("definition  web:7")
	s.Wait("a task runs what latest is when it starts")
	s.Wait("bbbbbbbbbbbb") // what the tag is now
	s.Type("5]]]")
	s.Wait("Services")
	s.Wait("a task runs what latest is when it starts")
	s.Gone("its 2 tasks")
}

// A cloud that knows no repositories yet still tells of what runs.
func TestLineageWithoutEngine(t *testing.T) {
	s := tasksOfWeb(t, newTraced(), nil, 120, 40)
	s.Type("]]]")
	s.Wait("latest has moved since this task started")
	s.Settle()
	s.Gone("not on this engine")
	s.Gone("not read")
}

// Another profile forgets what the first one knew.
func TestLineageFollowsTheProfile(t *testing.T) {
	first, second := newTraced(), newTraced()
	second.push("e")
	f := ui.New(ui.Options{AWS: first, Cluster: "shop", Connect: func(string, string) ui.Cloud { return second }})
	t.Cleanup(f.Close)
	s := uitest.Run(t, f, 120, 40)
	s.Wait("checkout")
	s.Type("G")
	s.Wait("▸ worker")
	s.Type("k]]")
	s.Wait("bbbbbbbbbbbb now")
	s.Type("\x10\r\r")
	s.Wait("import/0444")
	s.Type("4G\r")
	s.Wait("checkout")
	s.Type("Gk")
	s.Wait("eeeeeeeeeeee now")
	s.Gone(fmt.Sprintf("%.12s", strings.Repeat("b", 12)))
}

// A rollout is followed: what the service's new tasks run shows without reading
// the rest again.
func TestLineageFollowsARollout(t *testing.T) {
	c := newTraced()
	s := tasksOfWeb(t, c, newBuilder(), 120, 40)
	s.Type("5]]")
	s.Wait("its 2 tasks run aaaaaaaaaaaa")
	s.Settle()
	reads := c.count()
	c.cloud.mu.Lock()
	shop := slices.Clone(c.tasks[arn("cluster", "shop")])
	for i := range shop {
		shop[i].Containers = []aws.Container{{Name: "app", Image: webURI + ":latest", Digest: sha("b"), LastStatus: "RUNNING"}}
	}
	c.tasks[arn("cluster", "shop")] = shop
	services := slices.Clone(c.services[arn("cluster", "shop")])
	services[0].Pending = 1
	c.services[arn("cluster", "shop")] = services
	c.cloud.mu.Unlock()
	s.Type("\x12")
	s.Wait("latest is still the image that its 2 tasks run")
	if n := c.count() - reads; n > 0 {
		t.Errorf("the repository was read %d times more", n)
	}
}

// What another tool pushes shows as well: the engine tells of it, and then the
// repository is asked again, once.
func TestLineageSeesAPushByAnotherTool(t *testing.T) {
	c, e := newTraced(), newBuilder()
	s := tasksOfWeb(t, c, e, 120, 40)
	s.Type("]]]")
	s.Wait("bbbbbbbbbbbb now")
	s.Settle()
	reads := c.count()
	c.push("c")
	e.mu.Lock()
	e.rows[0].Digests = []string{webURI + "@" + sha("c"), webURI + "@" + sha("f")} // one is not in the repository
	e.mu.Unlock()
	e.say(docker.Event{Kind: docker.ImageEvent, Action: "push"})
	s.Wait("cccccccccccc now")
	s.Wait("local web:latest.")
	e.say(docker.Event{Kind: docker.ImageEvent, Action: "tag"})
	s.Settle()
	if n := c.count() - reads; n != 1 {
		t.Errorf("the repository was read %d times more, want once", n)
	}
}
