package docker

import (
	"os"
	"strings"
)

// environment completes entries without a value by gantry's own, as docker run
// does. One that gantry does not have either is left out.
func environment(entries []string) []string {
	var full []string
	for _, entry := range entries {
		if strings.Contains(entry, "=") {
			full = append(full, entry)
			continue
		}
		if value, ok := os.LookupEnv(entry); ok {
			full = append(full, entry+"="+value)
		}
	}
	return full
}

// short is an ID as docker shows it, a name as it is.
func short(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	if len(id) == 64 {
		return id[:12]
	}
	return clean(id)
}
