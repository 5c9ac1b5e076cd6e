package ui_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gantry/aws"
	"gantry/docker"
	"gantry/internal/diagnose"
	"gantry/ui"
	"gantry/ui/pane"
	"gantry/ui/uitest"
)

// shipLocal ships web:2 to shop/web, up to the plan.
func shipLocal(t *testing.T, y *shipyard, w, h int) *uitest.Screen {
	t.Helper()
	s := showShip(t, y, &ui.ShipTest{Image: "web:2"}, ui.ReadWrite, w, h)
	s.Type("S")
	s.Wait("to which service?")
	s.Type("\r")
	s.Wait("Nothing is done yet. ⏎")
	return s
}

func TestShipScreens(t *testing.T) {
	for _, screen := range []struct {
		name string
		yard func(*shipyard)
		keys string
		wait string
	}{
		{"plan", func(y *shipyard) { y.service.CircuitBreaker, y.missing = false, true }, "", "circuit breaker:"},
		{"running", func(y *shipyard) { y.rollout = []func(*aws.Service){rolling(1)} }, "\r", "moving: 1 of 3"},
		{"pushing", func(y *shipyard) { y.waits["Push"] = true }, "\r", "3.0 MB of 12.0 MB"},
		{"done", func(*shipyard) {}, "\r", "✓ web:2 → shop/web"},
		{"rolled back", func(y *shipyard) {
			y.tasks = []aws.Task{stoppedTask(1), stoppedTask(2)}
			y.rollout = []func(*aws.Service){failing(2), rollingBack, back}
		}, "\r", "rolled back after"},
	} {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s %dx%d", screen.name, size.w, size.h), func(t *testing.T) {
				y := newShipyard()
				screen.yard(y)
				s := shipLocal(t, y, size.w, size.h)
				s.Type(screen.keys)
				s.Wait(screen.wait)
				s.Settle()
				s.Golden()
			})
		}
	}
}

func TestShipWholeWay(t *testing.T) {
	y := newShipyard()
	y.missing = true
	s := showShip(t, y, &ui.ShipTest{Build: &docker.BuildOptions{Dir: "/src/shop", Tags: []string{"web:2"}}, Changes: "2 untracked files"}, ui.ReadWrite, 120, 40)
	s.Type("S")
	s.Wait("to which service?")
	s.Type("\r")
	s.Wait("a repository that is created first")
	s.Wait("▲ 2 untracked files of /src/shop")
	s.Wait("3 tasks are replaced, at least 3 stay up, at most 6 at once")
	if did := y.did(); did != "" {
		t.Fatalf("before it was confirmed: %s", did)
	}
	s.Type("y")
	s.Wait("✓ shop/web runs web:8")
	want := strings.Join([]string{
		"Build web:2", "CreateRepository web", "Tag web:2 " + shipHost + "/web:2", "Push " + shipHost + "/web:2",
		"RegisterRevision web:7 map[web:" + shipHost + "/web@" + shipDigest + "]", "Deploy web " + arn("task-definition", "web:8"),
	}, "\n")
	if did := y.did(); did != want {
		t.Errorf("did\n%s\nwant\n%s", did, want)
	}
	s.Wait("web:2 was built; repository web was created; web:2 was pushed;")
}

