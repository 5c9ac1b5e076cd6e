package docker

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

// serverImage builds the image of testdata/server.
func serverImage(t *testing.T, c *Client) string {
	t.Helper()
	source, err := os.ReadFile("testdata/server/main.go")
	if err != nil {
		t.Fatal(err)
	}
	dir := folder(t, map[string]string{
		"server":     program(t, string(source)),
		"Dockerfile": "FROM scratch\nCOPY server /server\nEXPOSE 8080\nENTRYPOINT [\"/server\"]\n",
	})
	return built(t, c, BuildOptions{Dir: dir})
}

// publish is a port 8080 on the host's loopback, the host's number left to the
// engine.
func publish(config container.Config, host container.HostConfig) (container.Config, container.HostConfig) {
	port := network.MustParsePort("8080/tcp")
	config.ExposedPorts = network.PortSet{port: {}}
	host.PortBindings = network.PortMap{port: {{HostIP: netip.MustParseAddr("127.0.0.1")}}}
	return config, host
}

func TestListening(t *testing.T) {
	c := live(t)
	image, shell := serverImage(t, c), busybox(t, c)
	for _, tt := range []struct {
		name string
		env  []string
		host container.HostConfig
		want Verdict
	}{
		{name: "loopback", want: ListenLoopback},
		{name: "everywhere", env: []string{"SERVER_ADDRESS=0.0.0.0"}, want: ListenOK},
		{name: "v6", env: []string{"SERVER_ADDRESS=::"}, want: ListenOK},
		{name: "other port", env: []string{"SERVER_ADDRESS=0.0.0.0", "SERVER_PORT=9090"}, want: ListenOther},
		{name: "not yet", env: []string{"SERVER_ADDRESS=none"}, want: ListenNotYet},
		{name: "beside a locked down container", host: container.HostConfig{ReadonlyRootfs: true, CapDrop: []string{"ALL"}}, want: ListenLoopback},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config, host := publish(container.Config{Image: image, Env: tt.env}, tt.host)
			row := Container{ID: launched(t, c, config, host)}
			eventually(t, "the server has begun", func() bool {
				l, err := c.Listening(t.Context(), row)
				if err != nil {
					t.Fatal(err)
				}
				return l.Worst() == tt.want
			})
			l, err := c.ListeningByHelper(t.Context(), row, shell)
			if err != nil {
				t.Fatal(err)
			}
			if l.Worst() != tt.want {
				t.Errorf("the helper says %s, want %s", l.Worst(), tt.want)
			}
			if tt.want == ListenLoopback && !strings.Contains(l.Explain().Error(), "curl: (56)") {
				t.Errorf("explained as %v", l.Explain())
			}
			left, err := c.engineOf(t).ContainerList(t.Context(), client.ContainerListOptions{
				All: true, Filters: make(client.Filters).Add("label", HelperLabel+"="+row.ID),
			})
			if err != nil || len(left.Items) != 0 {
				t.Errorf("%d helper containers are left, %v", len(left.Items), err)
			}
		})
	}
}

func TestListeningHasNothingToSay(t *testing.T) {
	c := live(t)
	image := serverImage(t, c)
	for _, tt := range []struct {
		name string
		host container.HostConfig
		want string
	}{
		{"nothing published", container.HostConfig{}, "publishes no port"},
		{"host network", container.HostConfig{NetworkMode: "host"}, "host's network"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id := launched(t, c, container.Config{Image: image, Env: []string{"SERVER_ADDRESS=none"}}, tt.host)
			l, err := c.Listening(t.Context(), Container{ID: id})
			if err != nil || !strings.Contains(l.Reason, tt.want) || !l.Settled() {
				t.Errorf("got %+v, %v", l, err)
			}
		})
	}
	if _, err := c.Listening(t.Context(), Container{ID: "gantry-no-such-container"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("a container that is gone: %v", err)
	}
}

// A number of a process here says nothing about the engine's processes.
func TestProcTablesOfAStranger(t *testing.T) {
	for _, pid := range []int{os.Getpid(), 1 << 30} {
		if _, err := procTables(pid, "0123456789abcdef"); !errors.Is(err, errElsewhere) {
			t.Errorf("process %d: %v", pid, err)
		}
	}
}

func TestListeningByHelperReadOnly(t *testing.T) {
	c := New(Options{ReadOnly: true, Host: "unix:///nowhere"})
	if _, err := c.ListeningByHelper(t.Context(), Container{ID: "x"}, ""); !errors.Is(err, ErrReadOnly) {
		t.Errorf("error = %v", err)
	}
}
