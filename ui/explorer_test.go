package ui_test

import (
	"context"
	"strings"
	"testing"

	"gantry/aws"
	"gantry/aws/sandbox"
	"gantry/ui"
	"gantry/ui/uitest"
)

// explore starts a sandbox that keeps states only, and the explorer on it.
func explore(t *testing.T, w, h int, change ...func(*ui.Options)) (*uitest.Screen, *sandbox.Server) {
	t.Helper()
	s, err := sandbox.Start(t.Context(), sandbox.Config{Runtime: sandbox.None(), RunDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	client := aws.New(aws.Options{Endpoint: s.URL(), AccessKeyID: s.AccessKeyID(), SecretAccessKey: s.SecretAccessKey(), Region: s.Region()})
	t.Cleanup(client.Close)
	o := ui.Options{AWS: client, Sandbox: "none runtime"}
	for _, c := range change {
		c(&o)
	}
	f := ui.New(o)
	t.Cleanup(f.Close)
	return uitest.Run(t, f, w, h), s
}

// What runs the sandbox's tasks is said once it is known, and nothing waits for
// it.
func TestRuntimeIsSaidWhenItIsKnown(t *testing.T) {
	known := make(chan string)
	s, _ := explore(t, 120, 40, func(o *ui.Options) {
		o.Sandbox = "trying the engine"
		o.Settled = func(ctx context.Context) (string, error) {
			select {
			case runtime := <-known:
				return runtime, nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
	})
	s.Wait("shop")
	s.Wait("trying the engine")
	known <- "process runtime: no engine answers"
	s.Wait("process runtime: no engine answers")
}

func TestScaleByABurstOfKeys(t *testing.T) {
	s, _ := explore(t, 120, 40)
	s.Wait("shop")
	s.Type("G") // batch sorts first
	s.Wait("checkout")
	s.Type("\r/web\r")
	s.Wait("Services 1/4")
	s.Type("s5\r")
	s.Wait("scaled web 3 → 5")
	s.Wait("5/5")
	t.Log(s.Text())
}

// ctrl+p leads to another account: nothing of the one before is left.
func TestAnotherProfile(t *testing.T) {
	other := &cloud{services: map[string][]aws.Service{}, tasks: map[string][]aws.Task{}}
	other.addCluster("elsewhere")
	var asked []string
	s := uitest.Run(t, ui.New(ui.Options{AWS: demoCloud(), Connect: func(profile, region string) ui.Cloud {
		asked = append(asked, profile, region)
		return other
	}}), 120, 40)
	s.Wait("batch")
	s.Type("\x10prod\teu-west-1\r")
	s.Wait("elsewhere")
	s.Gone("batch")
	s.Type("q")
	if err := s.Ended(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(asked, " "); got != "prod eu-west-1" {
		t.Errorf("asked for %q", got)
	}
}