// Each stage fails once, says what was done until then, and goes on from there.
func TestShipStagesFailAndGoOn(t *testing.T) {
	for _, c := range []struct {
		call  string
		err   error
		story string
		shows string
	}{
		{"Build", errors.New("no space"), "the service was not updated", "✗ build"},
		{"CreateRepository", denied("ecr:CreateRepository"), "web:2 was built; the service was not updated", "no permission for ecr:CreateRepository"},
		{"Tag", errors.New("the engine went away\x1b[31m"), "repository web was created; the service was", "the engine went away"},
		{"RegistryLogin", denied("ecr:GetAuthorizationToken"), "repository web was created; the service was", "✗ push"},
		{"Push", &diagnose.Error{What: "push", Cause: "the registry refuses it", Err: docker.ErrUnauthorized}, "repository web was created; the service was", "the registry refuses it"},
		{"RegisterRevision", denied("ecs:RegisterTaskDefinition"), "web:2 was pushed;", "✗ revision"},
		{"Deploy", denied("ecs:UpdateService"), "revision web:8 was registered; the service was", "✗ service"},
	} {
		t.Run(c.call, func(t *testing.T) {
			y := newShipyard()
			y.missing, y.fails[c.call] = true, c.err
			s := showShip(t, y, &ui.ShipTest{Build: &docker.BuildOptions{Dir: "/src/shop", Tags: []string{"web:2"}}}, ui.ReadWrite, 120, 40)
			s.Type("S")
			s.Wait("to which service?")
			s.Type("\r")
			s.Wait("Nothing is done yet. ⏎")
			s.Type("\r")
			s.Wait("stopped after")
			s.Wait(c.shows)
			s.Wait(c.story)
			before := strings.Count(y.did(), "\n")
			y.set(func(y *shipyard) { delete(y.fails, c.call) })
			s.Type("r")
			s.Wait("✓ shop/web runs web:8")
			if all := strings.Split(y.did(), "\n"); len(all)-before > 8 || strings.Count(y.did(), "Deploy") > 2 {
				t.Errorf("it began anew: %s", y.did())
			}
		})
	}
}

// Each stage is canceled, says what was done until then, and goes on.
func TestShipStagesAreCanceled(t *testing.T) {
	for _, c := range []struct{ call, story, sign string }{
		{"Build", "the service was not updated", "– build"},
		{"CreateRepository", "web:2 was built; the service was not updated", "– repository"},
		{"Push", "repository web was created; the service was", "– push"},
		{"RegisterRevision", "web:2 was pushed;", "– revision"},
		{"Deploy", "whether ECS took the", "– service"},
	} {
		t.Run(c.call, func(t *testing.T) {
			y := newShipyard()
			y.missing, y.waits[c.call] = true, true
			s := showShip(t, y, &ui.ShipTest{Build: &docker.BuildOptions{Dir: "/src/shop", Tags: []string{"web:2"}}}, ui.ReadWrite, 120, 40)
			s.Type("S")
			s.Wait("to which service?")
			s.Type("\r")
			s.Wait("Nothing is done yet. ⏎")
			s.Type("\r")
			s.Until(func(string) bool { return strings.Contains(y.did(), c.call) }, "never came to "+c.call)
			s.Type("xy")
			s.Wait("canceled after")
			s.Wait(c.sign)
			s.Wait(c.story)
			y.set(func(y *shipyard) { delete(y.waits, c.call) })
			s.Type("r")
			s.Wait("✓ shop/web runs web:8")
		})
	}
}

// Who stops watching stops nothing else, and may still roll back.
func TestShipIsNotWatchedAnyMore(t *testing.T) {
	y := newShipyard()
	y.rollout = []func(*aws.Service){failing(4)}
	y.tasks = []aws.Task{stoppedTask(1)}
	s := shipLocal(t, y, 120, 40)
	s.Type("\r")
	s.Wait("failing: 4 tasks failed")
	s.Wait("no such command")
	s.Type("x")
	s.Wait("ECS goes on with it")
	s.Gone("Cancel")
	s.Type("r")
	s.Wait("● shipping")
	s.Wait("failing: 4 tasks failed")
	s.Type("B")
	s.Wait("Roll shop/web back to web:7?")
	s.Wait("web:8 runs")
	s.Wait("@sha256:2222")
	s.Wait("@sha256:1111")
	s.Type("n")
	s.Gone("Roll shop/web")
	s.Type("By")
	s.Wait("✓ shop/web runs web:7")
	s.Wait("✓ roll back")
	s.Wait("web:8 → web:7")
	s.Wait("– rollout")
	if did := y.did(); !strings.HasSuffix(did, "Deploy web "+arn("task-definition", "web:7")) {
		t.Error(did)
	}
}

// Another one's deployment is not taken for a success.
func TestShipIsOvertaken(t *testing.T) {
	y := newShipyard()
	y.rollout = []func(*aws.Service){rolling(1), func(s *aws.Service) {
		s.TaskDefinition, s.Deployments[0].TaskDefinition = "web:9", "web:9"
	}}
	s := shipLocal(t, y, 120, 40)
	s.Type("\r")
	s.Wait("somebody deployed web:9 meanwhile")
	s.Wait("✗ rollout")
}

