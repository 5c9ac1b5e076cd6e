package docker

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// procTables reads the socket tables of a process of this machine. The engine
// counts processes in its own namespace, and may run in a virtual machine
// behind a socket of this one, so a process of that number here may be a
// stranger: its control group must name the container.
func procTables(pid int, container string) (map[string]string, error) {
	folder := filepath.Join("/proc", strconv.Itoa(pid))
	group, err := os.ReadFile(filepath.Join(folder, "cgroup")) //nolint:gosec // below /proc
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errElsewhere, err)
	}
	if !strings.Contains(string(group), container) {
		return nil, errElsewhere
	}
	tables := map[string]string{}
	for _, name := range socketTables {
		text, err := os.ReadFile(filepath.Join(folder, "net", name)) //nolint:gosec // below /proc
		if os.IsNotExist(err) && strings.HasSuffix(name, "6") {
			continue // a kernel without IPv6
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errElsewhere, err)
		}
		tables[name] = string(text)
	}
	return tables, nil
}
