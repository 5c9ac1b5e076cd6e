package ui_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"go.uber.org/goleak"

	"gantry/aws"
	"gantry/docker"
	"gantry/internal/diagnose"
	"gantry/ui"
	"gantry/ui/uitest"
)

func layersHalfway() docker.TransferProgress {
	return docker.TransferProgress{Status: "The push refers to repository [web]", Layers: []docker.LayerProgress{
		{ID: "bda21a526cab", State: "Pushing", Done: 4_000_000, Total: 10_000_000},
		{ID: "1f9f6f3b47a6", State: "Layer already exists", Ended: true},
		{ID: "0a1b2c3d4e5f", State: "Pushed", Done: 2_500_000, Total: 2_500_000, Ended: true},
		{ID: "5c2f7d1a9b3e", State: "Waiting"},
	}}
}

func layersDone() docker.TransferProgress {
	p := layersHalfway()
	for i := range p.Layers {
		l := &p.Layers[i]
		l.Done, l.Ended = l.Total, true
		if l.State != "Layer already exists" {
			l.State = "Pushed"
		}
	}
	return p
}

type carrying = func(context.Context, string, docker.RegistryAuth, func(docker.TransferProgress)) (string, error)

// underWay is a push that comes half way and then waits.
func underWay(ctx context.Context, _ string, _ docker.RegistryAuth, progress func(docker.TransferProgress)) (string, error) {
	progress(layersHalfway())
	<-ctx.Done()
	return "", ctx.Err()
}

// carried is a push that ends well.
func carried(_ context.Context, _ string, _ docker.RegistryAuth, progress func(docker.TransferProgress)) (string, error) {
	progress(layersHalfway())
	progress(layersDone())
	return digestOf(77), nil
}

// refused is a push that fails for one reason.
func refused(kind error, cause, do string) carrying {
	return func(_ context.Context, ref string, _ docker.RegistryAuth, progress func(docker.TransferProgress)) (string, error) {
		progress(layersHalfway())
		return "", &diagnose.Error{What: "push " + ref, Cause: cause, Do: do, Err: kind}
	}
}

// showPush is the explorer with web:8 chosen in Images.
func showPush(t *testing.T, c *cloud, carry carrying, w, h int) (*uitest.Screen, *harbour) {
	t.Helper()
	engine := newHarbour()
	engine.carry = carry
	s := showRegistry(t, c, engine, w, h)
	toWeb8(s)
	return s, engine
}

// toWeb8 goes to the last image, once all are there.
func toWeb8(s *uitest.Screen) {
	s.Type("1")
	s.Wait("Images 2")
	s.Type("G")
	s.Wait("▸ web:8")
}

func TestPushScreens(t *testing.T) {
	for _, screen := range []struct {
		name  string
		carry carrying
		keys  string
		wait  string
	}{
		{"asks", carried, "p", "web/8"},
		{"running", underWay, "p\r", "4.0 MB of 10"},
		{"finished", carried, "p\r", "✓ pushed web:8 in"},
		{"failed", refused(docker.ErrRepositoryMissing, "there is no repository web in "+registryHost, "create it"), "p\r", "c create repository web"},
	} {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s %dx%d", screen.name, size.w, size.h), func(t *testing.T) {
				c := demoCloud()
				s, _ := showPush(t, c, screen.carry, size.w, size.h)
				s.Type("p")
				s.Wait("docker push")
				if screen.keys != "p" {
					s.Type("\r")
					s.Wait(screen.wait)
				}
				s.Settle()
				s.Shot(strings.ReplaceAll(fmt.Sprintf("push %s %d", screen.name, size.w), " ", "-"))
				s.Golden()
			})
		}
	}
}

func TestPushCreatesTheRepository(t *testing.T) {
	c := demoCloud()
	s, engine := showPush(t, c, func(ctx context.Context, ref string, auth docker.RegistryAuth, progress func(docker.TransferProgress)) (string, error) {
		c.store(storedImage("shop/new", 77, "9"))
		return carried(ctx, ref, auth, progress)
	}, 120, 40)
	s.Type("p")
	s.Wait("docker push")
	s.Type("shop/new")
	s.Wait("repository shop/new does not exist; it will be created")
	s.Type("\t9")
	s.Wait("shop/new:9")
	s.Type("\r")
	s.Wait("✓ pushed shop/new:9")
	want := "web:8 → " + registryHost + "/shop/new:9\npush " + registryHost + "/shop/new:9 as AWS token-1"
	if got := engine.did(); got != want {
		t.Errorf("did\n%s\nwant\n%s", got, want)
	}
	if len(c.created) != 1 || c.created[0] != (aws.NewRepository{Name: "shop/new", ScanOnPush: true}) {
		t.Errorf("created %v", c.created)
	}
	s.Type("y")
	s.Wait("copied " + registryHost + "/shop/new@" + digestOf(77)[:12])
	s.Type("3")
	s.Wait("shop/new   ") // the list has followed
	s.Type("1p")
	s.Wait("/shop/new:8") // what was chosen last is offered
}