// What somebody deployed between the plan and the revision is not undone.
func TestShipUndoesNothing(t *testing.T) {
	y := newShipyard()
	s := shipLocal(t, y, 120, 40)
	y.set(func(y *shipyard) {
		y.define(8, "other:1")
		y.service.TaskDefinition = "web:8"
	})
	s.Type("\r")
	s.Wait("shop/web runs web:8 by now; the plan was made when it ran web:7")
	if did := y.did(); strings.Contains(did, "Register") {
		t.Error(did)
	}
	s.Type("\x12") // ctrl+r
	s.Wait("Nothing is done yet. ⏎")
	s.Wait("- other:1")
}

// Without the permission to list repositories, the definition tells where its
// own is.
func TestShipWithoutAListOfRepositories(t *testing.T) {
	y := newShipyard()
	y.fails["Repositories"] = denied("ecr:DescribeRepositories")
	s := showShip(t, y, &ui.ShipTest{Image: "shop/web:2"}, ui.ReadWrite, 120, 40)
	s.Type("S")
	s.Wait("to which service?")
	s.Type("\r")
	s.Wait("shop/web:2 at")
	s.Wait(shipHost + "/shop/web")
	s.Type("\r")
	s.Wait("✓ shop/web runs web:8")

	s = showShip(t, y, &ui.ShipTest{Image: "nginx:2"}, ui.ReadWrite, 120, 40)
	s.Type("S")
	s.Wait("to which service?")
	s.Type("shop/web\r")
	s.Wait("shop/web@222222222222 → shop/web:2")
	s.Type("e\tother\r")
	s.Wait("no permission for ecr:DescribeRepositories")
	s.Type("s")
	s.Wait("to which service?")
	s.Type("shop/web\r")
	s.Wait("shop/web@222222222222 → shop/web:2")
}

func TestShipGivesUpWithoutRollback(t *testing.T) {
	y := newShipyard()
	y.service.Rollback = false
	y.rollout = []func(*aws.Service){failing(3), func(s *aws.Service) {
		failing(3)(s)
		s.Deployments[0].RolloutState, s.Deployments[0].RolloutReason = "FAILED", "tasks failed to start."
	}}
	s := shipLocal(t, y, 120, 40)
	s.Wait("the circuit breaker does not roll back")
	s.Type("\r")
	s.Wait("ECS gave up on web:8, and nothing rolls it back: tasks failed to")
	s.Wait("B rolls back to web:7")
	s.Type("By")
	s.Wait("✓ shop/web runs web:7")
}

// A service that cannot be read for a moment is looked at again.
func TestShipLooksAgain(t *testing.T) {
	y := newShipyard()
	y.rollout = []func(*aws.Service){rolling(1)}
	s := shipLocal(t, y, 120, 40)
	s.Type("\r")
	s.Wait("moving: 1 of 3")
	y.set(func(y *shipyard) { y.fails["Service"] = errors.New("no route") })
	s.Wait("✗ rollout")
	s.Wait("no route")
	y.set(func(y *shipyard) { delete(y.fails, "Service"); y.rollout = []func(*aws.Service){steady} })
	s.Type("r")
	s.Wait("✓ shop/web runs web:8")
}

func TestShipPlatformDoesNotFit(t *testing.T) {
	y := newShipyard()
	y.facts.Platform = "linux/arm64/v8"
	s := shipLocal(t, y, 120, 40)
	s.Wait("▲ the image is for linux/arm64/v8, and shop/web runs on linux/amd64")
	s.Wait("→ build it with platform linux/amd64")

	y = newShipyard()
	y.platform = "linux/arm64" // the engine says otherwise
	s = showShip(t, y, &ui.ShipTest{Build: &docker.BuildOptions{Dir: "/src/shop", Tags: []string{"web:2"}}}, ui.ReadWrite, 120, 40)
	s.Type("S")
	s.Wait("to which service?")
	s.Type("\r")
	s.Wait("Nothing is done yet. ⏎")
	s.Type("\r")
	s.Wait("it is for linux/arm64, and shop/web runs on linux/amd64")
	if did := y.did(); did != "Build web:2" {
		t.Errorf("it went on: %s", did)
	}
	s.Type("P")
	s.Wait("Nothing is done yet. ⏎")
	s.Gone("▲")
	s.Type("\r")
	s.Wait("✓ shop/web runs web:8")
	if did := y.did(); !strings.Contains(did, "Build web:2 linux/amd64") {
		t.Error(did)
	}
}

