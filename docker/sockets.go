package docker

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// dialTimeout bounds a look at a local socket. A socket answers at once or is
// stuck.
const dialTimeout = 300 * time.Millisecond

// product is software that runs an engine, and the command that starts it.
type product struct {
	name  string
	start string
}

// places are where engines put their sockets by default, with ~ for the home
// and $XDG_RUNTIME_DIR for the user's runtime directory. They are the products'
// own conventions:
// https://docs.docker.com/engine/security/rootless/ (rootless),
// https://docs.docker.com/desktop/ (~/.docker/run, ~/.docker/desktop),
// https://github.com/abiosoft/colima/blob/main/docs/FAQ.md,
// https://docs.rancherdesktop.io/, https://docs.orbstack.dev/docker/,
// https://lima-vm.io/docs/examples/containers/docker/,
// https://docs.podman.io/en/latest/markdown/podman-system-service.1.html
var places = []struct {
	pattern string
	product product
}{
	{"/var/run/docker.sock", product{"Docker Engine", systemStart("docker")}},
	{"$XDG_RUNTIME_DIR/docker.sock", product{"Docker rootless", "systemctl --user start docker"}},
	{"~/.docker/run/docker.sock", product{"Docker Desktop", desktopStart()}},
	{"~/.docker/desktop/docker.sock", product{"Docker Desktop", desktopStart()}},
	{"~/.colima/*/docker.sock", product{"Colima", "colima start"}},
	{"~/.config/colima/*/docker.sock", product{"Colima", "colima start"}},
	{"~/.rd/docker.sock", product{"Rancher Desktop", "rdctl start"}},
	{"~/.orbstack/run/docker.sock", product{"OrbStack", "orb start"}},
	{"~/.lima/*/sock/docker.sock", product{"Lima", "limactl start"}},
	{"$XDG_RUNTIME_DIR/podman/podman.sock", product{"Podman rootless", "systemctl --user start podman.socket"}},
	{"/run/podman/podman.sock", product{"Podman", systemStart("podman.socket")}},
}

func systemStart(unit string) string {
	if runtime.GOOS == "darwin" {
		return desktopStart()
	}
	return "sudo systemctl start " + unit
}

func desktopStart() string {
	if runtime.GOOS == "darwin" {
		return "open -a Docker"
	}
	return "systemctl --user start docker-desktop"
}

// socket is a socket file that exists at one of the places.
type socket struct {
	path    string
	product product
}

// findSockets lists the sockets that exist, whether or not anything listens.
// Two names of one file are one socket.
func findSockets() []socket {
	var found []socket
	seen := map[string]bool{}
	for _, place := range places {
		pattern := expand(place.pattern)
		if pattern == "" {
			continue
		}
		paths, err := filepath.Glob(pattern)
		if err != nil {
			continue
		}
		for _, path := range paths {
			target, err := filepath.EvalSymlinks(path)
			if err != nil || seen[target] {
				continue
			}
			seen[target] = true
			found = append(found, socket{path: path, product: place.product})
		}
	}
	return found
}

// expand fills in ~ and $XDG_RUNTIME_DIR, "" when they are not known.
func expand(pattern string) string {
	if rest, ok := strings.CutPrefix(pattern, "~"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		return home + rest
	}
	if rest, ok := strings.CutPrefix(pattern, "$XDG_RUNTIME_DIR"); ok {
		dir := os.Getenv("XDG_RUNTIME_DIR")
		if dir == "" {
			return ""
		}
		return dir + rest
	}
	return pattern
}

// productAt is the product that a socket's path is the convention of.
func productAt(path string) product {
	for _, place := range places {
		if ok, err := filepath.Match(expand(place.pattern), path); ok && err == nil {
			return place.product
		}
	}
	if path == "/run/docker.sock" {
		return places[0].product
	}
	return product{}
}

// restart is the command that brings the endpoint's engine back, as far as its
// address tells.
func (e endpoint) restart() string {
	if path := e.path(); path != "" {
		if p := productAt(path); p.start != "" {
			return p.start
		}
		return "start the engine that owns " + path
	}
	if strings.HasPrefix(e.Host, "npipe://") {
		return "start Docker Desktop"
	}
	return "start the engine there, or choose another docker context"
}

// inspectSocket says why a local socket does not work.
func (e endpoint) inspectSocket() finding {
	path := e.path()
	if path == "" {
		return finding{ErrStopped, "no engine answers at " + e.Host, e.restart()}
	}
	switch err := look(path); {
	case err == nil:
		return finding{ErrStopped, "the engine at " + path + " ended the call", "try again; the engine answers now"}
	case errors.Is(err, fs.ErrPermission):
		return finding{ErrPermission, "this user may not open " + path, permit(path)}
	case errors.Is(err, fs.ErrNotExist):
		return finding{ErrNoEngine, fmt.Sprintf("%s does not exist%s", path, e.decided()), e.offer()}
	}
	return finding{ErrStopped, "the engine at " + path + " does not run", e.offer()}
}

// look dials a socket and says what the system says.
func look(path string) error {
	conn, err := net.DialTimeout("unix", path, dialTimeout)
	if err != nil {
		return err
	}
	return conn.Close()
}

// decided is a remark on the rule that chose an endpoint, where it is not the
// default one.
func (e endpoint) decided() string {
	switch e.source {
	case sourceDefault, sourceSocket, "":
		return ""
	case sourceHostEnv, sourceHostFlag:
		return " (set by " + e.source + ")"
	}
	return fmt.Sprintf(" (docker context %q, %s)", e.context, e.source)
}

// offer is what to do about a socket where no engine answers: start it, or use
// one of the others that do answer. Another engine is never used unasked: its
// containers are not the ones that the user thinks of.
func (e endpoint) offer() string {
	var live []string
	for _, s := range findSockets() {
		if s.path != e.path() && look(s.path) == nil {
			live = append(live, fmt.Sprintf("export DOCKER_HOST=unix://%s (%s)", quote(s.path), s.product.name))
		}
	}
	if len(live) == 0 {
		return e.restart()
	}
	return e.restart() + ", or use an engine that answers: " + strings.Join(live, ", ")
}