// A push is counted, although the repositories were folded meanwhile.
func TestPushIsCounted(t *testing.T) {
	c := demoCloud()
	s, _ := showPush(t, c, func(ctx context.Context, ref string, auth docker.RegistryAuth, progress func(docker.TransferProgress)) (string, error) {
		c.store(storedImage("web", 4, "8"))
		return carried(ctx, ref, auth, progress)
	}, 120, 40)
	s.Type("3")
	s.Wait("3  74.1 MB")
	s.Type("1")
	s.Gone("74.1 MB")
	s.Type("p")
	s.Wait("docker push")
	s.Type("\r")
	s.Wait("✓ pushed web:8")
	s.Type("3")
	s.Wait("4 123.5 MB")
}

// The equal commands hold no token, wherever they stand.
func TestPushShowsNoToken(t *testing.T) {
	s, _ := showPush(t, demoCloud(), carried, 120, 40)
	s.Type("p")
	s.Wait("--password-stdin")
	s.Type("\r")
	s.Wait("✓ pushed web:8")
	s.Type("Y")
	s.Wait("copied docker tag")
	if text := s.Text() + s.Copied(); strings.Contains(text, "token-1") {
		t.Error("the token is on the screen or the clipboard")
	}
}

func TestPushTriesAgainWithAFreshLogin(t *testing.T) {
	s, engine := showPush(t, demoCloud(), func(ctx context.Context, ref string, auth docker.RegistryAuth, progress func(docker.TransferProgress)) (string, error) {
		if auth.Password == "token-1" {
			return refused(docker.ErrUnauthorized, "the login at "+registryHost+" has expired", "try again: it is renewed")(ctx, ref, auth, progress)
		}
		return carried(ctx, ref, auth, progress)
	}, 120, 40)
	s.Type("p")
	s.Wait("docker push")
	s.Type("\r")
	s.Wait("has expired")
	s.Wait("→ try again")
	s.Type("r")
	s.Wait("✓ pushed web:8")
	if got := engine.did(); !strings.HasSuffix(got, "token-2") {
		t.Errorf("did\n%s", got)
	}
}

func TestPushCreatesWhatHasVanished(t *testing.T) {
	c := demoCloud()
	s, _ := showPush(t, c, nil, 120, 40)
	s.Type("p")
	s.Wait("docker push")
	s.Type("\x1b")
	s.Gone("docker push")
	engine := newHarbour()
	tries := 0
	engine.carry = func(ctx context.Context, ref string, auth docker.RegistryAuth, progress func(docker.TransferProgress)) (string, error) {
		if tries++; tries == 1 {
			if err := c.DeleteRepository(ctx, c.repositories[1], aws.RepositoryRemoval{Force: true}); err != nil {
				t.Error(err)
			}
			return refused(docker.ErrRepositoryMissing, "there is no repository web", "create it")(ctx, ref, auth, progress)
		}
		return carried(ctx, ref, auth, progress)
	}
	s = showRegistry(t, c, engine, 120, 40)
	toWeb8(s)
	s.Type("p")
	s.Wait("docker push")
	s.Type("\r")
	s.Wait("c create repository web and push")
	s.Type("c")
	s.Wait("✓ pushed web:8")
	if len(c.created) != 1 || c.created[0].Name != "web" {
		t.Errorf("created %v", c.created)
	}
}

func TestPushUnderAnotherTag(t *testing.T) {
	s, engine := showPush(t, demoCloud(), func(ctx context.Context, ref string, auth docker.RegistryAuth, progress func(docker.TransferProgress)) (string, error) {
		if strings.HasSuffix(ref, ":1") {
			return refused(docker.ErrTagImmutable, "the tag 1 is there already, and tags of shop/api are immutable", "push under another tag")(ctx, ref, auth, progress)
		}
		return carried(ctx, ref, auth, progress)
	}, 120, 40)
	s.Type("p")
	s.Wait("docker push")
	s.Type("shop/a\x1b[B") // the choice that fits
	s.Wait("Tags of shop/api are immutable")
	s.Type("\t1\r")
	s.Wait("t push under another tag")
	s.Type("t")
	s.Wait("Push web:8")
	s.Type("\t2\r")
	s.Wait("✓ pushed shop/api:2")
	if got := engine.did(); !strings.Contains(got, "push "+registryHost+"/shop/api:2") {
		t.Errorf("did\n%s", got)
	}
}

