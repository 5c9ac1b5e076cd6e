//go:build unix

package sandbox_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"gantry/aws"
	"gantry/aws/exec"
	"gantry/aws/sandbox"
)

// useKey gives the cluster a key for its Exec sessions.
func (w *execWorld) useKey(key string) {
	w.t.Helper()
	_, err := w.ecs.UpdateCluster(w.t.Context(), &ecs.UpdateClusterInput{
		Cluster: sdk.String("shop_eu"),
		Configuration: &types.ClusterConfiguration{ExecuteCommandConfiguration: &types.ExecuteCommandConfiguration{
			KmsKeyId: sdk.String(key), Logging: types.ExecuteCommandLoggingDefault,
		}},
	})
	w.must(err)
}

func TestEncryptedSession(t *testing.T) {
	t.Parallel()
	w := newExecWorld(t)
	task := w.run(nil, container("web"))
	w.useKey("alias/gantry")
	out, err := w.ecs.DescribeClusters(t.Context(), &ecs.DescribeClustersInput{
		Clusters: []string{"shop_eu"}, Include: []types.ClusterField{types.ClusterFieldConfigurations},
	})
	w.must(err)
	if key := out.Clusters[0].Configuration.ExecuteCommandConfiguration.KmsKeyId; sdk.ToString(key) != "alias/gantry" {
		t.Errorf("the cluster's key is %q", sdk.ToString(key))
	}
	sh := w.shell(task, "web", "/bin/sh")
	sh.says("echo $((6*7))", "42")
	if status := sh.Status(); !status.Encrypted {
		t.Errorf("not encrypted: %+v", status)
	}
	sh.types("exit\n")
	if err := sh.ends(); err != nil {
		t.Error(err)
	}
}

func TestEncryptionThatFails(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		key, deny, want string
	}{
		"caller may not": {"alias/gantry", "GenerateDataKey", "kms:GenerateDataKey"},
		"task may not":   {"alias/gantry", "Decrypt", "Error when decrypting data key AccessDeniedException"},
		"no such key":    {"alias/other", "", "alias/gantry"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newExecWorld(t)
			task := w.run(nil, container("web"))
			w.useKey(tt.key)
			w.server.Faults().Deny(tt.deny)
			if err := w.shell(task, "web", "/bin/sh").ends(); err == nil || !strings.Contains(err.Error()+cause(t, err), tt.want) {
				t.Errorf("got %v: %s; want %q", err, cause(t, err), tt.want)
			}
		})
	}
}

// TestFaultyConnections sends and gets a known text over connections that
// fail: nothing may be lost, doubled or out of order.
func TestFaultyConnections(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string]sandbox.ConnectionFaults{
		"drop every 7th":   {DropEvery: 7},
		"double every 3rd": {DuplicateEvery: 3},
		"swap every 5th":   {SwapEvery: 5},
		"cut after 40":     {CutAfter: 40},
		"delay":            {Delay: 5 * time.Millisecond},
		// A connection must live longer than what is resent at its start: with
		// late acknowledgements it would else carry nothing new.
		"drop, cut and delay": {DropEvery: 7, CutAfter: 150, Delay: time.Millisecond},
	} {
		for _, encrypted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/encrypted=%t", name, encrypted), func(t *testing.T) {
				t.Parallel()
				w := newExecWorld(t)
				task := w.run(nil, container("web"))
				w.server.Faults().RequireKMS(encrypted)
				w.server.Faults().Connections(faults)
				echoed(t, w, task)
			})
		}
	}
}

// echoed sends 64 KiB to a program that sends them back.
func echoed(t *testing.T, w *execWorld, task aws.Task) {
	t.Helper()
	sh := w.shell(task, "web", `sh -c "stty raw -echo; echo go; head -c 65536"`)
	w.until("it is ready", func() bool { return strings.Contains(sh.text(), "go\n") })
	var sent bytes.Buffer
	for n := 0; sent.Len() < 65536; n++ {
		fmt.Fprintf(&sent, "line %d\n", n)
	}
	sent.Truncate(65536)
	for chunk := range slices.Chunk(sent.Bytes(), 997) {
		sh.types(string(chunk))
	}
	if err := sh.ends(); err != nil {
		t.Fatal(err)
	}
	_, got, _ := strings.Cut(sh.text(), "go\n")
	if got != sent.String() {
		t.Errorf("%d bytes came back of %d, or others", len(got), sent.Len())
	}
}

