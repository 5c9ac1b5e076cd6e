package sandbox

import (
	"log/slog"
	"strings"

	"gantry/aws/sandbox/demo"
)

// ProcessConfig says how tasks run as processes of this machine. Its zero value
// is what main uses.
type ProcessConfig struct {
	Executable string       // calls demo.Main when demo.Requested; this very program when empty
	Dir        string       // where the tasks' working directories are made; a new one in os.TempDir when empty
	Limit      int          // how many tasks may run at once; 100 when 0
	Log        *slog.Logger // nil discards
}

// cannotPull is ECS's reason for an image that does not exist, with a word on
// why: the diagnosis matches the first part, a newcomer needs the second.
func cannotPull(image string) string {
	ref := imageReference(image)
	return "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref " + ref + ": " + ref +
		": not found (tasks are processes in this sandbox, and " + demo.Image + " is the only image it has)"
}

// hasImage reports whether an image is the demo app, whatever its tag.
func hasImage(image string) bool { return imageName(image) == demo.Image }

// imageName is an image without its tag and digest.
func imageName(image string) string {
	name, _, _ := strings.Cut(image, "@")
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		name = name[:colon]
	}
	return name
}

// imageReference is an image's full reference, as containerd writes it:
// "nginx" is "docker.io/library/nginx:latest".
func imageReference(image string) string {
	host, rest, found := strings.Cut(image, "/")
	switch {
	case !found:
		image = "docker.io/library/" + image
	case !strings.ContainsAny(host, ".:") && host != "localhost":
		image = "docker.io/" + host + "/" + rest
	}
	if strings.Contains(image, "@") || strings.LastIndexByte(image, ':') > strings.LastIndexByte(image, '/') {
		return image
	}
	return image + ":latest"
}