// An image that the repository has is not pushed again.
func TestShipPushesNothingThatIsThere(t *testing.T) {
	y := newShipyard()
	y.stock = append(y.stock, aws.RepositoryImage{Scope: scope, Repository: "shop/web", URI: y.repository.URI, Digest: shipDigest, Tags: []string{"2"}, Platforms: []string{"linux/amd64"}})
	y.facts.Digests = []string{y.repository.URI + "@" + shipDigest}
	s := shipLocal(t, y, 120, 40)
	s.Wait("nothing: shop/web has this digest already")
	s.Wait("revision → service → rollout")
	s.Type("\r")
	s.Wait("✓ shop/web runs web:8")
	if did := y.did(); strings.Contains(did, "Push") || strings.Contains(did, "Tag") {
		t.Error(did)
	}
}

// From a service: its repository's images and the local ones are offered.
func TestShipFromAService(t *testing.T) {
	y := newShipyard()
	y.stock = append(y.stock, aws.RepositoryImage{Scope: scope, Repository: "shop/web", URI: y.repository.URI, Digest: shipDigest, Tags: []string{"2"}, Pushed: then.Add(1), Platforms: []string{"linux/arm64", "linux/amd64"}})
	s := showShip(t, y, &ui.ShipTest{Service: &y.service}, ui.ReadWrite, 120, 40)
	s.Type("S")
	s.Wait("Ship what to shop/web?")
	s.Wait("build from a folder …")
	s.Wait("base:1")
	s.Wait("▸ web:2") // of the name that the service runs, and not the newest
	s.Type("shop/web:2\r")
	s.Wait("nothing: it is in ECR")
	s.Wait("+ " + shipHost + "/shop/web@sha256:2222")
	s.Type("\r")
	s.Wait("✓ shop/web runs web:8")
	want := "RegisterRevision web:7 map[web:" + shipHost + "/shop/web@" + shipDigest + "]\nDeploy web " + arn("task-definition", "web:8")
	if did := y.did(); did != want {
		t.Errorf("did\n%s\nwant\n%s", did, want)
	}
}

// The repository goes away between the plan and the push.
func TestShipCreatesTheRepositoryThatWentAway(t *testing.T) {
	y := newShipyard()
	y.fails["Push"] = &diagnose.Error{What: "push", Cause: "the repository does not exist", Do: "r creates it", Err: docker.ErrRepositoryMissing}
	s := shipLocal(t, y, 120, 40)
	s.Type("\r")
	s.Wait("the repository does not exist")
	y.set(func(y *shipyard) { delete(y.fails, "Push") })
	s.Type("r")
	s.Wait("✓ shop/web runs web:8")
	if did := y.did(); !strings.Contains(did, "CreateRepository shop/web\nPush") {
		t.Error(did)
	}
}

func TestShipChangesThePlan(t *testing.T) {
	y := newShipyard()
	y.repository.TagMutability, y.stock[0].Tags = "IMMUTABLE", []string{"2"}
	s := shipLocal(t, y, 120, 40)
	s.Wait("shop/web:2 exists and the repository's tags are immutable")
	s.Type("e\x1b[B\tshop/other\t\x15\r")
	s.Wait("nothing may be empty here")
	s.Type("9\r")
	s.Wait("shop/other:9, a repository that is created first")
	s.Wait("container envoy")
	s.Wait("- envoy:1")
}