func TestPushIsCanceledAndBegunAgain(t *testing.T) {
	s, _ := showPush(t, demoCloud(), underWay, 120, 40)
	s.Type("p")
	s.Wait("docker push")
	s.Type("\r")
	s.Wait("push web:8 52 %") // as a job
	s.Type("xy")
	s.Wait("canceled: push web:8")
	s.Wait("– canceled after")
	s.Type("r")
	s.Wait("● pushing web:8")
	s.Wait("4.0 MB of 10")
	s.Type("J\r")
	s.Wait("– canceled after")
	s.Type("x")
	s.Gone("canceled after")
}

func TestPushWhenTheEngineStops(t *testing.T) {
	s, _ := showPush(t, demoCloud(), refused(docker.ErrStopped, "the Docker engine went away in the middle", "start it: sudo systemctl start docker"), 120, 40)
	s.Type("p")
	s.Wait("docker push")
	s.Type("\r")
	s.Wait("✗ push web:8 failed after")
	s.Wait("the Docker engine went away")
	s.Wait("→ start it: sudo systemctl start docker")
	s.Wait("✗ push web:8 failed: see its tab")
}

func TestPushWithoutAWS(t *testing.T) {
	c := demoCloud()
	s, engine := showPush(t, c, carried, 120, 40)
	c.ecr.mu.Lock()
	c.down = &diagnose.Error{What: "list repositories", Cause: "AWS does not answer", Do: "look at the network", Err: aws.ErrUnreachable}
	c.ecr.mu.Unlock()
	s.Type("p")
	s.Wait("⏎ tells why")
	s.Type("\r")
	s.Wait("AWS does not answer")
	s.Wait("→ look at the network")
	if got := engine.did(); got != "" {
		t.Errorf("did %s", got)
	}
}

// Keys typed ahead of the list of repositories meet the dialog, which does not
// guess.
func TestPushAsksBeforeTheListIsThere(t *testing.T) {
	c := demoCloud()
	s, engine := showPush(t, c, carried, 120, 40)
	pending := make(chan struct{})
	c.ecr.mu.Lock()
	c.pending = pending
	c.ecr.mu.Unlock()
	s.Type("p\r")
	s.Wait("still looking which repositories there are")
	s.Type("we")
	s.Wait("nothing fits")
	close(pending)
	s.Wait(" mutable") // offered as soon as it is known
	s.Type("\x1b[B\r")
	s.Wait("✓ pushed web:8")
	if got := engine.did(); !strings.Contains(got, "push "+registryHost+"/web:8") {
		t.Errorf("did %s", got)
	}
}

func TestPushAnswersAreChecked(t *testing.T) {
	s, _ := showPush(t, demoCloud(), carried, 120, 40)
	for _, wrong := range []struct{ keys, answer string }{
		{"\x15\r", "it has no name"},
		{"Web\r", `ECR does not take "Web"`},
		{"a\r", "2 to 256 characters"},
		{"\t\x15\r", "it has no tag"},
		{"\ta b\r", `"a b" is no tag`},
	} {
		s.Type("p")
		s.Wait("docker push")
		s.Type(wrong.keys)
		s.Wait(wrong.answer)
		s.Type("\x1b")
		s.Gone(wrong.answer)
	}
}

func TestPullByDigest(t *testing.T) {
	engine := newHarbour()
	engine.carry = carried
	s := showRegistry(t, demoCloud(), engine, 120, 40)
	s.Type("3")
	s.Wait("▸ empty")
	s.Type("G")
	s.Wait("▸ web")
	s.Type("\r")
	s.Wait("linux/amd64")
	s.Type("j")
	s.Wait("web:6 │")
	s.Type("p\x1b[B\x1b[B\r") // linux/arm64
	s.Wait("✓ pulled web:6")
	ref := registryHost + "/web@" + digestOf(2)
	want := ref + " → " + registryHost + "/web:6\npull " + ref + " linux/arm64"
	if got := engine.did(); got != want {
		t.Errorf("did\n%s\nwant\n%s", got, want)
	}
	s.Type("y")
	s.Wait("copied " + registryHost + "/web@sha256")
}

