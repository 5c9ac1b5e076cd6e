package docker

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"

	"gantry/internal/diagnose"
)

// Port is a container's port and where it is published. Host is 0 for one that
// is exposed only; in RunOptions 0 lets the engine choose.
type Port struct {
	HostIP    string // "" in RunOptions: all addresses
	Host      int
	Container int
	Proto     string // tcp, udp, sctp
}

// Published reports whether the port can be reached on the host.
func (p Port) Published() bool { return p.Host != 0 }

// String is the port in the notation of `docker ps`: 127.0.0.1:8080->80/tcp.
func (p Port) String() string {
	inner := fmt.Sprintf("%d/%s", p.Container, p.Proto)
	if !p.Published() {
		return inner
	}
	return net.JoinHostPort(p.HostIP, strconv.Itoa(p.Host)) + "->" + inner
}

// spec is the port in the notation of `docker run --publish`.
func (p Port) spec() string {
	inner := strconv.Itoa(p.Container)
	if p.Proto != "" && p.Proto != "tcp" {
		inner += "/" + p.Proto
	}
	host := ""
	if p.Host != 0 {
		host = strconv.Itoa(p.Host)
	}
	switch {
	case p.HostIP != "" && strings.Contains(p.HostIP, ":"):
		return "[" + p.HostIP + "]:" + host + ":" + inner
	case p.HostIP != "":
		return p.HostIP + ":" + host + ":" + inner
	case host != "":
		return host + ":" + inner
	}
	return inner
}

// publications sorts a row's ports and drops the second of 0.0.0.0 and ::.
func publications(ports []container.PortSummary) []Port {
	rows := make([]Port, 0, len(ports))
	for _, p := range ports {
		row := Port{Host: int(p.PublicPort), Container: int(p.PrivatePort), Proto: p.Type}
		if p.IP.IsValid() {
			row.HostIP = p.IP.String()
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, comparePorts)
	return slices.CompactFunc(rows, func(a, b Port) bool {
		everywhere := func(p Port) bool { return p.HostIP == "0.0.0.0" || p.HostIP == "::" }
		return a.Host == b.Host && a.Container == b.Container && a.Proto == b.Proto && everywhere(a) && everywhere(b)
	})
}

func comparePorts(a, b Port) int {
	return cmp.Or(cmp.Compare(a.Container, b.Container), cmp.Compare(a.Proto, b.Proto),
		cmp.Compare(a.Host, b.Host), cmp.Compare(a.HostIP, b.HostIP))
}

// exposed reads ports as an image's configuration has them: "80/tcp".
func exposed(ports map[string]struct{}) []Port {
	var rows []Port
	for text := range ports {
		p, err := network.ParsePort(text)
		if err == nil {
			rows = append(rows, Port{Container: int(p.Num()), Proto: string(p.Proto())})
		}
	}
	slices.SortFunc(rows, comparePorts)
	return rows
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// ParsePort reads a port in the notation of `docker run --publish`:
// [[address:][host]:]container[/protocol]. Ranges are not taken.
func ParsePort(text string) (Port, error) {
	spec, proto, hasProto := strings.Cut(strings.TrimSpace(text), "/")
	if !hasProto {
		proto = "tcp"
	}
	if !slices.Contains([]string{"tcp", "udp", "sctp"}, proto) {
		return Port{}, badPort(text)
	}
	rest, inner := cutLast(spec)
	address, host := cutLast(rest)
	p := Port{Proto: proto}
	var err error
	if p.Container, err = portOf(inner); err != nil {
		return Port{}, badPort(text)
	}
	if host != "" {
		if p.Host, err = portOf(host); err != nil {
			return Port{}, badPort(text)
		}
	}
	if address != "" {
		ip, err := netip.ParseAddr(strings.Trim(address, "[]"))
		if err != nil {
			return Port{}, badPort(text)
		}
		p.HostIP = ip.String()
	}
	return p, nil
}

// cutLast parts a text at its last colon outside of brackets.
func cutLast(s string) (before, after string) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || strings.HasSuffix(s, "]") {
		return "", s
	}
	return s[:i], s[i+1:]
}

func portOf(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	if err == nil && n == 0 {
		err = strconv.ErrRange
	}
	return int(n), err
}

func badPort(text string) error {
	return &diagnose.Error{
		What:  "read the port \"" + clean(text) + "\"",
		Cause: "it is none that can be published",
		Do:    "write HOST:CONTAINER, such as 8080:80 or 127.0.0.1:8080:80/tcp",
		Err:   ErrInvalid,
	}
}

// portMap is how the engine wants the ports of a new container.
func portMap(ports []Port) (network.PortSet, network.PortMap, error) {
	set, bindings := network.PortSet{}, network.PortMap{}
	for _, p := range ports {
		inner, err := network.ParsePort(fmt.Sprintf("%d/%s", p.Container, p.Proto))
		if err != nil {
			return nil, nil, badPort(p.spec())
		}
		var b network.PortBinding
		if p.HostIP != "" {
			if b.HostIP, err = netip.ParseAddr(p.HostIP); err != nil {
				return nil, nil, badPort(p.spec())
			}
		}
		if p.Host != 0 {
			b.HostPort = strconv.Itoa(p.Host)
		}
		set[inner] = struct{}{}
		bindings[inner] = append(bindings[inner], b)
	}
	return set, bindings, nil
}

// bound reads ports as a running container's network settings have them.
func bound(ports network.PortMap) []Port {
	var list []container.PortSummary
	for inner, bindings := range ports {
		s := container.PortSummary{PrivatePort: inner.Num(), Type: string(inner.Proto())}
		if len(bindings) == 0 {
			list = append(list, s)
		}
		for _, b := range bindings {
			host, err := strconv.ParseUint(b.HostPort, 10, 16)
			if err != nil {
				continue
			}
			s.IP, s.PublicPort = b.HostIP, uint16(host)
			list = append(list, s)
		}
	}
	return publications(list)
}