func TestShipToANewService(t *testing.T) {
	for _, c := range []struct {
		name    string
		denied  bool
		second  string // keys for the second dialog
		subnets string
	}{
		{"offered", false, "", "[subnet-1 subnet-2]"},
		{"typed in part", false, "1A\tdefault\t\tEXECUTION\tweb\ton", "[subnet-1]"},
		{"denied", true, "subnet-7 subnet-8\tsg-7\t\tarn:aws:iam::000000000000:role/x\t", "[subnet-7 subnet-8]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			y := newShipyard()
			if c.denied {
				for call, action := range map[string]string{"Subnets": "ec2:DescribeSubnets", "SecurityGroups": "ec2:DescribeSecurityGroups", "TaskRoles": "iam:ListRoles", "DescribeServices": "ecs:DescribeServices"} {
					y.fails[call] = denied(action)
				}
			}
			s := showShip(t, y, &ui.ShipTest{Image: "helloworld:1"}, ui.ReadWrite, 120, 40)
			s.Type("S")
			s.Wait("to which service?")
			s.Type("new\x1b[B\r")
			s.Wait("New service in shop: what runs?")
			s.Wait("8080")
			s.Type("\t\t\t\t9/9\r")
			s.Wait(`Fargate has no size "9/9"`)
			s.Type("\x15512/1024\t2\r")
			s.Wait("where, and as whom?")
			if c.denied {
				s.Wait("▲ subnets could not be listed: no permission for")
				s.Wait("▲ task roles could not be listed: no permission for iam:ListRoles")
				s.Type("\r")
				s.Wait("it has no subnet")
			}
			s.Type(c.second + "\r")
			s.Wait("Nothing is done yet. ⏎")
			s.Wait("helloworld image " + "helloworld@") // the label leaves a blank
			s.Wait("2 tasks start")
			s.Wait("a new service helloworld, container helloworld")
			s.Type("\r")
			s.Wait("service shop/helloworld was created")
			did := y.did()
			for _, part := range []string{"RegisterDefinition {Family:helloworld Container:helloworld Image:" + shipHost + "/helloworld@" + shipDigest + " Port:8080 CPU:512 Memory:1024", "LogGroup:/ecs/helloworld", "CreateService {Cluster:" + arn("cluster", "shop") + " Name:helloworld", "Desired:2 Subnets:" + c.subnets} {
				if !strings.Contains(did, part) {
					t.Errorf("no %q in\n%s", part, did)
				}
			}
		})
	}
}

// What no list has does not become a part of the service.
func TestShipToANewServiceRefuses(t *testing.T) {
	for _, c := range []struct{ keys, refusal string }{
		{"sub\t", `"sub" is no subnet`},
		{"\tweb servers\t", `"web" is no security group`},
		{"\t\t\tnobody", "no role is called so"},
		{"\t\t\t\tnone\ton", "exec needs a task role"},
		{"subnet-9", "subnets and groups are of several VPCs"},
	} {
		t.Run(c.refusal, func(t *testing.T) {
			y := newShipyard()
			s := showShip(t, y, &ui.ShipTest{Image: "helloworld:1"}, ui.ReadWrite, 120, 40)
			s.Type("S")
			s.Wait("to which service?")
			s.Type("in shop\r")
			s.Wait("New service in shop: what runs?")
			s.Type("\r")
			s.Wait("where, and as whom?")
			s.Type(c.keys + "\r")
			s.Wait(c.refusal)
			s.Gone("Nothing is done yet. ⏎")
		})
	}
}

// A plan without an execution role names the key that asks for one.
func TestShipToANewServiceWithoutARole(t *testing.T) {
	s := showShip(t, newShipyard(), &ui.ShipTest{Image: "helloworld:1"}, ui.ReadWrite, 120, 40)
	s.Type("S")
	s.Wait("to which service?")
	s.Type("in shop\r")
	s.Wait("New service in shop: what runs?")
	s.Type("\r")
	s.Wait("where, and as whom?")
	s.Type("\t\t\tnone\r")
	s.Wait("→ n: choose one")
	s.Type("n")
	s.Wait("New service in shop: what runs?")
}

