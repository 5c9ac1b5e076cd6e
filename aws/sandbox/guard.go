package sandbox

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gantry/aws/sandbox/wire"
)

// guard stands before everything that the sandbox serves. Whoever gets past it
// can run code as this user, so it verifies what AWS's own front end would,
// and what a port on loopback needs besides: a web page that the user visits
// must not reach it, neither directly (Origin) nor under a name of its own
// that resolves to 127.0.0.1 (Host, against DNS rebinding).
type guard struct {
	key   accessKey
	hosts map[string]bool // Host headers that are ours
	now   func() time.Time
}

func newGuard(address string, key accessKey) *guard {
	g := &guard{key: key, hosts: map[string]bool{}, now: time.Now}
	_, port, _ := net.SplitHostPort(address)
	for _, name := range []string{"127.0.0.1", "localhost", "::1"} {
		g.hosts[net.JoinHostPort(name, port)] = true
	}
	return g
}

// local lets requests through that name this server as their host and come
// from no page of another.
func (g *guard) local(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.hosts[strings.ToLower(r.Host)] {
			wire.WriteError(w, r, &wire.Error{
				Code: "ForbiddenHostException", Status: http.StatusMisdirectedRequest,
				Message: fmt.Sprintf("The sandbox answers to 127.0.0.1 and localhost with its own port only, not to %s.", quote(r.Host)),
			})
			return
		}
		if origin, foreign := g.foreignOrigin(r); foreign {
			wire.WriteError(w, r, &wire.Error{
				Code: "ForbiddenOriginException", Status: http.StatusForbidden,
				Message: fmt.Sprintf("The sandbox takes no requests from web pages, and this one comes from %s.", quote(origin)),
			})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (g *guard) foreignOrigin(r *http.Request) (string, bool) {
	for _, origin := range r.Header.Values("Origin") {
		host, ours := strings.CutPrefix(strings.ToLower(origin), "http://")
		if !ours || !g.hosts[host] {
			return origin, true
		}
	}
	return "", false
}

// quote shows a header's value in a message, whatever bytes it has.
func quote(value string) string {
	const limit = 100
	if len(value) > limit {
		value = value[:limit] + "…"
	}
	return strconv.QuoteToASCII(value)
}
