package docker

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"gantry/internal/diagnose"
)

// Verdict says whether anybody in a container takes what comes in on a
// published port.
type Verdict string

// The verdicts.
const (
	ListenOK       Verdict = "ok"         // on an address that the port's traffic reaches
	ListenLoopback Verdict = "loopback"   // on 127.0.0.1 only: nothing from outside gets there
	ListenOther    Verdict = "other port" // on other ports, not on this one
	ListenNotYet   Verdict = "not yet"    // on no port at all
	ListenUnknown  Verdict = "unknown"    // could not be looked at
)

// Socket is an address that a process in a container listens on.
type Socket struct {
	Addr  netip.AddrPort
	Proto string // tcp, udp
}

// PortListen is the verdict on one published port.
type PortListen struct {
	Port    Port
	Verdict Verdict
	// Others are the ports that somebody listens on where this one is free, the
	// likeliest meant ones first: those reachable from outside.
	Others []Socket
}

// Listen says, for each published port of a container, whether the app in it
// listens there.
type Listen struct {
	Container string // its name
	Ports     []PortListen
	Stack     Stack
	// Reason says why there is nothing to say: not running, no published port,
	// host network.
	Reason string
	// NeedsHelper says that the verdicts are unknown because the container's
	// processes are not to be seen from here; ListeningByHelper can tell.
	NeedsHelper bool
}

// Settled reports whether looking again soon is of no use: every port is
// listened on, wrongly or not, or there is nothing to look at.
func (l Listen) Settled() bool {
	for _, p := range l.Ports {
		if p.Verdict == ListenNotYet || p.Verdict == ListenOther {
			return false
		}
	}
	return true
}

// Worst is the verdict that the user should know of first, ListenOK when there
// is no port.
func (l Listen) Worst() Verdict {
	for _, v := range []Verdict{ListenLoopback, ListenOther, ListenNotYet, ListenUnknown} {
		if slices.ContainsFunc(l.Ports, func(p PortListen) bool { return p.Verdict == v }) {
			return v
		}
	}
	return ListenOK
}

// Listening looks where a container's processes listen, by reading the socket
// tables of its network namespace under /proc. That costs nothing and needs
// nothing in the container, but the engine must run on this machine.
func (c *Client) Listening(ctx context.Context, row Container) (Listen, error) {
	l, target, err := c.listenTarget(ctx, row)
	if err != nil || l.Reason != "" {
		return l, err
	}
	tables, err := c.readTables(target)
	if err != nil {
		l.NeedsHelper = true
		l.judge(nil, target)
		return l, nil
	}
	sockets, err := parseTables(tables)
	if err != nil {
		return l, &diagnose.Error{What: "look where " + clean(row.Name) + " listens", Cause: clean(err.Error()), Do: "ask the helper container", Err: err}
	}
	l.judge(sockets, target)
	return l, nil
}

// listenTarget is a running container whose ports can be judged.
type listenTarget struct {
	id        string
	pid       int
	addresses []netip.Addr // of the container in its networks
}

// listenTarget asks the engine for what a verdict needs. A container without
// one gets a Reason.
func (c *Client) listenTarget(ctx context.Context, row Container) (Listen, listenTarget, error) {
	what := "look where " + clean(orElse(row.Name, short(row.ID))) + " listens"
	api, err := c.api(ctx)
	if err != nil {
		return Listen{}, listenTarget{}, c.explain(what, err)
	}
	in, err := c.inspect(ctx, api, row.ID)
	if err != nil {
		return Listen{}, listenTarget{}, c.explain(what, err)
	}
	d := described(in)
	l := Listen{Container: d.Name}
	if cfg := in.Config; cfg != nil {
		l.Stack = DetectStack(StackHints{
			Image: cfg.Image, Command: append([]string{in.Path}, in.Args...), Env: cfg.Env, Labels: cfg.Labels,
		})
	}
	for _, p := range d.Ports {
		if p.Published() {
			l.Ports = append(l.Ports, PortListen{Port: p, Verdict: ListenUnknown})
		}
	}
	switch {
	case !d.Running():
		l.Reason = "the container does not run"
	case d.NetworkMode == "host":
		l.Reason = "it uses the host's network: its ports are the host's own"
	case strings.HasPrefix(d.NetworkMode, "container:"):
		l.Reason = "it uses another container's network: look at that one"
	case len(l.Ports) == 0:
		l.Reason = "it publishes no port: run it with -p HOST:CONTAINER to reach it"
	}
	t := listenTarget{id: d.ID, pid: d.Detail.PID}
	if in.NetworkSettings != nil {
		for _, n := range in.NetworkSettings.Networks {
			if n == nil {
				continue
			}
			for _, a := range []netip.Addr{n.IPAddress, n.GlobalIPv6Address} {
				if a.IsValid() {
					t.addresses = append(t.addresses, a)
				}
			}
		}
	}
	return l, t, nil
}

