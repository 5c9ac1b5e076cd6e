package docker

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// socketTables are the kernel's tables of a network namespace, below
// /proc/<pid>/net. A program that listens on :: shows in the tables of v6 only,
// and takes v4 connections too.
var socketTables = []string{"tcp", "tcp6", "udp", "udp6"}

// States of sockets in these tables (include/net/tcp_states.h): 0A is a TCP
// socket that listens; an unconnected UDP socket has the number of "closed".
const (
	stateListen      = "0A"
	stateUnconnected = "07"
)

var errTable = errors.New("the kernel's socket table is not understood")

// parseTables reads the tables that it gets, by name, and returns the sockets
// that take connections or packets, in a fixed order.
func parseTables(tables map[string]string) ([]Socket, error) {
	found := []Socket{}
	for _, name := range socketTables {
		proto := strings.TrimSuffix(name, "6")
		for i, line := range strings.Split(tables[name], "\n") {
			fields := strings.Fields(line)
			if i == 0 || len(fields) == 0 {
				continue // the first line is the heading
			}
			if len(fields) < 4 {
				return nil, fmt.Errorf("%w: %s line %d", errTable, name, i+1)
			}
			if fields[3] != waitingState(proto) {
				continue
			}
			at, err := parseEndpoint(fields[1])
			if err != nil {
				return nil, fmt.Errorf("%w: %s line %d: %w", errTable, name, i+1, err)
			}
			found = append(found, Socket{Addr: at, Proto: proto})
		}
	}
	slices.SortFunc(found, func(a, b Socket) int {
		if d := strings.Compare(a.Proto, b.Proto); d != 0 {
			return d
		}
		return a.Addr.Compare(b.Addr)
	})
	return slices.Compact(found), nil
}

func waitingState(proto string) string {
	if proto == "udp" {
		return stateUnconnected
	}
	return stateListen
}

// parseEndpoint reads "0100007F:1F90". The address is one or four words of 32
// bits, each as the machine keeps it; the port is a plain number in hex. The
// words are read as little-endian, which amd64, arm64 and riscv64 are.
func parseEndpoint(text string) (netip.AddrPort, error) {
	address, port, found := strings.Cut(text, ":")
	raw, err := hex.DecodeString(address)
	if !found || err != nil || len(raw) != 4 && len(raw) != 16 {
		return netip.AddrPort{}, fmt.Errorf("%q is no address", text)
	}
	for i := 0; i < len(raw); i += 4 {
		binary.BigEndian.PutUint32(raw[i:], binary.LittleEndian.Uint32(raw[i:]))
	}
	number, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%q is no port", port)
	}
	at, _ := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(at.Unmap(), uint16(number)), nil
}
