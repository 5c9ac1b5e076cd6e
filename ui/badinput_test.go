package ui_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"gantry/aws"
	"gantry/ui"
	"gantry/ui/table"
	"gantry/ui/uitest"
)

// lonely is an environment without any AWS configuration of the machine's.
func lonely(t *testing.T) {
	t.Helper()
	for _, name := range []string{
		"AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
		"AWS_ENDPOINT_URL", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_WEB_IDENTITY_TOKEN_FILE",
	} {
		t.Setenv(name, "")
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	none := filepath.Join(t.TempDir(), "none")
	t.Setenv("AWS_CONFIG_FILE", none)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", none)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

// on shows the explorer on an adapter with these options.
func on(t *testing.T, o aws.Options) *uitest.Screen {
	t.Helper()
	client := aws.New(o)
	t.Cleanup(client.Close)
	f := ui.New(ui.Options{AWS: client})
	t.Cleanup(f.Close)
	return uitest.Run(t, f, 120, 40)
}

// stillAnswers proves that the program takes keys: help comes and goes, and q
// quits.
func stillAnswers(t *testing.T, s *uitest.Screen) {
	t.Helper()
	s.Type("?")
	s.Wait("All keys")
	s.Type("x")
	s.Gone("All keys")
	s.Type("q")
	if err := s.Ended(); err != nil {
		t.Errorf("quit: %v", err)
	}
}

func TestNoCredentials(t *testing.T) {
	lonely(t)
	s := on(t, aws.Options{Region: "us-east-1"})
	s.Wait("there are no AWS credentials")
	s.Wait("aws configure")
	s.Wait("not signed in")
	stillAnswers(t, s)
}

func TestNoRegion(t *testing.T) {
	lonely(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	s := on(t, aws.Options{})
	s.Wait("region")
	s.Wait("--region")
	stillAnswers(t, s)
}

func TestExpiredToken(t *testing.T) {
	s, server := explore(t, 120, 40)
	s.Wait("shop")
	server.Faults().ExpireToken(true)
	s.Type("\x12") // ctrl+r
	s.Wait("expired")
	s.Wait("shop") // the last good rows stay
	stillAnswers(t, s)
}

func TestEndpointRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String()
	_ = l.Close()
	s := on(t, aws.Options{Endpoint: url, Region: "us-east-1", AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "secret", Timeout: time.Second})
	s.Wait("nothing listens at")
	s.Wait(strings.TrimPrefix(url, "http://"))
	stillAnswers(t, s)
}

func TestEndpointSilent(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // a server notices that its client has gone only once the body is read
		<-r.Context().Done()
	}))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	s := on(t, aws.Options{Endpoint: server.URL, Region: "us-east-1", AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "secret", Timeout: 200 * time.Millisecond})
	s.Type("?") // keys are answered while the call hangs
	s.Wait("All keys")
	s.Type("x")
	s.Wait("did not answer")
	stillAnswers(t, s)
}

func TestOneCallDenied(t *testing.T) {
	s, server := explore(t, 120, 40)
	server.Faults().Deny("ListTasks")
	s.Wait("shop")
	s.Type("G\r")
	s.Wait("checkout") // services are read all the same
	s.Type("6")
	s.Wait("ecs:ListTasks")
	stillAnswers(t, s)
}

func TestScaleDeniedIsTold(t *testing.T) {
	s, server := explore(t, 120, 40)
	server.Faults().Deny("UpdateService")
	s.Wait("shop")
	s.Type("G\r")
	s.Wait("checkout")
	s.Type("/web\r")
	s.Wait("/web")
	s.Type("s5\r")
	s.Wait("Failed")
	s.Wait("ecs:UpdateService")
	stillAnswers(t, s)
}

func TestThrottledIsRetried(t *testing.T) {
	s, server := explore(t, 120, 40)
	server.Faults().ThrottleEvery(2)
	s.Wait("shop")
	s.Type("G\r")
	s.Wait("checkout")
	stillAnswers(t, s)
}

func TestUnknownCluster(t *testing.T) {
	s, _ := explore(t, 120, 40, func(o *ui.Options) { o.Cluster = "nowhere" })
	s.Wait("nowhere")
	s.Wait("there is no such cluster")
	stillAnswers(t, s)
}

func TestEmptyAccount(t *testing.T) {
	c := &cloud{}
	f := ui.New(ui.Options{AWS: c})
	s := uitest.Run(t, f, 120, 40)
	s.Wait("No clusters in this account and")
	stillAnswers(t, s)
}

// A service that is deleted between ListServices and DescribeServices comes
// back as MISSING; its row says so and takes no action.
func TestServiceVanishesBetweenListAndDescribe(t *testing.T) {
	c := demoCloud()
	gone := c.services[arn("cluster", "shop")]
	gone[0].Failure, gone[0].Status = "MISSING", ""
	f := ui.New(ui.Options{AWS: c, Cluster: "shop"})
	s := uitest.Run(t, f, 120, 40)
	s.Wait("Services 4")
	s.Type("/web\r")
	s.Wait("MISSING")
	s.Type("s9\r")
	s.Type("?")
	s.Wait("All keys")
	if got := c.scalings(); len(got) != 0 {
		t.Errorf("scaled %v", got)
	}
}