func TestShipReadOnly(t *testing.T) {
	y := newShipyard()
	s := showShip(t, y, &ui.ShipTest{Image: "web:2"}, ui.ReadOnly, 120, 40)
	s.Type("S?")
	s.Wait("All keys")
	s.Gone("ship")
}

// A plan that cannot be read says why, and is asked for again.
func TestShipPlanFails(t *testing.T) {
	y := newShipyard()
	y.fails["ClusterIDs"] = denied("ecs:ListClusters")
	s := showShip(t, y, &ui.ShipTest{Image: "web:2"}, ui.ReadWrite, 80, 24)
	s.Type("S")
	s.Wait("no permission for ecs:ListClusters")
	y.set(func(y *shipyard) { delete(y.fails, "ClusterIDs"); y.fails["ImageFacts"] = errors.New("no such image") })
	s.Type("\r")
	s.Wait("to which service?")
	s.Type("\x1b")
	s.Wait("Nothing is chosen yet")
	s.Type("\r")
	s.Wait("to which service?")
	s.Type("\r")
	s.Wait("no such image")
	y.set(func(y *shipyard) { delete(y.fails, "ImageFacts") })
	s.Type("\r")
	s.Wait("Nothing is done yet. ⏎")
	for _, size := range [][2]int{{1, 1}, {30, 5}, {200, 60}, {80, 24}} {
		s.Resize(size[0], size[1])
	}
	s.Type("x")
	s.Gone("Nothing is done yet")
}

// What was begun ends with the program.
func TestShipLeavesNothingBehind(t *testing.T) {
	y := newShipyard()
	y.rollout = []func(*aws.Service){rolling(1)}
	from := &ui.ShipTest{Cloud: y, Engine: y, Now: func() time.Time { return then }, Image: "web:2"}
	f := ui.NewFrame(ui.ReadWrite, map[int]pane.Pane{1: from})
	s := uitest.Run(t, f, 120, 40)
	s.Wait("Berth")
	before := goleak.IgnoreCurrent()
	s.Type("S")
	s.Wait("to which service?")
	s.Type("\r")
	s.Wait("Nothing is done yet. ⏎")
	s.Type("\r")
	s.Wait("moving: 1 of 3")
	s.Type("q")
	s.Wait("1 session and 1 job will end")
	s.Type("y")
	if err := s.Ended(); err != nil {
		t.Fatal(err)
	}
	f.Close()
	goleak.VerifyNone(t, before)
}

// S, u and B lead to the same pane from everywhere.
func TestShipKeysOfThePanes(t *testing.T) {
	inFolder(t, map[string]string{"Dockerfile": plainDockerfile})
	open := func(t *testing.T) *uitest.Screen {
		t.Helper()
		h := newHarbour()
		f := ui.New(ui.Options{AWS: demoCloud(), Docker: h})
		t.Cleanup(f.Close)
		s := uitest.Run(t, f, 120, 40)
		s.Wait("batch")
		return s
	}
	for _, c := range []struct {
		name, keys, wait, then string // typed one after the other
		shows                  string
	}{
		{"an image", "1", "▸ base:1", "S", "Ship base:1: to which service?"},
		{"a Dockerfile", "1", "▸ base:1", "B", "Ship: which folder?"},
		{"a service", "j\r", "▸ api", "u", "Ship what to shop/api?"},
		{"a service by S", "j\r", "▸ api", "S", "Ship what to shop/api?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			s.Type(c.keys)
			s.Wait(c.wait)
			s.Type(c.then)
			s.Wait(c.shows)
		})
	}
}

func TestShipWhatIsInARepository(t *testing.T) {
	f := ui.New(ui.Options{AWS: demoCloud(), Docker: newHarbour()})
	t.Cleanup(f.Close)
	s := uitest.Run(t, f, 120, 40)
	s.Wait("batch")
	s.Type("3")
	s.Wait("▸ empty")
	s.Type("G\r")
	s.Wait("Images of web")
	s.Wait("▸ 7 latest")
	s.Type("S")
	s.Wait("Ship web:7: to which service?")
	s.Type("shop/api\r")
	s.Wait("nothing: it is in ECR")
	s.Wait("+ " + registryHost + "/web@sha256:0000")
}