func TestReadOnlyHasNoPushPullNorChangesOfRepositories(t *testing.T) {
	f := ui.New(ui.Options{AWS: demoCloud(), Docker: newHarbour(), Access: ui.ReadOnly})
	t.Cleanup(f.Close)
	s := uitest.Run(t, f, 120, 40)
	s.Wait("batch")
	s.Type("3")
	s.Wait("▸ empty")
	s.Type("G")
	s.Wait("▸ web")
	s.Type("nD\r")
	s.Wait("7 latest")
	s.Type("pD")
	toWeb8(s)
	s.Type("p?")
	s.Wait("All keys")
	for _, does := range []string{" push\n", "Push web", "Pull web", "New repository", "type \""} {
		s.Gone(does)
	}
}

// What was begun ends with the program.
func TestPushLeavesNothingBehind(t *testing.T) {
	engine := newHarbour()
	engine.carry = underWay
	f := ui.New(ui.Options{AWS: demoCloud(), Docker: engine})
	s := uitest.Run(t, f, 120, 40)
	s.Wait("batch")
	toWeb8(s)
	before := goleak.IgnoreCurrent()
	s.Type("p")
	s.Wait("docker push")
	s.Type("\r")
	s.Wait("push web:8 52 %")
	s.Type("qy")
	if err := s.Ended(); err != nil {
		t.Fatal(err)
	}
	f.Close()
	goleak.VerifyNone(t, before)
}

func TestPushDrawsOnlyWhatChanges(t *testing.T) {
	s, _ := showPush(t, demoCloud(), carried, 120, 40)
	s.Type("p")
	s.Wait("docker push")
	s.Type("\r")
	s.Wait("✓ pushed web:8 in")
	s.Settle()
	written := s.Written()
	s.Settle()
	if more := s.Written() - written; more > 0 {
		t.Errorf("%d bytes for nothing", more)
	}
}

// A push that is quick to report costs the screen a few frames, not one for
// each report.
func TestPushSkipsStatesThatNobodySees(t *testing.T) {
	const reports = 20_000
	s, _ := showPush(t, demoCloud(), func(_ context.Context, _ string, _ docker.RegistryAuth, progress func(docker.TransferProgress)) (string, error) {
		for i := range int64(reports) {
			progress(docker.TransferProgress{Layers: []docker.LayerProgress{{ID: "bda21a526cab", State: "Pushing", Done: i, Total: reports}}})
		}
		return digestOf(77), nil
	}, 120, 40)
	s.Type("p")
	s.Wait("docker push")
	written := s.Written()
	s.Type("\r")
	s.Wait("✓ pushed web:8 in")
	if each := (s.Written() - written) / reports; each > 5 {
		t.Errorf("%d bytes a report", each)
	}
}

// The rate is that of the last seconds: a push that stands still says so.
func TestPushTellsRateAndTimeLeft(t *testing.T) {
	draw := ui.TransferDrawing(100, 38)
	at := func(seconds float64, done int64) string {
		view := draw(docker.TransferProgress{Layers: []docker.LayerProgress{{ID: "bda21a526cab", State: "Pushing", Done: done, Total: 10_000_000}}}, then.Add(time.Duration(seconds*float64(time.Second))))
		return strings.Join(strings.Fields(ansi.Strip(view)), " ")
	}
	for _, c := range []struct {
		seconds float64
		done    int64
		want    string
	}{
		{0, 0, "0 % · 0 B of 10.0 MB bda"},
		{1, 2_000_000, "20 % · 2.0 MB of 10.0 MB · 2.0 MB/s · 5s left"},
		{2, 4_000_000, "40 % · 4.0 MB of 10.0 MB · 2.0 MB/s · 4s left"},
		{7, 4_000_000, "40 % · 4.0 MB of 10.0 MB bda"},
		{8, 10_000_000, "100 % · 10.0 MB of 10.0 MB · 1.0 MB/s bda"},
	} {
		if got := at(c.seconds, c.done); !strings.Contains(got, c.want) {
			t.Errorf("after %g s: %.140s, want %s", c.seconds, got, c.want)
		}
	}
}

// BenchmarkPushLines draws a push of a hundred layers.
func BenchmarkPushLines(b *testing.B) {
	var p docker.TransferProgress
	for i := range 100 {
		p.Layers = append(p.Layers, docker.LayerProgress{ID: fmt.Sprintf("%012x", i), State: "Pushing", Done: int64(i) * 1000, Total: 1_000_000})
	}
	draw := ui.TransferDrawing(100, 38)
	for i := 0; b.Loop(); i++ {
		p.Layers[0].Done = int64(i)
		draw(p, then.Add(time.Duration(i)*time.Millisecond))
	}
}