func TestManyKeysAtOnce(t *testing.T) {
	c := demoCloud()
	s := uitest.Run(t, ui.New(ui.Options{AWS: c}), 120, 40)
	s.Wait("batch")
	s.Type("jj456]][[zz\t\t0?x:\x03")
	s.Type("5")
	s.Wait("▸ api")
	stillAnswers(t, s)
}

func TestEverySize(t *testing.T) {
	c := demoCloud()
	c.clusters[0].Name = "とても長い名前のクラスター"
	c.clusters[1].Name = "\x1b]0;owned\x07\x1b[31mevil\u202e"
	for _, focus := range []string{"4", "5", "6", "0"} {
		f := ui.New(ui.Options{AWS: c, Cluster: ""})
		s := uitest.Run(t, f, 120, 40)
		s.Wait("evil")
		s.Type(focus)
		for _, size := range [][2]int{{20, 5}, {500, 40}, {1, 1}, {0, 0}, {2, 60}, {79, 24}, {80, 23}, {500, 2}, {37, 10}, {120, 40}} {
			s.Resize(size[0], size[1])
			s.Settle()
			for _, line := range strings.Split(s.Text(), "\n") {
				if w := ansi.StringWidth(line); w > max(size[0], 1) {
					t.Errorf("at %v a line is %d wide: %q", size, w, line)
				}
			}
		}
		s.Type("4") // where the clusters are folded, they come into sight
		s.Wait("evil")
		if strings.Contains(s.Text(), "owned") {
			t.Error("a title sequence from outside was drawn")
		}
	}
}

// Nothing is sent to the terminal while nothing changes, although rows are
// read again and again.
func TestIdleDrawsNothing(t *testing.T) {
	c := demoCloud()
	s := uitest.Run(t, ui.New(ui.Options{AWS: c, Pace: brisk}), 120, 40)
	s.Wait("batch")
	s.Type("j\r")
	s.Wait("▸ api")
	s.Settle()
	before, asked := s.Written(), c.askedCount()
	for deadline := time.Now().Add(10 * time.Second); c.askedCount() < asked+10; {
		if time.Now().After(deadline) {
			t.Fatal("rows were not read again")
		}
		<-time.After(5 * time.Millisecond)
	}
	if got := s.Written() - before; got != 0 {
		t.Errorf("%d bytes were sent to the terminal", got)
	}
}

// brisk is a pace at which a test need not wait for seconds.
var brisk = table.Pace{Moving: 20 * time.Millisecond, Still: 20 * time.Millisecond, Members: 20 * time.Millisecond, Background: 20 * time.Millisecond}

// An unfocused terminal costs no calls.
func TestUnfocusedAsksNothing(t *testing.T) {
	c := demoCloud()
	s := uitest.Run(t, ui.New(ui.Options{AWS: c, Pace: brisk}), 120, 40)
	s.Wait("batch")
	s.Type("j\r")
	s.Wait("▸ api")
	s.Send(tea.BlurMsg{})
	s.Settle() // what was under way has come
	asked := c.askedCount()
	s.Type("?")
	s.Wait("All keys")
	s.Type("x")
	s.Settle()
	if got := c.askedCount() - asked; got != 0 {
		t.Errorf("%d calls were made while the terminal had no focus", got)
	}
	s.Send(tea.FocusMsg{})
	s.Until(func(string) bool { return c.askedCount() > asked }, "never asked again")
}

// Moving fast through clusters never shows, or acts on, a service of another
// one, however the answers come in.
func TestFastMovesNeverMixClusters(t *testing.T) {
	c := &cloud{services: map[string][]aws.Service{}, tasks: map[string][]aws.Task{}}
	answers := make(chan chan struct{}, 100)
	c.hold = func(ctx context.Context, _ string) {
		may := make(chan struct{})
		answers <- may
		select {
		case <-may:
		case <-ctx.Done():
		}
	}
	for _, name := range []string{"alpha", "beta", "gamma"} {
		c.addCluster(name)
		c.addService(name, "svc-of-"+name, 1, 1)
	}
	s := uitest.Run(t, ui.New(ui.Options{AWS: c}), 120, 40)
	s.Wait("alpha")
	first := <-answers // alpha's services are asked for
	s.Type("G")        // on to gamma at once
	last := <-answers
	close(last) // gamma's answer comes first …
	s.Wait("svc-of-gamma")
	close(first) // … and alpha's late
	s.Type("?")
	s.Wait("All keys")
	s.Type("x")
	s.Gone("svc-of-alpha")
	s.Wait("svc-of-gamma")
	s.Type("5s7\r")
	s.Wait("scaled svc-of-gamma 1 → 7")
	if got := strings.Join(c.scalings(), " "); got != "gamma/svc-of-gamma 7" {
		t.Errorf("scaled %q", got)
	}
	go func() { // whatever else is asked for may go on
		for a := range answers {
			close(a)
		}
	}()
}
