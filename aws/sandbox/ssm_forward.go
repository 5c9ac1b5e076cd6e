package sandbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"time"
)

// The documents of SSM that forward ports.
const (
	documentPort       = "AWS-StartPortForwardingSession"
	documentRemoteHost = "AWS-StartPortForwardingSessionToRemoteHost"
)

// resolveTimeout is how long the name of a remote host may take to resolve.
const resolveTimeout = 5 * time.Second

// forbiddenAddresses are those that AWS's agent never forwards to: instance
// metadata, DNS, time and other services of the VPC (amazon-ssm-agent,
// agent/appconfig/constants.go, DefaultDeniedPortForwardingRemoteIPs).
var forbiddenAddresses = []net.IP{
	net.ParseIP("169.254.169.254"), net.ParseIP("fd00:ec2::254"),
	net.ParseIP("169.254.169.253"), net.ParseIP("fd00:ec2::253"),
	net.ParseIP("169.254.169.123"), net.ParseIP("fd00:ec2::123"),
	net.ParseIP("169.254.169.250"), net.ParseIP("169.254.169.251"), net.ParseIP("fd00:ec2::240"),
}

// forward is where a port session leads.
type forward struct {
	host       string // empty for the container itself
	port       int
	parameters map[string]string // of the document, for the client to read back
}

// parseForward reads a document's parameters, with the defaults that the
// documents have.
func parseForward(document string, given map[string][]string) (forward, error) {
	parameters := map[string]string{"portNumber": "80", "localPortNumber": "0"}
	switch document {
	case documentPort:
	case documentRemoteHost:
		parameters["host"] = "localhost"
	default:
		return forward{}, unknownDocument(document)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, known := parameters[name]; !known {
			return forward{}, invalidParameters("Parameter %s is not one of the document %s.", quote(name), document)
		}
		if len(given[name]) != 1 {
			return forward{}, invalidParameters("Parameter %s must have exactly one value.", name)
		}
		parameters[name] = given[name][0]
	}
	port, err := portNumber("portNumber", parameters, 1)
	if err != nil {
		return forward{}, err
	}
	if _, err := portNumber("localPortNumber", parameters, 0); err != nil {
		return forward{}, err
	}
	return forward{host: parameters["host"], port: port, parameters: parameters}, nil
}

func portNumber(name string, parameters map[string]string, least int) (int, error) {
	n, err := strconv.Atoi(parameters[name])
	if err != nil || n < least || n > 65535 {
		return 0, invalidParameters("Parameter %s has the value %s, which is no port number.", name, quote(parameters[name]))
	}
	return n, nil
}

// resolve looks up the remote host and checks where it leads, once for the
// whole session, as AWS's agent does: a name that changes later reaches nothing
// else. A name that does not resolve fails when it is dialled.
func (f forward) resolve(ctx context.Context) (addresses []net.IP, forbidden error) {
	if f.host == "" {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	found, err := net.DefaultResolver.LookupIPAddr(ctx, f.host)
	if err != nil {
		return nil, nil
	}
	for _, a := range found {
		if slices.ContainsFunc(forbiddenAddresses, a.IP.Equal) {
			return nil, fmt.Errorf("Forwarding to IP address %s is forbidden.", f.host) //nolint:staticcheck // as AWS's agent words it
		}
		addresses = append(addresses, a.IP)
	}
	return addresses, nil
}

// dial connects to the container's port or, by way of it, to the remote host.
// A container's own loopback is not that of this machine: there the ports of its
// task are reachable, and no others.
func (f forward) dial(ctx context.Context, to execTarget, addresses []net.IP) (net.Conn, error) {
	if f.host == "" {
		return f.dialContainer(ctx, to)
	}
	err := fmt.Errorf("no address of %s is known", quote(f.host))
	for _, ip := range addresses {
		var conn net.Conn
		if ip.IsLoopback() || ip.IsUnspecified() {
			conn, err = f.dialContainer(ctx, to)
		} else {
			conn, err = new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(ip.String(), strconv.Itoa(f.port)))
		}
		if err == nil {
			return conn, nil
		}
	}
	return nil, err
}

var errNothingListens = errors.New("nothing listens on that port in the task")

// addressTimeout is how long a task's own address may take to answer: behind a
// virtual machine it leads nowhere.
const addressTimeout = 2 * time.Second

// dialContainer connects to a port of the task: where it is published, else at
// the task's own address if it has one that this machine may reach.
func (f forward) dialContainer(ctx context.Context, to execTarget) (net.Conn, error) {
	at := slices.IndexFunc(to.Ports, func(p PortBinding) bool { return int(p.ContainerPort) == f.port && p.Protocol == "tcp" })
	if at >= 0 {
		address := net.JoinHostPort(to.Ports[at].HostIP, strconv.Itoa(int(to.Ports[at].HostPort)))
		return new(net.Dialer).DialContext(ctx, "tcp", address)
	}
	if to.IP == "" {
		return nil, errNothingListens
	}
	conn, err := (&net.Dialer{Timeout: addressTimeout}).DialContext(ctx, "tcp", net.JoinHostPort(to.IP, strconv.Itoa(f.port)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNothingListens, err)
	}
	return conn, nil
}