func TestResumeThatIsDenied(t *testing.T) {
	t.Parallel()
	w := newExecWorld(t)
	task := w.run(nil, container("web"))
	w.server.Faults().Deny("ResumeSession")
	w.server.Faults().Connections(sandbox.ConnectionFaults{CutAfter: 30})
	sh := w.shell(task, "web", `sh -c "while :; do echo on; sleep 0.01; done"`)
	if err := sh.ends(); err == nil || !strings.Contains(cause(t, err), "ssm:ResumeSession") {
		t.Errorf("got %v, %q", err, cause(t, err))
	}
	if !strings.Contains(sh.text(), "on") {
		t.Error("what it had said is gone")
	}
}

// forward forwards a local port to a port of the task, or of a host by way
// of it.
func (w *execWorld) forward(task aws.Task, host string, port int) (*exec.Forward, error) {
	w.t.Helper()
	opened, err := w.client.StartPortForward(w.t.Context(), task, "web", host, port)
	w.must(err)
	remote := strconv.Itoa(port)
	if host != "" {
		remote = net.JoinHostPort(host, remote)
	}
	f, err := exec.DialPort(w.t.Context(), exec.ForwardConfig{Config: w.session(opened), Remote: remote})
	if err == nil {
		w.t.Cleanup(func() { _ = f.Close() })
	}
	return f, err
}

func TestForwardServesParallelRequests(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string]sandbox.ConnectionFaults{"sound": {}, "drop every 7th": {DropEvery: 7}, "cut after 50": {CutAfter: 50}} {
		t.Run(name, func(t *testing.T) {
			w := newExecWorld(t)
			task := w.run(nil, container("web"))
			w.server.Faults().Connections(faults)
			f, err := w.forward(task, "", 8080)
			w.must(err)
			var crew sync.WaitGroup
			for range 8 {
				crew.Go(func() {
					if got := get(t, f.Addr()); got != "Hello from gantry's demo app (test)\n" {
						t.Errorf("got %q", got)
					}
				})
			}
			crew.Wait()
			if f.Received() == 0 || f.Err() != nil {
				t.Errorf("%d bytes received, %v", f.Received(), f.Err())
			}
		})
	}
}

// get asks the demo app for its page over a connection of its own; the error
// is the answer if it fails.
func get(t *testing.T, at net.Addr) string {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+at.String()+"/", nil)
	if err != nil {
		return err.Error()
	}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

func TestForwardWhereNothingListens(t *testing.T) {
	t.Parallel()
	w := newExecWorld(t)
	task := w.run(nil, container("web"))
	f, err := w.forward(task, "", 5432)
	w.must(err)
	if got := get(t, f.Addr()); strings.Contains(got, "Hello") {
		t.Error("something answers")
	}
	w.until("the problem is told", func() bool { return f.Problem() == "nothing listens on port 5432 in the container" })
	if f.Err() != nil {
		t.Errorf("the tunnel fell: %v", f.Err())
	}
}

// TestForwardToARemoteHost reaches a server by the container's way, and none
// of those that AWS's agent refuses.
func TestForwardToARemoteHost(t *testing.T) {
	t.Parallel()
	w := newExecWorld(t)
	task := w.run(nil, container("web"))
	own, err := w.forward(task, "localhost", 8080)
	w.must(err)
	if got := get(t, own.Addr()); !strings.HasPrefix(got, "Hello") {
		t.Errorf("the container's own loopback says %q", got)
	}
	// The loopback of this machine is not the container's.
	secret, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	defer secret.Close()
	foreign, err := w.forward(task, "127.0.0.1", secret.Addr().(*net.TCPAddr).Port)
	w.must(err)
	_ = get(t, foreign.Addr())
	w.until("the problem is told", func() bool { return strings.HasPrefix(foreign.Problem(), "nothing answers at") })
	for _, host := range []string{"169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::253"} {
		if _, err := w.forward(task, host, 80); err == nil || cause(t, err) != "Forwarding to IP address "+host+" is forbidden." {
			t.Errorf("%s: %v", host, err)
		}
	}
}