// errElsewhere: the container's processes are not this machine's.
var errElsewhere = errors.New("the engine's processes are not visible from here")

// readTables reads the socket tables where the engine is on this machine.
func (c *Client) readTables(t listenTarget) (map[string]string, error) {
	if !isLocal(c.at().Host) || t.pid <= 0 {
		return nil, errElsewhere
	}
	return procTables(t.pid, t.id)
}

// judge sets the verdict of every port. nil sockets leave them unknown.
func (l *Listen) judge(sockets []Socket, t listenTarget) {
	for i := range l.Ports {
		p := &l.Ports[i]
		if sockets == nil {
			p.Verdict = ListenUnknown
			continue
		}
		p.Verdict, p.Others = verdict(p.Port, sockets, t.addresses)
	}
}

// verdict compares a published port with what is listened on.
func verdict(p Port, sockets []Socket, addresses []netip.Addr) (Verdict, []Socket) {
	onLoopback := false
	var others []Socket
	for _, s := range sockets {
		if s.Proto != p.Proto {
			continue
		}
		switch here := reachable(s.Addr.Addr(), addresses); {
		case int(s.Addr.Port()) != p.Container:
			if s.Addr.Addr() != engineResolver {
				others = append(others, s)
			}
		case here:
			return ListenOK, nil
		default:
			onLoopback = true
		}
	}
	switch {
	case onLoopback:
		return ListenLoopback, nil
	case len(others) == 0:
		return ListenNotYet, nil
	}
	outside := func(s Socket) bool { return reachable(s.Addr.Addr(), addresses) }
	slices.SortStableFunc(others, func(a, b Socket) int {
		switch {
		case outside(a) == outside(b):
			return 0
		case outside(a):
			return -1
		}
		return 1
	})
	return ListenOther, others
}

// engineResolver is where the engine itself answers name queries inside user
// networks: https://docs.docker.com/engine/network/#dns-services
var engineResolver = netip.AddrFrom4([4]byte{127, 0, 0, 11})

// reachable reports whether traffic of a published port arrives at a listening
// address: it is sent to the container's own address.
func reachable(at netip.Addr, addresses []netip.Addr) bool {
	at = at.Unmap()
	return at.IsUnspecified() || !at.IsLoopback() && (len(addresses) == 0 || slices.Contains(addresses, at))
}

// Explain tells the user about the port that is worst off: what he sees, why,
// and what mends it. nil when there is nothing to mend.
func (l Listen) Explain() *diagnose.Error {
	worst := l.Worst()
	for _, p := range l.Ports {
		if p.Verdict == worst && worst != ListenOK {
			return l.explainPort(p)
		}
	}
	return nil
}

// whatCurlShows: docker-proxy takes the connection on the host first and only
// then fails to reach the app, so a client sees a reset, not a refusal.
const whatCurlShows = "curl: (56) Recv failure: Connection reset by peer"

func (l Listen) explainPort(p PortListen) *diagnose.Error {
	what := fmt.Sprintf("reach %s of %s", p.Port, clean(l.Container))
	port := p.Port.Container
	switch p.Verdict {
	case ListenLoopback:
		return &diagnose.Error{
			What:  what,
			Cause: fmt.Sprintf("%s: the app listens on 127.0.0.1:%d inside the container, where only the container itself gets to", whatCurlShows, port),
			Do:    l.Stack.Fix(port),
		}
	case ListenOther:
		return l.explainOther(what, p)
	case ListenNotYet:
		return &diagnose.Error{
			What:  what,
			Cause: fmt.Sprintf("%s: nothing listens on port %d in the container yet", whatCurlShows, port),
			Do:    "wait until the app has started; its log (l) tells how far it is",
		}
	}
	return &diagnose.Error{
		What:  what,
		Cause: "where the app listens cannot be seen from here: the engine runs on another machine, or in a virtual one",
		Do:    "let a helper container look (it is asked first)",
	}
}

// explainOther is a port mapping that leads past the app.
func (l Listen) explainOther(what string, p PortListen) *diagnose.Error {
	best := p.Others[0].Addr
	cause := fmt.Sprintf("%s: the app listens on port %d, and %d was published", whatCurlShows, best.Port(), p.Port.Container)
	right := p.Port
	right.Container = int(best.Port())
	do := "run it with -p " + right.spec()
	if best.Addr().Unmap().IsLoopback() {
		cause += ", on 127.0.0.1 besides"
		do += ", and " + l.Stack.Fix(right.Container)
	}
	return &diagnose.Error{What: what, Cause: cause, Do: do}
}
